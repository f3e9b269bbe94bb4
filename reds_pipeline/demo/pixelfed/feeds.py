"""Which posts a timeline request gets: the rules of Pixelfed 0.12.6, quirks included.

Belongs here: pure functions over the list of posts (fediverse.md 2.3 and 2.4). Requests, tokens
and headers other than ``Link`` are ``instance``'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from reds_pipeline.demo.posts import Post, snowflake_time

MAXIMUM_PAGE = 40
"""Posts a page at most; larger limits are silently clamped."""

DEFAULT_PAGE = 20
"""Posts a page when no limit is asked for."""

PUBLIC_HORIZON = timedelta(days=90)
"""Older posts leave the public timeline."""

TAG_HORIZON = timedelta(days=270)
"""A cursor older than these nine months gets an empty tag page."""

TAG_SCAN_ROWS = 100
"""Rows that one tag request looks at, however few of them survive its filters."""


@dataclass(frozen=True)
class PageRequest:
    """The parameters that both timelines understand; everything else is ignored."""

    limit: int = DEFAULT_PAGE
    max_id: int | None = None
    min_id: int | None = None

    @property
    def size(self) -> int:
        """The clamped number of posts to return."""
        return min(self.limit, MAXIMUM_PAGE)

    def admits(self, post: Post) -> bool:
        """Whether the cursor lets the post through; ``min_id`` wins when both are sent."""
        if self.min_id is not None:
            return int(post.post_id) > self.min_id
        return self.max_id is None or int(post.post_id) < self.max_id


def _newest_first(posts: Iterable[Post]) -> list[Post]:
    return sorted(posts, key=lambda post: int(post.post_id), reverse=True)


def public_page(
    posts: Sequence[Post],
    request: PageRequest,
    *,
    local: bool = False,
    remote: bool = False,
    feed_cap: int | None = None,
) -> list[Post]:
    """Return a page of the public timeline (fediverse.md 2.3).

    The horizon counts back from the newest post, so that a town of any date has a feed. Rows of
    suspended accounts are dropped after the row window, which makes pages short in mid-stream.

    Args:
        posts: All posts of the instance, any order.
        request: Limit and cursor.
        local: ``local=1`` was sent. With neither or only this flag the feed is local.
        remote: ``remote=1`` was sent. With both flags the feed is everything.
        feed_cap: Posts that a cached feed holds, ``None`` for an uncached one.
    """
    if not posts:
        return []
    newest = snowflake_time(max(posts, key=lambda post: int(post.post_id)).post_id)
    candidates = [
        post
        for post in posts
        if post.visibility == "public"
        and post.in_reply_to is None
        and post.reblog_of is None
        and ((local and remote) or post.is_local != remote)
        and newest - snowflake_time(post.post_id) <= PUBLIC_HORIZON
    ]
    feed = _newest_first(candidates)[:feed_cap]
    rows = [post for post in feed if request.admits(post)][: 2 * request.size]
    return [post for post in rows if not post.author.suspended][: request.size]


def tag_page(
    posts: Sequence[Post],
    tag: str,
    request: PageRequest,
    *,
    visibility_leak: bool = True,
    scan_rows: int = TAG_SCAN_ROWS,
) -> list[Post]:
    """Return a page of a hashtag timeline (fediverse.md 2.4).

    Replies and boosts that carry the tag are rows like any other: the client has to gate them.

    Args:
        posts: All posts of the instance, any order.
        tag: The hashtag, compared without regard to case.
        request: Limit and cursor.
        visibility_leak: ``True`` as in 0.12.6, where followers-only posts come through.
        scan_rows: Rows looked at below the cursor.
    """
    if not posts:
        return []
    newest = snowflake_time(max(posts, key=lambda post: int(post.post_id)).post_id)
    cursor = request.min_id if request.min_id is not None else request.max_id
    if cursor is not None and newest - snowflake_time(str(cursor)) > TAG_HORIZON:
        return []
    wanted = tag.casefold()
    tagged = [
        post
        for post in posts
        if request.admits(post)
        and (visibility_leak or post.visibility != "private")
        and any(name.casefold() == wanted for name in post.tags)
    ]
    rows = _newest_first(tagged)[:scan_rows]
    kept = [post for post in rows if post.visibility != "unlisted" and not post.author.suspended]
    return kept[: request.size]


def public_link_header(
    page: Sequence[Post], address: str, request: PageRequest, *, local: bool, remote: bool
) -> str | None:
    """Return the ``Link`` header of a public page, with its traps (fediverse.md 2.3).

    A single post with ``limit=1`` yields an empty cursor that sends naive clients back to page
    one for ever; the last page announces a next one; ``_pe`` is lost.
    """
    kept = {"limit": str(request.size)}
    if remote:
        kept["remote"] = "1"
    if local:
        kept["local"] = "1"
    query = urlencode(kept)
    if len(page) == 1 and request.size == 1:
        return f'<{address}?{query}&max_id=>; rel="next"'
    if len(page) < 2:
        return None
    identifiers = [int(post.post_id) for post in page]
    return (
        f'<{address}?{query}&max_id={min(identifiers)}>; rel="next",'
        f'<{address}?{query}&min_id={max(identifiers)}>; rel="prev"'
    )
