"""What the instance says that is no post: nodeinfo, instance, actors, profile pages, robots.txt.

Belongs here: pure functions that return documents (fediverse.md 2.2, 2.7). Serving them is
``instance``'s.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from reds_pipeline.demo.pixelfed.entities import author_url
from reds_pipeline.demo.posts import Author, Post

PIXELFED_VERSION = "0.12.6"
"""The version whose behaviour the instance copies."""

API_VERSION = f"3.5.3 (compatible; Pixelfed {PIXELFED_VERSION})"
"""What the instance calls itself in ``version``."""

ROBOTS_TXT = "User-agent: *\nDisallow: /discover/places/\nDisallow: /stories/\nDisallow: /i/\n"
"""Pixelfed's default robots.txt (fediverse.md 5.2)."""

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Login</title></head><body>Login</body></html>"
"""Where requests without a token that do not ask for JSON end up."""


def nodeinfo_links(base_url: str) -> dict[str, Any]:
    """Return ``/.well-known/nodeinfo``."""
    return {
        "links": [
            {
                "rel": "http://nodeinfo.diaspora.software/ns/schema/2.0",
                "href": f"{base_url}/api/nodeinfo/2.0.json",
            }
        ]
    }


def _local_counts(posts: Sequence[Post]) -> tuple[int, int]:
    local = [post for post in posts if post.is_local]
    return len({post.author.account_id for post in local}), len(local)


def nodeinfo(posts: Sequence[Post]) -> dict[str, Any]:
    """Return ``/api/nodeinfo/2.0.json`` with the town's own counts."""
    users, local_posts = _local_counts(posts)
    return {
        "version": "2.0",
        "software": {"name": "pixelfed", "version": PIXELFED_VERSION},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"localPosts": local_posts, "localComments": 0, "users": {"total": users}},
        "metadata": {
            "nodeName": "REDS demo town",
            "software": {"homepage": "https://pixelfed.org"},
            "config": {"features": {"timelines": {"local": True, "network": True}}},
        },
    }


def instance_v1(base_url: str, posts: Sequence[Post]) -> dict[str, Any]:
    """Return ``/api/v1/instance``."""
    users, local_posts = _local_counts(posts)
    return {
        "uri": urlsplit(base_url).netloc,
        "title": "REDS demo town",
        "short_description": "A small invented town that serves drawn pictures",
        "description": "A small invented town that serves drawn pictures",
        "email": "nobody@town.example",
        "version": API_VERSION,
        "urls": {},
        "stats": {"user_count": users, "status_count": local_posts, "domain_count": 1},
        "languages": ["en"],
        "registrations": False,
        "rules": [],
        "configuration": {"statuses": {"max_media_attachments": 4}},
    }


def instance_v2(base_url: str, posts: Sequence[Post]) -> dict[str, Any]:
    """Return ``/api/v2/instance``."""
    users, _ = _local_counts(posts)
    return {
        "domain": urlsplit(base_url).netloc,
        "title": "REDS demo town",
        "version": API_VERSION,
        "source_url": "https://github.com/pixelfed/pixelfed",
        "description": "A small invented town that serves drawn pictures",
        "usage": {"users": {"active_month": users}},
        "languages": ["en"],
        "configuration": {"statuses": {"max_media_attachments": 4}},
        "registrations": {"enabled": False, "approval_required": False, "message": None},
        "contact": {"email": "nobody@town.example", "account": None},
        "rules": [],
    }


def actor(author: Author, base_url: str) -> dict[str, Any]:
    """Return the ActivityPub actor, the only JSON in which Pixelfed says ``indexable``."""
    address = f"{base_url}/users/{author.username}"
    return {
        "@context": ["https://www.w3.org/ns/activitystreams"],
        "type": "Person",
        "id": address,
        "inbox": f"{address}/inbox",
        "outbox": f"{address}/outbox",
        "preferredUsername": author.username,
        "name": author.display_name,
        "summary": author.note,
        "url": author_url(author, base_url),
        "manuallyApprovesFollowers": author.locked,
        "indexable": author.indexable,
        "suspended": author.suspended,
    }


def profile_page(author: Author, base_url: str) -> str:
    """Return the profile as HTML; closed or non-indexable accounts carry the robots ``meta``."""
    robots = ""
    if author.locked or not author.indexable:
        robots = '<meta name="robots" content="noindex, nofollow">'
    name = html.escape(author.username)
    crawlable = "true" if author.indexable else "false"
    return (
        f"<!DOCTYPE html><html><head><title>{name}</title>{robots}"
        f'<link rel="alternate" type="application/activity+json" href="{base_url}/users/{name}">'
        f'</head><body><profile profile-id="{author.account_id}" profile-username="{name}" '
        f':profile-settings="{{&quot;crawlable&quot;:{crawlable}}}"></profile></body></html>'
    )


def front_page(base_url: str) -> str:
    """Return the front page."""
    return (
        "<!DOCTYPE html><html><head><title>REDS demo town</title></head><body>"
        "<h1>REDS demo town</h1><p>An invented Pixelfed instance on your own machine. "
        f'Its API begins at <a href="{base_url}/api/v1/instance">/api/v1/instance</a>.</p>'
        "</body></html>"
    )
