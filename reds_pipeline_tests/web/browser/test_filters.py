"""Whether a person finds the pictures they look for, in an order that helps."""

from __future__ import annotations

from playwright.sync_api import expect

from reds_pipeline_tests.web.browser.gallery_page import GalleryPage


def test_what_needs_a_person_comes_first(gallery: GalleryPage) -> None:
    """Without a word in the address: undecided pictures of the set, the suspects before all."""
    gallery.open("")
    assert gallery.shown()[:9] == [1, 13, 24, 8, 20, 31, 2, 14, 25]
    assert gallery.mark(1) == "dog? 93 %"
    assert gallery.mark(8) == "cat or dog?"
    assert gallery.mark(2) == "unlike its class"
    assert 4 not in gallery.shown()


FOUND = {
    ("class", "dog"): list(range(13, 24)),
    ("state", "dropped"): [4, 5, 10, 11, 12, 16, 17, 22, 23, 27, 28, 33, 35],
    ("reason", "near_duplicate"): [4, 16, 27],
    ("reason", "dark"): [8, 20, 31],
    ("suspicion", "suspect"): [1, 13, 24],
    ("suspicion", "near"): [8, 20, 31],
    ("suspicion", "outlier"): [2, 14, 25],
    ("suspicion", "blurred"): [2, 6, 14, 18, 25, 29],
    ("decision", "decided"): [],
}


def test_each_filter_alone(gallery: GalleryPage) -> None:
    for (name, value), expected in FOUND.items():
        control = gallery.page.locator(f"#filter-{name}")
        control.select_option(value)
        gallery.expect_announced(f"{len(expected)} pictures shown")
        assert gallery.shown() == expected, (name, value)
        control.select_option("")


def test_filters_stand_in_the_address(gallery: GalleryPage) -> None:
    """So that a page that is loaded again, or a bookmark, shows the same."""
    gallery.page.locator("#filter-class").select_option("flower")
    gallery.page.locator("#filter-sort").select_option("newest")
    shown = gallery.shown()
    gallery.reload()
    assert gallery.shown() == shown
    assert gallery.page.locator("#filter-class").input_value() == "flower"


def test_orders(gallery: GalleryPage) -> None:
    page = gallery.page
    page.locator("#filter-sort").select_option("author")
    # Author 1 has the first and the eighth picture of each class.
    assert gallery.shown()[:6] == [1, 8, 13, 20, 24, 31]
    page.locator("#filter-sort").select_option("number")
    assert gallery.shown()[:20] == list(range(1, 21))


def test_nothing_found_is_said_with_a_way_out(gallery: GalleryPage) -> None:
    gallery.page.locator("#filter-decision").select_option("decided")
    gallery.page.get_by_role("button", name="Show all pictures").click()
    expect(gallery.page.locator("#shown-count")).to_have_text("35 pictures shown")


def test_a_nonsense_address_shows_the_usual(gallery: GalleryPage) -> None:
    gallery.open("?sort=__proto__&state=nowhere&view=&class=unicorn")
    assert gallery.page.locator("#filter-sort").input_value() == "suspicious"
