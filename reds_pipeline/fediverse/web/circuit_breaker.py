"""Leaving a host alone that keeps failing.

What belongs here: counting failures in a row and the time until the next attempt is decent. What
does not: what counts as a failure (``failures.host_is_failing``), and asking (``client.py``).
The waits between the attempts of one request (5 s, 10 s, 20 s ...) are slept; from the fifth
failure on they would be minutes, so that the caller is told at once instead, and the same row
goes on up to a quarter of an hour (fediverse.md 2.9). Written here because a breaker is two
numbers and a clock, and the packages that offer one want to wrap the calls, which hides from
them that a 500 may be about a single page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Says whether a host may be asked now; safe to use from several threads.

    After ``failures`` failures in a row the host rests. When the rest is over one attempt is
    free: if it succeeds all is forgotten, if it fails the next rest is twice as long.

    Args:
        failures: Failures in a row that are tolerated before the first rest.
        first_rest_seconds: The first rest.
        longest_rest_seconds: No rest grows beyond this.
        clock: Seconds.
    """

    def __init__(
        self,
        *,
        failures: int,
        first_rest_seconds: float,
        longest_rest_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tolerated = failures
        self._first_rest = first_rest_seconds
        self._longest_rest = longest_rest_seconds
        self._clock = clock
        self._failed = 0
        self._rests = 0
        self._until = float("-inf")
        self._lock = threading.Lock()

    @property
    def failed_in_a_row(self) -> int:
        """Failures since the last success."""
        return self._failed

    @property
    def rest_seconds(self) -> float:
        """Seconds for which the host is still to be left alone; 0 where it may be asked."""
        return max(0.0, self._until - self._clock())

    def succeeded(self) -> None:
        """Note that the host answered as it should."""
        with self._lock:
            self._failed = 0
            self._rests = 0

    def failed(self) -> None:
        """Note a failure, which starts a rest where it is one too many."""
        with self._lock:
            self._failed += 1
            if self._failed < self._tolerated:
                return
            # The exponent is bounded so that a long outage does not overflow a float.
            rest = self._first_rest * 2 ** min(self._rests, 60)
            self._rests += 1
            self._until = max(self._until, self._clock() + min(self._longest_rest, rest))

    def rest(self, seconds: float) -> None:
        """Leave the host alone for as long as it asked, however long that is."""
        with self._lock:
            self._until = max(self._until, self._clock() + seconds)
