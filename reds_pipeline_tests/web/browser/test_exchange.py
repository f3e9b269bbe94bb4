"""Whether decisions can be taken out of the page and brought into it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from reds_pipeline_tests.web.browser.gallery_page import GalleryPage


@pytest.mark.parametrize("link", ["Export as CSV", "Export for Label Studio"])
def test_out_and_in_again(gallery: GalleryPage, tmp_path: Path, link: str) -> None:
    page = gallery.page
    gallery.focus(1).press("k", "d", "2")
    before = gallery.stored()
    page.get_by_text("File", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    gallery.focus(1)
    for _ in range(3):
        gallery.press("u")
        gallery.expect_announced("Undone").expect_saved()
        gallery.page.locator("#announcement").evaluate("one => one.replaceChildren()")
    assert gallery.stored() == {}
    page.get_by_role("button", name="Import …").click()
    page.get_by_label("A CSV file as exported here").set_input_files(file)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#import-answer")).to_contain_text("3")
    page.get_by_role("button", name="Close").click()
    assert gallery.mark(2) == "✕ discard"
    assert gallery.stored() == before


def test_a_file_that_is_none_is_answered_with_a_sentence(gallery: GalleryPage) -> None:
    page = gallery.page
    page.get_by_text("File", exact=True).click()
    page.get_by_role("button", name="Import …").click()
    answer = page.locator("#import-answer")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(answer).to_have_text("Choose a file first.")
    holiday = {"name": "holiday.csv", "mimeType": "text/csv", "buffer": b"where,when\nhome,never\n"}
    page.get_by_label("A CSV file as exported here").set_input_files(holiday)  # type: ignore[arg-type]
    page.get_by_role("button", name="Import", exact=True).click()
    expect(answer).to_contain_text("Nothing was imported.")
    assert gallery.stored() == {}
