"""Which posts a timeline request gets: Mastodon's rules (fediverse.md 3.1 to 3.3, 3.5).

Belongs here: pure functions over the list of posts. Requests, tokens and refusals are
``application``'s.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlencode

from reds_pipeline.demo.posts import Post

DEFAULT_PAGE = 20
"""Posts a page when no limit is asked for; twice as many are the most."""

_BEYOND_EVERY_ID = 2**63 - 1


@lru_cache(maxsize=65_536)
def normalised(tag: str) -> str:
    """Return a hashtag as Mastodon stores it: plain width, lower case, Latin without accents."""
    plain = unicodedata.normalize("NFKC", tag).lower()
    decomposed = (unicodedata.normalize("NFD", letter) for letter in plain)
    return "".join(
        parts[0] if parts[0].isascii() else unicodedata.normalize("NFC", parts)
        for parts in decomposed
    )


@dataclass(frozen=True)
class Cursor:
    """Where a page begins, and its size.

    Attributes:
        limit: Posts at most; already clamped.
        max_id: Exclusive upper bound.
        since_id: Exclusive lower bound: the newest above it.
        min_id: Exclusive lower bound: those immediately above it; wins over ``since_id``.
    """

    limit: int = DEFAULT_PAGE
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None

    def page(self, newest_first: Sequence[Post]) -> list[Post]:
        """Return the page of these posts, newest first."""
        below = self.max_id if self.max_id is not None else _BEYOND_EVERY_ID
        above = self.min_id if self.min_id is not None else self.since_id
        window = [
            post
            for post in newest_first
            if int(post.post_id) < below and (above is None or int(post.post_id) > above)
        ]
        if self.min_id is not None:
            return window[max(0, len(window) - self.limit) :]
        return window[: self.limit]


@dataclass(frozen=True)
class Selection:
    """Which posts of a feed are asked for.

    Attributes:
        local: Those of this instance.
        remote: Those of others.
        only_media: Only those with files.
        any_of: Further hashtags, one of which is enough.
        all_of: Further hashtags that must all be there.
        none_of: Hashtags that must not be there.
    """

    local: bool = True
    remote: bool = True
    only_media: bool = False
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()

    def within(self, *, local: bool, remote: bool) -> Selection:
        """Return what is left where only these origins may be seen."""
        return replace(self, local=self.local and local, remote=self.remote and remote)

    def admits(self, post: Post) -> bool:
        """Whether the post is of the right origin and kind."""
        return (self.local if post.is_local else self.remote) and bool(
            post.attachments or not self.only_media
        )


def _is_in_feeds(post: Post) -> bool:
    hidden = post.author.suspended or post.author.limited
    return post.visibility == "public" and post.reblog_of is None and not hidden


def public_page(newest_first: Sequence[Post], selection: Selection, cursor: Cursor) -> list[Post]:
    """Return a page of the public timeline: no replies, no boosts.

    Args:
        newest_first: All posts of the instance, highest id first.
        selection: Which of them.
        cursor: Which page.
    """
    return cursor.page(
        [
            post
            for post in newest_first
            if _is_in_feeds(post) and post.in_reply_to is None and selection.admits(post)
        ]
    )


def tag_page(
    newest_first: Sequence[Post], tag: str, selection: Selection, cursor: Cursor
) -> list[Post]:
    """Return a page of a hashtag timeline: public posts and replies.

    Args:
        newest_first: All posts of the instance, highest id first.
        tag: The hashtag in any spelling that Mastodon takes for the same.
        selection: Which of them.
        cursor: Which page.
    """
    wanted = {normalised(tag), *map(normalised, selection.any_of)}
    required = set(map(normalised, selection.all_of))
    unwanted = set(map(normalised, selection.none_of))
    page: list[Post] = []
    for post in newest_first:
        tags = set(map(normalised, post.tags))
        if (
            tags & wanted
            and required <= tags
            and not tags & unwanted
            and _is_in_feeds(post)
            and selection.admits(post)
        ):
            page.append(post)
    return cursor.page(page)


def link_header(
    page: Sequence[Post], address: str, parameters: Mapping[str, str], kept: Sequence[str]
) -> str | None:
    """Return the ``Link`` header: on every page but an empty one, the last included.

    Args:
        page: The posts answered.
        address: Address of the timeline without a query.
        parameters: What was asked.
        kept: Names of the parameters that survive; ``remote`` and the further hashtags of a tag
            timeline do not (fediverse.md 3.3).
    """
    if not page:
        return None
    surviving = {name: parameters[name] for name in kept if name in parameters}

    def link(relation: str, **cursor: str) -> str:
        return f'<{address}?{urlencode(surviving | cursor)}>; rel="{relation}"'

    older = link("next", max_id=page[-1].post_id)
    newer = link("prev", min_id=page[0].post_id)
    return f"{older}, {newer}"


def offset_link_header(address: str, limit: int, offset: int, *, has_more: bool) -> str | None:
    """Return the ``Link`` header of a list that is paged by offset, as the trends are."""

    def link(relation: str, position: int) -> str:
        return f'<{address}?{urlencode({"limit": limit, "offset": position})}>; rel="{relation}"'

    links = [link("next", offset + limit)] if has_more else []
    if offset:
        links.append(link("prev", max(0, offset - limit)))
    return ", ".join(links) or None
