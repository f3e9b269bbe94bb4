from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.frozen_test import frozen_test, remembered_test
from reds_pipeline.modeling.splits import make_split
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import PREDICTIONS, TEST_PICTURES, read_rows, write_rows

Row = dict[str, Any]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def _rows(*classes: str, groups: int = 20, author: str = "author") -> list[Row]:
    """Two pictures each of some authors a class, in the order of trainings."""
    rows = [
        {
            "sha256": f"{name} {number:02} {picture}",
            "class_name": name,
            "group": f"{author} {name} {number}",
        }
        for name in classes
        for number in range(groups)
        for picture in range(2)
    ]
    return sorted(rows, key=lambda row: (row["class_name"], row["sha256"]))


def _drawn(rows: list[Row], seed: int, held_out: Collection[str] = ()) -> set[str]:
    split = make_split(
        [row["class_name"] for row in rows],
        [row["group"] for row in rows],
        protocol="grouped",
        seed=seed,
        held_out=np.array([row["sha256"] in held_out for row in rows]),
    )
    return {row["sha256"] for row, out in zip(rows, split.test, strict=True) if out}


@pytest.mark.req("R-EXP-2")
def test_the_first_one_is_what_trainings_held_out_until_now(home: Home) -> None:
    """So an older home's champion has not learnt from it."""
    rows = _rows("cat", "dog")
    assert frozen_test(home, rows, 7) == _drawn(rows, 7)
    assert remembered_test(home) == _drawn(rows, 7)


def test_asked_again_it_writes_nothing_whatever_the_seed(home: Home) -> None:
    rows = _rows("cat", "dog")
    first = frozen_test(home, rows, 7)
    path = home.table("test_pictures")
    written = path.stat().st_mtime_ns
    assert frozen_test(home, rows, 8) == first
    assert path.stat().st_mtime_ns == written


@pytest.mark.req("R-EXP-3")
def test_a_split_that_is_told_of_it_tests_exactly_it(home: Home) -> None:
    """Trainings, cards and exports make their split from it, and must all mean the same."""
    rows = _rows("cat", "dog")
    frozen_test(home, rows, 7)
    grown = _rows("cat", "dog", "owl", groups=50)
    held_out = frozen_test(home, grown, 7)
    assert _drawn(grown, 7, held_out) == held_out
    assert _drawn(grown, 99, held_out) == held_out


def test_new_pictures_and_classes_join_and_nobody_leaves(home: Home) -> None:
    first = frozen_test(home, _rows("cat", "dog"), 7)
    later = frozen_test(home, _rows("cat", "dog", "owl", groups=60), 7)
    assert first < later
    assert {name.split()[0] for name in later - first} == {"cat", "dog", "owl"}


def test_a_picture_that_comes_back_to_the_data_set_comes_back_to_the_test(home: Home) -> None:
    """A reviewer threw it out and thought again."""
    rows = _rows("cat", "dog")
    first = frozen_test(home, rows, 7)
    gone = sorted(first)[0]
    without = frozen_test(home, [row for row in rows if row["sha256"] != gone], 7)
    assert gone not in without
    assert first - {gone} <= without
    assert gone in frozen_test(home, rows, 7)


def test_a_new_picture_of_a_tested_author_is_tested_too(home: Home) -> None:
    rows = _rows("cat", "dog")
    tested = sorted(frozen_test(home, rows, 7))[0]
    group = next(row["group"] for row in rows if row["sha256"] == tested)
    new = {"sha256": "cat new", "class_name": "cat", "group": group}
    assert "cat new" in frozen_test(home, [*rows, new], 7)


