"""Connections: sessions that leak nothing, and an adapter that only reaches public addresses.

What belongs here: how bytes travel. What does not: what is asked for and how answers are judged
(``client.py``, ``fetcher.py``). Sessions ignore the environment on purpose: a proxy would undo
the address check, and a ``.netrc`` file could add somebody's password to a request. They keep no
cookies, so no host can follow REDS around.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests_ratelimiter import LimiterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import Retry
from urllib3.util.connection import create_connection

from reds_pipeline.fediverse.addresses import is_loopback, is_public_address

_CHUNK_BYTES = 64 * 1024
# The limiter cannot be made without a rate.
_PRACTICALLY_UNLIMITED = 1000.0

Resolver = Callable[[str, int], Sequence[str]]


class PrivateAddressError(Exception):
    """A name leads to an address that is not on the public internet."""


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
        longest_wait_seconds: No single wait is longer, whatever the host says.
        connect_seconds: Time to connect (fediverse.md 7).
        read_seconds: Longest silence while reading.
    """

    per_second: float | None = 1.0
    retries: int = 5
    backoff_seconds: float = 5.0
    longest_wait_seconds: float = 300.0
    connect_seconds: float = 5.0
    read_seconds: float = 30.0

    @classmethod
    def towards(cls, url: str, per_second: float = 1.0) -> RequestPace:
        """Return the pace for a host: none for this very machine, polite for any other."""
        if is_loopback(url):
            return cls(per_second=None, backoff_seconds=0.05, longest_wait_seconds=1.0)
        return cls(per_second=per_second)

    @property
    def timeout(self) -> tuple[float, float]:
        """Connect and read timeouts as requests takes them."""
        return (self.connect_seconds, self.read_seconds)


def new_session(user_agent: str) -> requests.Session:
    """Return a session with our name on it and nothing else: no proxy, .netrc or cookies."""
    session = requests.Session()
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


def media_retries(pace: RequestPace) -> Retry:
    """Return the retries of a media host: connections, 429 and 5xx, obeying Retry-After."""
    return Retry(
        total=pace.retries,
        backoff_factor=pace.backoff_seconds,
        backoff_max=pace.longest_wait_seconds,
        backoff_jitter=pace.backoff_seconds,
        retry_after_max=int(pace.longest_wait_seconds),
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=("GET",),
        raise_on_status=False,
    )


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


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host name, also of odd spellings such as ``2130706433``."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def public_addresses(host: str, port: int, resolver: Resolver = resolve) -> list[str]:
    """Return the addresses of a host, all of them public.

    Raises:
        PrivateAddressError: Any of them is not; a name that mixes both is up to something.
        OSError: The name does not resolve.
    """
    addresses = list(resolver(host, port))
    if not addresses or not all(is_public_address(address) for address in addresses):
        raise PrivateAddressError
    return addresses


def public_adapter(pace: RequestPace, **options: Any) -> PublicAdapter:
    """Return an adapter for hosts that nobody named: public addresses only, held to a pace."""
    rate = pace.per_second or _PRACTICALLY_UNLIMITED
    return PublicAdapter(per_second=rate, per_host=True, limit_statuses=(), **options)


class PublicAdapter(LimiterAdapter):
    """An adapter, paced per host, that connects to public addresses only.

    The name is resolved once per connection and the very address that was checked is connected
    to, so a name that changes its answer in between (DNS rebinding) gains nothing. TLS still
    verifies the name.
    """

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools open checked connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _PublicHTTPPool,
            "https": _PublicHTTPSPool,
        }


def _connect_publicly(connection: HTTPConnection) -> socket.socket:
    """Open the socket of a urllib3 connection, reporting failures as urllib3 does."""
    port = connection.port or connection.default_port
    try:
        addresses = public_addresses(connection.host, port)
    except OSError as error:
        raise NameResolutionError(
            connection.host, connection, socket.gaierror(*error.args)
        ) from error
    for address in addresses:
        try:
            return create_connection(
                (address, port),
                connection.timeout,
                source_address=connection.source_address,
                socket_options=connection.socket_options,
            )
        except TimeoutError as error:
            failure: Exception = ConnectTimeoutError(connection, "connecting took too long")
            failure.__cause__ = error
        except OSError as error:
            failure = NewConnectionError(connection, "no connection")
            failure.__cause__ = error
    raise failure


class _PublicHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect_publicly(self)


class _PublicHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect_publicly(self)


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection
