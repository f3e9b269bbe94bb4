"""Precision, recall and F1 of each class, with intervals (R-EXP-4, R-EXP-14).

What belongs here: these three, from answers. What does not: accuracy over all classes
(``cross_validation``), and drawing. Precision and recall are shares of pictures, whose intervals
are Wilson's; F1 is not, so its interval is drawn by bootstrap over groups, because pictures of one
author are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.intervals import wilson_interval, with_unseen_groups

DRAWS = 1000
_CELLS_AT_ONCE = 4_000_000

Interval = tuple[float, float]


@dataclass(frozen=True)
class ClassMeasures:
    """How well one class is told from the others.

    Attributes:
        name: The class.
        pictures: How many there are of it.
        answers: How many pictures were said to be of it.
        found: How many of these were.
        precision: ``found / answers``; None if it was never said.
        precision_interval: 95 %, Wilson.
        recall: ``found / pictures``; None if there are none.
        recall_interval: 95 %, Wilson.
        f1: Harmonic mean of both; None if there are neither pictures nor answers.
        f1_interval: 95 %, percentiles of a bootstrap over groups; see ``with_unseen_groups`` for
            where they all agree.
    """

    name: str
    pictures: int
    answers: int
    found: int
    precision: float | None
    precision_interval: Interval | None
    recall: float | None
    recall_interval: Interval | None
    f1: float | None
    f1_interval: Interval | None


def measures_per_class(
    labels: Sequence[str],
    predicted: Sequence[str],
    groups: Sequence[str],
    classes: Sequence[str],
    seed: int = 0,
) -> list[ClassMeasures]:
    """Return the measures of every class, in the order of ``classes``.

    Args:
        labels: True class of each picture; at least one.
        predicted: What was said of it.
        groups: Group of each picture, drawn as a whole.
        classes: All classes.
        seed: Of the draws.

    Raises:
        ValueError: The lengths differ, or there is no picture.
    """
    if not labels or not len(labels) == len(predicted) == len(groups):
        raise ValueError("one label, one answer and one group for each of some pictures")
    order = np.asarray(classes, dtype=str)
    is_true = np.asarray(labels, dtype=str)[:, None] == order
    is_said = np.asarray(predicted, dtype=str)[:, None] == order
    names = np.asarray(groups, dtype=str)
    lows, highs = _f1_intervals(is_true, is_said, names, seed)
    measures = []
    for column, name in enumerate(classes):
        pictures, answers = int(is_true[:, column].sum()), int(is_said[:, column].sum())
        found = int((is_true & is_said)[:, column].sum())
        f1 = 2 * found / (pictures + answers) if pictures + answers else None
        units = len(set(names[(is_true | is_said)[:, column]].tolist()))
        measures.append(
            ClassMeasures(
                name=name,
                pictures=pictures,
                answers=answers,
                found=found,
                precision=found / answers if answers else None,
                precision_interval=wilson_interval(found, answers) if answers else None,
                recall=found / pictures if pictures else None,
                recall_interval=wilson_interval(found, pictures) if pictures else None,
                f1=f1,
                f1_interval=None
                if f1 is None
                else with_unseen_groups(float(lows[column]), float(highs[column]), f1, units),
            )
        )
    return measures


def _f1_intervals(
    is_true: NDArray[np.bool_], is_said: NDArray[np.bool_], groups: NDArray[np.str_], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return float64 (k,) and (k,), the ends of the F1's intervals.

    A draw without pictures and answers of a class says nothing of it and is left out.
    """
    units = np.unique(groups, return_inverse=True)[1]
    count, classes = int(units.max()) + 1, is_true.shape[1]
    found, counted = np.zeros((count, classes)), np.zeros((count, classes))
    np.add.at(found, units, is_true & is_said)
    np.add.at(counted, units, is_true.astype(np.float64) + is_said)
    generator = np.random.default_rng(seed)
    draws = []
    at_once = max(1, _CELLS_AT_ONCE // count)
    for start in range(0, DRAWS, at_once):
        some = min(at_once, DRAWS - start)
        times = generator.multinomial(count, np.full(count, 1 / count), size=some)
        totals = times @ counted
        shares = np.full_like(totals, np.nan)
        draws.append(np.divide(2 * (times @ found), totals, out=shares, where=totals > 0))
    drawn = np.concatenate(draws)
    # A class without any pictures and answers has no draw at all.
    drawn[:, ~(drawn >= 0).any(axis=0)] = 0.0
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    return low, high
