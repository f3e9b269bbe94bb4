"""Whether the standing model does worse on new pictures than on its own test (R-IMP-5).

What belongs here: two accuracies on different pictures, made comparable, and their difference with
an interval. What does not: running the model (``standing_model``), which pictures are fair
(``new_pictures.py``).

New pictures may be of other classes more often than the test's, and classes are not equally hard.
So the test counts as if its classes were as frequent as among the new pictures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.intervals import (
    difference_of_shares,
    effective_number,
    wilson_of_share,
)
from reds_pipeline.modeling.promotion_evidence import LEAST_TEST_PICTURES


@dataclass(frozen=True)
class Answers:
    """What a model said of some pictures.

    Attributes:
        labels: Class of each of n pictures.
        right: bool (n,), whether the likeliest class is the label.
        groups: Author or cluster of each.
    """

    labels: Sequence[str]
    right: NDArray[np.bool_]
    groups: Sequence[str]

    def of(self, classes: set[str]) -> Answers:
        """Return those about pictures of some classes."""
        chosen = [place for place, label in enumerate(self.labels) if label in classes]
        return Answers(
            [self.labels[place] for place in chosen],
            self.right[chosen],
            [self.groups[place] for place in chosen],
        )


@dataclass(frozen=True)
class AccuracyChange:
    """A model before and now.

    Intervals take the pictures of one author to be right or wrong together.

    Attributes:
        pictures: New ones that were asked about.
        authors: Groups that they belong to.
        now: Share of them that it answers rightly.
        now_low: Lower end of its 95 % Wilson interval.
        now_high: Its upper end.
        test_pictures: Of the model's own test, of classes that are among the new pictures.
        before: Share of them that it answers rightly, with the new pictures' class shares; None
            with too few.
        loss: ``before`` less ``now``; None with too few.
        loss_low: Lower end of its 95 % Newcombe interval.
        loss_high: Its upper end.
        by_class: For each class: new pictures, how many are right, test pictures, how many are
            right.
    """

    pictures: int
    authors: int
    now: float
    now_low: float
    now_high: float
    test_pictures: int
    before: float | None
    loss: float | None
    loss_low: float | None
    loss_high: float | None
    by_class: tuple[tuple[str, int, int, int, int], ...]


def accuracy_change(new: Answers, test: Answers) -> AccuracyChange | None:
    """Compare what a model says of new pictures with what it says of its own test.

    Args:
        new: About pictures that it has not learnt anything of.
        test: About the pictures held out of its training.

    Returns:
        None with fewer than ``LEAST_TEST_PICTURES`` new pictures.
    """
    if len(new.labels) < LEAST_TEST_PICTURES:
        return None
    now = float(new.right.mean())
    now_low, now_high = wilson_of_share(now, effective_number(new.groups))
    shared = set(new.labels) & set(test.labels)
    ours, theirs = new.of(shared), test.of(shared)
    found: dict[str, Any] = dict.fromkeys(("before", "loss", "loss_low", "loss_high"))
    if min(len(ours.labels), len(theirs.labels)) >= LEAST_TEST_PICTURES:
        found = _loss(ours, theirs)
    return AccuracyChange(
        pictures=len(new.labels),
        authors=len(set(new.groups)),
        now=now,
        now_low=now_low,
        now_high=now_high,
        test_pictures=len(theirs.labels),
        by_class=tuple(
            (name, *_counted(new, name), *_counted(test, name)) for name in sorted(set(new.labels))
        ),
        **found,
    )


def _loss(new: Answers, test: Answers) -> dict[str, float]:
    shares = Counter(new.labels)
    now = float(new.right.mean())
    before = sum(
        count / len(new.labels) * _counted(test, name)[1] / _counted(test, name)[0]
        for name, count in shares.items()
    )
    low, high = difference_of_shares(
        (before, *wilson_of_share(before, effective_number(test.groups))),
        (now, *wilson_of_share(now, effective_number(new.groups))),
    )
    return {"before": before, "loss": before - now, "loss_low": low, "loss_high": high}


def _counted(answers: Answers, name: str) -> tuple[int, int]:
    mine = np.array([label == name for label in answers.labels], bool)
    return int(mine.sum()), int(answers.right[mine].sum())
