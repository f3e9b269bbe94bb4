"""What a Mastodon instance says that is no REST entity of a post: nodeinfo, instance, actors, HTML.

Belongs here: pure functions that return documents (fediverse.md 3.1, 3.2, 5.3). RSS is ``rss``.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from reds_pipeline.demo.mastodon.entities import (
    account_entity,
    author_uri,
    author_url,
    content,
    is_sensitive,
    media_url,
    post_uri,
    post_url,
    timestamp,
)
from reds_pipeline.demo.mastodon.feeds import normalised
from reds_pipeline.demo.mastodon.options import MastodonOptions
from reds_pipeline.demo.posts import Author, Post

TITLE = "REDS demo town"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
"""Whom a public note is addressed to."""

_DESCRIPTION = "A small invented town that serves drawn pictures"
_CONTEXT = [
    "https://www.w3.org/ns/activitystreams",
    {
        "toot": "http://joinmastodon.org/ns#",
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "sensitive": "as:sensitive",
        "Hashtag": "as:Hashtag",
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "memorial": "toot:memorial",
        "suspended": "toot:suspended",
    },
]


def nodeinfo_links(base_url: str) -> dict[str, Any]:
    """Return ``/.well-known/nodeinfo``."""
    relation = "http://nodeinfo.diaspora.software/ns/schema/2.0"
    return {"links": [{"rel": relation, "href": f"{base_url}/nodeinfo/2.0"}]}


def _local_counts(posts: Sequence[Post]) -> tuple[int, int]:
    local = [post for post in posts if post.is_local]
    return len({post.author.account_id for post in local}), len(local)


def nodeinfo(posts: Sequence[Post], options: MastodonOptions) -> dict[str, Any]:
    """Return ``/nodeinfo/2.0`` with the town's own counts."""
    users, local_posts = _local_counts(posts)
    return {
        "version": "2.0",
        "software": {"name": options.software, "version": options.version},
        "protocols": ["activitypub"],
        "services": {"outbound": [], "inbound": []},
        "usage": {
            "users": {"total": users, "activeMonth": users, "activeHalfyear": users},
            "localPosts": local_posts,
        },
        "openRegistrations": False,
        "metadata": {"nodeName": TITLE, "nodeDescription": _DESCRIPTION},
    }


def _shown_version(options: MastodonOptions) -> str:
    if options.software == "mastodon":
        return options.version
    return f"{options.version} (compatible; {options.software} {options.version})"


def instance_v1(base_url: str, posts: Sequence[Post], options: MastodonOptions) -> dict[str, Any]:
    """Return ``/api/v1/instance``."""
    users, local_posts = _local_counts(posts)
    return {
        "uri": urlsplit(base_url).netloc,
        "title": TITLE,
        "short_description": _DESCRIPTION,
        "description": _DESCRIPTION,
        "email": "nobody@town.example",
        "version": _shown_version(options),
        "urls": {"streaming_api": base_url.replace("http", "ws", 1)},
        "stats": {"user_count": users, "status_count": local_posts, "domain_count": 1},
        "thumbnail": None,
        "languages": ["en"],
        "registrations": False,
        "approval_required": False,
        "invites_enabled": False,
        "configuration": _configuration(),
        "contact_account": None,
        "rules": [],
    }


def instance_v2(base_url: str, posts: Sequence[Post], options: MastodonOptions) -> dict[str, Any]:
    """Return ``/api/v2/instance``; from 4.5 on it tells who may read the feeds."""
    users, _ = _local_counts(posts)
    configuration = _configuration()
    configuration["limited_federation"] = options.limited_federation
    if options.is_at_least(4, 5):
        access = options.access
        configuration["timelines_access"] = {
            "live_feeds": {"local": access.local_live, "remote": access.remote_live},
            "hashtag_feeds": {"local": access.local_topic, "remote": access.remote_topic},
            "trending_link_feeds": {"local": access.local_topic, "remote": access.remote_topic},
        }
    return {
        "domain": urlsplit(base_url).netloc,
        "title": TITLE,
        "version": _shown_version(options),
        "source_url": "https://github.com/mastodon/mastodon",
        "description": _DESCRIPTION,
        "usage": {"users": {"active_month": users}},
        "thumbnail": {"url": f"{base_url}/packs/preview.png"},
        "icon": [],
        "languages": ["en"],
        "configuration": configuration,
        "registrations": {"enabled": False, "approval_required": False, "message": None},
        "contact": {"email": "nobody@town.example", "account": None},
        "rules": [],
        "api_versions": {"mastodon": 7},
    }


