"""Serving the application on this machine.

What belongs here: the port, starting and stopping. What does not: the application.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.web.application import create_application

LOOPBACK = "127.0.0.1"


def serve_application(platform: Platform, port: int, announce: Callable[[str], None]) -> None:
    """Serve the pages of an installation until Ctrl+C or a termination signal.

    Args:
        platform: The installation.
        port: A loopback port; 0 takes any that is free.
        announce: Called with the address once it can be opened.

    Raises:
        RedsError: The port is taken.
    """
    with listening_socket(port) as listener:
        configuration = uvicorn.Config(
            create_application(platform),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
        )
        announce(f"http://{LOOPBACK}:{listener.getsockname()[1]}")
        try:
            uvicorn.Server(configuration).run(sockets=[listener])
        except KeyboardInterrupt:
            # How uvicorn passes Ctrl+C on after it has closed everything.
            return


def listening_socket(port: int) -> socket.socket:
    """Return a socket that listens on a loopback port, so that browsers wait and are not refused.

    Raises:
        RedsError: The port is taken.
    """
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise RedsError(
            f"Port {port} is taken by another program; choose another with --port."
        ) from error
