"""Reading the media attachments of a post as Pixelfed and Mastodon describe them.

What belongs here: which attachments are pictures REDS could use, and their licence. What does
not: whether the post may be used at all (``consent.py``). Everything is read defensively: what
a host sends may have any shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# Pixelfed's licence numbers (fediverse.md 2.6); any other, such as 1, reserves all rights.
LICENCES: Mapping[int, str] = {
    5: "Public Domain",
    6: "CC0",
    11: "CC BY",
    12: "CC BY-SA",
    13: "CC BY-NC",
    14: "CC BY-NC-SA",
    15: "CC BY-ND",
    16: "CC BY-NC-ND",
}
OPEN_LICENCES = frozenset(LICENCES.values())

_PLACEHOLDERS = ("/no-preview.png", "/no-preview.jpg")


def attachments_of(entity: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the attachments of a post that are objects at all."""
    attachments = entity.get("media_attachments")
    if not isinstance(attachments, list):
        return []
    return [attachment for attachment in attachments if isinstance(attachment, dict)]


def is_usable_picture(attachment: Mapping[str, Any]) -> bool:
    """Say whether an attachment is a still picture with an address of its own.

    ``url`` is null while Mastodon works on it; media proxies are closed to robots and
    placeholders are no pictures (fediverse.md 4).
    """
    if attachment.get("type") != "image":
        return False
    url = attachment.get("url")
    return isinstance(url, str) and media_url_refusal(url) == ""


def media_url_refusal(url: str) -> str:
    """Return why a media address must not be fetched whoever serves it, or "".

    The reason is one of ``bad_url``, ``media_proxy``, ``placeholder``.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "bad_url"
    if parts.scheme.lower() not in {"http", "https"} or not host or "@" in parts.netloc:
        return "bad_url"
    if any(character.isspace() or not character.isprintable() for character in url):
        return "bad_url"
    if "/media_proxy/" in parts.path:
        return "media_proxy"
    if parts.path.lower().endswith(_PLACEHOLDERS):
        return "placeholder"
    return ""


def licence_of(attachment: Mapping[str, Any]) -> str:
    """Return the licence's short name, or "" for unknown and all rights reserved."""
    licence = attachment.get("license")
    number = licence.get("id") if isinstance(licence, dict) else None
    if isinstance(number, str) and number.isdecimal():
        number = int(number[:9])
    return LICENCES.get(number, "") if isinstance(number, int) else ""


def size_of(attachment: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the width and height that the host claims, each None where it makes no sense."""
    meta = attachment.get("meta")
    original = meta.get("original") if isinstance(meta, dict) else None
    if not isinstance(original, dict):
        return (None, None)
    return (_pixels(original.get("width")), _pixels(original.get("height")))


def _pixels(value: Any) -> int | None:
    # type() and not isinstance(): True is an int in Python.
    return value if type(value) is int and 0 < value < 2**31 else None
