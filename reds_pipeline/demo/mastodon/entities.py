"""Posts and accounts as Mastodon's REST API shows them (fediverse.md 3.5).

Belongs here: pure functions to JSON. Which posts a feed holds is ``feeds``; ActivityPub and other
documents are ``documents``.
"""

from __future__ import annotations

import hashlib
import html
from datetime import datetime
from typing import Any

from reds_pipeline.demo.mastodon.feeds import normalised
from reds_pipeline.demo.posts import Attachment, Author, Post

_PREVIEW_PIXELS = 230_400
_BLURHASH = "LEHV6nWB2yk8pyo0adR*.7kCMdnj"


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 with milliseconds and ``Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _stable_number(*parts: str) -> int:
    """Return a number that looks arbitrary yet is the same in every run."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:6])


def author_home(author: Author, base_url: str) -> str:
    """Return the address of the author's host, without a slash at the end.

    A host on the loopback interface is another embedded instance, which speaks plain HTTP.
    """
    if not author.host:
        return base_url
    scheme = "http" if author.host.startswith("127.0.0.1:") else "https"
    return f"{scheme}://{author.host}"


def author_url(author: Author, base_url: str) -> str:
    """Return the profile for people."""
    return f"{author_home(author, base_url)}/@{author.username}"


def author_uri(author: Author, base_url: str) -> str:
    """Return the id of the ActivityPub actor."""
    return f"{author_home(author, base_url)}/users/{author.username}"


def post_url(post: Post, base_url: str) -> str:
    """Return the permalink for people."""
    return f"{author_url(post.author, base_url)}/{post.post_id}"


def post_uri(post: Post, base_url: str) -> str:
    """Return the id of the ActivityPub note."""
    return f"{author_uri(post.author, base_url)}/statuses/{post.post_id}"


def media_url(attachment: Attachment, base_url: str) -> str | None:
    """Return where the file is: here, behind the proxy, or nowhere while it is processed."""
    if attachment.whereabouts == "processing":
        return None
    if attachment.whereabouts == "proxied" or attachment.kind == "unknown":
        return f"{base_url}/media_proxy/{attachment.media_id}/original"
    return base_url + attachment.path


def account_entity(author: Author, base_url: str) -> dict[str, Any]:
    """Return an account; flags that most accounts lack are there only where they are true.

    A suspended account is emptied, as it is on real servers.
    """
    followers = _stable_number("followers", author.account_id) % 900
    picture = f"{base_url}/avatars/original/missing.png"
    is_blank = author.suspended
    entity: dict[str, Any] = {
        "id": author.account_id,
        "username": author.username,
        "acct": f"{author.username}@{author.host}" if author.host else author.username,
        "display_name": "" if is_blank else author.display_name,
        "locked": author.locked and not is_blank,
        "bot": author.bot and not is_blank,
        "discoverable": False if is_blank else author.discoverable,
        "indexable": author.indexable and not is_blank,
        "group": False,
        "created_at": author.created_at.strftime("%Y-%m-%dT00:00:00.000Z"),
        "note": "" if is_blank or not author.note else f"<p>{author.note}</p>",
        "url": author_url(author, base_url),
        "uri": author_uri(author, base_url),
        "avatar": picture,
        "avatar_static": picture,
        "avatar_description": "",
        "header": f"{base_url}/headers/original/missing.png",
        "header_static": f"{base_url}/headers/original/missing.png",
        "header_description": "",
        "followers_count": followers,
        "following_count": followers // 2 + 7,
        "statuses_count": followers // 3 + 1,
        "last_status_at": "2026-09-30",
        "hide_collections": False,
        "emojis": [],
        "fields": [
            {"name": name, "value": value, "verified_at": None}
            for name, value in (() if is_blank else author.fields)
        ],
    }
    if not author.host:
        entity["noindex"] = author.noindex
        entity["roles"] = []
    for flag in ("suspended", "limited", "memorial"):
        if getattr(author, flag):
            entity[flag] = True
    if author.moved_to:
        username, _, host = author.moved_to.partition("@")
        new_account = Author(
            str(_stable_number(author.moved_to)), username, username, "", author.created_at, host
        )
        entity["moved"] = account_entity(new_account, base_url)
    return entity


def _scaled(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    factor = min(1.0, (_PREVIEW_PIXELS / (width * height)) ** 0.5)
    return round(width * factor), round(height * factor)


def _measures(size: tuple[int, int]) -> dict[str, Any]:
    width, height = size
    measures = {"width": width, "height": height, "size": f"{width}x{height}"}
    return measures | {"aspect": width / height}


def media_entity(attachment: Attachment, author: Author, base_url: str) -> dict[str, Any]:
    """Return one attachment; it carries neither licence nor MIME type.

    Args:
        attachment: The file.
        author: Who posted it; a remote author's file has its origin in ``remote_url``.
        base_url: Address of the instance, without a slash at the end.
    """
    address = media_url(attachment, base_url)
    is_still = attachment.kind == "image"
    meta = None
    if attachment.size is not None and attachment.whereabouts == "stored" and is_still:
        small = _scaled(attachment.size)
        meta = {"original": _measures(attachment.size), "small": _measures(small)}
    preview = None
    if attachment.whereabouts == "stored" and attachment.kind != "unknown":
        preview = base_url + attachment.path.replace("/original/", "/small/")
    remote = None
    if author.host:
        origin = author_home(author, base_url)
        remote = origin + attachment.path.replace("/cache/", "/")
    return {
        "id": attachment.media_id,
        "type": attachment.kind,
        "url": address,
        "preview_url": preview,
        "remote_url": remote,
        "preview_remote_url": None,
        "text_url": None,
        "meta": meta,
        "description": attachment.description,
        "blurhash": _BLURHASH if is_still and attachment.whereabouts == "stored" else None,
    }


def content(post: Post, base_url: str) -> str:
    """Return the text as HTML, with its hashtags as links."""
    links = [
        f'<a href="{base_url}/tags/{html.escape(normalised(tag))}" class="mention hashtag" '
        f'rel="tag">#<span>{html.escape(tag)}</span></a>'
        for tag in post.tags
    ]
    text = " ".join([html.escape(post.caption), *links]).strip()
    return f"<p>{text}</p>" if text else ""


def is_sensitive(post: Post) -> bool:
    """Whether the post is flagged; Mastodon has no flag for the single file."""
    return post.sensitive or any(attachment.is_nsfw for attachment in post.attachments)


def post_entity(post: Post, base_url: str, *, for_user: bool) -> dict[str, Any]:
    """Return a post.

    Args:
        post: The post.
        base_url: Address of the instance, without a slash at the end.
        for_user: Whether somebody is signed in; guests do not get the keys about themselves.
    """
    favourites = _stable_number("favourites", post.post_id) % 60
    boosted = post.reblog_of
    reblog = None if boosted is None else post_entity(boosted, base_url, for_user=for_user)
    attachments = () if boosted is not None else post.attachments
    names = dict.fromkeys(normalised(tag) for tag in post.tags)
    entity: dict[str, Any] = {
        "id": post.post_id,
        "created_at": timestamp(post.created_at),
        "in_reply_to_id": post.in_reply_to,
        "in_reply_to_account_id": None if post.in_reply_to is None else post.author.account_id,
        "sensitive": is_sensitive(post),
        "spoiler_text": post.spoiler_text,
        "visibility": post.visibility,
        "language": "en",
        "uri": post_uri(post, base_url),
        "url": post_url(post, base_url),
        "replies_count": 0,
        "reblogs_count": favourites // 7,
        "favourites_count": favourites,
        "quotes_count": 0,
        "edited_at": None if post.edited_at is None else timestamp(post.edited_at),
        "content": content(post, base_url),
        "reblog": reblog,
        "account": account_entity(post.author, base_url),
        "media_attachments": [
            media_entity(attachment, post.author, base_url) for attachment in attachments
        ],
        "mentions": [],
        "tags": [{"name": name, "url": f"{base_url}/tags/{name}"} for name in names],
        "emojis": [],
        "quote": None,
        "card": None,
        "poll": None,
    }
    if post.is_local:
        entity["application"] = {"name": "Web", "website": None}
    if for_user:
        for key in ("favourited", "reblogged", "muted", "bookmarked"):
            entity[key] = False
        entity["filtered"] = []
    return entity
