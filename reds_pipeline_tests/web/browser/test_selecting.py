"""Whether pictures can be selected by mouse and by keyboard, and nothing is lost by a slip."""

from __future__ import annotations

from playwright.sync_api import expect

from reds_pipeline_tests.web.browser.gallery_page import GalleryPage


def test_a_click_selects_one_more_and_never_loses_the_others(gallery: GalleryPage) -> None:
    for number in (2, 4, 5):
        gallery.cell(number).click()
    gallery.cell(4).click()
    assert gallery.selected() == [2, 5]
    gallery.cell(7).click(modifiers=["ControlOrMeta"])
    assert gallery.selected() == [2, 5, 7]


def test_the_checkbox_selects_and_shows_what_is_selected(gallery: GalleryPage) -> None:
    box = gallery.cell(3).get_by_role("checkbox")
    box.check()
    assert gallery.selected() == [3]
    # The whole corner counts, not the small box alone.
    gallery.cell(3).locator(".pick-area").click(position={"x": 3, "y": 3})
    assert not box.is_checked()
    assert gallery.selected() == []


def test_shift_and_a_click_select_a_range_either_way(gallery: GalleryPage) -> None:
    gallery.cell(6).click()
    gallery.cell(9).click(modifiers=["Shift"])
    assert gallery.selected() == [6, 7, 8, 9]
    gallery.cell(4).click(modifiers=["Shift"])
    assert gallery.selected() == [4, 5, 6]


def test_shift_and_arrows_stretch_and_shrink_a_range(gallery: GalleryPage) -> None:
    gallery.focus(3).press("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight")
    assert gallery.selected() == [3, 4, 5, 6]
    gallery.press("Shift+ArrowLeft")
    assert gallery.selected() == [3, 4, 5]


def test_space_toggles_the_current_picture(gallery: GalleryPage) -> None:
    gallery.focus(2).press("Space", "ArrowRight", "ArrowRight", "Space")
    assert gallery.selected() == [2, 4]
    gallery.press("Space")
    assert gallery.selected() == [2]


def test_all_none_and_the_rest(gallery: GalleryPage) -> None:
    gallery.focus(1).press("ControlOrMeta+a")
    assert gallery.page.locator("#bulk-count").inner_text() == "35 selected"
    gallery.cell(2).click()
    gallery.page.locator("#bulk-invert").click()
    assert gallery.selected() == [2]
    gallery.focus(5).press("Escape")
    assert gallery.selected() == []
    assert gallery.page.locator("#bulk").is_hidden()


def test_nobody_decides_on_what_a_filter_hides(gallery: GalleryPage) -> None:
    gallery.cell(2).click()
    gallery.page.locator("#filter-class").select_option("dog")
    assert gallery.page.locator("#bulk").is_hidden()


def test_moving_decides_and_selects_nothing(gallery: GalleryPage) -> None:
    gallery.focus(1)
    steps = {"ArrowRight": 2, "ArrowDown": 8, "ArrowUp": 2, "ArrowLeft": 1, "End": 35, "Home": 1}
    for key, expected in steps.items():
        gallery.press(key)
        assert gallery.current() == expected, key
    gallery.press("ArrowLeft", "ArrowUp")
    assert gallery.current() == 1
    gallery.press("End", "ArrowRight", "ArrowDown", "PageDown")
    assert gallery.current() == 35
    gallery.press("PageUp")
    assert gallery.current() < 35
    current = gallery.page.locator('.cell[tabindex="0"]')
    assert current.evaluate("cell => cell === document.activeElement")
    assert gallery.selected() == []
    assert gallery.stored() == {}


def test_a_double_click_opens_a_picture_and_leaves_the_selection(gallery: GalleryPage) -> None:
    gallery.cell(2).click()
    gallery.cell(5).locator(".title").dblclick()
    expect(gallery.page.get_by_role("dialog")).to_have_accessible_name("Picture 5: cat")
    gallery.press("Escape")
    assert gallery.selected() == [2]
