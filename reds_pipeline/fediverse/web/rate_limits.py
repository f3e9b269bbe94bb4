"""What a host says about how often it wants to be asked.

What belongs here: reading ``Retry-After`` and the ``X-RateLimit-*`` headers (fediverse.md 2.9 and
3.4), and remembering when a window opens again. What does not: sleeping (``client.py``) and our
own pace (``transport.py``). urllib3 reads ``Retry-After`` only, measures a date against our clock
instead of the host's, and knows nothing of the headers that Mastodon sends in its place.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
# Whole numbers below this are no moment since 1970 that anybody means, but a number of seconds.
_LARGEST_DURATION = 10_000_000
# One request in a hundred stays with the owner of the token and with others behind our address.
_RESERVED_SHARE = 100


def wait_asked_for(
    headers: Mapping[str, str], now: datetime, *, limited: bool = True
) -> float | None:
    """Return the seconds a host asks us to wait, or None where it does not say.

    Read are ``Retry-After`` (seconds or a date) and ``X-RateLimit-Reset`` as Mastodon (ISO 8601)
    and GoToSocial (epoch seconds) send it. Moments are measured against the host's own ``Date``,
    so that a wrong clock on either side does not matter (fediverse.md 3.4).

    Args:
        headers: The answer's headers, looked up in any letter case.
        now: The moment here, used where the host does not say its own.
        limited: Whether the answer says that we asked too often. Without that the end of the
            window is of no concern: a failing host sends it too.
    """
    here = _http_date(headers.get("Date", "")) or now
    retry_after = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(retry_after):
        return float(retry_after)
    moment = _http_date(retry_after)
    if moment is not None:
        return max(0.0, (moment - here).total_seconds())
    if not limited:
        return None
    return _until_reset(headers.get("X-RateLimit-Reset", "").strip(), here)


class RateWindow:
    """Remembers when the next request is welcome, before a refusal has to say so.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._opens = float("-inf")
        self._lock = threading.Lock()

    def note(self, headers: Mapping[str, str], now: datetime) -> None:
        """Read an answer's headers; nothing happens where they say nothing about limits.

        Args:
            headers: The answer's headers, looked up in any letter case.
            now: The moment here, used where the host does not say its own.
        """
        remaining = _whole_number(headers.get("X-RateLimit-Remaining", ""))
        if remaining is None:
            return
        limit = _whole_number(headers.get("X-RateLimit-Limit", "")) or 0
        here = _http_date(headers.get("Date", "")) or now
        wait = _until_reset(headers.get("X-RateLimit-Reset", "").strip(), here)
        with self._lock:
            if remaining > limit // _RESERVED_SHARE or wait is None:
                self._opens = float("-inf")
            else:
                self._opens = self._clock() + wait

    def wait_seconds(self) -> float:
        """Return the seconds until the next request is welcome."""
        return max(0.0, self._opens - self._clock())

    def clear(self) -> None:
        """Forget the window, because it was waited for."""
        with self._lock:
            self._opens = float("-inf")


def _until_reset(text: str, here: datetime) -> float | None:
    number = _whole_number(text)
    if number is not None and number < _LARGEST_DURATION:
        return float(number)
    moment = _moment(text)
    return None if moment is None else max(0.0, (moment - here).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _whole_number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None
