"""The short feeds of a hashtag that hosts make for guests: what can be had without a token.

What belongs here: reading Mastodon's RSS feed and Pixelfed's discover feed of a tag, as pages
like those of a timeline (fediverse.md 2.5, 3.1). What does not: deciding whether they are the
right way (``sources.py``) and judging the posts (``consent.py``).

Both are shallow: the newest 200 posts, and about 54 that begin 18 below the newest. So a walk
along them never finds the end of a timeline; it stops like one whose page budget is spent, and
says with its cursor how far it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from reds_pipeline.fediverse.hosts import PIXELFED_TAG_FEED, STATUSES, tag_rss_path
from reds_pipeline.fediverse.timelines import Page, id_order
from reds_pipeline.fediverse.web.addresses import origin_of
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import NotFound

# The most that each will give (fediverse.md 2.5, 3.1).
RSS_LENGTH = 200
LARGEST_BATCH = 20
DISCOVER_PAGES = 7

_RSS_TYPES = "application/rss+xml, application/xml;q=0.9, text/xml;q=0.8"
# How Mastodon addresses its own posts; those of other hosts carry their own address, behind
# which this host's id cannot be known.
_OWN_POST = re.compile(r"/(?:@[^/@]+|users/[^/]+/statuses)/([0-9A-Za-z]+)")

Entity = dict[str, Any]


def rss_pages(
    client: ApiClient, tag: str, *, start: str | None, in_batches: bool
) -> Iterator[Page]:
    """Yield a tag's newest posts of the host itself, found in its RSS feed.

    The feed only names them: it says nothing of an author's wishes. Each is then asked for
    whole, as a guest, so that it meets the same gates as any other.

    Args:
        client: The host.
        tag: The hashtag, without ``#``.
        start: Only posts below this id; None starts with the newest.
        in_batches: Whether guests may ask for several posts at once.

    Raises:
        HostError: The host does not give the feed, or not the posts.
    """
    try:
        feed = client.document(
            tag_rss_path(tag), {"limit": RSS_LENGTH, "local": "true"}, accept=_RSS_TYPES
        )
    except NotFound:
        # So Mastodon says that nobody uses the tag.
        return
    ids = [post_id for post_id in rss_post_ids(feed, client.origin) if _is_below(post_id, start)]
    ask: Callable[[ApiClient, Sequence[str]], list[Entity]] = _batch if in_batches else _singly
    for first in range(0, len(ids), LARGEST_BATCH):
        some = ids[first : first + LARGEST_BATCH]
        yield Page(ask(client, some), cursor=some[-1])


def rss_post_ids(feed: str, origin: str) -> list[str]:
    """Return the ids of a host's own posts with media in an RSS feed, the newest first.

    Args:
        feed: The document, however damaged.
        origin: The host, as ``addresses.origin_of`` writes it.
    """
    from bs4 import BeautifulSoup

    found: dict[str, None] = {}
    for item in BeautifulSoup(feed, "xml").find_all("item"):
        link = item.find("link", recursive=False)
        if link is None or item.find("content", recursive=False) is None:
            continue
        if post_id := _own_post_id(link.get_text().strip(), origin):
            found[post_id] = None
    return sorted(found, key=id_order, reverse=True)


def discover_pages(
    client: ApiClient, tag: str, *, start: str | None, max_pages: int = DISCOVER_PAGES
) -> Iterator[Page]:
    """Yield some of a tag's newest posts from Pixelfed's guest feed.

    Its pages count rows before they are filtered, the first two are the same, and from the
    eighth on there is nothing. So one empty page is no end; two in a row are taken for it.

    Args:
        client: The host.
        tag: The hashtag, without ``#``.
        start: Only posts below this id; None starts with the newest.
        max_pages: Requests that may be made.

    Raises:
        HostError: The host does not give the feed.
    """
    seen: set[str] = set()
    empty_pages = 0
    for number in range(1, min(max_pages, DISCOVER_PAGES) + 1):
        try:
            answer = client.get(PIXELFED_TAG_FEED, {"hashtag": tag, "page": number}, anonymous=True)
        except NotFound:
            return
        if not isinstance(answer, dict):
            # A list, and an empty one, is the answer for banned tags.
            return
        shown = {str(entity["id"]): entity for entity in _statuses(answer)}
        empty_pages = 0 if shown else empty_pages + 1
        if empty_pages == 2:
            return
        fresh = [
            entity
            for post_id, entity in shown.items()
            if post_id not in seen and _is_below(post_id, start)
        ]
        seen.update(shown)
        if fresh:
            yield Page(fresh, cursor=min((str(entity["id"]) for entity in fresh), key=id_order))


def _batch(client: ApiClient, ids: Sequence[str]) -> list[Entity]:
    """Return the posts that still exist, the newest first; hosts leave out the others."""
    answer = client.get(STATUSES, {"id[]": list(ids)}, anonymous=True)
    posts = {str(post.get("id")): post for post in answer if isinstance(post, dict)}
    return [posts[post_id] for post_id in ids if post_id in posts]


def _singly(client: ApiClient, ids: Sequence[str]) -> list[Entity]:
    found = []
    for post_id in ids:
        try:
            post = client.get(f"{STATUSES}/{post_id}", anonymous=True)
        except NotFound:
            continue
        if isinstance(post, dict) and str(post.get("id")) == post_id:
            found.append(post)
    return found


def _statuses(answer: dict[str, Any]) -> list[Entity]:
    entries = answer.get("tags")
    statuses = [
        entry.get("status")
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    ]
    return [
        status
        for status in statuses
        if isinstance(status, dict)
        and isinstance(status.get("id"), str | int)
        and str(status["id"])
    ]


def _own_post_id(link: str, origin: str) -> str:
    try:
        if origin_of(link) != origin:
            return ""
    except ValueError:
        return ""
    match = _OWN_POST.fullmatch(urlsplit(link).path)
    return match[1] if match else ""


def _is_below(post_id: str, start: str | None) -> bool:
    return start is None or id_order(post_id) < id_order(start)
