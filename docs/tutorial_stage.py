"""A demonstration that is served and photographed, for ``make_tutorial.py``.

What belongs here: running commands in its home, its addresses, pictures of what a browser shows.
What does not: the way through the tutorial.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import requests
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Locator, Page

WIDTH = 1100
PATIENCE_MS = 60_000
_MARGIN = 14
_COLOURS = 256
_SECONDS_TO_START = 180


@dataclass(frozen=True)
class Ports:
    """Where ``reds up`` serves; free ones, so that nothing else has to stop.

    Attributes:
        dagster: Of Dagster.
        mlflow: Of MLflow.
        page: Of the page.
    """

    dagster: int
    mlflow: int
    page: int


@dataclass(frozen=True)
class Tutorial:
    """One walk through it.

    Attributes:
        home: Of the demonstration.
        pictures: Where the pictures go.
        ports: Of ``reds up``.
        browser: The browser.
    """

    home: Path
    pictures: Path
    ports: Ports
    browser: Browser

    @property
    def page(self) -> str:
        """Address of the page."""
        return f"http://127.0.0.1:{self.ports.page}"

    @property
    def mlflow(self) -> str:
        """Address of MLflow."""
        return f"http://127.0.0.1:{self.ports.mlflow}"

    def reds(self, *arguments: str, typed: str = "") -> str:
        """Run a command of the tutorial and return what it prints."""
        click.echo(f"\n$ reds {' '.join(arguments)}")
        done = subprocess.run(
            [sys.executable, "-m", "reds_pipeline.cli", *arguments],
            env=self._environment(),
            input=typed,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        click.echo(done.stdout)
        return done.stdout

    @contextmanager
    def up(self) -> Iterator[None]:
        """Serve everything until the block ends, as ``reds up`` does."""
        options = [f"--{name}-port={port}" for name, port in vars(self.ports).items()]
        program = [sys.executable, "-m", "reds_pipeline.cli", "up", *options]
        process = subprocess.Popen(program, env=self._environment())
        try:
            for address in (f"{self.page}/health/ready", self.mlflow):
                _wait_for(address, process)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=_SECONDS_TO_START)

    def open(self, *, width: int = WIDTH, height: int = 760) -> Page:
        """Open the page that tags photos in a window of its own."""
        window = self.browser.new_context(viewport={"width": width, "height": height})
        window.set_default_timeout(PATIENCE_MS)
        opened = window.new_page()
        opened.goto(self.page)
        opened.wait_for_selector("body[data-ready]")
        return opened

    def save(self, name: str, shown: Page | Locator) -> None:
        """Save what is shown, in few colours, so that the repository stays small."""
        picture = Image.open(io.BytesIO(_screenshot(shown)))
        few = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        file = (self.pictures / f"{name}.png").resolve()
        file.parent.mkdir(parents=True, exist_ok=True)
        few.save(file, optimize=True)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "REDS_HOME": str(self.home), "REDS_BACKBONES": "tiny"}


def free_ports() -> Ports:
    """Return three ports that nobody listens on."""
    with socket.socket() as first, socket.socket() as second, socket.socket() as third:
        for each in (first, second, third):
            each.bind(("127.0.0.1", 0))
        return Ports(*(each.getsockname()[1] for each in (first, second, third)))


def _screenshot(shown: Page | Locator) -> bytes:
    """Return the window, or a part of the page with a little of what is around it."""
    if isinstance(shown, Page):
        return shown.screenshot(animations="disabled")
    box = shown.bounding_box()
    if box is None:
        raise click.ClickException(f"{shown} is not on the page, so no picture was made.")
    left = max(0.0, box["x"] - _MARGIN)
    top = max(0.0, box["y"] + shown.page.evaluate("scrollY") - _MARGIN)
    clip: FloatRect = {
        "x": left,
        "y": top,
        "width": box["width"] + 2 * _MARGIN,
        "height": box["height"] + 2 * _MARGIN,
    }
    return shown.page.screenshot(animations="disabled", full_page=True, clip=clip)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.RequestException:
            pass
        if server.poll() is not None or time.monotonic() > deadline:
            raise click.ClickException(f"{address} does not answer, so no pictures were made.")
        time.sleep(0.5)