def test_a_model_and_the_next_keep_a_common_test_while_the_data_set_moves_on(home: Home) -> None:
    """A class keeps its newest 100 pictures, 20 of which are new each week."""
    every = {name: _rows(name, groups=120) for name in ("cat", "dog")}
    before: set[str] = set()
    for week in range(8):
        rows = [row for own in every.values() for row in own[20 * week : 20 * week + 100]]
        tested = frozen_test(home, rows, 7)
        assert frozen_test(home, rows, 7) == tested
        learnt = {row["sha256"] for row in rows} - tested
        # What the model of the week before has not learnt either.
        common = tested - before
        assert len(common) >= 16
        assert len(tested) >= 18
        before = learnt
        answers = [{"sha256": row["sha256"]} for row in rows]
        write_rows(home.table("predictions", "tiny"), answers, PREDICTIONS)
        assert frozen_test(home, rows, 7) == tested, "the next backbone tests on the same"


def test_it_says_since_when(home: Home) -> None:
    rows = _rows("cat", "dog")
    frozen_test(home, rows, 7)
    earlier = read_rows(home.table("test_pictures"), TEST_PICTURES)
    frozen_test(home, _rows("cat", "dog", "owl"), 7)
    later = read_rows(home.table("test_pictures"), TEST_PICTURES)
    assert later[: len(earlier)] == earlier
    assert {row["class_name"] for row in later[len(earlier) :]} == {"owl"}
    assert all(row["held_out_at"] for row in later)


def test_too_little_to_split_is_said_and_not_remembered(home: Home) -> None:
    with pytest.raises(RedsError, match="class cat has 3"):
        frozen_test(home, _rows("cat", "dog", groups=3), 7)
    assert not home.table("test_pictures").exists()


def test_a_test_that_swallows_the_data_set_is_said(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody's pictures were in the test, and then they posted thirty more."""
    rows = _rows("cat", "dog")
    tested = sorted(frozen_test(home, rows, 7))[0]
    group = next(row["group"] for row in rows if row["sha256"] == tested)
    new = [
        {"sha256": f"cat new {number}", "class_name": "cat", "group": group} for number in range(30)
    ]
    with caplog.at_level(logging.WARNING):
        frozen_test(home, [*rows, *new], 7)
    assert "The test takes" in caplog.text
    assert "delete" in caplog.text


def test_a_first_test_is_never_too_large_for_what_there_is(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """Of few pictures a third may have to test; deleting the table would change nothing."""
    rows = [{**row, "group": row["sha256"]} for row in _rows("cat", "dog", groups=3)]
    with caplog.at_level(logging.WARNING):
        assert len(frozen_test(home, rows, 7)) / len(rows) <= 0.5
        frozen_test(home, rows, 7)
    assert "The test takes" not in caplog.text


def test_a_test_that_swallows_one_class_is_said(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """One class in ten: all pictures together hardly notice, but that class is no longer learnt."""
    rows = _rows("cat", "dog", "owl", "rat", "ant", "bee", "cow", "elk", "fox", "hen")
    tested = sorted(name for name in frozen_test(home, rows, 7) if name.startswith("cat"))[0]
    group = next(row["group"] for row in rows if row["sha256"] == tested)
    new = [
        {"sha256": f"cat new {number}", "class_name": "cat", "group": group} for number in range(30)
    ]
    with caplog.at_level(logging.WARNING):
        frozen_test(home, [*rows, *new], 7)
    assert "The test takes 49% of the class cat, because" in caplog.text


def test_a_test_that_leaves_nothing_to_learn_from_says_how_to_draw_another(home: Home) -> None:
    """Most authors turn out to share copies with one whose pictures are held out."""
    rows = _rows("cat", "dog", groups=20)
    held_out = frozen_test(home, rows, 7)
    tested = sorted({row["group"] for row in rows if row["sha256"] in held_out})
    first = next(group for group in tested if "cat" in group)
    free = sorted({row["group"] for row in rows if "cat" in row["group"]} - {*tested})
    kept, merged = free[:4], free[4:]
    later = [
        {**row, "group": first} if row["group"] in merged else row
        for row in rows
        # One picture each, so that four are left to learn from.
        if row["group"] not in kept or row["sha256"].endswith("0")
    ]
    with pytest.raises(RedsError, match=r"held out for the test, .* delete .* to draw a new test"):
        frozen_test(home, later, 7)
    assert remembered_test(home) == held_out
    home.table("test_pictures").unlink()
    assert frozen_test(home, later, 7)
