"""Connections to hosts that nobody named: public addresses only.

What belongs here: an adapter that looks at the very address it connects to. What does not: which
URL may be asked for at all (``media/fetcher.py``) and what a public address is (``addresses.py``).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from requests_ratelimiter import LimiterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from reds_pipeline.fediverse.web.addresses import is_public_address
from reds_pipeline.fediverse.web.transport import RequestPace

# The limiter cannot be made without a rate.
_PRACTICALLY_UNLIMITED = 1000.0

Resolver = Callable[[str, int], Sequence[str]]


class PrivateAddressError(Exception):
    """A name leads to an address that is not on the public internet."""


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
