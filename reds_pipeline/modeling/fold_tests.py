"""What lists of fold accuracies say about two backbones, and how far each test may be trusted.

What belongs here: tests on the accuracies of folds, the numbers that the source report printed.
What does not: comparing the backbones picture by picture, which proves far more
(``comparison.py``).

The folds of two backbones are the same pictures, so the lists are paired, and any two folds are
learnt from with three quarters of their training pictures in common, so the entries of one list
are not independent. Only the corrected t test takes both into account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

MOST_PERMUTATIONS = 200_000
"""Above what ten against ten folds have (184,756), so that up to there p is exact."""


@dataclass(frozen=True)
class FoldStatistics:
    """Mean and variances of the accuracies of the folds.

    Attributes:
        mean: Arithmetic mean.
        var_ddof0: Sum of squared deviations divided by the number of folds, as the report did.
        var_ddof1: The same divided by the number less one, the unbiased estimate.
    """

    mean: float
    var_ddof0: float
    var_ddof1: float


@dataclass(frozen=True)
class FoldTests:
    """Two backbones' folds against each other; every p is two-sided.

    Attributes:
        folds: How many there are.
        u: The larger of the two Mann-Whitney U statistics: the number of pairs of folds, one of
            each, that the better one wins, a tie counting a half.
        mann_whitney_p: Exact; takes the folds for independent, which they are not.
        wilcoxon_p: Exact, of the signed ranks; with k folds it cannot fall below 2 / 2^k, which is
            0.0625 with five.
        corrected_t: Nadeau and Bengio's; positive when the first is better.
        corrected_t_p: Its p; None where all folds differ by exactly the same, which leaves no
            spread to judge by.
    """

    folds: int
    u: float
    mann_whitney_p: float
    wilcoxon_p: float
    corrected_t: float | None
    corrected_t_p: float | None


def fold_statistics(accuracies: Sequence[float]) -> FoldStatistics:
    """Return the mean and both variances (R-EXP-5, R-EXP-15).

    Raises:
        ValueError: There are fewer than two folds.
    """
    if len(accuracies) < 2:
        raise ValueError("the variance of fewer than two folds is not defined")
    return FoldStatistics(
        mean=float(np.mean(accuracies)),
        var_ddof0=float(np.var(accuracies)),
        var_ddof1=float(np.var(accuracies, ddof=1)),
    )


def compare_folds(first: Sequence[float], second: Sequence[float]) -> FoldTests:
    """Compare the accuracies of two backbones on the same folds (R-EXP-8, R-EXP-9).

    Args:
        first: Accuracy of each fold, 0 to 1.
        second: The other's on the same folds in the same order.

    Raises:
        ValueError: There are fewer than two folds, or not as many of both.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError("the same folds are compared, two of them at least")
    # Accuracies are shares of whole pictures: rounding keeps two that are equal equal.
    differences = np.round(np.asarray(first, np.float64) - np.asarray(second, np.float64), 12)
    corrected_t, corrected_t_p = _corrected_t(differences)
    u, mann_whitney_p = _mann_whitney(first, second)
    return FoldTests(
        folds=len(first),
        u=u,
        mann_whitney_p=mann_whitney_p,
        wilcoxon_p=_wilcoxon(differences),
        corrected_t=corrected_t,
        corrected_t_p=corrected_t_p,
    )


def _mann_whitney(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Return U and the exact p, found by dealing the accuracies out in all ways."""
    from scipy.stats import PermutationMethod, mannwhitneyu

    # Going through all deals stays exact with ties.
    result = mannwhitneyu(first, second, method=PermutationMethod(n_resamples=MOST_PERMUTATIONS))
    first_wins = float(result.statistic)
    return max(first_wins, len(first) * len(second) - first_wins), float(result.pvalue)


def _wilcoxon(differences: NDArray[np.float64]) -> float:
    """Return the exact p of the signed ranks, found by turning the signs in all ways."""
    from scipy.stats import PermutationMethod, wilcoxon

    if not differences.any():
        return 1.0
    # A difference of zero keeps its rank (Pratt), or the fewer folds would seem to prove more.
    result = wilcoxon(
        differences,
        zero_method="pratt",
        method=PermutationMethod(n_resamples=MOST_PERMUTATIONS),
    )
    return float(result.pvalue)


def _corrected_t(differences: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return the corrected resampled t and its p.

    The variance of the mean is enlarged by the size of a fold over that of its training part
    (Nadeau and Bengio, Machine Learning 52, 2003): 1 to k - 1 with k folds.
    """
    from scipy.stats import t

    folds = len(differences)
    variance = float(np.var(differences, ddof=1)) * (1 / folds + 1 / (folds - 1))
    # Below this only rounding is left of the spread.
    if variance < np.finfo(float).eps ** 2:
        return None, None
    statistic = float(np.mean(differences)) / sqrt(variance)
    return statistic, float(2 * t.sf(abs(statistic), folds - 1))
