from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from reds_pipeline.fediverse.posts import Row
from reds_pipeline.fediverse.timelines import Page
from reds_pipeline.fediverse.walks import Cursor, by_tag, extended, joined, shortened
from reds_pipeline.storage.clock import as_text


def rows(*posts: str) -> list[Row]:
    """Rows of posts by id; an id in brackets stands for a gated post."""
    return [
        {"post_key": f"key of {post.strip('()')}", "post_id": "", "status": "gated"}
        if post.startswith("(")
        else {"post_key": f"key of {post}", "post_id": post, "status": "kept"}
        for post in posts
    ]


def test_a_cursor_survives_its_table() -> None:
    cursor = Cursor("cat", "9", "2", True)
    assert Cursor(**cursor.row()) == cursor


def test_stretches_come_newest_first() -> None:
    old, new, other = Cursor("cat", "9", "2"), Cursor("cat", "100", "50"), Cursor("dog", "5", "1")
    assert by_tag([old, new, other]) == {"cat": [new, old], "dog": [other]}


NOW = "2026-11-21T10:00:00Z"
TOP = Cursor("cat", host="pix.example")
BEGUN = Cursor("cat", "9", "7", newest_key="key of 9", host="pix.example")


@pytest.mark.parametrize(
    ("stretch", "page", "ends", "newest_key", "why"),
    [
        (TOP, ("9", "7"), ("9", "7"), "key of 9", "begins"),
        (BEGUN, ("5",), ("9", "5"), "key of 9", "grows down"),
        (BEGUN, ("(5)",), ("9", "7"), "key of 9", "gated posts are no ends"),
        (TOP, ("(9)", "8", "7", "(6)"), ("8", "7"), "key of 9", "but one may be the newest"),
        (TOP, ("2", "9", "8"), ("9", "8"), "key of 2", "an old post stands among the newest"),
        (TOP, (), ("", ""), "", "nothing came"),
    ],
)
def test_a_stretch_grows_by_the_posts_of_a_page(
    stretch: Cursor, page: tuple[str, ...], ends: tuple[str, str], newest_key: str, why: str
) -> None:
    grown = extended(stretch, rows(*page), Page(cursor="1"), NOW)
    assert grown == Cursor("cat", *ends, False, newest_key, "pix.example"), why


@pytest.mark.parametrize(
    ("page", "looked_at", "again_after_days", "never_before_days", "why"),
    [
        (Page(exhausted=True), "", None, 1000, "an end is an end"),
        (Page(exhausted=True, guessed=True), NOW, 8, 6, "a guess holds for a week"),
        (Page(cursor="5"), "", 0, None, "more is known to be below"),
        (Page(), "", 0, None, "no going on for now"),
    ],
)
def test_an_end_that_was_guessed_is_looked_at_again(
    *,
    page: Page,
    looked_at: str,
    again_after_days: int | None,
    never_before_days: int | None,
    why: str,
) -> None:
    grown = extended(BEGUN, rows("6"), page, NOW)
    assert grown.looked_at == looked_at, why
    if again_after_days is not None:
        assert grown.goes_on_below(later(again_after_days)), why
    if never_before_days is not None:
        assert not grown.goes_on_below(later(never_before_days)), why


def later(days: int) -> str:
    return as_text(datetime.fromisoformat(NOW) + timedelta(days=days))


def test_the_guess_about_the_lower_stretch_is_that_of_both() -> None:
    older = Cursor("t", "11", "3", exhausted=True, looked_at=NOW)
    assert joined(Cursor("t", "20", "12"), older).looked_at == NOW
    guessed_above = Cursor("t", "20", "12", exhausted=True, looked_at=NOW)
    assert joined(guessed_above, Cursor("t", "11", "3")).looked_at == NOW
    assert joined(guessed_above, Cursor("t", "11", "3", exhausted=True)).looked_at == ""


@pytest.mark.parametrize(
    ("newer", "older", "result", "why"),
    [
        (Cursor("t", "20", "12"), Cursor("t", "11", "3", True), Cursor("t", "20", "3", True), ""),
        (Cursor("t", "20", "2"), Cursor("t", "11", "9"), Cursor("t", "20", "2"), "a long page"),
        (Cursor("t"), Cursor("t", "11", "9"), Cursor("t", "11", "9"), "nothing new kept"),
        (Cursor("t", "20", "12"), Cursor("t", exhausted=True), Cursor("t", "20", "12", True), ""),
    ],
)
def test_two_stretches_that_met_are_one(
    newer: Cursor, older: Cursor, result: Cursor, why: str
) -> None:
    assert joined(newer, older) == result, why


def test_the_newest_post_of_two_stretches_is_that_of_the_newer() -> None:
    older = Cursor("t", exhausted=True, newest_key="older")
    assert joined(Cursor("t", newest_key="newer"), older).newest_key == "newer"
    assert joined(Cursor("t"), older).newest_key == "older"


@pytest.mark.parametrize(
    ("stretch", "result", "why"),
    [
        (Cursor("", "90", "10", True), Cursor("", "90", "50"), "its lower part goes"),
        (Cursor("", "90", "60", True), Cursor("", "90", "60", True), "it ends above"),
        (Cursor("", "40", "10", True), None, "it lies below"),
        (Cursor("", "", "", True), None, "nothing of it was kept"),
    ],
)
def test_a_stretch_ends_where_the_rows_end(
    stretch: Cursor, result: Cursor | None, why: str
) -> None:
    assert shortened(stretch, "50") == result, why