def _configuration() -> dict[str, Any]:
    return {
        "accounts": {"max_featured_tags": 10},
        "statuses": {"max_characters": 500, "max_media_attachments": 4},
        "media_attachments": {"image_size_limit": 16_777_216, "image_matrix_limit": 33_177_600},
        "polls": {"max_options": 4},
        "translation": {"enabled": False},
        "vapid": {"public_key": ""},
    }


def own_account(author: Author, base_url: str) -> dict[str, Any]:
    """Return ``verify_credentials``: the account with what only its owner sees."""
    source = {"privacy": "public", "sensitive": False, "language": None, "note": author.note}
    role = {"id": "-99", "name": "", "permissions": "65536", "highlighted": False}
    return account_entity(author, base_url) | {"source": source | {"fields": []}, "role": role}


def actor(author: Author, base_url: str) -> dict[str, Any]:
    """Return the ActivityPub actor."""
    address = author_uri(author, base_url)
    return {
        "@context": _CONTEXT,
        "id": address,
        "type": "Service" if author.bot else "Person",
        "inbox": f"{address}/inbox",
        "outbox": f"{address}/outbox",
        "preferredUsername": author.username,
        "name": author.display_name,
        "summary": f"<p>{author.note}</p>" if author.note else "",
        "url": author_url(author, base_url),
        "manuallyApprovesFollowers": author.locked,
        "discoverable": author.discoverable,
        "indexable": author.indexable,
        "memorial": author.memorial,
        "published": author.created_at.strftime("%Y-%m-%dT00:00:00Z"),
        "tag": [],
        "attachment": [
            {"type": "PropertyValue", "name": name, "value": value} for name, value in author.fields
        ],
    }


def note(post: Post, base_url: str) -> dict[str, Any]:
    """Return the ActivityPub note of a post."""
    followers = f"{author_uri(post.author, base_url)}/followers"
    audience = {
        "public": ([PUBLIC], [followers]),
        "unlisted": ([followers], [PUBLIC]),
    }
    addressed, copied = audience.get(post.visibility, ([followers], []))
    return {
        "@context": _CONTEXT,
        "id": post_uri(post, base_url),
        "type": "Note",
        "summary": post.spoiler_text or None,
        "inReplyTo": post.in_reply_to,
        "published": timestamp(post.created_at),
        "updated": None if post.edited_at is None else timestamp(post.edited_at),
        "url": post_url(post, base_url),
        "attributedTo": author_uri(post.author, base_url),
        "to": addressed,
        "cc": copied,
        "sensitive": is_sensitive(post),
        "content": content(post, base_url),
        "attachment": [
            {
                "type": "Document",
                "mediaType": attachment.mime.replace("image/jpg", "image/jpeg"),
                "url": media_url(attachment, base_url),
                "name": attachment.description,
            }
            for attachment in post.attachments
        ],
        "tag": [
            {
                "type": "Hashtag",
                "href": f"{base_url}/tags/{normalised(tag)}",
                "name": f"#{normalised(tag)}",
            }
            for tag in post.tags
        ],
    }


def post_page(post: Post, base_url: str) -> str:
    """Return the permalink as HTML: a shell with metas, the text but no flags."""
    pictures = "".join(
        f'<meta content="{html.escape(address)}" property="og:image">'
        for attachment in post.attachments
        if (address := media_url(attachment, base_url))
    )
    text = html.escape(f"Attached: {len(post.attachments)} image(s)\n\n{post.caption}")
    return _page(
        f"{post.author.display_name}: {post.caption}",
        f'{_robots_meta(post.author)}<meta content="article" property="og:type">'
        f'<meta content="{post_url(post, base_url)}" property="og:url">'
        f'<meta content="{timestamp(post.created_at)}" property="og:published_time">'
        f'<meta content="{text}" property="og:description">{pictures}'
        f'<link href="{post_uri(post, base_url)}" rel="alternate" '
        'type="application/activity+json">',
    )


def profile_page(author: Author, base_url: str) -> str:
    """Return the profile as HTML; authors who want no search engines carry the robots ``meta``."""
    return _page(
        author.display_name,
        f'{_robots_meta(author)}<meta content="profile" property="og:type">'
        f'<link href="{author_uri(author, base_url)}" rel="alternate" '
        'type="application/activity+json">',
    )


def front_page(base_url: str) -> str:
    """Return the front page."""
    return _page(TITLE, f'<link href="{base_url}/api/v2/instance" rel="help">')


def error_page(status: int) -> str:
    """Return what people see in place of a page."""
    return _page(f"{status}", "")


def _robots_meta(author: Author) -> str:
    return '<meta content="noindex, noarchive" name="robots">' if author.noindex else ""


def _page(title: str, head: str) -> str:
    return (
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{html.escape(title)}"
        f"</title>{head}</head><body><div id='mastodon'></div></body></html>"
    )
