from __future__ import annotations

import pytest

from reds_pipeline.fediverse.walks import Cursor, by_tag, extended, joined


def test_a_cursor_survives_its_table() -> None:
    cursor = Cursor("cat", "9", "2", True)
    assert Cursor(**cursor.row()) == cursor


def test_stretches_come_newest_first() -> None:
    old, new, other = Cursor("cat", "9", "2"), Cursor("cat", "100", "50"), Cursor("dog", "5", "1")
    assert by_tag([old, new, other]) == {"cat": [new, old], "dog": [other]}


@pytest.mark.parametrize(
    ("stretch", "kept", "result", "why"),
    [
        (Cursor("cat"), ["9", "7"], Cursor("cat", "9", "7"), "begins"),
        (Cursor("cat", "9", "7"), ["5"], Cursor("cat", "9", "5"), "grows down"),
        (Cursor("cat", "9", "7"), [], Cursor("cat", "9", "7"), "gated posts leave no mark"),
    ],
)
def test_a_stretch_grows_by_kept_posts(
    stretch: Cursor, kept: list[str], result: Cursor, why: str
) -> None:
    assert extended(stretch, kept, exhausted=False) == result, why


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
