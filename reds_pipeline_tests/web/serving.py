"""The application behind a real loopback port, in a thread of the test's own process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.web.application import create_application
from reds_pipeline.web.serving import LOOPBACK, listening_socket, server_configuration
from reds_pipeline.web.site_limits import SiteLimits


@contextmanager
def served(
    home: Path,
    ledger_url: str = "",
    port: int = 0,
    *,
    is_tagging: bool = False,
    is_public: bool = False,
    limits: SiteLimits | None = None,
    **settings: Any,
) -> Iterator[str]:
    """Serve the pages of a home and give their address.

    Args:
        home: The home.
        ledger_url: Where decisions go; by default into the home.
        port: Where to serve; by default anywhere that is free.
        is_tagging: Whether photos can be tagged; the review gallery alone starts at once.
        is_public: Whether it behaves as if other machines could reach it.
        limits: What may be asked for; by default what follows from the settings.
        **settings: Others by name.
    """
    platform = Platform(load_settings(home=home, ledger_url=ledger_url, **settings))
    application = create_application(
        platform, is_public=is_public, is_tagging=is_tagging, limits=limits
    )
    try:
        with serving(application, port) as address:
            yield address
    finally:
        platform.ledger.close()


@contextmanager
def serving(application: FastAPI, port: int = 0) -> Iterator[str]:
    """Serve an application as ``reds serve`` would, and give its address."""
    configuration = server_configuration(application)
    # Of the test's own process only what fails in a test is to be read.
    configuration.log_config = None
    server = uvicorn.Server(configuration)
    with listening_socket(port) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
