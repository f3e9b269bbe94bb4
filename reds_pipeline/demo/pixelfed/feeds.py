"""Which posts a timeline request gets: the rules of Pixelfed 0.12.6, quirks included.

Belongs here: pure functions over the list of posts (fediverse.md 2.2 to 2.5). Which posts stand
under a hashtag is ``hashtag_rows``; requests and tokens are ``timelines`` and ``guest_api``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from reds_pipeline.demo.pixelfed.hashtag_rows import (
    Collation,
    HashtagRow,
    find_hashtag,
    newest_first,
)
from reds_pipeline.demo.posts import Author, Post, snowflake_time

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

GUEST_TAG_ROWS = 9
"""Rows of one page of the guests' hashtag feed."""

_GUEST_TAG_ROWS_HIDDEN = 18
_FIRST_CLOSED_GUEST_PAGE = 8


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


def is_gone(author: Author) -> bool:
    """Whether the account was closed, by the moderators or by its owner."""
    return author.suspended or author.deleted


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
        and post.attachments
        and ((local and remote) or post.is_local != remote)
        and newest - snowflake_time(post.post_id) <= PUBLIC_HORIZON
    ]
    feed = newest_first(candidates)[:feed_cap]
    rows = [post for post in feed if request.admits(post)][: 2 * request.size]
    return [post for post in rows if not is_gone(post.author)][: request.size]


def tag_page(
    posts: Sequence[Post],
    tag: str,
    request: PageRequest,
    *,
    visibility_leak: bool = True,
    scan_rows: int = TAG_SCAN_ROWS,
    collation: Collation = "mysql",
    only_media: bool = True,
) -> list[Post]:
    """Return a page of a hashtag timeline (fediverse.md 2.4).

    Replies and boosts that carry the tag are rows like any other: the client has to gate them.

    Args:
        posts: All posts of the instance, any order.
        tag: The hashtag.
        request: Limit and cursor.
        visibility_leak: ``True`` as in 0.12.6, where followers-only posts come through.
        scan_rows: Rows looked at below the cursor.
        collation: How the database compares the names of hashtags.
        only_media: ``False`` lets posts without files through.
    """
    row = find_hashtag(posts, tag, collation)
    if row is None:
        return []
    newest = snowflake_time(max(posts, key=lambda post: int(post.post_id)).post_id)
    cursor = request.min_id if request.min_id is not None else request.max_id
    if cursor is not None and newest - snowflake_time(str(cursor)) > TAG_HORIZON:
        return []
    scopes = {"public", "unlisted", "private"} if visibility_leak else {"public", "unlisted"}
    rows = [post for post in row.posts if request.admits(post) and post.visibility in scopes]
    kept = [
        post
        for post in rows[:scan_rows]
        if post.visibility != "unlisted"
        and (post.attachments or not only_media)
        and not is_gone(post.author)
    ]
    return kept[: request.size]


def guest_tag_page(row: HashtagRow, page: int) -> list[Post]:
    """Return a page of the guests' hashtag feed, which never shows the 18 newest (2.5).

    Args:
        row: The hashtag.
        page: Number of the page, from 1; pages 1 and 2 are the same, and from 8 on all are empty.
    """
    if page >= _FIRST_CLOSED_GUEST_PAGE:
        return []
    offset = max(_GUEST_TAG_ROWS_HIDDEN, page * GUEST_TAG_ROWS)
    rows = [post for post in row.posts if post.visibility == "public"]
    window = rows[offset : offset + GUEST_TAG_ROWS]
    return [post for post in window if post.attachments and not is_gone(post.author)]


def account_page(posts: Sequence[Post], account_id: str, request: PageRequest) -> list[Post]:
    """Return a page of what an account posted, unlisted posts included (fediverse.md 2.2)."""
    posted = [
        post
        for post in posts
        if post.author.account_id == account_id
        and post.visibility in {"public", "unlisted"}
        and post.in_reply_to is None
        and post.reblog_of is None
        and post.attachments
        and request.admits(post)
    ]
    return newest_first(posted)[: request.size]


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


def guest_account_link_header(page: Sequence[Post], address: str, limit: int) -> str | None:
    """Return the ``Link`` header of a guest account feed, its names the wrong way round.

    The older page is called ``prev`` (fediverse.md 6, trap 6).
    """
    if not page:
        return None
    identifiers = [int(post.post_id) for post in page]
    return (
        f'<{address}?limit={limit}&max_id={min(identifiers)}>; rel="prev",'
        f'<{address}?limit={limit}&min_id={max(identifiers)}>; rel="next"'
    )
