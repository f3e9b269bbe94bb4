"""Connections: sessions that leak nothing, and how hard a host is asked.

What belongs here: how bytes travel. What does not: what is asked for and how answers are judged
(``client.py``, ``media/fetcher.py``), and which addresses may be reached
(``public_connections.py``). Sessions ignore the environment on purpose: a proxy would undo the
address check, and a ``.netrc`` file could add somebody's password to a request. They keep no
cookies, so no host can follow REDS around.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests_ratelimiter import LimiterAdapter

from reds_pipeline.fediverse.web.addresses import is_loopback

_CHUNK_BYTES = 64 * 1024
# Mastodon counts paging by the quarter of an hour (fediverse.md 3.4): a collection has to be able
# to wait one out, and the host's clock may be a little behind.
_LONGEST_WINDOW_SECONDS = 960.0


class TooManyBytesError(Exception):
    """A body is larger than allowed; reading stopped."""


class TooSlowError(Exception):
    """A body did not arrive within the time allowed."""


@dataclass(frozen=True)
class RequestPace:
    """How hard a host may be asked.

    Attributes:
        per_second: Requests a second and host; None means no limit.
        retries: Further attempts after a failure that may pass.
        backoff_seconds: Wait before the first further attempt; it doubles each time.
        longest_wait_seconds: No single wait is longer; a host that asks for more is left alone.
        connect_seconds: Time to connect (fediverse.md 7).
        read_seconds: Longest silence while reading.
        tolerated_failures: Failures of a host in a row before it is left alone for a while.
        longest_rest_seconds: It is never left alone for longer, unless it asks for that.
    """

    per_second: float | None = 1.0
    retries: int = 5
    backoff_seconds: float = 5.0
    longest_wait_seconds: float = 300.0
    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    tolerated_failures: int = 5
    longest_rest_seconds: float = 900.0

    @classmethod
    def towards(cls, url: str, per_second: float = 1.0) -> RequestPace:
        """Return the pace for a host: none for this very machine, polite for any other.

        What a host asks for is waited for on this machine too: the instance there may be real.
        """
        if is_loopback(url):
            return cls(
                per_second=None,
                backoff_seconds=0.05,
                longest_wait_seconds=_LONGEST_WINDOW_SECONDS,
                longest_rest_seconds=1.0,
            )
        return cls(per_second=per_second, longest_wait_seconds=_LONGEST_WINDOW_SECONDS)

    @property
    def first_rest_seconds(self) -> float:
        """How long a failing host is left alone at first: where the waits of a request end."""
        return min(self.longest_rest_seconds, self.backoff_seconds * 2**self.tolerated_failures)

    @property
    def timeout(self) -> tuple[float, float]:
        """Connect and read timeouts as requests takes them."""
        return (self.connect_seconds, self.read_seconds)


class _OneAnswerSession(requests.Session):
    """A session that takes each answer as it is."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is none.

        Also where redirects are not to be followed, requests works out where they lead, reads
        the whole body for that, however long, and fails where the address is none.
        """


def new_session(user_agent: str) -> requests.Session:
    """Return a session with our name on it and nothing else: no proxy, .netrc or cookies."""
    session = _OneAnswerSession()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = user_agent
    # Bytes as they are: an answer that unpacks to gigabytes is not possible.
    session.headers["Accept-Encoding"] = "identity"
    return session


def plain_adapter(pace: RequestPace, **options: Any) -> HTTPAdapter:
    """Return an adapter for a host that the operator named, held to its pace."""
    if pace.per_second is None:
        return HTTPAdapter(**options)
    # Refusals (429) are waited for by whoever retries; filling the bucket would wait twice.
    return LimiterAdapter(per_second=pace.per_second, per_host=True, limit_statuses=(), **options)


def read_bounded(response: requests.Response, maximum: int, seconds: float) -> bytes:
    """Return the body of a streamed response.

    Args:
        response: A response asked for with ``stream=True``.
        maximum: Largest body in bytes.
        seconds: Longest time the whole body may take.

    Raises:
        TooManyBytesError: The host announces or sends more.
        TooSlowError: The time is over.
        requests.RequestException: The connection broke before the announced end.
    """
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > maximum:
        raise TooManyBytesError
    deadline = time.monotonic() + seconds
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > maximum:
            raise TooManyBytesError
        if time.monotonic() > deadline:
            raise TooSlowError
    return bytes(body)
