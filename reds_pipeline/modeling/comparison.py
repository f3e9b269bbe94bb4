"""Whether one model is better than another on the same pictures, and how sure that is.

What belongs here: comparing two models picture by picture, and what that means in a sentence.
What does not: tests on the accuracies of whole folds (``fold_tests.py``), or deciding which model
serves (``promotion.py``).

Pictures of one author or of one cluster of copies fall together, so the interval is a bootstrap
over whole groups; McNemar's test, which takes pictures for independent, stands beside it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.intervals import with_unseen_groups

SIGNIFICANCE = 0.05
CONFIDENCE = 0.95
RESAMPLES = 10_000


@dataclass(frozen=True)
class PairedComparison:
    """Two models on the same pictures, none of which either has learnt from.

    Attributes:
        first: Name of the one.
        second: Name of the other.
        pictures: How many were compared.
        groups: Of how many groups.
        first_accuracy: Share of the pictures that the first gets right, 0 to 1.
        second_accuracy: The same of the second.
        difference: The first accuracy less the second, -1 to 1.
        low: Lower end of the difference's 95 % interval.
        high: Upper end.
        first_only: How many pictures only the first gets right.
        second_only: How many only the second.
        mcnemar_p: Two-sided exact p of McNemar's test on those two counts.
        adjusted_p: The same, corrected when it is one of several comparisons.
    """

    first: str
    second: str
    pictures: int
    groups: int
    first_accuracy: float
    second_accuracy: float
    difference: float
    low: float
    high: float
    first_only: int
    second_only: int
    mcnemar_p: float
    adjusted_p: float

    @property
    def better(self) -> str | None:
        """The name of the better model; None when chance may have made the difference.

        Both have to say so: the interval over groups, and McNemar's test.
        """
        if self.adjusted_p >= SIGNIFICANCE or self.low <= 0 <= self.high:
            return None
        return self.first if self.difference > 0 else self.second

    @property
    def sentence(self) -> str:
        """What a person needs to know of it, in one sentence."""
        first_leads = self.difference >= 0
        ahead, behind = (self.first, self.second) if first_leads else (self.second, self.first)
        accuracies = (self.first_accuracy, self.second_accuracy)
        more, less = accuracies if first_leads else accuracies[::-1]
        low, high = (self.low, self.high) if first_leads else (-self.high, -self.low)
        evidence = (
            f"right on {_percent(more)} of the same {self.pictures} unseen pictures against "
            f"{_percent(less)}, a difference of {100 * abs(self.difference):.1f} points (95 % "
            f"interval {100 * low:.1f} to {100 * high:.1f}, {p_in_words(self.adjusted_p)})"
        )
        if self.better is None:
            return f"{ahead} and {behind} cannot be told apart: {ahead} is {evidence}."
        return f"{ahead} is better than {behind}: {evidence}, more than chance explains."


def compare_predictions(
    first_name: str,
    first_correct: NDArray[np.bool_],
    second_name: str,
    second_correct: NDArray[np.bool_],
    groups: Sequence[Hashable],
    *,
    seed: int = 0,
) -> PairedComparison:
    """Compare two models on the same pictures (R-EXP-9).

    Args:
        first_name: What people call the one.
        first_correct: bool (n,), whether it is right on each picture.
        second_name: What people call the other.
        second_correct: bool (n,), whether that one is.
        groups: Which pictures belong together, n names.
        seed: Of the bootstrap.

    Returns:
        The comparison. Where all pictures are of one group, the interval is -1 to 1, and where
        all groups agree, it says what so few can show: see ``with_unseen_groups``.

    Raises:
        ValueError: There is no picture, or the lengths differ.
    """
    first, second = np.asarray(first_correct, bool), np.asarray(second_correct, bool)
    if not len(first) or not len(first) == len(second) == len(groups):
        raise ValueError("two models are compared on the same pictures, one of them at least")
    first_only, second_only = int((first & ~second).sum()), int((second & ~first).sum())
    p_value = mcnemar(first_only, second_only)
    units = np.unique([str(group) for group in groups], return_inverse=True)[1]
    low, high = _interval(first.astype(np.int64) - second, units, seed)
    return PairedComparison(
        first=first_name,
        second=second_name,
        pictures=len(first),
        groups=int(units.max()) + 1,
        first_accuracy=float(first.mean()),
        second_accuracy=float(second.mean()),
        difference=(first_only - second_only) / len(first),
        low=low,
        high=high,
        first_only=first_only,
        second_only=second_only,
        mcnemar_p=p_value,
        adjusted_p=p_value,
    )


def mcnemar(first_only: int, second_only: int) -> float:
    """Return the two-sided exact p of McNemar's test (Psychometrika 12, 1947).

    Args:
        first_only: How many pictures only the one model gets right.
        second_only: How many only the other.
    """
    from scipy.stats import binomtest

    discordant = first_only + second_only
    return float(binomtest(first_only, discordant).pvalue) if discordant else 1.0


def adjusted_for_number(
    comparisons: Sequence[PairedComparison], made: int
) -> list[PairedComparison]:
    """Return comparisons whose ``adjusted_p`` accounts for how many could have been shown.

    By Holm's method (Scandinavian Journal of Statistics 6, 1979): the chance that any of them
    wrongly calls a model better stays below the level.

    Args:
        comparisons: Those that are shown.
        made: Of how many; more than are shown where the results themselves decided which are.
    """
    p_values = np.array([comparison.mcnemar_p for comparison in comparisons])
    order = np.argsort(p_values, kind="stable")
    factors = made - np.arange(len(p_values))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return [
        replace(comparison, adjusted_p=float(p_value))
        for comparison, p_value in zip(comparisons, adjusted, strict=True)
    ]


def p_in_words(p_value: float) -> str:
    """Return a p as people write it; below one in ten thousand nobody needs to know by how much."""
    return f"p = {p_value:.3g}" if p_value >= 0.0001 else "p < 0.0001"


def _interval(
    differences: NDArray[np.int64], units: NDArray[np.int64], seed: int
) -> tuple[float, float]:
    """Return the percentile interval of the mean difference, by a bootstrap over groups."""
    sums = np.bincount(units, weights=differences).astype(np.int64)
    sizes = np.bincount(units)
    # Groups of the same size and sum are alike to the mean, so it is enough to draw how often each
    # kind occurs: the same distribution at a cost that does not grow with the data set.
    kinds, counts = np.unique(np.stack([sums, sizes]), axis=1, return_counts=True)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(sizes), counts / counts.sum(), size=RESAMPLES)
    means = (drawn @ kinds[0]) / (drawn @ kinds[1])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return with_unseen_groups(
        float(low), float(high), sums.sum() / sizes.sum(), len(sizes), lowest=-1.0
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
