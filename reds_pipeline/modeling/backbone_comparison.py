"""Two backbones against each other: every test, what it is worth here, and what it comes to.

What belongs here: putting the comparison by pictures and the tests on folds together for one
pair, and measuring how much a plain shuffle flatters. What does not: the tests themselves
(``comparison.py``, ``fold_tests.py``), reading tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reds_pipeline.modeling.comparison import (
    PairedComparison,
    adjusted_for_number,
    compare_predictions,
)
from reds_pipeline.modeling.fold_tests import FoldTests, compare_folds


@dataclass(frozen=True)
class Prediction:
    """What a head said of a picture that it had not seen.

    Attributes:
        fold: The fold it was held out in; -1 for a picture of the test.
        class_name: What it shows.
        correct: Whether the head said so.
        group: Whatever it must not be parted from.
    """

    fold: int
    class_name: str
    correct: bool
    group: str


@dataclass(frozen=True)
class Results:
    """A backbone's results under one protocol.

    Attributes:
        backbone: Its name.
        fold_accuracy: Accuracy of each fold, 0 to 1.
        dataset_digest: The data set it was measured on.
        predictions: By the SHA-256 of the picture; empty when a version of REDS that did not keep
            them trained it.
    """

    backbone: str
    fold_accuracy: tuple[float, ...]
    dataset_digest: str
    predictions: dict[str, Prediction]

    @property
    def mean(self) -> float:
        """Mean of the folds' accuracies."""
        return float(np.mean(self.fold_accuracy))


@dataclass(frozen=True)
class BackbonePair:
    """Two backbones against each other under the grouped protocol.

    Attributes:
        first: Name of the one with the higher mean of folds.
        second: Name of the other.
        unseen: On the pictures of the folds, each said by the head that had not seen it; None
            when these predictions were not kept.
        test: On the pictures of the test; None when there is none in common.
        folds: Tests on the accuracies of the folds; None when the folds are not the same.
    """

    first: str
    second: str
    unseen: PairedComparison | None
    test: PairedComparison | None
    folds: FoldTests | None

    @property
    def sentence(self) -> str:
        """What a person needs to know of it, in one sentence."""
        if self.unseen is not None:
            other_data = "" if self.folds else " Their training pictures were not the same, though."
            return self.unseen.sentence + other_data
        return (
            f"{self.first} and {self.second} cannot be compared picture by picture, because an "
            "older version of REDS that did not keep what they said trained them; run "
            "`reds retrain`."
        )


@dataclass(frozen=True)
class Leakage:
    """How much a plain shuffle flatters a backbone.

    Attributes:
        comparison: The report's protocol (first) against the grouped one (second), on the
            pictures that are in the folds of both.
    """

    backbone: str
    comparison: PairedComparison

    @property
    def sentence(self) -> str:
        """What a person needs to know of it, in one sentence."""
        found = self.comparison
        points = f"{100 * found.difference:+.1f} points"
        interval = f"95 % interval {100 * found.low:+.1f} to {100 * found.high:+.1f}"
        if found.better is None:
            return (
                f"On this data set a plain shuffle cannot be seen to flatter {self.backbone} "
                f"(report less grouped: {points}, {interval})."
            )
        verb = "flatters" if found.difference > 0 else "disfavours"
        return (
            f"A plain shuffle, in which authors and copies straddle, {verb} {self.backbone} by "
            f"{points.lstrip('+-')} (report less grouped, {interval})."
        )


def compare_pair(first: Results, second: Results, *, seed: int = 0) -> BackbonePair:
    """Compare two backbones by every test (R-EXP-8, R-EXP-9), the better one first.

    Pictures are compared that both judged unseen, in the same part, and under the same label.
    """
    if second.mean > first.mean:
        first, second = second, first
    return BackbonePair(
        first=first.backbone,
        second=second.backbone,
        unseen=_compare(first, second, tested=False, seed=seed),
        test=_compare(first, second, tested=True, seed=seed),
        folds=(
            compare_folds(first.fold_accuracy, second.fold_accuracy)
            if _same_folds(first, second)
            else None
        ),
    )


def compare_to_best(results: Sequence[Results], *, seed: int = 0) -> list[BackbonePair]:
    """Compare the backbone with the highest mean with each of the others, the best of them first.

    Returns:
        One pair fewer than there are backbones. When several are compared, each p of McNemar's
        test is adjusted for that.
    """
    ranked = sorted(results, key=lambda result: -result.mean)
    pairs = [compare_pair(ranked[0], other, seed=seed) for other in ranked[1:]]
    # The best of k was found on the same pictures: any of the k (k - 1) / 2 pairs could stand here.
    made = len(ranked) * (len(ranked) - 1) // 2
    unseen = iter(adjusted_for_number([pair.unseen for pair in pairs if pair.unseen], made))
    test = iter(adjusted_for_number([pair.test for pair in pairs if pair.test], made))
    return [
        replace(
            pair,
            unseen=next(unseen) if pair.unseen else None,
            test=next(test) if pair.test else None,
        )
        for pair in pairs
    ]


def leakage(report: Results, grouped: Results, *, seed: int = 0) -> Leakage | None:
    """Return how much the report's protocol flatters a backbone, or None when nobody can tell.

    Measured on the pictures in the folds of both protocols, so that what differs is only which
    pictures a head has learnt from.
    """
    found = _compare(report, grouped, tested=False, seed=seed, names=("report", "grouped"))
    return None if found is None else Leakage(grouped.backbone, found)


def _compare(
    first: Results,
    second: Results,
    *,
    tested: bool,
    seed: int,
    names: tuple[str, str] | None = None,
) -> PairedComparison | None:
    common = [
        (one, other)
        for key, one in sorted(first.predictions.items())
        if (other := second.predictions.get(key)) is not None
        and (one.fold < 0) == (other.fold < 0) == tested
        and one.class_name == other.class_name
    ]
    if not common:
        return None
    first_name, second_name = names or (first.backbone, second.backbone)
    return compare_predictions(
        first_name,
        np.array([one.correct for one, _ in common]),
        second_name,
        np.array([other.correct for _, other in common]),
        [other.group for _, other in common],
        seed=seed,
    )


def _same_folds(first: Results, second: Results) -> bool:
    """Whether both were measured on the same folds, as far as can be known."""
    if first.dataset_digest != second.dataset_digest:
        return False
    if len(first.fold_accuracy) != len(second.fold_accuracy):
        return False
    if not first.predictions or not second.predictions:
        return True
    return {key: one.fold for key, one in first.predictions.items()} == {
        key: one.fold for key, one in second.predictions.items()
    }
