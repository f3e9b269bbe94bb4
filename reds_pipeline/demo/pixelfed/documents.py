"""What the instance says about itself: nodeinfo, instance, robots.txt.

Belongs here: pure functions that return documents (fediverse.md 2.2). Pages for people are
``markup``; serving is ``application``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from reds_pipeline.demo.posts import Post

PIXELFED_VERSION = "0.12.6"
"""The version whose behaviour the instance copies."""

API_VERSION = f"3.5.3 (compatible; Pixelfed {PIXELFED_VERSION})"
"""What the instance calls itself in ``version``."""

ROBOTS_TXT = "User-agent: *\nDisallow: /discover/places/\nDisallow: /stories/\nDisallow: /i/\n"
"""Pixelfed's default robots.txt (fediverse.md 5.2)."""


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


def local_counts(posts: Sequence[Post]) -> tuple[int, int]:
    """Return how many local accounts have posted, and how many posts they have."""
    local = [post for post in posts if post.is_local]
    return len({post.author.account_id for post in local}), len(local)


def nodeinfo(posts: Sequence[Post]) -> dict[str, Any]:
    """Return ``/api/nodeinfo/2.0.json`` with the town's own counts."""
    users, local_posts = local_counts(posts)
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
    users, local_posts = local_counts(posts)
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
    users, _ = local_counts(posts)
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
