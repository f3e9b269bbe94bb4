"""Whether everybody can use the page that tags photos: axe-core, reflow, words."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from reds_pipeline_tests.tagging.served_home import drawn_photo
from reds_pipeline_tests.web.browser.conftest import MakeContext
from reds_pipeline_tests.web.browser.tag_page.tag_page import TagPage, upload
from reds_pipeline_tests.web.browser.test_accessibility import (
    _FAINT_TEXT,
    _SMALL_TARGETS,
    nameless,
)

PHOTO = drawn_photo("cat", size=(600, 300), is_sunny=True)
_DESK = {"width": 1280, "height": 800}
_PHONE = {"width": 390, "height": 844}


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe-core finds wrong: rule, and the elements that break it."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [
        pytest.param("light", _DESK, id="light"),
        pytest.param("dark", _DESK, id="dark"),
        pytest.param("dark", _PHONE, id="dark phone"),
    ],
)
def test_axe_finds_nothing_in_any_state(
    make_context: MakeContext, tag_address: str, scheme: str, viewport: dict[str, int]
) -> None:
    page = make_context(
        color_scheme=scheme, viewport=viewport, has_touch=viewport is _PHONE
    ).new_page()
    tag_page = TagPage(page, tag_address).open()

    def check(what: str) -> None:
        assert violations(page) == [], what
        assert nameless(page) == [], what
        assert page.evaluate(_FAINT_TEXT) == [], what
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], what

    for closed in ("More choices", "What that means"):
        page.get_by_text(closed).click()
    page.get_by_role("button", name="Process image").click()
    tag_page.choose(PHOTO)
    check("chosen")
    page.get_by_label("Your own tags first").fill("my cat")
    page.get_by_label("Keep the photos that I send now").check()
    tag_page.choose(PHOTO[:3000]).process()
    tag_page.take("Cat").check()
    tag_page.refuse("FluffyTail").check()
    page.get_by_role("slider").fill("2")
    for closed in ("Why?", "Other ways of looking", "The figures"):
        page.get_by_text(closed).click()
    if scheme == "light":  # It takes a second and looks the same in the dark.
        page.get_by_role("button", name="Show", exact=True).click()
        # The first one also imports PyTorch, which a busy machine needs its time for.
        expect(page.locator(".heat")).to_be_visible(timeout=120_000)
    page.get_by_role("button", name="Compare three ways of looking").click()
    expect(page.locator(".views table")).to_be_visible()
    page.get_by_role("button", name="Copy tags").click()
    page.get_by_role("button", name="Tell REDS which tags were right").click()
    expect(page.locator(".feedback-answer")).not_to_be_empty()
    check("answered")


@pytest.mark.parametrize(
    ("width", "height"),
    [
        pytest.param(320, 256, id="1280 by 1024 at 400 %"),
        pytest.param(360, 740, id="a phone"),
        pytest.param(740, 360, id="a phone on its side"),
    ],
)
def test_small_windows(
    make_context: MakeContext, tag_address: str, width: int, height: int
) -> None:
    """WCAG 1.4.10: nothing has to be scrolled sideways; 2.5.8: everything can be pressed."""
    context = make_context(viewport={"width": width, "height": height}, has_touch=True)
    page = context.new_page()
    tag_page = TagPage(page, tag_address).open()
    camera = page.get_by_label("Take a photo")
    expect(camera).to_have_attribute("capture", "environment")
    expect(camera).to_be_visible()
    tag_page.tag(PHOTO)
    page.get_by_text("The figures").tap()
    tag_page.take("Cat").tap()
    assert tag_page.line() == "#Cat"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(_SMALL_TARGETS)
    # The inputs of the two choosers lie under their labels, which are larger.
    assert [each for each in small if 'type="file"' not in each] == []


def test_without_a_script_every_control_has_a_name(scriptless: Page) -> None:
    """Axe is a script itself and needs a page that runs some; the browser's own tree does not."""
    scriptless.get_by_text("More choices").click()
    assert nameless(scriptless) == []
    scriptless.get_by_label("Choose a file").set_input_files(upload(PHOTO))
    scriptless.get_by_role("button", name="Process image").click()
    scriptless.get_by_text("The figures").click()
    assert nameless(scriptless) == []
    assert scriptless.evaluate(_FAINT_TEXT) == []
