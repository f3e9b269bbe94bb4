"""Serving the application.

What belongs here: the address, starting and stopping. What does not: the application.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.web.application import create_application
from reds_pipeline.web.connections import ImpatientProtocol
from reds_pipeline.web.large_blocks import give_large_blocks_back
from reds_pipeline.web.request_log import logging_configuration

LOOPBACK = "127.0.0.1"
# Docker kills what has not stopped after ten seconds.
_STOP_SECONDS = 5
_CONNECTIONS = 512


@dataclass(frozen=True)
class Serving:
    """Where and what to serve.

    Attributes:
        port: 0 takes any that is free.
        host: An address of this machine; 0.0.0.0 for all of them.
        is_tagging: Whether photos can be tagged; False serves the review gallery alone.
        is_quiet: Whether only requests that failed are logged.
    """

    port: int
    host: str = LOOPBACK
    is_tagging: bool = True
    is_quiet: bool = False


def serve_application(
    platform: Platform, serving: Serving, announce: Callable[[str], None]
) -> None:
    """Serve the pages of an installation until Ctrl+C or a termination signal.

    Requests that are being answered when it stops are answered first.

    Args:
        platform: The installation.
        serving: Where and what.
        announce: Called with the address once it can be opened.

    Raises:
        RedsError: The port is taken, or a setting of the operator's login is not usable.
    """
    give_large_blocks_back()
    application = create_application(
        platform,
        is_public=not is_loopback(serving.host),
        is_tagging=serving.is_tagging,
        is_quiet=serving.is_quiet,
    )
    with listening_socket(serving.port, serving.host) as listener:
        announce(f"http://{_shown(serving.host)}:{listener.getsockname()[1]}")
        # uvicorn raises the signal that stopped it once more; it is the same end as Ctrl+C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            uvicorn.Server(server_configuration(application)).run(sockets=[listener])
        except KeyboardInterrupt:
            # How uvicorn passes Ctrl+C on after it has closed everything.
            return


def server_configuration(application: FastAPI) -> uvicorn.Config:
    """Return how an application is served, wherever it listens."""
    return uvicorn.Config(
        application,
        http=ImpatientProtocol,
        # No page uses WebSockets, and none of the walls looks at them.
        ws="none",
        log_config=logging_configuration(),
        log_level="warning",
        access_log=False,
        server_header=False,
        # Those that the settings name are believed, by the application itself.
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


def listening_socket(port: int, host: str = LOOPBACK) -> socket.socket:
    """Return a socket that listens, so that browsers wait and are not refused.

    Args:
        port: 0 takes any that is free.
        host: An address of this machine.

    Raises:
        RedsError: The port is taken, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        number = error.errno or 0
        if number == errno.EADDRINUSE:
            raise RedsError(
                f"Port {port} is taken by another program; choose another with --port."
            ) from error
        # Names that lead nowhere have the negative numbers of `getaddrinfo`.
        if number == errno.EADDRNOTAVAIL or number < 0:
            raise RedsError(
                f"{host} is no address of this machine; leave out --host, or give 0.0.0.0 for all."
            ) from error
        raise RedsError(
            f"REDS cannot listen at {host} port {port} ({os.strerror(number)}); give --host an "
            "address of this machine and --port one that is not reserved."
        ) from error


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(host: str) -> str:
    """Return what a browser on this machine opens."""
    if host in {"0.0.0.0", "::"}:
        return LOOPBACK
    return f"[{host}]" if ":" in host else host
