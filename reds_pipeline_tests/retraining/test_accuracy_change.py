from __future__ import annotations

import numpy as np
import pytest

from reds_pipeline.retraining.accuracy_change import Answers, accuracy_change


def answers(*of_class: tuple[str, int, int], groups: int = 0) -> Answers:
    """Return answers by (class, right, wrong); each of its own author unless there are fewer."""
    labels = [name for name, right, wrong in of_class for _ in range(right + wrong)]
    right = [n < good for _, good, bad in of_class for n in range(good + bad)]
    return Answers(
        labels,
        np.array(right, bool),
        [f"author {n % groups if groups else n}" for n in range(len(labels))],
    )


@pytest.mark.req("R-IMP-5")
def test_a_loss_is_measured_with_its_interval() -> None:
    change = accuracy_change(answers(("cat", 48, 32)), answers(("cat", 56, 14)))
    assert change is not None
    assert (change.now, change.before) == (0.6, 0.8)
    assert change.loss == pytest.approx(0.2)
    # The example of Newcombe (1998), method 10: 56/70 and 48/80.
    assert change.loss_low == pytest.approx(0.0524, abs=1e-4)
    assert change.loss_high == pytest.approx(0.3339, abs=1e-4)
    assert change.by_class == (("cat", 80, 48, 70, 56),)


def test_classes_that_are_harder_and_more_frequent_now_are_no_loss() -> None:
    test = answers(("cat", 50, 0), ("owl", 25, 25))
    change = accuracy_change(answers(("cat", 20, 0), ("owl", 40, 40)), test)
    assert change is not None
    assert change.now == 0.6
    assert change.before == pytest.approx(0.6)
    assert change.loss == pytest.approx(0)


def test_pictures_of_one_author_count_as_one_at_least() -> None:
    test = answers(("cat", 90, 10))
    many = accuracy_change(answers(("cat", 36, 4)), test)
    few = accuracy_change(answers(("cat", 36, 4), groups=4), test)
    assert many is not None
    assert few is not None
    assert few.now == many.now
    assert few.now_low < many.now_low
    assert few.authors == 4


def test_a_model_without_a_mistake_has_an_interval_all_the_same() -> None:
    change = accuracy_change(answers(("cat", 30, 0)), answers(("cat", 50, 0)))
    assert change is not None
    assert change.now_low < 0.9
    assert change.loss == 0
    assert change.loss_low is not None
    assert change.loss_high is not None
    assert change.loss_low < 0 < change.loss_high


def test_too_few_pictures_say_nothing() -> None:
    assert accuracy_change(answers(("cat", 19, 0)), answers(("cat", 50, 0))) is None
    change = accuracy_change(answers(("cat", 20, 0)), answers(("dog", 50, 0)))
    assert change is not None
    assert (change.before, change.loss, change.test_pictures) == (None, None, 0)
