"""What people read when the server refuses, and when its models change."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from reds_pipeline.web.site_limits import SiteLimits
from reds_pipeline_tests.tagging.served_home import ServedHome, drawn_photo, make_served_home
from reds_pipeline_tests.web.browser.conftest import MakeContext
from reds_pipeline_tests.web.browser.tag_page.conftest import wait_until_ready
from reds_pipeline_tests.web.browser.tag_page.tag_page import TagPage, upload
from reds_pipeline_tests.web.serving import served

CAT = drawn_photo("cat")


def wait_until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(0.05)


@pytest.mark.req("R-PRD-5")
def test_too_large_and_too_many_photos_without_a_script(
    make_context: MakeContext, tag_home: ServedHome
) -> None:
    """The same sentences that programs get, on the page with the form."""
    limits = replace(
        SiteLimits.of(tag_home.platform.settings),
        photo_bytes=len(CAT),
        photos_at_once=2,
        upload_bytes=200_000,
    )
    page = make_context(java_script_enabled=False).new_page()
    with served(tag_home.platform.home.root, is_tagging=True, limits=limits) as address:
        for files, words in (
            ([upload(drawn_photo("cat", size=(400, 400)))], "it is larger than"),
            ([upload(CAT)] * 3, "one upload may hold 2"),
            ([upload(bytes(300_000))], "larger than"),
        ):
            page.goto(address)
            page.get_by_label("Choose a file").set_input_files(files)
            page.get_by_role("button", name="Process image").click()
            expect(page.locator(".problem:visible")).to_contain_text(words)
            expect(page.get_by_role("link", name="Tag photos")).not_to_have_count(0)


def test_too_often_gets_a_sentence_and_a_button_to_try_again(
    page: Page, tag_home: ServedHome
) -> None:
    root = tag_home.platform.home.root
    with served(root, is_tagging=True, is_public=True, photos_per_minute=1) as address:
        wait_until_ready(address)
        tag_page = TagPage(page, address).open().tag(CAT, CAT)
        assert tag_page.titles() == ["Likely: Cat", "No tags"]
        problem = tag_page.card(2).locator(".problem")
        expect(problem).to_contain_text("minute")
        said = problem.inner_text()
        tag_page.card(2).get_by_role("button", name="Try again").click()
        tag_page.wait()
        expect(tag_page.card(2).locator(".card-title")).to_be_focused()
        assert tag_page.card(2).locator(".problem").inner_text()[:20] == said[:20]


def test_a_server_that_is_away_loses_no_photo(page: Page, tag_home: ServedHome) -> None:
    with served(tag_home.platform.home.root, is_tagging=True) as address:
        wait_until_ready(address)
        tag_page = TagPage(page, address).open()
        page.route("**/tag?*", lambda route: route.abort())
        tag_page.tag(CAT)
        expect(tag_page.card().locator(".problem")).to_contain_text("The server does not answer")
        page.unroute("**/tag?*")
        tag_page.card().get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", name="Likely: Cat")).to_be_visible()


@pytest.mark.req("R-PRD-5")
def test_the_page_follows_the_models(page: Page, tmp_path: Path, mlflow_database: Path) -> None:
    """None yet, the first, another, and one that is broken."""
    home = make_served_home(tmp_path / "home", versions=0, database=mlflow_database)
    with served(home.platform.home.root, is_tagging=True) as address:
        tag_page = TagPage(page, address).open()
        expect(page.get_by_text("There is no model to ask yet.")).to_be_visible()
        tag_page.tag(CAT)
        expect(tag_page.card().locator(".problem")).to_contain_text("model")

        home.promote(home.add_version())
        wait_until_ready(address)
        tag_page.card().get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", name="Likely: Cat")).to_be_visible()

        def served_version() -> str:
            answer = requests.get(f"{address}/api/v1/model", timeout=30).json()
            return str(answer["models"][0]["version"])

        home.promote(home.add_version())
        wait_until(lambda: served_version() == "2")
        expect(page.locator("#taken-over")).to_be_hidden()
        tag_page.tag(CAT)
        expect(page.locator("#taken-over")).to_contain_text("version 2 (21 November 2026)")

        broken = home.add_version()
        home.damage(broken)
        home.promote(broken)
        sentence = page.get_by_text("A newer model could not be loaded")
        wait_until(lambda: bool(tag_page.open() and sentence.count()))
        tag_page.tag(CAT)
        expect(page.locator(".by")).to_contain_text("version 2")
