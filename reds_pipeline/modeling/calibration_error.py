"""Whether chances mean what they say.

What belongs here: the expected calibration error, how sure it is, and the bins of a reliability
diagram. What does not: making chances (``calibration``), or drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.intervals import wilson_interval, with_unseen_groups

BINS = 15
LEAST_IN_A_BIN = 20
DRAWS = 1000
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class CalibrationError:
    """How far chances are from what happens.

    Attributes:
        value: Expected calibration error: mean distance between chance and share of right
            answers, over bins of equally many answers.
        low: Lower end of its 95 % interval.
        high: Upper end.
        by_chance: What answers whose chances were exactly right would show on average, for so
            few pictures: the part of ``value`` that means nothing.
        answers: Number of answers.
    """

    value: float
    low: float
    high: float
    by_chance: float
    answers: int


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers of about the same chance.

    Attributes:
        lowest: Lowest chance in the bin.
        highest: Highest.
        chance: Mean.
        correct: Share of the answers that were right.
        correct_interval: Its 95 % Wilson interval.
        answers: Number of answers.
    """

    lowest: float
    highest: float
    chance: float
    correct: float
    correct_interval: tuple[float, float]
    answers: int


def reliability_bins(
    chances: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = BINS
) -> list[ReliabilityBin]:
    """Return bins of equally many answers, in ascending order of chance.

    Most answers of a good model have a chance near one; bins of equal width would leave the
    others with a handful each (Nguyen and O'Connor, "Posterior calibration and exploratory
    analysis for natural language processing models", EMNLP 2015). Equal chances share a bin.

    Args:
        chances: float64 (n,), chance of each answer; n at least 1.
        correct: bool (n,), whether it was right.
        bins: Wanted number; fewer where there would be fewer than ``LEAST_IN_A_BIN`` answers
            in each.

    Raises:
        ValueError: There are no answers, or not one chance for each.
    """
    places = _places(chances, correct, bins)
    rows = []
    for number in range(places.max() + 1):
        inside = places == number
        right, total = int(correct[inside].sum()), int(inside.sum())
        rows.append(
            ReliabilityBin(
                lowest=float(chances[inside].min()),
                highest=float(chances[inside].max()),
                chance=float(chances[inside].mean()),
                correct=right / total,
                correct_interval=wilson_interval(right, total),
                answers=total,
            )
        )
    return rows


def calibration_error(
    chances: NDArray[np.float64],
    correct: NDArray[np.bool_],
    groups: Sequence[str] | None = None,
    *,
    bins: int = BINS,
    seed: int = 0,
) -> CalibrationError:
    """Return the expected calibration error (Naeini, Cooper and Hauskrecht, AAAI 2015).

    The interval is the basic bootstrap's, which takes off some of what the noise in the bins
    adds; it is cut at zero. Only where it lies above ``by_chance`` are the chances shown to be
    off.

    Args:
        chances: float64 (n,), chance of each answer; n at least 1.
        correct: bool (n,), whether it was right.
        groups: Group of each answer; whole groups are drawn, as pictures of one author are not
            independent. None: every answer stands for itself.
        bins: Wanted number of bins, see ``reliability_bins``.
        seed: Of the draws.

    Raises:
        ValueError: There are no answers, or not one chance for each.
    """
    places = _places(chances, correct, bins)
    count = int(places.max()) + 1
    excess = chances - correct
    # The weight of a bin is its share of the answers and its distance a mean over it, so that the
    # number of answers in a bin falls out.
    summed = np.bincount(places, excess, count).astype(np.float64)
    value = float(np.abs(summed).sum() / len(chances))
    generator = np.random.default_rng(seed)
    units = (
        np.arange(len(chances))
        if groups is None
        else np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    )
    drawn = _bootstrap(places, excess, units, count, generator)
    upper, lower = np.quantile(drawn, [0.975, 0.025])
    low, high = with_unseen_groups(
        2 * value - float(upper), 2 * value - float(lower), value, int(units.max()) + 1
    )
    return CalibrationError(
        value=value,
        low=low,
        # All of the draws may lie higher than twice what was measured.
        high=max(low, high),
        by_chance=_by_chance(places, chances, count),
        answers=len(chances),
    )


def _places(
    chances: NDArray[np.float64], correct: NDArray[np.bool_], bins: int
) -> NDArray[np.int64]:
    """Return int64 (n,), the bin of each answer; every bin holds some."""
    if not len(chances) or chances.shape != correct.shape:
        raise ValueError("calibration is measured on one chance for each of some answers")
    wanted = max(1, min(bins, len(chances) // LEAST_IN_A_BIN))
    edges = np.quantile(chances, np.linspace(0, 1, wanted + 1)[1:-1])
    return np.asarray(
        np.unique(np.searchsorted(edges, chances, side="left"), return_inverse=True)[1], np.int64
    )


def _bootstrap(
    places: NDArray[np.int64],
    excess: NDArray[np.float64],
    units: NDArray[np.int64],
    count: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return float64 (DRAWS,), the error of as many groups drawn with replacement."""
    number = int(units.max()) + 1
    by_group = np.zeros((number, count))
    np.add.at(by_group, (units, places), excess)
    sizes = np.bincount(units, minlength=number)
    errors: list[NDArray[np.float64]] = []
    at_once = max(1, _CELLS_AT_ONCE // number)
    for start in range(0, DRAWS, at_once):
        some = min(at_once, DRAWS - start)
        drawn = generator.integers(0, number, (some, number)) + number * np.arange(some)[:, None]
        times = np.bincount(drawn.ravel(), minlength=some * number).reshape(some, number)
        errors.append(np.abs(times @ by_group).sum(axis=1) / (times @ sizes))
    return np.concatenate(errors)


def _by_chance(places: NDArray[np.int64], chances: NDArray[np.float64], count: int) -> float:
    """Return the mean error if every answer were right with exactly its chance.

    The sum of a bin's excess is then near normal with the summed variances of its answers, whose
    mean distance from zero is known.
    """
    spread = np.sqrt(np.bincount(places, chances * (1 - chances), count))
    return float(np.sqrt(2 / np.pi) * spread.sum() / len(chances))
