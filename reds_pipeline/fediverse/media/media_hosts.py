"""How each media host is treated, and what a run has learnt about it.

What belongs here: pace, connections and budget of a host that hands out pictures, apart from
those of the API (fediverse.md 4 and 9), and whether it may be asked now. What does not: asking
(``fetcher.py``). urllib3's Retry cannot serve here: it waits per request, while a host that says
"in a minute" means all our connections, and it spends requests that no budget sees.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from reds_pipeline.fediverse.web.circuit_breaker import CircuitBreaker
from reds_pipeline.fediverse.web.rate_limits import wait_asked_for
from reds_pipeline.fediverse.web.request_budget import RequestBudget
from reds_pipeline.fediverse.web.transport import RequestPace

BUDGET_SPENT = "budget_spent"
HOST_RESTING = "host_resting"

# Somebody else's machine, which often never heard of us: few retries and no long waits, because
# what is missing is asked for again by the next run.
_POLITE = RequestPace(per_second=2.0, retries=2, backoff_seconds=2.0, longest_wait_seconds=60.0)


@dataclass(frozen=True)
class MediaManners:
    """How hard one media host may be asked.

    Attributes:
        pace: Requests a second, retries and waits.
        connections: Pictures fetched from it at the same time.
        budget: Requests one run may send to it, robots.txt, redirects and retries included;
            None for any number.
    """

    pace: RequestPace = field(default=_POLITE)
    connections: int = 4
    budget: int | None = None

    @classmethod
    def polite(cls, *, per_second: float = 2.0, budget: int | None = None) -> MediaManners:
        """Return the manners for hosts elsewhere: ``per_second`` requests, ``budget`` a run."""
        pace = RequestPace(
            per_second=per_second,
            retries=_POLITE.retries,
            backoff_seconds=_POLITE.backoff_seconds,
            longest_wait_seconds=_POLITE.longest_wait_seconds,
        )
        return cls(pace, budget=budget)

    @classmethod
    def on_this_machine(cls, url: str, *, budget: int | None = None) -> MediaManners:
        """Return the manners for an origin on loopback: no pace, as nobody has to be spared."""
        pace = replace(RequestPace.towards(url), longest_wait_seconds=_POLITE.longest_wait_seconds)
        return cls(pace, connections=16, budget=budget)


class MediaHost:
    """One media host during one run; safe to use from several threads.

    Args:
        manners: How hard it may be asked.
        sleep: Waits for a number of seconds.
        clock: Seconds.
    """

    def __init__(
        self,
        manners: MediaManners,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        pace = manners.pace
        self._pace = pace
        self._sleep = sleep
        self._clock = clock
        self._budget = RequestBudget(manners.budget)
        self._breaker = CircuitBreaker(
            failures=pace.tolerated_failures,
            first_rest_seconds=pace.first_rest_seconds,
            longest_rest_seconds=pace.longest_rest_seconds,
            clock=clock,
        )
        self._next_turn = float("-inf")
        self._lock = threading.Lock()

    def wait_for_turn(self, seconds_between: float = 0.0) -> str:
        """Wait until the host may be asked once, or say why it may not this time.

        Args:
            seconds_between: The pause that its robots.txt asks for between requests.

        Returns:
            "", ``budget_spent``, or ``host_resting`` where the wait would be too long.
        """
        while (rest := self._breaker.rest_seconds) > 0:
            if rest > self._pace.longest_wait_seconds:
                return HOST_RESTING
            self._sleep(rest)
        with self._lock:
            now = self._clock()
            turn = max(now, self._next_turn)
            if turn - now > self._pace.longest_wait_seconds:
                return HOST_RESTING
            if not self._budget.take():
                return BUDGET_SPENT
            self._next_turn = turn + seconds_between
        if turn > now:
            self._sleep(turn - now)
        return ""

    def succeeded(self) -> None:
        """Note that the host answered, whatever it said about the picture."""
        self._breaker.succeeded()

    def failed(
        self, attempt: int, status: int = 0, headers: Mapping[str, str] | None = None
    ) -> None:
        """Note a failure and, unless it was the last attempt, wait as long as is decent.

        Where the host says how long, all its connections wait.

        Args:
            attempt: 0 for the first of this request.
            status: What it answered; 0 for nothing.
            headers: Of the answer.
        """
        self._breaker.failed()
        asked = wait_asked_for(headers or {}, datetime.now(UTC), limited=status == 429)
        if asked is not None:
            self._breaker.rest(asked)
        elif attempt < self._pace.retries:
            backoff = self._pace.backoff_seconds * (2**attempt + random.random())
            self._sleep(min(backoff, self._pace.longest_wait_seconds))


class MediaHosts:
    """The media hosts met in one run.

    Args:
        manners_of: The manners towards an origin.
    """

    def __init__(self, manners_of: Callable[[str], MediaManners]) -> None:
        self._manners_of = manners_of
        self._known: dict[str, MediaHost] = {}
        self._lock = threading.Lock()

    def at(self, origin: str) -> MediaHost:
        """Return the host at an origin, the same one each time."""
        with self._lock:
            if origin not in self._known:
                self._known[origin] = MediaHost(self._manners_of(origin))
            return self._known[origin]
