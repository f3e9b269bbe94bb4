"""Whether ten thousand pictures fit into a page that stays small."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from reds_pipeline_tests.web.browser.gallery_page import GalleryPage

# Look at places from the top to the bottom: how much of the window has no row when it has come to
# rest there, and how many elements the page has.
_LOOK_AROUND = """async (places) => {
  const grid = document.getElementById("grid");
  const bareness = () => {
    const whole = grid.getBoundingClientRect();
    const rows = [...grid.children].map((row) => row.getBoundingClientRect());
    rows.sort((one, other) => one.top - other.top);
    let covered = Math.max(0, whole.top);
    let bare = 0;
    for (const row of rows.filter((one) => one.bottom > 0 && one.top < innerHeight)) {
      bare = Math.max(bare, row.top - covered);
      covered = Math.max(covered, row.bottom);
    }
    return Math.max(bare, Math.min(innerHeight, whole.bottom) - covered);
  };
  const looks = [];
  for (let place = 0; place < places; place += 1) {
    const height = document.documentElement.scrollHeight - innerHeight;
    scrollTo(0, (height * place) / (places - 1));
    // A browser tells of a scroll with the next frame or the one after; a hole would stay.
    for (let frame = 0; frame < 60 && (frame < 2 || bareness() >= 20); frame += 1) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    looks.push({ bare: bareness(), elements: document.querySelectorAll("*").length });
  }
  return looks;
}"""


@pytest.fixture
def large(page: Page, large_address: str) -> Iterator[GalleryPage]:
    """Return the page with 10,000 pictures, whose thumbnails are not worth drawing here."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setBlockedURLs", {"urls": ["*/review/thumbnails/*"]})
    yield GalleryPage(page, large_address).open()
    session.detach()


def test_rows_are_wherever_one_looks_and_few_at_a_time(large: GalleryPage) -> None:
    before = large.page.evaluate("document.querySelectorAll('*').length")
    looks = large.page.evaluate(_LOOK_AROUND, 25)
    # Between two rows there is a gap of 12 pixels, and nowhere a hole.
    assert [look for look in looks if look["bare"] >= 20] == []
    # Two and a half windows of rows and no more, wherever one is.
    assert max(look["elements"] for look in looks) < before * 2.5 < 10_000


def test_the_end_is_one_key_away(large: GalleryPage) -> None:
    large.focus(1).press("End")
    assert large.current() == 10_000
    cell = large.page.locator(".cell:focus")
    expect(cell.locator(".number")).to_have_text("10000")
    expect(cell).to_be_in_viewport(ratio=1)
    # Scrolling away does not throw the keyboard out of the grid.
    large.page.evaluate("scrollTo(0, 0)")
    expect(large.cell(1)).to_be_in_viewport()
    large.press("ArrowLeft")
    assert large.current() == 9_999
    expect(large.page.locator(".cell:focus")).to_be_in_viewport(ratio=1)


def test_all_ten_thousand_are_selected_and_asked_about(large: GalleryPage) -> None:
    large.focus(1).press("ControlOrMeta+a", "k")
    question = large.page.get_by_role("dialog", name="Keep 10,000 pictures?")
    expect(question).to_be_visible()
    large.press("Escape")
    expect(question).to_be_hidden()
    expect(large.page.locator("#bulk-count")).to_have_text("10,000 selected")


def test_thumbnails_come_only_where_one_looks(page: Page, large_address: str) -> None:
    """Ten thousand requests for a page of which thirty pictures are seen would be rude."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    GalleryPage(page, large_address).open()
    first = page.locator(".cell img").first
    page.wait_for_function("(image) => image.naturalWidth > 0", arg=first.element_handle())
    thumbnails = [url for url in asked if "/review/thumbnails/" in url]
    assert 0 < len(thumbnails) < 100


def test_rows_stand_in_reading_order_after_scrolling_back(large: GalleryPage) -> None:
    """A screen reader reads what exists in the order of the document."""
    large.focus(1).press("PageDown", "PageDown", "PageDown", "PageUp", "PageUp")
    order = large.page.locator("#grid > .row").evaluate_all(
        "rows => rows.map((row) => Number(row.getAttribute('aria-rowindex')))"
    )
    assert order == sorted(order)
    assert large.page.locator("#grid").get_attribute("aria-rowcount") == str(
        -(-10_000 // int(large.page.locator("#grid").get_attribute("aria-colcount") or 1))
    )


def test_the_size_changes_the_columns_and_is_remembered(gallery: GalleryPage) -> None:
    columns = gallery.page.locator("#grid")
    expect(columns).to_have_attribute("aria-colcount", "6")
    gallery.page.get_by_label("Size").fill("400")
    expect(columns).to_have_attribute("aria-colcount", "3")
    gallery.reload()
    expect(columns).to_have_attribute("aria-colcount", "3")


def test_what_one_looks_at_stays_in_view_when_the_size_changes(large: GalleryPage) -> None:
    large.focus(1).press("End", "PageUp", "PageUp")
    number = large.current()
    expect(large.cell(number)).to_be_in_viewport()
    large.page.get_by_label("Size").evaluate(
        "(slider) => { slider.value = 300; slider.dispatchEvent(new Event('input')); }"
    )
    expect(large.page.locator("#grid")).to_have_attribute("aria-colcount", "4")
    expect(large.cell(number)).to_be_in_viewport()
