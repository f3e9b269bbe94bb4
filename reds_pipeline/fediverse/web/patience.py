"""When one host may be asked next: our pauses, its wishes, and when to leave it alone.

What belongs here: waiting, and refusing to wait too long. What does not: our own requests per
second (``transport.py``, by requests-ratelimiter, whose rate is fixed before a host could be
asked for its wishes), and what an answer means (``failures.py``).
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from reds_pipeline.fediverse.web.answers import Answer
from reds_pipeline.fediverse.web.circuit_breaker import CircuitBreaker
from reds_pipeline.fediverse.web.failures import (
    CircuitOpen,
    HostError,
    HostUnavailable,
    host_is_failing,
)
from reds_pipeline.fediverse.web.rate_limits import RateWindow, wait_asked_for
from reds_pipeline.fediverse.web.transport import RequestPace

_LOGGER = logging.getLogger(__name__)
_WORTH_A_WARNING_SECONDS = 60.0


class Patience:
    """The pauses between the requests to one host; for one thread at a time.

    Args:
        host: The host as people write it.
        pace: How hard it may be asked, and how long a wait may be.
        sleep: Waits some seconds; tests replace it.
        clock: Seconds.
    """

    def __init__(
        self,
        host: str,
        pace: RequestPace,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._pace = pace
        self._sleep = sleep
        self._clock = clock
        self._breaker = CircuitBreaker(
            failures=pace.tolerated_failures,
            first_rest_seconds=pace.first_rest_seconds,
            longest_rest_seconds=pace.longest_rest_seconds,
            clock=clock,
        )
        self._window = RateWindow(clock)
        self._last_sent = float("-inf")

    @property
    def exhausted(self) -> bool:
        """Whether the host is to be left alone now."""
        return self._breaker.rest_seconds > 0

    def wait_for_turn(self, spacing: float) -> None:
        """Wait until the host is ready for the next request, which is taken to be sent then.

        Args:
            spacing: Seconds that its robots.txt wants between two requests.

        Raises:
            CircuitOpen: The host is to be left alone, or its window opens too late.
        """
        rest = self._breaker.rest_seconds
        if rest > 0:
            raise CircuitOpen(
                f"{self._host} failed several times in a row or asked for a break, so REDS leaves "
                f"it alone for another {in_words(rest)}; run again after that, nothing is lost."
            )
        window = self._window.wait_seconds()
        if window > self._pace.longest_wait_seconds:
            raise _too_long(self._host, window)
        self._pause(max(window, self._last_sent + spacing - self._clock()), self._host)
        self._window.clear()
        self._last_sent = self._clock()

    def learn(self, answer: Answer | None, failure: HostError | None) -> None:
        """Note what one attempt says about the host.

        Args:
            answer: What came back, None where the connection failed.
            failure: What that means, None for a success.
        """
        if answer is not None:
            self._window.note(answer.headers, datetime.now(UTC))
        if not isinstance(failure, HostUnavailable):
            self._breaker.succeeded()
        elif host_is_failing(answer):
            self._breaker.failed()

    def asked_wait(self, answer: Answer | None, address: str) -> float | None:
        """Return the seconds that a failing host asks us to wait, None where it does not say.

        Args:
            answer: What came back, None where the connection failed.
            address: What was asked, for the sentence.

        Raises:
            CircuitOpen: The host asks for more than we wait; it is left alone until then.
        """
        if answer is None:
            return None
        limited = answer.status == 429
        asked = wait_asked_for(answer.headers, datetime.now(UTC), limited=limited)
        if asked is not None and asked > self._pace.longest_wait_seconds:
            self._breaker.rest(asked)
            raise _too_long(address, asked)
        return asked

    def wait_to_retry(self, attempt: int, asked: float | None, address: str) -> None:
        """Wait after a failed attempt: as long as the host asks, or longer each time.

        Args:
            attempt: Attempts that failed before this one.
            asked: What ``asked_wait`` returned.
            address: What was asked, for the log.
        """
        longest = self._pace.longest_wait_seconds
        backoff = min(longest, self._pace.backoff_seconds * 2**attempt)
        # Jitter, so that several collectors do not come back at the same moment.
        self._pause(max(backoff * random.uniform(0.5, 1.0), asked or 0.0), address)
        self._window.clear()

    def _pause(self, seconds: float, address: str) -> None:
        if seconds > 0:
            level = logging.WARNING if seconds >= _WORTH_A_WARNING_SECONDS else logging.INFO
            _LOGGER.log(
                level,
                "%s wants a pause; REDS asks again in %s, and stopping it loses nothing.",
                address,
                in_words(seconds),
            )
            self._sleep(seconds)


def in_words(seconds: float) -> str:
    """Return a duration as people say it, rounded up."""
    if seconds < 90:
        return f"{max(2, math.ceil(seconds))} seconds"
    return f"{math.ceil(seconds / 60)} minutes"


def _too_long(address: str, seconds: float) -> CircuitOpen:
    return CircuitOpen(
        f"{address} asks REDS to wait {in_words(seconds)} before the next request, longer than a "
        "run waits; run again after that, nothing is lost."
    )
