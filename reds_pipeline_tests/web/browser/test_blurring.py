"""Whether nobody has to see or hear what they did not ask for."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from reds_pipeline_tests.web.browser.gallery_page import GalleryPage

BLURRED = 6
"""A picture whose description has a word that may be sensitive."""


def is_blurred(image: Locator) -> bool:
    """Tell whether an image is drawn blurred."""
    return "blur" in str(image.evaluate("image => getComputedStyle(image).filter"))


def test_blurred_until_asked_for_one_picture(gallery: GalleryPage) -> None:
    cell = gallery.cell(BLURRED)
    image = cell.locator("img")
    assert is_blurred(image)
    assert not is_blurred(gallery.cell(1).locator("img"))
    # The description would tell what the blur hides.
    expect(image).to_have_attribute("alt", "photo, hidden until you ask")
    cell.get_by_role("button", name="Show picture 6").click()
    assert not is_blurred(image)
    expect(image).to_have_attribute("alt", "A cat and a lot of blood")
    assert is_blurred(gallery.cell(2).locator("img"))
    assert gallery.selected() == []
    gallery.focus(BLURRED).press("b")
    assert is_blurred(image)


def test_all_at_once(gallery: GalleryPage) -> None:
    switch = gallery.page.get_by_label("Show the 6 blurred")
    switch.check()
    assert gallery.page.locator(".cell.veiled").count() == 0
    switch.uncheck()
    assert is_blurred(gallery.cell(BLURRED).locator("img"))


def test_the_large_view_is_blurred_as_well(gallery: GalleryPage) -> None:
    gallery.focus(BLURRED).press("Enter")
    image = gallery.page.locator("#large-image")
    assert is_blurred(image)
    expect(gallery.page.locator("#large-facts")).not_to_contain_text("blood")
    gallery.page.get_by_role("button", name="Show picture", exact=True).click()
    assert not is_blurred(image)
    expect(gallery.page.locator("#large-facts")).to_contain_text("blood")
