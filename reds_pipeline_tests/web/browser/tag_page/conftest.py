"""The application with models that know drawn photos."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page

from reds_pipeline_tests.tagging.served_home import ServedHome, make_served_home
from reds_pipeline_tests.web.browser.conftest import MakeContext
from reds_pipeline_tests.web.browser.tag_page.tag_page import TagPage
from reds_pipeline_tests.web.serving import served


@pytest.fixture(scope="package")
def tag_home(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> ServedHome:
    """Return a home with a model of classes and one of hashtags."""
    return make_served_home(tmp_path_factory.mktemp("tag") / "home", database=mlflow_database)


@pytest.fixture(scope="package")
def tag_address(tag_home: ServedHome) -> Iterator[str]:
    """Serve the home to all tests that change nothing in it."""
    with served(tag_home.platform.home.root, is_tagging=True) as address:
        wait_until_ready(address)
        yield address


@pytest.fixture
def tag_page(page: Page, tag_address: str) -> TagPage:
    """Return the page as on a desk."""
    return TagPage(page, tag_address).open()


@pytest.fixture
def scriptless(make_context: MakeContext, tag_address: str) -> Page:
    """Return the page in a browser that runs no scripts."""
    opened = make_context(java_script_enabled=False).new_page()
    opened.goto(tag_address)
    return opened


def wait_until_ready(address: str) -> None:
    """Wait until the models are loaded."""
    while not requests.get(f"{address}/health/ready", timeout=30).ok:
        time.sleep(0.02)
