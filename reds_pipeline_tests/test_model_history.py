from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.model_history import (
    ChampionChange,
    How,
    RecordedChange,
    previous_version,
    served,
    set_aside,
)

Step = tuple[str, How]
NUMBERS = ["1", "2", "3", "4", "5"]
FORWARD: list[How] = ["rule", "person", "mlflow"]


def entries(*steps: Step) -> list[RecordedChange]:
    """Make a history of (version, how), each after the one before."""
    before = ["", *(version for version, _ in steps)]
    return [
        RecordedChange("2026-11-21", ChampionChange(version, "tiny", "so", how, "us", previous))
        for (version, how), previous in zip(steps, before, strict=False)
    ]


@pytest.mark.parametrize(
    ("steps", "way"),
    [
        ((), []),
        ((("1", "rule"),), ["1"]),
        ((("1", "rule"), ("2", "rule"), ("3", "rule")), ["1", "2", "3"]),
        ((("1", "rule"), ("2", "rule"), ("1", "rollback")), ["1"]),
        ((("1", "rule"), ("2", "rule"), ("1", "rollback"), ("3", "rule")), ["1", "3"]),
        ((("1", "rule"), ("2", "rule"), ("1", "person")), ["1", "2", "1"]),
        ((("1", "rule"), ("2", "rule"), ("1", "person"), ("2", "rollback")), ["1", "2"]),
        ((("1", "rule"), ("2", "rule"), ("", "mlflow")), ["1", "2"]),
    ],
    ids=[
        *("nothing", "one", "three", "back", "back and on", "an old one again"),
        *("back from an old one", "taken away in MLflow"),
    ],
)
def test_the_way_back(steps: Sequence[Step], way: list[str]) -> None:
    assert served(entries(*steps)) == way


def test_a_version_that_is_gone_is_passed_over_on_the_way_back() -> None:
    made = entries(("1", "rule"), ("2", "rule"), ("3", "rule"))
    assert previous_version(made, ["1", "2", "3"]) == "2"
    assert previous_version(made, ["1", "3"]) == "1"
    assert previous_version(made, ["3"]) is None
    assert previous_version([], []) is None


@given(st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(FORWARD)), max_size=20))
def test_going_back_ends_and_never_stands_still(steps: list[Step]) -> None:
    """Otherwise somebody who wants an old model would go round in a circle."""
    seen = len(served(entries(*steps)))
    while (back := previous_version(entries(*steps), NUMBERS)) is not None:
        assert back != steps[-1][0]
        steps.append((back, "rollback"))
        assert served(entries(*steps))[-1] == back
        assert len(served(entries(*steps))) < seen
        seen = len(served(entries(*steps)))


@pytest.mark.parametrize(
    ("steps", "aside"),
    [
        ((("1", "rule"), ("2", "rule")), set()),
        ((("1", "rule"), ("2", "rule"), ("1", "rollback")), {"2"}),
        (
            (("1", "rule"), ("2", "rule"), ("3", "rule"), ("2", "rollback"), ("1", "rollback")),
            {"2", "3"},
        ),
        ((("1", "rule"), ("2", "rule"), ("1", "rollback"), ("3", "rule")), set()),
        ((("1", "rule"), ("2", "rule"), ("1", "rollback"), ("2", "person")), {"1"}),
        ((("1", "rule"), ("2", "mlflow")), {"1"}),
    ],
)
def test_what_people_replaced_since_the_rule_last_chose(
    steps: Sequence[Step], aside: set[str]
) -> None:
    assert set(set_aside(entries(*steps))) == aside
