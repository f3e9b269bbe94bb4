from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.imaging.keep_best import deciding_rule, rank
from reds_pipeline_tests.imaging.rows import image_row

_LARGER = {"width": 900, "height": 900}


@pytest.mark.req("R-SCR-7")
@pytest.mark.parametrize(
    ("better", "worse", "rule"),
    [
        pytest.param(({}, True), (_LARGER, False), "person", id="a person before the size"),
        pytest.param((_LARGER, False), ({"media_key": "a"}, False), "size", id="the larger"),
        pytest.param(
            ({"created_at": "2025-01-01T00:00:00Z"}, False),
            ({"alt_text": "a cat"}, False),
            "age",
            id="the older",
        ),
        pytest.param(({"alt_text": "a cat"}, False), ({}, False), "alt_text", id="described"),
        pytest.param(({"media_key": "a"}, False), ({"media_key": "b"}, False), "name", id="name"),
        pytest.param(({}, False), ({"width": None, "height": None}, False), "size", id="no size"),
        pytest.param(({}, False), ({}, False), "name", id="the same row under two classes"),
    ],
)
def test_the_first_rule_that_tells_them_apart_decides(
    better: tuple[dict[str, Any], bool], worse: tuple[dict[str, Any], bool], rule: str
) -> None:
    kept, removed = (rank(image_row(5, **changes), by) for changes, by in (better, worse))
    assert kept <= removed
    assert deciding_rule(kept, removed) == rule


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans(), st.booleans())))
def test_no_two_rows_are_equally_good(drawn: list[tuple[int, int, bool, bool]]) -> None:
    ranks = [
        rank(
            image_row(
                number % 60,
                media_key=f"media-{number}",
                width=100 + size,
                created_at=f"2025-01-0{day + 1}",
                alt_text="told" if told else "",
            ),
            by,
        )
        for number, (size, day, told, by) in enumerate(drawn)
    ]
    assert len(set(ranks)) == len(ranks)
