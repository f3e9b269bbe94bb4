"""A post as JSON, in the two shapes of Pixelfed's API (fediverse.md 2.6).

Belongs here: the Pixelfed shape (``_pe``), the trimmed Mastodon-like shape, and the account inside
them. Which posts a feed holds is ``feeds``; the post as a page or as ActivityPub is ``markup`` and
``activitypub``.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from reds_pipeline.demo.pixelfed.feeds import is_gone
from reds_pipeline.demo.posts import Attachment, Author, Post

LICENCES: dict[int, tuple[str, str]] = {
    5: ("Public Domain Work", ""),
    6: ("CC0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    11: ("CC BY", "https://creativecommons.org/licenses/by/4.0/"),
    12: ("CC BY-SA", "https://creativecommons.org/licenses/by-sa/4.0/"),
    13: ("CC BY-NC", "https://creativecommons.org/licenses/by-nc/4.0/"),
    14: ("CC BY-NC-SA", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
    15: ("CC BY-ND", "https://creativecommons.org/licenses/by-nd/4.0/"),
    16: ("CC BY-NC-ND", "https://creativecommons.org/licenses/by-nc-nd/4.0/"),
}
"""Pixelfed's licence numbers that are not null: title and address (fediverse.md 2.6)."""

PLANTED_PLACE = "Planted Harbour"
"""The place that some posts were taken at; no collector may keep it."""

PLANTED_PERSON = "planted_passer_by"
"""Somebody who liked posts, is mentioned and tagged in some; no collector may keep the name."""

NO_PREVIEW_PATH = "/storage/no-preview.png"
"""The placeholder that Pixelfed hands out for a missing or unthumbnailed file."""

PLACEHOLDER_BLURHASH = "U4Rfzst8?bt7ogayj[j[~pfQ9Goe%Mj[WBay"
"""The constant that Pixelfed gives to attachments without a blurhash (fediverse.md 2.6)."""

_SHORTCODE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

_POST_KEYS_OF_PIXELFED = frozenset(
    (
        "_v",
        "shortcode",
        "content_text",
        "pf_type",
        "reply_count",
        "comments_disabled",
        "thread",
        "replies",
        "parent",
        "place",
        "local",
        "taggedPeople",
        "label",
        "liked_by",
    )
)
_MEDIA_KEYS_OF_PIXELFED = frozenset(
    (
        "license",
        "mime",
        "is_nsfw",
        "orientation",
        "optimized_url",
        "filter_name",
        "filter_class",
        "hls_manifest",
    )
)
_ACCOUNT_KEYS_OF_PIXELFED = frozenset(
    (
        "local",
        "note_text",
        "website",
        "pronouns",
        "location",
        "is_admin",
        "last_fetched_at",
        "header_bg",
    )
)


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 with milliseconds and ``Z``, as posts carry it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _stable_number(*parts: str) -> int:
    """Return a number that looks arbitrary yet is the same in every run."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:6])


def _shortcode(post_id: str) -> str:
    number, letters = int(post_id), ""
    while number:
        number, remainder = divmod(number, len(_SHORTCODE_ALPHABET))
        letters = _SHORTCODE_ALPHABET[remainder] + letters
    return letters


def favourites(post: Post) -> int:
    """Return how often a post was liked: arbitrary, the same in every run."""
    return _stable_number("favourites", post.post_id) % 60


def author_url(author: Author, base_url: str) -> str:
    """Return the address of a profile: on this instance, or on the author's own host."""
    if author.host:
        return f"https://{author.host}/{author.username}"
    return f"{base_url}/{author.username}"


def post_url(post: Post, base_url: str) -> str:
    """Return the permalink of a post; ``/404`` once its author is gone (fediverse.md 2.6)."""
    if is_gone(post.author):
        return "/404"
    if post.author.host:
        return f"https://{post.author.host}/p/{post.author.username}/{post.post_id}"
    return f"{base_url}/p/{post.author.username}/{post.post_id}"


