from __future__ import annotations

from typing import Any

import pytest

from reds_pipeline.retraining.new_pictures import (
    DECIDED,
    KNOWN_AUTHOR,
    UNKNOWN_CLASS,
    NewPictures,
    new_pictures,
)

Row = dict[str, Any]


def picture(sha256: str, **changes: Any) -> Row:
    return {
        "sha256": sha256,
        "class_name": "cat",
        "collected_as": "cat",
        "author_key": f"author of {sha256}",
        "group": f"group of {sha256}",
        "decision": "",
        "kept": True,
        **changes,
    }


def image(sha256: str, posted: int, collected: int, author: str = "") -> Row:
    return {
        "sha256": sha256,
        "author_key": author or f"author of {sha256}",
        "created_at": f"2026-01-{posted:02d}T00:00:00Z",
        "collected_at": f"2026-01-{collected:02d}T00:00:00Z",
    }


IMAGES = [image("learnt", 5, 10), image("tested", 9, 10, "author T"), image("new", 12, 17)]
ROWS = [picture("learnt"), picture("tested", author_key="author T"), picture("new")]


def choose(rows: list[Row], images: list[Row], contributed: list[Row] | None = None) -> NewPictures:
    return new_pictures(
        rows,
        contributed or [],
        images,
        learnt=frozenset({"learnt", "given"}),
        tested=frozenset({"tested"}),
        classes=["cat"],
    )


def names(rows: tuple[Any, ...]) -> list[str]:
    return [row["sha256"] for row in rows]


@pytest.mark.req("R-IMP-5")
def test_pictures_that_came_later_are_new_and_fair() -> None:
    chosen = choose(ROWS, IMAGES)
    assert names(chosen.rows) == names(chosen.fair) == ["new"]
    assert chosen.left_out == {}


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({}, image("new", 8, 17)),
        ({}, image("new", 12, 10)),
        ({"kept": False}, image("new", 12, 17)),
        ({}, image("another", 12, 17)),
    ],
    ids=["posted before", "collected before", "not learnt from", "not in the images table"],
)
def test_what_is_older_than_the_model_is_not_new(row: Row, shown: Row) -> None:
    assert choose([*ROWS[:2], picture("new", **row)], [*IMAGES[:2], shown]).rows == ()


@pytest.mark.req("R-EXP-3")
@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"group": "group of learnt"}, KNOWN_AUTHOR),
        ({"group": "group of tested"}, KNOWN_AUTHOR),
        ({"author_key": "author T"}, KNOWN_AUTHOR),
        ({"author_key": "author of learnt"}, KNOWN_AUTHOR),
        ({"group": "group of given"}, KNOWN_AUTHOR),
        ({"decision": "keep"}, DECIDED),
        ({"decision": "label", "collected_as": "dog"}, DECIDED),
        ({"collected_as": "dog"}, DECIDED),
    ],
)
def test_the_model_is_not_tested_on_what_it_knows_or_what_models_may_have_labelled(
    row: Row, why: str
) -> None:
    contributed = [picture("given", author_key="")]
    chosen = choose([*ROWS[:2], picture("new", **row)], IMAGES, contributed)
    assert names(chosen.rows) == ["new"]
    assert chosen.fair == ()
    assert chosen.left_out == {why: 1}


def test_an_author_is_known_though_the_picture_has_gone() -> None:
    """Of a picture that left the data set the images table still knows whose it was."""
    chosen = choose([picture("new", author_key="author of learnt")], IMAGES)
    assert chosen.left_out == {KNOWN_AUTHOR: 1}


def test_a_class_that_the_model_does_not_know_says_nothing_of_it() -> None:
    chosen = choose([*ROWS[:2], picture("new", class_name="fox", collected_as="fox")], IMAGES)
    assert (chosen.rows, chosen.left_out) == ((), {UNKNOWN_CLASS: 1})


def test_a_picture_that_somebody_posts_again_is_as_old_as_it_is() -> None:
    again = image("learnt", 16, 17, "another author")
    earlier = image("next", 3, 17)
    chosen = choose([*ROWS, picture("next")], [*IMAGES, again, image("next", 16, 17), earlier])
    assert names(chosen.fair) == ["new"]


def test_a_date_in_the_future_does_not_hide_what_came_later() -> None:
    liar = image("learnt", 5, 10) | {"created_at": "2099-01-01T00:00:00Z"}
    assert names(choose(ROWS, [liar, *IMAGES[1:]]).rows) == ["new"]
