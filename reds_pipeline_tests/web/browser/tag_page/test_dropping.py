"""What people drop that is no photo, files that are gone, and what must not get lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect

from reds_pipeline_tests.tagging.served_home import drawn_photo
from reds_pipeline_tests.web.browser.tag_page.tag_page import TagPage, upload

CAT = drawn_photo("cat")


def drop(page: Page, **data: Any) -> None:
    """Drop something from outside the browser, as the system's file manager does."""
    session = page.context.new_cdp_session(page)
    area = page.locator("#drop")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent",
            {
                "type": kind,
                "x": box["x"] + 20,
                "y": box["y"] + 20,
                "data": {"items": [], "dragOperationsMask": 1, **data},
            },
        )


def test_a_dropped_folder_is_named_as_one_and_photos_beside_it_are_taken(
    tag_page: TagPage, tmp_path: Path
) -> None:
    """A folder looks like a file, and sending it like a server that is away."""
    folder, photo = tmp_path / "holiday", tmp_path / "cat.jpg"
    folder.mkdir()
    photo.write_bytes(CAT)
    drop(tag_page.page, files=[str(folder), str(photo)])
    expect(tag_page.page.locator("#chosen-problem")).to_contain_text("That is a folder")
    expect(tag_page.page.locator(".chosen-name")).to_have_text(["cat.jpg"])


def test_a_dropped_link_is_not_followed(tag_page: TagPage) -> None:
    """The browser would leave the page and all answers on it."""
    tag_page.tag(CAT)
    link = {"mimeType": "text/uri-list", "data": f"{tag_page.address}/uploads"}
    drop(tag_page.page, items=[link])
    expect(tag_page.page.locator("#chosen-problem")).to_contain_text("REDS fetches nothing")
    expect(tag_page.card()).to_be_visible()


def test_the_small_copy_on_a_card_is_no_new_photo(tag_page: TagPage) -> None:
    tag_page.tag(CAT)
    tag_page.page.locator(".preview").drag_to(tag_page.page.locator("#drop"))
    expect(tag_page.page.locator("#chosen li")).to_have_count(0)
    expect(tag_page.page.locator("#chosen-problem")).to_be_hidden()


def test_a_file_that_is_gone_is_not_blamed_on_the_server(tag_page: TagPage, tmp_path: Path) -> None:
    photo = tmp_path / "cat.jpg"
    photo.write_bytes(CAT)
    tag_page.page.get_by_label("Choose a file").set_input_files(photo)
    photo.unlink()
    tag_page.process()
    expect(tag_page.card().locator(".problem")).to_contain_text("cannot be read any more")
    expect(tag_page.page.get_by_role("button", name="Try again")).to_have_count(0)


def test_of_several_photos_each_is_named_and_no_name_is_sent(tag_page: TagPage) -> None:
    """Whose photo got no tags must be plain without the server knowing what files are called."""
    sent: list[bytes] = []
    tag_page.page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    files = [upload(CAT, "Ada at home.jpg"), upload(b"no picture", "notes.txt")]
    tag_page.page.get_by_label("Choose a file").set_input_files(files)
    tag_page.process()
    places = tag_page.page.locator(".place")
    expect(places).to_have_text(["Photo 1 of 2: Ada at home.jpg", "Photo 2 of 2: notes.txt"])
    assert [body for body in sent if b"Ada" in body or b"notes" in body] == []


@pytest.mark.req("R-IMP-6")
def test_a_code_that_was_not_copied_does_not_vanish_unasked(tag_page: TagPage) -> None:
    """It is shown once; whoever leaves without it can never have the photo deleted."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page = tag_page.page
    page.on("dialog", stay)
    page.locator("[name=consent]").check()
    tag_page.tag(CAT)
    with page.expect_event("dialog"):
        page.evaluate("setTimeout(() => location.reload())")
    expect(page.locator(".code-text")).to_be_visible()
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Copy code").click()
    expect(page.locator(".code[data-copied]")).to_be_visible()
    page.reload()
    expect(page.locator(".code-text")).to_have_count(0)
    assert asked == ["beforeunload"]