def account_entity(author: Author, base_url: str, *, pixelfed_shape: bool) -> dict[str, Any]:
    """Return the account as the API shows it; ``discoverable`` is constant, as on real servers."""
    address = author_url(author, base_url)
    avatar = f"{base_url}/storage/avatars/default.jpg"
    followers = _stable_number("followers", author.account_id) % 900
    entity: dict[str, Any] = {
        "id": author.account_id,
        "username": author.username,
        "acct": f"{author.username}@{author.host}" if author.host else author.username,
        "display_name": author.display_name,
        "discoverable": True,
        "locked": author.locked,
        "followers_count": followers,
        "following_count": followers // 2 + 7,
        "statuses_count": followers // 3 + 1,
        "note": author.note,
        "note_text": author.note,
        "url": address,
        "avatar": avatar,
        "website": None,
        "local": not author.host,
        "is_admin": False,
        "created_at": author.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "header_bg": None,
        "last_fetched_at": None,
        "pronouns": [],
        "location": None,
    }
    if pixelfed_shape:
        return entity
    trimmed = {key: value for key, value in entity.items() if key not in _ACCOUNT_KEYS_OF_PIXELFED}
    header = f"{base_url}/storage/headers/missing.png"
    return trimmed | {
        "avatar_static": avatar,
        "bot": False,
        "emojis": [],
        "fields": [],
        "header": header,
        "header_static": header,
        "last_status_at": None,
    }


def _orientation(size: tuple[int, int] | None) -> str | None:
    if size is None:
        return None
    width, height = size
    if width == height:
        return "square"
    return "landscape" if width > height else "portrait"


def _meta(size: tuple[int, int] | None) -> dict[str, Any] | None:
    if size is None:
        return None
    width, height = size
    original = {
        "width": width,
        "height": height,
        "size": f"{width}x{height}",
        "aspect": width / height,
    }
    return {"focus": {"x": 0, "y": 0}, "original": original}


def _media_type(attachment: Attachment) -> str:
    major = attachment.mime.partition("/")[0]
    return major if major in {"image", "video", "audio"} else "unknown"


def media_entity(attachment: Attachment, base_url: str, *, pixelfed_shape: bool) -> dict[str, Any]:
    """Return one attachment; only JPEG and PNG files have a preview of their own."""
    stem, _, extension = attachment.path.rpartition(".")
    has_preview = extension in {"jpg", "jpeg", "png"}
    licence = None
    if attachment.licence_id is not None:
        title, address = LICENCES[attachment.licence_id]
        licence = {"id": attachment.licence_id, "title": title, "url": address}
    entity: dict[str, Any] = {
        "id": attachment.media_id,
        "type": _media_type(attachment),
        "url": base_url + attachment.path,
        "remote_url": None,
        "preview_url": base_url + (f"{stem}_thumb.jpg" if has_preview else NO_PREVIEW_PATH),
        "optimized_url": None,
        "text_url": None,
        "meta": _meta(attachment.size),
        "description": attachment.description,
        "license": licence,
        "is_nsfw": attachment.is_nsfw,
        "orientation": _orientation(attachment.size),
        "filter_name": None,
        "filter_class": None,
        "hls_manifest": None,
        "mime": attachment.mime,
        "blurhash": PLACEHOLDER_BLURHASH,
    }
    if pixelfed_shape:
        return entity
    return {key: value for key, value in entity.items() if key not in _MEDIA_KEYS_OF_PIXELFED}


def _post_type(attachments: Sequence[Attachment]) -> str:
    kinds = [_media_type(attachment) for attachment in attachments]
    photos, videos = kinds.count("image"), kinds.count("video")
    if photos and videos:
        return "photo:video:album"
    if not photos and not videos:
        return "text"
    kind = "photo" if photos else "video"
    return f"{kind}:album" if photos + videos > 1 else kind


def _passer_by(base_url: str) -> dict[str, Any]:
    opened = datetime(2024, 2, 11, 10, tzinfo=UTC)
    author = Author("76999", PLANTED_PERSON, PLANTED_PERSON, "", opened)
    return account_entity(author, base_url, pixelfed_shape=True)


