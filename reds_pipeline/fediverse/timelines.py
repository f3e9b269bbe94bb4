"""Walking a timeline from new to old, one page at a time, with an end under every quirk.

What belongs here: what to ask for and when to stop. What does not: judging the posts
(``consent.py``), remembering how far a walk came (``walks.py``), and finding a way past a page
that the host cannot give (``unreadable_pages.py``). The rules are those of fediverse.md 2.3, 2.4
and 3.3: ``Link`` headers and short pages prove nothing, so the next page starts below the last
id seen, and the walk ends on an empty page, on a page without a new id, or when the page budget
is spent.

Pixelfed looks at a window of rows (100 on a tag) and filters afterwards, so that an empty page
is no proof of an end there: older cursors are made up, and if one shows posts, the place where
they begin is searched for. An end that was found so is a guess. Beyond a horizon (nine months on
a tag, ninety days or a few hundred posts on the public timeline) Pixelfed shows nothing; that
looks the same and is the end of what can be had.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

from reds_pipeline.fediverse.hosts import PUBLIC_TIMELINE, TAG_TIMELINE, HostProfile
from reds_pipeline.fediverse.unreadable_pages import Entity, PageGetter, is_number
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import HostError, HostUnavailable

# Both servers silently cut larger limits to this (fediverse.md 6, trap 23).
LARGEST_PAGE = 40
_DAY_MILLISECONDS = 24 * 3600 * 1000
# Ids hold milliseconds above so many bits, since 1970 or since Pixelfed's own beginning
# (fediverse.md 2.4, 8).
_PIXELFED_SHIFT = 22
_PIXELFED_BEGINNING = 1_549_756_800_000
_MASTODON_SHIFT = 16
# Each made-up cursor is so many times as far below the last one as that was.
_LEAP_GROWTH = 3
# More rows than Pixelfed's window holds do not come in within a minute.
_LEAP_PRECISION = 60_000 << _PIXELFED_SHIFT


@dataclass(frozen=True)
class PagingRules:
    """How far a walk may go.

    Attributes:
        limit: Posts to ask for per page, 1 to 40.
        max_pages: Requests after which no further page is begun; getting past a page that the
            host cannot give is finished first, so that every walk gets on.
        synthetic_cursors: Cursors that are made up in a row where Pixelfed shows an empty page:
            one day below, then three days below that, then nine, and so on.
        feed: Posts of the host itself, or also those it got from others.
    """

    limit: int = LARGEST_PAGE
    max_pages: int = 150
    synthetic_cursors: int = 3
    feed: Literal["local", "federated"] = "local"


@dataclass(frozen=True)
class Page:
    """What one step of a walk brought.

    Attributes:
        entities: The posts not seen before in this walk, newest first.
        cursor: Where the next page starts, None where there is no going on from here this time.
        exhausted: Whether the timeline ends here, as far as anybody can tell.
        unreadable: Places that had to be stepped over since the page before, or that stopped
            the walk, because the host cannot show what stands there.
        guessed: Whether the end is concluded from empty pages behind which more may lie.
    """

    entities: list[Entity] = field(default_factory=list)
    cursor: str | None = None
    exhausted: bool = False
    unreadable: int = 0
    guessed: bool = False


def public_timeline(
    client: ApiClient,
    profile: HostProfile,
    *,
    start: str | None = None,
    rules: PagingRules | None = None,
) -> Iterator[Page]:
    """Yield the newest posts of a host.

    Args:
        client: The host.
        profile: What ``probe`` found.
        start: Only posts below this id; None starts with the newest.
        rules: How far to go.

    Raises:
        HostError: The host does not give a page, or gives the same one for ever.
    """
    rules = rules or PagingRules()
    parameters: dict[str, str | int] = {"local": "true", "only_media": "true"}
    if profile.flavour == "pixelfed":
        # Its switches add up: none is local, remote alone is remote only (fediverse.md 2.3).
        parameters = {"local": 1, "_pe": 1}
        if rules.feed == "federated":
            parameters["remote"] = 1
    elif rules.feed == "federated":
        del parameters["local"]
    return _Walk(client, profile, PUBLIC_TIMELINE, parameters, rules).pages(start)


def tag_timeline(
    client: ApiClient,
    profile: HostProfile,
    tag: str,
    *,
    start: str | None = None,
    rules: PagingRules | None = None,
) -> Iterator[Page]:
    """Yield the newest posts that carry a hashtag; arguments as ``public_timeline``.

    Args:
        client: The host.
        profile: What ``probe`` found.
        tag: The hashtag in one spelling, without ``#``.
        start: Only posts below this id; None starts with the newest.
        rules: How far to go.

    Raises:
        HostError: The host does not give a page, or gives the same one for ever.
    """
    rules = rules or PagingRules()
    parameters: dict[str, str | int] = {"only_media": "true"}
    if profile.flavour == "pixelfed":
        parameters = {"_pe": 1}
    elif rules.feed == "local":
        parameters["local"] = "true"
    path = f"{TAG_TIMELINE}{quote(tag, safe='')}"
    return _Walk(client, profile, path, parameters, rules).pages(start)


def days_earlier(cursor: str, days: int) -> str | None:
    """Return the Pixelfed id of some days before ``cursor``, or None where there is none."""
    if not is_number(cursor):
        return None
    milliseconds = (int(cursor) >> _PIXELFED_SHIFT) - days * _DAY_MILLISECONDS
    return str(milliseconds << _PIXELFED_SHIFT) if milliseconds > 0 else None


def id_order(post_id: str) -> tuple[int, str]:
    """Return a sort key by which newer ids are larger.

    Ids are opaque texts (snowflakes, ULIDs, base-62), for which Mastodon's guidelines give this
    order: by length, then as text.
    """
    return (len(post_id), post_id)


class _Walk:
    """One walk down one timeline."""

    def __init__(
        self,
        client: ApiClient,
        profile: HostProfile,
        path: str,
        parameters: dict[str, str | int],
        rules: PagingRules,
    ) -> None:
        self._client = client
        self._path = path
        self._parameters = parameters
        self._rules = rules
        self._leaps = rules.synthetic_cursors if profile.flavour == "pixelfed" else 0
        self._requests = 0
        self._getter = PageGetter(
            self._ask,
            self._posts,
            limit=max(1, min(rules.limit, LARGEST_PAGE)),
            newest_possible=_id_of_tomorrow(profile),
        )

    def pages(self, start: str | None) -> Iterator[Page]:
        cursor = start
        seen: set[str] = set()
        unreadable = 0
        while self._requests < self._rules.max_pages:
            got = self._getter.page(cursor)
            if got.blocked:
                yield Page(unreadable=unreadable + 1)
                return
            if got.resume_below is not None:
                unreadable += 1
                cursor = got.resume_below
                continue
            fresh = _not_in(seen, got.entities)
            last = str(got.entities[-1]["id"]) if got.entities else None
            if cursor is not None:
                self._require_older(got.entities, fresh, cursor)
                if last is None and (landed := self._beyond_empty_pages(cursor)):
                    cursor = landed
                    continue
            if not fresh or last == cursor:
                guessed = self._leaps > 0 and cursor is not None
                yield Page(fresh, exhausted=True, unreadable=unreadable, guessed=guessed)
                return
            cursor = last
            yield Page(fresh, cursor, unreadable=unreadable)
            unreadable = 0
        if unreadable:
            yield Page(cursor=cursor, unreadable=unreadable)

    def _ask(self, cursor: str | None, limit: int, retries: int | None) -> Any:
        self._requests += 1
        query = {**self._parameters, "limit": limit}
        if cursor is not None:
            query["max_id"] = cursor
        return self._client.get(self._path, query, retries=retries)

    def _beyond_empty_pages(self, cursor: str) -> str | None:
        """Return a cursor below an empty page where posts begin again, None if none is found.

        A leap may land below the first of them; they begin somewhere between it and the last
        cursor that showed nothing.
        """
        empty, days = cursor, 1
        for _ in range(self._leaps):
            landed = days_earlier(empty, days)
            if landed is None:
                return None
            if self._getter.shows_something(landed):
                return self._first_posts_between(int(landed), int(empty))
            empty, days = landed, days * _LEAP_GROWTH
        return None

    def _first_posts_between(self, showing: int, empty: int) -> str:
        while empty - showing > _LEAP_PRECISION:
            middle = (showing + empty) // 2
            if self._getter.shows_something(str(middle)):
                showing = middle
            else:
                empty = middle
        return str(showing)

    def _require_older(self, entities: list[Entity], fresh: list[Entity], cursor: str) -> None:
        """Raise where a host ignores the cursor, as some have (fediverse.md 6, trap 7)."""
        ids = [str(entity["id"]) for entity in entities]
        if all(post_id == cursor for post_id in ids):
            return
        if any(id_order(post_id) < id_order(cursor) for post_id in ids):
            return
        if fresh and not is_number(cursor):
            # Ids of other kinds need not be in order; new posts are getting on.
            return
        raise HostError(
            f"{self._client.host}{self._path} sends the same posts whatever page is asked for, "
            "so that older ones cannot be had; please report this with the output of reds doctor."
        )

    def _posts(self, answer: Any) -> list[Entity]:
        """Return the items of a page that can be posts: objects with an id."""
        if not isinstance(answer, list):
            # To take it for an empty page would record that the timeline ends here.
            raise HostUnavailable(
                f"{self._client.host}{self._path} sent something other than a list of posts; try "
                "again later, and check that the address is that of a Pixelfed or Mastodon host."
            )
        return [
            item
            for item in answer
            if isinstance(item, dict) and isinstance(item.get("id"), str | int) and str(item["id"])
        ]


def _id_of_tomorrow(profile: HostProfile) -> str:
    """Return an id above those of today's posts, "" where a host's ids cannot be made up."""
    milliseconds = int((datetime.now(UTC) + timedelta(days=1)).timestamp() * 1000)
    if profile.flavour == "pixelfed":
        return str((milliseconds - _PIXELFED_BEGINNING) << _PIXELFED_SHIFT)
    if profile.flavour == "mastodon":
        return str(milliseconds << _MASTODON_SHIFT)
    return ""


def _not_in(seen: set[str], entities: list[Entity]) -> list[Entity]:
    """Return the posts whose id is not in ``seen``, each once, and add them to it."""
    fresh = []
    for entity in entities:
        post_id = str(entity["id"])
        if post_id not in seen:
            seen.add(post_id)
            fresh.append(entity)
    return fresh
