"""Accounts and posts as ActivityPub, the one place where Pixelfed says ``indexable``.

Belongs here: pure functions that return documents (fediverse.md 2.7). Who gets them is ``pages``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reds_pipeline.demo.pixelfed.entities import author_url, content, post_url
from reds_pipeline.demo.pixelfed.feeds import is_gone
from reds_pipeline.demo.posts import Attachment, Author, Post

MEDIA_TYPE = "application/activity+json"
"""What ActivityPub documents are labelled."""

_PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


def _published(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")


def actor_url(author: Author, base_url: str) -> str:
    """Return the id of an actor of this instance."""
    return f"{base_url}/users/{author.username}"


def actor(author: Author, base_url: str) -> dict[str, Any]:
    """Return an account; a closed one is still served, with ``suspended``."""
    address = actor_url(author, base_url)
    document: dict[str, Any] = {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": address,
        "type": "Person",
        "following": f"{address}/following",
        "followers": f"{address}/followers",
        "inbox": f"{address}/inbox",
        "outbox": f"{address}/outbox",
        "preferredUsername": author.username,
        "name": author.display_name,
        "summary": author.note,
        "url": author_url(author, base_url),
        "manuallyApprovesFollowers": author.locked,
        "indexable": author.indexable,
        "published": _published(author.created_at),
    }
    return document | {"suspended": True} if is_gone(author) else document


def outbox(author: Author, base_url: str, posted: int) -> dict[str, Any]:
    """Return an outbox, which counts posts and never lists them."""
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{actor_url(author, base_url)}/outbox",
        "type": "OrderedCollection",
        "totalItems": posted,
    }


def _document(attachment: Attachment, base_url: str) -> dict[str, Any]:
    width, height = attachment.size or (None, None)
    return {
        "type": "Document",
        "mediaType": attachment.mime.replace("image/jpg", "image/jpeg"),
        "url": base_url + attachment.path,
        "name": attachment.description,
        "width": width,
        "height": height,
    }


def note(post: Post, base_url: str) -> dict[str, Any]:
    """Return a post; unlisted and followers-only posts are addressed accordingly."""
    followers = f"{actor_url(post.author, base_url)}/followers"
    to, cc = {
        "public": ([_PUBLIC], [followers]),
        "unlisted": ([followers], [_PUBLIC]),
    }.get(post.visibility, ([followers], []))
    address = post_url(post, base_url)
    parent = f"{base_url}/p/{post.author.username}/{post.in_reply_to}"
    return {
        "@context": [
            "https://www.w3.org/ns/activitystreams",
            {"Hashtag": "as:Hashtag", "sensitive": "as:sensitive"},
        ],
        "id": address,
        "type": "Note",
        "summary": post.spoiler_text or None,
        "content": content(post, base_url),
        "inReplyTo": parent if post.in_reply_to else None,
        "published": _published(post.created_at),
        "url": address,
        "attributedTo": actor_url(post.author, base_url),
        "to": to,
        "cc": cc,
        "sensitive": post.sensitive,
        "attachment": [_document(attachment, base_url) for attachment in post.attachments],
        "tag": [
            {
                "type": "Hashtag",
                "href": f"{base_url}/discover/tags/{tag.lower()}",
                "name": f"#{tag}",
            }
            for tag in post.tags
        ],
        "commentsEnabled": True,
    }