def _liked_by(likes: int, base_url: str) -> dict[str, Any]:
    person = _passer_by(base_url) if likes else {}
    others = max(0, likes - 1)
    return {
        "id": person.get("id"),
        "username": person.get("username"),
        "url": person.get("url"),
        "others": others > 0,
        "total_count": others,
        "total_count_pretty": str(others),
    }


def _tagged_person() -> dict[str, Any]:
    return {"id": "76999", "username": PLANTED_PERSON, "avatar": "/storage/avatars/default.jpg"}


def _place(post: Post) -> dict[str, Any] | None:
    if _stable_number("place", post.post_id) % 4:
        return None
    return {"id": 4152, "name": PLANTED_PLACE, "country": "Plantedland", "slug": "planted-harbour"}


def content(post: Post, base_url: str) -> str:
    """Return the caption as HTML, its hashtags as links behind it."""
    links = [
        f'<a href="{base_url}/discover/tags/{html.escape(tag.lower())}?src=hash" '
        f'title="#{html.escape(tag)}" class="u-url hashtag" '
        f'rel="external nofollow noopener">#{html.escape(tag)}</a>'
        for tag in post.tags
    ]
    return " ".join([html.escape(post.caption), *links]).strip()


def caption(post: Post) -> str:
    """Return the caption in plain text, its hashtags behind it."""
    return " ".join([post.caption, *(f"#{tag}" for tag in post.tags)]).strip()


def post_entity(
    post: Post, base_url: str, *, pixelfed_shape: bool, to_guest: bool = False
) -> dict[str, Any]:
    """Return a post in the Pixelfed shape or in the trimmed Mastodon-like shape.

    Args:
        post: The post.
        base_url: Address of the instance, without a slash at the end.
        pixelfed_shape: ``True`` for the full shape that ``_pe`` asks for.
        to_guest: Nobody is logged in: what that person did with the post is null.
    """
    likes = favourites(post)
    own_action = None if to_guest else False
    is_social = _stable_number("mention", post.post_id) % 5 == 0
    address = post_url(post, base_url)
    account = account_entity(post.author, base_url, pixelfed_shape=pixelfed_shape)
    reblog = None
    if post.reblog_of is not None:
        reblog = post_entity(post.reblog_of, base_url, pixelfed_shape=pixelfed_shape)
    entity: dict[str, Any] = {
        "_v": 1,
        "id": post.post_id,
        "shortcode": _shortcode(post.post_id),
        "uri": address,
        "url": address,
        "in_reply_to_id": post.in_reply_to,
        "in_reply_to_account_id": None,
        "reblog": reblog,
        "content": content(post, base_url),
        "content_text": caption(post) or None,
        "created_at": timestamp(post.created_at),
        "emojis": [],
        "reblogs_count": likes // 7,
        "favourites_count": likes,
        "reblogged": own_action,
        "favourited": own_action,
        "bookmarked": own_action,
        "muted": None if pixelfed_shape else False,
        "sensitive": post.sensitive,
        "spoiler_text": post.spoiler_text,
        "visibility": post.visibility,
        "application": {"name": "web", "website": None},
        "language": None,
        "mentions": [_passer_by(base_url)] if is_social else [],
        "pf_type": _post_type(post.attachments),
        "reply_count": 0,
        "comments_disabled": False,
        "thread": False,
        "replies": [],
        "parent": [],
        "place": _place(post),
        "local": post.is_local,
        "taggedPeople": [_tagged_person()] if is_social else [],
        "label": {"covid": False},
        "liked_by": _liked_by(likes, base_url),
        "media_attachments": [
            media_entity(attachment, base_url, pixelfed_shape=pixelfed_shape)
            for attachment in post.attachments
        ],
        "account": account,
        "tags": [
            {"name": tag, "url": f"{base_url}/discover/tags/{tag.lower()}"} for tag in post.tags
        ],
        "poll": None,
        "edited_at": timestamp(post.edited_at) if post.edited_at else None,
        "pinned": False,
    }
    if pixelfed_shape:
        return entity
    trimmed = {key: value for key, value in entity.items() if key not in _POST_KEYS_OF_PIXELFED}
    return trimmed | {"replies_count": 0}
