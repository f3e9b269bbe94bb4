"""Asking one Fediverse host for JSON: one origin, one name, no redirects, sensible retries.

What belongs here: sending a request to the API of one host and trying again where that can
help. What does not: which requests make sense (``hosts.py``, ``timelines.py``), media files
(``fetcher.py``) and the meaning of an answer (``failures.py``).

Mastodon.py was considered and does not fit: it cannot pass Pixelfed's ``_pe`` parameter, pages
by ``Link`` headers that Pixelfed omits or gets wrong, and judges errors by status code where
Pixelfed needs the body (a missing token is a 500). For the same reason retries are counted here
and not by urllib3's Retry, which never sees the body; media files do use it.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.addresses import host_name, is_loopback, origin_of
from reds_pipeline.fediverse.failures import Answer, HostUnavailable, failure_of
from reds_pipeline.fediverse.politeness import Politeness, Robots, RobotsUnreadable
from reds_pipeline.fediverse.transport import (
    RequestPace,
    TooManyBytesError,
    TooSlowError,
    new_session,
    plain_adapter,
    read_bounded,
)

_LOGGER = logging.getLogger(__name__)
_API_MAX_BYTES = 32 * 1024 * 1024
_API_SECONDS = 120.0
_ROBOTS_RETRIES = 2

Parameters = Mapping[str, str | int]


class ApiClient:
    """A client of one host.

    The token goes to that host's origin and nowhere else: addresses are built from the origin
    and a path, redirects are not followed, and it appears in no text or log.

    Args:
        url: The host's address, such as ``https://pix.example``; a path is ignored.
        token: Bearer token of a user with the scope ``read``, or "".
        politeness: Our name and whose refusals count.
        pace: How hard to ask; by default as ``RequestPace.towards`` says.
        sleep: Waits some seconds; tests replace it.

    Attributes:
        origin: ``scheme://host:port``.
        host: The host as people write it.
        politeness: As given.
        requests_made: Requests sent so far, failed attempts included.

    Raises:
        RedsError: The address cannot be used, or would carry the token unencrypted.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        politeness: Politeness | None = None,
        pace: RequestPace | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        try:
            self.origin = origin_of(url)
        except ValueError as error:
            raise RedsError(
                f"The host address cannot be used because {error}; "
                "set REDS_HOST_URL to something like https://pix.example."
            ) from error
        self.host = host_name(self.origin)
        if token and urlsplit(self.origin).scheme != "https" and not is_loopback(self.origin):
            raise RedsError(
                f"{self.host} would get the access token unencrypted over http; "
                "set REDS_HOST_URL to its https address."
            )
        token = token.strip()
        if not token.isascii() or not token.isprintable():
            raise RedsError(
                "The access token holds characters that a token cannot have; copy it again "
                "into REDS_HOST_TOKEN."
            )
        self.politeness = politeness or Politeness()
        self.requests_made = 0
        self._token = token
        self._pace = pace or RequestPace.towards(self.origin)
        self._sleep = sleep
        self._session = new_session(self.politeness.user_agent)
        self._session.mount(f"{urlsplit(self.origin).scheme}://", plain_adapter(self._pace))
        self._robots = Robots(self._read_robots, self.politeness)

    def __enter__(self) -> ApiClient:
        """Return the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def __repr__(self) -> str:
        """Name the host; the token never becomes text."""
        return f"ApiClient({self.origin!r}, token={'given' if self._token else 'none'})"

    @property
    def has_token(self) -> bool:
        """Whether an access token was given."""
        return bool(self._token)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(
        self, path: str, parameters: Parameters | None = None, *, anonymous: bool = False
    ) -> Any:
        """Return the list or object that the host answers.

        Args:
            path: From the root of the host, beginning with one ``/``.
            parameters: The query.
            anonymous: Whether to leave the token out.

        Raises:
            HostError: Its kind says what the host meant.
        """
        failure: RedsError
        for attempt in range(self._pace.retries + 1):
            failure, asked_wait = self._unavailable(path), None
            answer = self._attempt(path, parameters, anonymous)
            if answer is not None:
                meaning = failure_of(answer, f"{self.host}{path}")
                if meaning is None:
                    return answer.json()
                if not isinstance(meaning, HostUnavailable):
                    raise meaning
                failure, asked_wait = meaning, wait_asked_for(answer.headers, datetime.now(UTC))
            if attempt < self._pace.retries:
                seconds = self._wait(attempt, asked_wait)
                _LOGGER.info("%s%s: waiting %.1f s to try again", self.host, path, seconds)
                self._sleep(seconds)
        raise failure

    def robots_refusal(self, path: str) -> str:
        """Return why robots.txt forbids a path of this host to us, or "".

        Raises:
            HostUnavailable: robots.txt cannot be read, which for now means no.
        """
        try:
            return self._robots.refusal(f"{self.origin}{path}")
        except RobotsUnreadable as error:
            raise HostUnavailable(
                f"{self.host} does not answer or fails to hand out its robots.txt, without which "
                "REDS may not ask it for anything; check the address and the network, or try "
                "again later."
            ) from error

    def _attempt(self, path: str, parameters: Parameters | None, anonymous: bool) -> Answer | None:
        """Return the host's answer, or None where the connection failed."""
        if not path.startswith("/") or path.startswith("//"):
            raise ValueError("a path begins with one slash")
        headers = {"Accept": "application/json"}
        if self._token and not anonymous:
            headers["Authorization"] = f"Bearer {self._token}"
        return self._send(path, parameters, headers)

    def _send(
        self, path: str, parameters: Parameters | None, headers: Mapping[str, str]
    ) -> Answer | None:
        self.requests_made += 1
        try:
            with self._session.get(
                f"{self.origin}{path}",
                params=parameters,
                headers=headers,
                timeout=self._pace.timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = read_bounded(response, _API_MAX_BYTES, _API_SECONDS)
                return Answer(response.status_code, response.headers, body)
        except (requests.RequestException, TooManyBytesError, TooSlowError) as error:
            _LOGGER.info("%s%s: no answer (%s)", self.host, path, type(error).__name__)
            return None

    def _read_robots(self, address: str) -> tuple[int, str]:
        # This is the first thing a host is asked: whoever mistyped its address learns it soon.
        retries = min(self._pace.retries, _ROBOTS_RETRIES)
        for attempt in range(retries + 1):
            answer = self._send(urlsplit(address).path, None, {})
            if answer is not None and answer.status < 500 and answer.status != 429:
                break
            if attempt < retries:
                asked = (
                    None if answer is None else wait_asked_for(answer.headers, datetime.now(UTC))
                )
                self._sleep(self._wait(attempt, asked))
        if answer is None:
            raise RobotsUnreadable(address)
        return answer.status, answer.body.decode("utf-8", "replace")

    def _wait(self, attempt: int, asked_wait: float | None) -> float:
        longest = self._pace.longest_wait_seconds
        backoff = min(longest, self._pace.backoff_seconds * 2**attempt)
        # Jitter, so that several collectors do not come back at the same moment.
        return min(longest, max(backoff * random.uniform(0.5, 1.0), asked_wait or 0.0))

    def _unavailable(self, path: str) -> HostUnavailable:
        return HostUnavailable(
            f"{self.host}{path} does not answer; check the address and the network, then run "
            "again, REDS resumes where it stopped."
        )


def wait_asked_for(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds a host asks us to wait, or None where it does not say.

    Read are ``Retry-After`` (seconds or a date) and ``X-RateLimit-Reset`` as Mastodon (ISO 8601)
    and GoToSocial (epoch seconds) send it; the latter is measured against the host's own
    ``Date``, so that a wrong clock on either side does not matter (fediverse.md 3.4).
    """
    if retry_after := headers.get("Retry-After"):
        try:
            return Retry(0).parse_retry_after(retry_after)
        except (InvalidHeader, OverflowError, ValueError):
            pass
    reset = _moment(headers.get("X-RateLimit-Reset", ""))
    if reset is None:
        return None
    here = _http_date(headers.get("Date", "")) or now
    return max(0.0, (reset - here).total_seconds())


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
        return datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None
