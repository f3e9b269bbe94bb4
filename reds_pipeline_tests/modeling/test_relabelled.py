"""Models are not compared by labels that changed between their trainings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.modeling.promotion import decide
from reds_pipeline.modeling.relabelled import (
    LEAST_COMPARED,
    MOST_RELABELLED,
    relabelled_share,
)
from reds_pipeline_tests.modeling.test_promotion import CHALLENGER, RULE, champion, shared


def rows(*labels: str) -> list[dict[str, str]]:
    return [
        {"sha256": f"{number:064x}", "class_name": label} for number, label in enumerate(labels)
    ]


@given(st.lists(st.sampled_from(["cat", "dog"]), min_size=LEAST_COMPARED, max_size=60))
def test_the_share_counts_exchanged_labels(labels: list[str]) -> None:
    exchanged = [{"cat": "dog", "dog": "cat"}[label] for label in labels]
    assert relabelled_share(rows(*labels), rows(*labels)) == 0.0
    assert relabelled_share(rows(*labels), rows(*exchanged)) == 1.0
    half = [*exchanged[: len(labels) // 2], *labels[len(labels) // 2 :]]
    assert relabelled_share(rows(*half), rows(*labels)) == (len(labels) // 2) / len(labels)


def test_pictures_that_only_one_was_measured_on_do_not_count() -> None:
    ours = rows(*["cat"] * LEAST_COMPARED)
    theirs = [*rows(*["cat"] * LEAST_COMPARED), {"sha256": "f" * 64, "class_name": "dog"}]
    assert relabelled_share(ours, theirs) == 0.0


def test_few_pictures_say_nothing() -> None:
    few = LEAST_COMPARED - 1
    assert relabelled_share(rows(*["cat"] * few), rows(*["dog"] * few)) == 0.0


@pytest.mark.req("R-EXP-12")
@pytest.mark.parametrize("withdrawn", [0, 3])
def test_a_model_of_exchanged_labels_never_serves_by_the_rule(withdrawn: int) -> None:
    """By the exchanged labels of the test it looks far better than the champion."""
    better = shared((20, 20, 5), (20, 20, 5), low=0.5, high=0.9)
    exchanged = champion(better, relabelled=0.4, withdrawn_pictures=withdrawn)
    decision = decide(CHALLENGER, exchanged, RULE)
    assert not decision.promote
    assert "40%" in decision.reason
    assert "reds promote" in decision.reason
    corrected = champion(better, relabelled=MOST_RELABELLED, withdrawn_pictures=withdrawn)
    assert decide(CHALLENGER, corrected, RULE).promote
