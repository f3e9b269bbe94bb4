"""Whether decisions are made as meant, can be taken back, and are the server's in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CURATED, read_rows, write_rows
from reds_pipeline_tests.web.browser.gallery_page import GalleryPage
from reds_pipeline_tests.web.serving import served


@pytest.mark.req("R-SCR-8")
def test_keys_keep_discard_and_label(gallery: GalleryPage) -> None:
    """One picture after the other: each key decides on one and goes to the next."""
    gallery.focus(1).press("k", "d", "2", "1")
    assert gallery.current() == 5
    assert gallery.mark(1) == "✓ keep"
    assert gallery.mark(2) == "✕ discard"
    assert gallery.mark(3) == "→ dog"
    # The first class is the one it was in: putting a cat among the cats keeps it.
    decided = {1: ("keep", "cat"), 2: ("discard", ""), 3: ("label", "dog"), 4: ("keep", "cat")}
    assert gallery.stored() == decided
    gallery.press("9")
    gallery.expect_announced("no class number 9")
    assert gallery.stored() == decided


def test_a_move_is_corrected_by_the_key_of_the_first_class(gallery: GalleryPage) -> None:
    """Whoever moved a cat to the dogs by mistake presses the key of the cats, not of keeping."""
    gallery.focus(1).press("2", "ArrowLeft", "1")
    gallery.expect_saved()
    assert gallery.stored() == {1: ("label", "cat")}
    gallery.focus(2).press("2", "ArrowLeft", "k")
    gallery.expect_saved()
    kept = gallery.cell(2).locator(".class-name").inner_text()
    assert gallery.stored()[2] == ("keep", kept)
    gallery.press("u", "u")
    expect(gallery.cell(2).locator(".class-name")).to_have_text("cat")


def test_the_page_says_what_the_data_set_does_not_follow_yet(page: Page, home: Path) -> None:
    """After `reds retrain` whoever loads the page again sees that it took effect."""
    with served(home) as address:
        gallery = GalleryPage(page, address).open()
        waiting = page.locator("#waiting-words")
        expect(waiting).to_be_hidden()
        gallery.focus(1).press("2", "d", "k")
        expect(waiting).to_have_text("3 not in the data set yet")
        gallery.expect_saved()
        curated = Home(home).table("curated_dataset")
        rows = read_rows(curated, CURATED)
        cats = [row for row in rows if row["collected_as"] == "cat"]
        cats[0] |= {"class_name": "dog", "decision": "label"}
        cats[1] |= {"kept": False, "drop_reason": "reviewed_out", "decision": "discard"}
        cats[2] |= {"decision": "keep"}
        write_rows(curated, rows, CURATED)
        gallery.reload()
        expect(waiting).to_be_hidden()
        expect(page.locator("#all-applied")).to_be_visible()
        # What was applied waits again when it is taken back.
        gallery.focus(2).press("r")
        expect(waiting).to_have_text("1 not in the data set yet")


def test_decisions_on_a_selection_and_their_undo(gallery: GalleryPage) -> None:
    """One action is one undo, whether by key or by button, however many pictures it was about."""
    for number in (2, 3, 4):
        gallery.cell(number).click()
    gallery.page.locator("#bulk-discard").click()
    gallery.expect_announced("3 pictures discarded")
    assert gallery.selected() == []
    gallery.focus(7).press("k")
    gallery.expect_saved().press("u")
    gallery.expect_announced("Undone: 1 picture")
    assert set(gallery.stored()) == {2, 3, 4}
    assert gallery.current() == 7
    gallery.press("ControlOrMeta+z")
    gallery.expect_announced("Undone: 3 pictures")
    assert gallery.stored() == {}
    gallery.page.locator("#undo").click()
    gallery.expect_announced("nothing to undo")


def test_undo_still_works_after_the_page_was_loaded_again(gallery: GalleryPage) -> None:
    gallery.focus(5).press("d")
    gallery.expect_saved().reload()
    assert gallery.mark(5) == "✕ discard"
    gallery.page.locator("#undo").click()
    gallery.expect_announced("Undone")
    assert gallery.stored() == {}


def test_many_pictures_are_decided_only_after_a_question(gallery: GalleryPage) -> None:
    gallery.focus(1).press("ControlOrMeta+a", "d")
    question = gallery.page.get_by_role("dialog", name="Discard 35 pictures?")
    expect(question).to_be_visible()
    # Whoever goes on typing must not have agreed.
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    question.get_by_role("button", name="Cancel").click()
    assert gallery.stored() == {}
    assert gallery.page.locator("#bulk-count").inner_text() == "35 selected"
    gallery.focus(1).press("d")
    question.get_by_role("button", name="Discard 35 pictures").click()
    gallery.expect_announced("35 pictures discarded")
    assert len(gallery.stored()) == 35


def test_discarded_pictures_are_in_quarantine_and_can_be_restored(gallery: GalleryPage) -> None:
    gallery.cell(3).click()
    gallery.cell(6).click()
    gallery.press("d")
    gallery.expect_saved().page.locator("#filter-state").select_option("quarantine")
    assert gallery.shown() == [3, 6]
    gallery.cell(6).click()
    gallery.page.get_by_role("button", name="Restore").click()
    gallery.expect_announced("open again")
    assert set(gallery.stored()) == {3}


def test_a_class_is_chosen_from_the_list_too(gallery: GalleryPage) -> None:
    """More than nine classes, and fingers, have no digits to press."""
    gallery.cell(1).click()
    gallery.page.locator("#bulk-label").select_option("flower")
    gallery.page.get_by_role("button", name="Label", exact=True).click()
    gallery.expect_announced("labelled flower")
    assert gallery.stored() == {1: ("label", "flower")}


@pytest.mark.req("R-SCR-9")
def test_the_report_s_way_five_a_row_and_numbers_to_discard(gallery: GalleryPage) -> None:
    page = gallery.page
    page.get_by_label("Five a row").check()
    rows = page.locator(".row:has(.cell)")
    assert rows.nth(0).locator(".cell .number").all_inner_texts() == ["1", "2", "3", "4", "5"]
    page.locator("#filter-class").select_option("cat")
    page.get_by_role("button", name="By numbers …").click()
    page.get_by_label("Numbers, such as").fill("3 7 9-11, 20 x")
    understood = page.locator("#numbers-understood")
    # 20 is a dog: whoever looks at cats did not mean it.
    expect(understood).to_have_text(
        "5 pictures. Not shown now, so left alone: 20. Not understood: x."
    )
    page.get_by_role("button", name="Discard them").click()
    gallery.expect_announced("5 pictures discarded")
    assert set(gallery.stored()) == {3, 7, 9, 10, 11}


def test_numbers_can_select_instead(gallery: GalleryPage) -> None:
    gallery.page.get_by_role("button", name="By numbers …").click()
    gallery.page.get_by_label("Numbers, such as").fill("2-4")
    gallery.page.get_by_label("Numbers, such as").press("Enter")
    expect(gallery.page.locator("#bulk-count")).to_have_text("3 selected")
    assert gallery.selected() == [2, 3, 4]
    assert gallery.stored() == {}


def test_duplicates_stand_side_by_side_and_one_is_kept(gallery: GalleryPage) -> None:
    page = gallery.page
    page.locator("#filter-view").select_option("groups")
    expect(page.locator(".row:has(.cell)").first).to_contain_text("suggested: larger")
    first = page.locator(".row:has(.cell)").first
    assert first.locator(".number").all_inner_texts() == ["3", "4"]
    ring = first.locator(".cell.keeper .frame")
    assert ring.evaluate("frame => getComputedStyle(frame).outlineStyle") == "solid"
    gallery.cell(4).get_by_role("button", name="Keep picture 4, discard the rest").click()
    gallery.expect_announced("Picture 4 kept, 1 picture discarded")
    assert gallery.stored() == {3: ("discard", ""), 4: ("keep", "cat")}
    # The other way round by key, as one action.
    gallery.focus(9).press("Shift+K")
    assert gallery.stored()[10] == ("discard", "")
    gallery.press("u")
    gallery.expect_announced("Undone: 2 pictures")
    assert set(gallery.stored()) == {3, 4}


def test_the_large_view_takes_the_same_keys(gallery: GalleryPage) -> None:
    page = gallery.page
    gallery.focus(1).press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_have_accessible_name("Picture 1: cat")
    expect(dialog).to_contain_text("looks like dog")
    gallery.press("ArrowRight", "d")
    expect(dialog).to_have_accessible_name("Picture 3: cat")
    # Both copies are there, and one leads to the other.
    dialog.get_by_role("button", name="Picture 4", exact=True).click()
    expect(dialog).to_have_accessible_name("Picture 4: cat")
    dialog.get_by_role("button", name="Keep", exact=False).first.click()
    gallery.press("Escape")
    expect(dialog).to_be_hidden()
    # The keyboard goes back when the browser says that the dialog is closed, a moment later.
    expect(gallery.cell(5)).to_be_focused()
    assert gallery.current() == 5
    assert gallery.stored() == {2: ("discard", ""), 4: ("keep", "cat")}


def test_decided_pictures_stay_put_until_one_asks(gallery: GalleryPage) -> None:
    """A grid that moved up after each key would put another picture under the next one."""
    gallery.open("?sort=number")
    before = gallery.shown()
    gallery.focus(1).press("k", "k")
    assert gallery.shown() == before
    gallery.page.get_by_role("button", name="Hide 2 that no longer match").click()
    assert gallery.shown() == before[2:]
    gallery.expect_saved().reload()
    assert gallery.shown() == before[2:]


def test_the_progress_tells_how_long_the_rest_takes(gallery: GalleryPage) -> None:
    page = gallery.page
    page.clock.install()
    gallery.open()
    words = page.locator("#progress-words")
    expect(words).to_have_text("0 of 35 decided")
    gallery.focus(1)
    for _ in range(6):
        page.clock.fast_forward(10_000)
        gallery.press("k")
    # Ten seconds each for the other 29.
    expect(words).to_have_text("6 of 35, about 5 min left")
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 6)
