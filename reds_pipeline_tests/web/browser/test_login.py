"""The operator's way into the review gallery and out of it, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from reds_pipeline_tests.web.browser.conftest import MakeContext
from reds_pipeline_tests.web.browser.gallery_page import EVERYTHING, GalleryPage
from reds_pipeline_tests.web.serving import served
from reds_pipeline_tests.web.signed_in import PASSWORD, PASSWORD_HASH

PHONE = {"viewport": {"width": 360, "height": 740}}
DARK = {"color_scheme": "dark"}


@pytest.fixture
def locked(home: Path) -> Iterator[str]:
    """Serve a home whose review has a password."""
    with served(home, operator_password_hash=PASSWORD_HASH) as address:
        yield address


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_with_the_keyboard_alone_into_the_review_and_out(page: Page, locked: str) -> None:
    """What was decided is kept; after signing out nothing is shown, going back included."""
    page.goto(f"{locked}/review{EVERYTHING}")
    expect(page).to_have_url(f"{locked}/login")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{locked}/review")
    gallery = GalleryPage(page, locked).open()
    gallery.focus(1).press("k")
    gallery.expect_saved()
    page.locator("summary", has_text="File").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{locked}/login")
    page.go_back()
    expect(page.get_by_role("heading", name="Operator login")).to_be_visible()


def test_without_javascript_too(make_context: MakeContext, locked: str) -> None:
    page = make_context(java_script_enabled=False).new_page()
    page.goto(f"{locked}/login")
    sign_in(page, "wrong")
    expect(page.get_by_role("alert")).to_have_text("That is not the password; try again.")
    sign_in(page)
    expect(page).to_have_url(f"{locked}/review")


def test_a_session_that_ends_meanwhile_loses_no_decision(page: Page, locked: str) -> None:
    """The page says that nobody is signed in, keeps the decision, and sends it afterwards."""
    page.goto(f"{locked}/login")
    sign_in(page)
    gallery = GalleryPage(page, locked).open()
    page.context.clear_cookies()
    gallery.focus(1).press("d")
    expect(page.locator("#save-trouble")).to_contain_text("nobody is signed in")
    page.goto(f"{locked}/login")
    sign_in(page)
    gallery.open().expect_saved()
    expect(gallery.cell(1).locator(".mark")).to_contain_text("discard")


def test_signing_in_elsewhere_makes_a_page_old_and_loses_no_decision(
    page: Page, locked: str
) -> None:
    page.goto(f"{locked}/login")
    sign_in(page)
    gallery = GalleryPage(page, locked).open()
    page.context.clear_cookies()
    other = page.context.new_page()
    other.goto(f"{locked}/login")
    sign_in(other)
    expect(other).to_have_url(f"{locked}/review")
    other.close()
    gallery.focus(1).press("d")
    expect(page.locator("#save-trouble")).to_contain_text("load it again")
    gallery.open().expect_saved()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="light"),
        pytest.param(DARK, id="dark"),
        pytest.param(PHONE, id="phone"),
    ],
)
def test_everybody_can_use_the_login(
    make_context: MakeContext, locked: str, options: dict[str, object]
) -> None:
    """WCAG 2.2 AA, as far as axe can tell, also with a sentence shown."""
    page = make_context(**options).new_page()
    page.goto(f"{locked}/login")
    for _ in range(2):
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        sign_in(page, "wrong")
        expect(page.get_by_role("alert")).to_be_visible()


def test_the_closed_page_says_how_to_open_it(make_context: MakeContext, home: Path) -> None:
    with served(home, is_public=True) as address:
        page = make_context().new_page()
        page.goto(f"{address}/review")
        expect(page.get_by_role("alert")).to_contain_text("reds password")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
