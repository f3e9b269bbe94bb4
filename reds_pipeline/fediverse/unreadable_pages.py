"""Getting past a page that a host cannot give, at the price of the one post that breaks it.

What belongs here: telling a broken page from a host that is down, finding the post that breaks
it, and a cursor below that post (fediverse.md 6, trap 8). What does not: what is asked for
(``timelines.py``), and trying one request again (``web/client.py``).

A page that fails is asked again for half as many posts, and so on down to one: what stands above
the broken post still comes through. Where ids are numbers, as the snowflakes of Pixelfed and
Mastodon are, a cursor need not be the id of any post, so that a binary search between the cursor
that fails and one further down that does not ends right below the broken post. It costs some
forty requests. Only a post of the same millisecond, or one between two broken posts close to each
other, can be stepped over with them. Ids of other kinds cannot be made up: there a walk has to
stop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reds_pipeline.fediverse.web.failures import CircuitOpen, HostUnavailable

_LOGGER = logging.getLogger(__name__)
# So many failures in a row, and we make sure that the host is there at all. Fewer than a client
# tolerates before it leaves a host alone, so that a broken page is not taken for a broken host.
_FAILURES_BEFORE_DOUBT = 3
# A page is asked for with all patience once; the search for what breaks it is not to wait
# minutes at each step, though a single hiccup must not mislead it.
_RETRIES_IN_DOUBT = 1
# Any place else will do to learn whether a host answers at all: about ten days for snowflakes.
_ELSEWHERE_BITS = 8
_BELOW_EVERYTHING = "1"
# The first step below a broken page is this fraction of the id, which is about a millisecond for
# snowflakes of today and one for small numbers. The search is no finer either.
_FIRST_STEP_BITS = 38
_STEP_GROWTH = 4

Entity = dict[str, Any]


@dataclass(frozen=True)
class Got:
    """What came of asking for a page.

    Attributes:
        entities: Its posts as the host sent them.
        resume_below: Where to go on, had something to be stepped over; None otherwise.
        blocked: Whether there is no way past this place for now.
    """

    entities: list[Entity] = field(default_factory=list)
    resume_below: str | None = None
    blocked: bool = False


@dataclass(frozen=True)
class _Place:
    """Where a page begins; None is the top."""

    cursor: str | None


class PageGetter:
    """Gets pages of one timeline and finds ways past those that the host cannot give.

    Args:
        ask: Asks for at most so many posts below a cursor (None: the newest), with so many
            retries (None: as many as usual), and returns the answer as it came.
        posts_of: Returns the posts of an answer, or raises where it is not a list of posts.
        limit: Posts to ask for where nothing is wrong.
        newest_possible: An id above every post, where ids can be made up before the first was
            seen; "" where they cannot.
    """

    def __init__(
        self,
        ask: Callable[[str | None, int, int | None], Any],
        posts_of: Callable[[Any], list[Entity]],
        *,
        limit: int,
        newest_possible: str,
    ) -> None:
        self._ask = ask
        self._posts_of = posts_of
        self._limit = limit
        self._newest_possible = newest_possible
        self._suspects = 0
        self._failures = 0
        self._answered: _Place | None = None

    def page(self, cursor: str | None) -> Got:
        """Return the page below a cursor, or a way past what breaks it.

        Raises:
            HostUnavailable: The host answers nowhere, or nowhere below the cursor.
            HostError: As the client says; CircuitOpen and BudgetSpent are never a broken page.
        """
        limit = max(1, self._suspects // 2) if self._suspects else self._limit
        while True:
            found = self._tried(cursor, limit)
            if not isinstance(found, HostUnavailable):
                self._suspects = max(0, self._suspects - limit)
                return Got(found)
            self._suspects = limit
            if limit == 1:
                break
            limit //= 2
        # The next post below the cursor is the one.
        try:
            return self._way_past(cursor, found)
        finally:
            self._suspects = 0

    def shows_something(self, cursor: str) -> bool:
        """Say whether there are posts on the page below a cursor, readable or not."""
        found = self._tried(cursor, self._limit)
        return isinstance(found, HostUnavailable) or bool(found)

    def _tried(self, cursor: str | None, limit: int) -> list[Entity] | HostUnavailable:
        """Return the posts below a cursor, or the failure where it may be the page's."""
        try:
            in_doubt = self._suspects > 0 or self._failures > 0
            answer = self._ask(cursor, limit, _RETRIES_IN_DOUBT if in_doubt else None)
        except CircuitOpen:
            raise
        except HostUnavailable as failure:
            self._failures += 1
            if self._failures % _FAILURES_BEFORE_DOUBT == 0 and not self._is_alive(cursor):
                raise
            return failure
        posts = self._posts_of(answer)
        self._failures = 0
        self._answered = _Place(cursor)
        return posts

    def _is_alive(self, failing: str | None) -> bool:
        """Say whether the timeline still answers where it did, or else anywhere."""
        if self._answered is not None:
            places = [self._answered.cursor]
        else:
            places = [] if failing is None else [None]
            if (elsewhere := _well_below(failing or self._newest_possible)) is not None:
                # A quiet timeline has its newest, broken post below that too. Below everything
                # there is nothing that could break a page.
                places += [elsewhere, _BELOW_EVERYTHING]
        for place in places:
            try:
                self._ask(place, 1, _RETRIES_IN_DOUBT)
            except CircuitOpen:
                raise
            except HostUnavailable:
                continue
            self._answered = _Place(place)
            return True
        return False

    def _way_past(self, cursor: str | None, failure: HostUnavailable) -> Got:
        """Return the largest cursor below the broken post, found by halving."""
        upper = cursor or self._newest_possible
        if not is_number(upper):
            _LOGGER.warning("Stopped at a post that the host cannot show: %s", failure)
            return Got(blocked=True)
        top = failing = int(upper)
        step = precision = max(1, top >> _FIRST_STEP_BITS)
        readable = max(1, top - step)
        while isinstance(below := self._tried(str(readable), 1), HostUnavailable):
            if readable == 1:
                raise failure
            failing = readable
            step *= _STEP_GROWTH
            readable = max(1, top - step)
        while failing - readable > precision:
            middle = (failing + readable) // 2
            tried = self._tried(str(middle), 1)
            if isinstance(tried, HostUnavailable):
                failing = middle
            else:
                readable, below = middle, tried
        if not below:
            # Perhaps the oldest post of all is broken, perhaps all old ones are for now, and
            # hosts answer cursors beyond their horizon with nothing: no proof of an end.
            _LOGGER.warning("Stopped at posts that the host cannot show: %s", failure)
            return Got(blocked=True)
        _LOGGER.info("Stepped over a post that the host cannot show: %s", failure)
        return Got(resume_below=str(readable))


def is_number(post_id: str) -> bool:
    """Say whether ids of this kind can be computed with."""
    return post_id.isascii() and post_id.isdecimal()


def _well_below(post_id: str) -> str | None:
    """Return an id some days below, None where ids cannot be made up."""
    if not is_number(post_id):
        return None
    number = int(post_id)
    return str(max(1, number - max(1, number >> _ELSEWHERE_BITS)))
