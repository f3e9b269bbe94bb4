"""A real Chromium, and the application with a home of its own for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from reds_pipeline_tests.install_chromium import MISSING, chromium_path
from reds_pipeline_tests.web.browser.gallery_page import GalleryPage
from reds_pipeline_tests.web.gallery_home import make_gallery_home, make_large_gallery_home
from reds_pipeline_tests.web.serving import served

# Nothing that the browser would do on its own account: no updates, no calls home.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A busy machine is slow, not wrong.
_PATIENCE_MS = 30_000
expect.set_options(timeout=_PATIENCE_MS)

MakeContext = Callable[..., BrowserContext]


# Not for the whole session: while it is open, asyncio cannot be used in this thread.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start Chromium once for all tests of this package."""
    path = chromium_path()
    if path is None:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield started
        started.close()


@pytest.fixture(scope="package")
def drawn_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with one of everything, to be copied."""
    root = tmp_path_factory.mktemp("drawn") / "home"
    make_gallery_home(root)
    return root


@pytest.fixture
def home(drawn_home: Path, tmp_path: Path) -> Path:
    """Return a home of its own for a test that starts and stops the server."""
    root = tmp_path / "home"
    # Without what other tests decided on the one that they share.
    shutil.copytree(drawn_home, root, ignore=shutil.ignore_patterns("ledger.sqlite*"))
    return root


@pytest.fixture(scope="package")
def large_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve 10,000 pictures to tests that decide nothing."""
    root = tmp_path_factory.mktemp("large") / "home"
    make_large_gallery_home(root)
    with served(root) as address:
        yield address


class Complaints:
    """What pages complained about: scripts that failed, what the security policy stopped."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def listen(self, context: BrowserContext) -> None:
        """Hear what the pages of a profile complain about from now on."""
        context.on("weberror", lambda error: self.texts.append(str(error.error)))
        context.on("console", self.hear)

    def hear(self, message: ConsoleMessage) -> None:
        # A server that is away is what some tests are about.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.texts.append(message.text)


def _new_context(browser: Browser, **options: Any) -> BrowserContext:
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
    context.set_default_timeout(_PATIENCE_MS)
    return context


@pytest.fixture(scope="package")
def desk(browser: Browser) -> Iterator[BrowserContext]:
    """Return a window as on a desk, whose cache spares each test the loading of the scripts."""
    context = _new_context(browser)
    yield context
    context.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Return what collects complaints; at the end there may be none."""
    collected = Complaints()
    yield collected
    assert collected.texts == []


@pytest.fixture
def make_context(browser: Browser, complaints: Complaints) -> Iterator[MakeContext]:
    """Return a maker of browser profiles of other sizes, colours and kinds."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = _new_context(browser, **options)
        complaints.listen(context)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(desk: BrowserContext, complaints: Complaints) -> Iterator[Page]:
    """Return a page of the window on the desk, as if nobody had been there before."""
    opened = desk.new_page()
    opened.on("pageerror", lambda error: complaints.texts.append(str(error)))
    opened.on("console", complaints.hear)
    yield opened
    if not opened.is_closed():
        opened.evaluate("localStorage.clear()")
        opened.close()


@pytest.fixture(scope="package")
def shared_address(drawn_home: Path) -> Iterator[str]:
    """Serve one home to all tests that leave it as they found it."""
    with served(drawn_home) as address:
        yield address


@pytest.fixture
def address(shared_address: str) -> str:
    """Return the address of an application with 35 pictures and no decisions.

    Cats are 1 to 12, dogs 13 to 23 (one more is a cat's), flowers 24 to 35. What the last test
    decided is undone.
    """
    while requests.post(f"{shared_address}/review/api/undo", timeout=30).ok:
        pass
    return shared_address


@pytest.fixture
def gallery(page: Page, address: str) -> GalleryPage:
    """Return the review page, with everything shown by number."""
    return GalleryPage(page, address).open()
