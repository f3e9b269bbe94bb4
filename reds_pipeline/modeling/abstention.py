"""When a model should rather not answer.

What belongs here: the chance below which the likeliest class is no answer to rely on, and what
that costs. What does not: making chances (``calibration``).

Withholding the answers of the lowest chance is the rule of C. K. Chow ("On optimum recognition
error and reject tradeoff", IEEE Transactions on Information Theory 16, 1970): it makes the fewest
mistakes at any share of answers. Where to draw the line is asked in the terms of who uses the
answers: how often shall a given answer be right?
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.intervals import wilson_interval

LOWEST_THRESHOLD = 0.5
"""An answer that is more probably wrong than right is withheld, however good the others are: a
picture of something that is no class at all would otherwise be answered by a model that makes no
mistakes among its own classes."""

NO_ANSWER = 1.0
"""Threshold of a model whose answers are nowhere right as often as wanted: no chance reaches it,
not even one that rounding has made 1, as it may of a picture unlike all that were learnt."""

HIGHEST_THRESHOLD = float(np.nextafter(NO_ANSWER, 0))
"""Of a model that gives answers."""


@dataclass(frozen=True)
class Answers:
    """What is answered above a threshold, and how well.

    Attributes:
        threshold: Chance from which an answer is given.
        given: Number of answers given.
        total: Number of pictures asked about.
        coverage: Share of them that were answered.
        coverage_interval: Its 95 % Wilson interval.
        accuracy: Share of the given answers that were right; None if none was given.
        accuracy_interval: Its 95 % Wilson interval; None if none was given.
    """

    threshold: float
    given: int
    total: int
    coverage: float
    coverage_interval: tuple[float, float]
    accuracy: float | None
    accuracy_interval: tuple[float, float] | None


def answer_threshold(
    chances: NDArray[np.float64], correct: NDArray[np.bool_], wanted_accuracy: float
) -> float:
    """Return the lowest chance from which answers are right as often as wanted.

    Args:
        chances: float64 (n,), chance of each answer, out of fold.
        correct: bool (n,), whether it was right.
        wanted_accuracy: Share of the given answers that shall be right.

    Returns:
        At least ``LOWEST_THRESHOLD``; ``NO_ANSWER`` if no line gives that share.

    Raises:
        ValueError: There are no answers, or not one chance for each.
    """
    if not len(chances) or chances.shape != correct.shape:
        raise ValueError("a threshold is drawn through one chance for each of some answers")
    order = np.argsort(-chances, kind="stable")
    ordered = chances[order]
    share = np.cumsum(correct[order]) / np.arange(1, len(ordered) + 1)
    # Answers of the same chance are given together or not at all.
    last_of_its_chance = np.append(ordered[1:] < ordered[:-1], True)
    possible = last_of_its_chance & (ordered >= LOWEST_THRESHOLD) & (share >= wanted_accuracy)
    if not possible.any():
        return NO_ANSWER
    lowest = int(np.flatnonzero(possible).max())
    if not (ordered[lowest + 1 :] >= LOWEST_THRESHOLD).any():
        return LOWEST_THRESHOLD
    return min(float(ordered[lowest]), HIGHEST_THRESHOLD)


def reached(
    chances: NDArray[np.float64], thresholds: NDArray[np.float64] | float
) -> NDArray[np.bool_]:
    """Return which chances (..., k) reach their thresholds (k,), or one for all."""
    return np.asarray((chances >= thresholds) & (np.asarray(thresholds) < NO_ANSWER))


def answers(chances: NDArray[np.float64], correct: NDArray[np.bool_], threshold: float) -> Answers:
    """Return how many answers reach a threshold and how many of them are right.

    Args:
        chances: float64 (n,), chance of each answer; n at least 1.
        correct: bool (n,), whether it was right.
        threshold: From ``answer_threshold``.
    """
    is_given = reached(chances, threshold)
    given, total = int(is_given.sum()), len(chances)
    right = int(correct[is_given].sum())
    return Answers(
        threshold=threshold,
        given=given,
        total=total,
        coverage=given / total,
        coverage_interval=wilson_interval(given, total),
        accuracy=right / given if given else None,
        accuracy_interval=wilson_interval(right, given) if given else None,
    )
