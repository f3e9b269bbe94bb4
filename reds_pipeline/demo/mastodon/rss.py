"""The RSS feed of a hashtag, Mastodon's guest entrance (fediverse.md 3.1).

Belongs here: a pure function that writes the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from reds_pipeline.demo.mastodon.entities import content, is_sensitive, media_url, post_url
from reds_pipeline.demo.posts import Attachment, Post

_MEDIA = "http://search.yahoo.com/mrss/"
ElementTree.register_namespace("media", _MEDIA)


def tag_feed(tag: str, posts: Sequence[Post], base_url: str, version: str) -> bytes:
    """Return the feed as UTF-8 XML.

    Args:
        tag: The hashtag as it is shown.
        posts: Its newest posts, newest first.
        base_url: Address of the instance, without a slash at the end.
        version: What the generator is called.
    """
    root = Element("rss", version="2.0")
    channel = SubElement(root, "channel")
    _text(channel, "title", f"#{tag}")
    _text(channel, "description", f"Public posts tagged #{tag}")
    _text(channel, "link", f"{base_url}/tags/{tag}")
    if posts:
        _text(channel, "lastBuildDate", format_datetime(posts[0].created_at))
    _text(channel, "generator", f"Mastodon v{version}")
    for post in posts:
        _item(channel, post, base_url)
    document: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document


def _text(
    parent: Element, name: str, text: str, attributes: Mapping[str, str] | None = None
) -> None:
    SubElement(parent, name, dict(attributes or {})).text = text


def _item(channel: Element, post: Post, base_url: str) -> None:
    item = SubElement(channel, "item")
    _text(item, "guid", post_url(post, base_url), {"isPermaLink": "true"})
    _text(item, "link", post_url(post, base_url))
    _text(item, "pubDate", format_datetime(post.created_at))
    _text(item, "description", content(post, base_url))
    for attachment in post.attachments:
        _media(item, attachment, is_sensitive(post), base_url)
    for tag in post.tags:
        _text(item, "category", tag)


def _media(item: Element, attachment: Attachment, sensitive: bool, base_url: str) -> None:
    address = media_url(attachment, base_url)
    if address is None:
        return
    medium = "image" if attachment.kind == "gifv" else attachment.kind
    element = SubElement(
        item,
        f"{{{_MEDIA}}}content",
        url=address,
        type=attachment.mime.replace("image/jpg", "image/jpeg"),
        medium=medium,
    )
    rating = "adult" if sensitive else "nonadult"
    _text(element, f"{{{_MEDIA}}}rating", rating, {"scheme": "urn:simple"})
    if attachment.description:
        _text(element, f"{{{_MEDIA}}}description", attachment.description, {"type": "plain"})
