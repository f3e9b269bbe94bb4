"""Whether one backbone is better than another, and how sure that is.

What belongs here: statistics on the accuracies of folds, and their meaning in a sentence. What
does not: making the accuracies, or deciding which model serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SIGNIFICANCE = 0.05
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
class Comparison:
    """Two backbones' folds against each other.

    Attributes:
        first: Name of the one.
        second: Name of the other.
        u: The larger of the two Mann-Whitney U statistics: the number of pairs of folds, one of
            each, that the better one wins, a tie counting a half.
        p_value: Two-sided and exact: how often chance alone separates the lists so clearly.
        sentence: What that means.
    """

    first: str
    second: str
    u: float
    p_value: float
    sentence: str


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


def compare_folds(
    first_name: str, first: Sequence[float], second_name: str, second: Sequence[float]
) -> Comparison:
    """Compare two lists of fold accuracies by the Mann-Whitney test, as the report did.

    The p value is found by going through all ways to deal the accuracies out, which stays exact
    with ties (R-EXP-8). Folds share training images and are therefore not independent, so it is
    somewhat too small; the sentence does not claim more than the number allows.

    Raises:
        ValueError: A list is empty.
    """
    from scipy.stats import PermutationMethod, mannwhitneyu

    if not first or not second:
        raise ValueError("there are no folds to compare")
    pairs = len(first) * len(second)
    result = mannwhitneyu(first, second, method=PermutationMethod(n_resamples=MOST_PERMUTATIONS))
    first_wins = float(result.statistic)
    u = max(first_wins, pairs - first_wins)
    p_value = float(result.pvalue)
    means = {first_name: float(np.mean(first)), second_name: float(np.mean(second))}
    better, worse = (
        (first_name, second_name) if first_wins * 2 >= pairs else (second_name, first_name)
    )
    evidence = (
        f"cross-validated accuracy {means[better]:.3f} against {means[worse]:.3f}, "
        f"ahead in {u:g} of {pairs} pairs of folds, p = {p_value:.3g}"
    )
    if p_value < SIGNIFICANCE:
        sentence = f"{better} is better than {worse} ({evidence}: unlikely to be chance)."
    else:
        sentence = (
            f"{better} and {worse} cannot be told apart ({evidence}: chance alone often does "
            "as much)."
        )
    return Comparison(first_name, second_name, u, p_value, sentence)


def compare_to_best(folds: Mapping[str, Sequence[float]]) -> list[Comparison]:
    """Compare the backbone with the highest mean with each of the others, the best of them first.

    Args:
        folds: For each backbone its folds' accuracies.

    Returns:
        One comparison fewer than there are backbones.
    """
    ranked = sorted(folds, key=lambda name: -float(np.mean(folds[name])))
    return [compare_folds(ranked[0], folds[ranked[0]], other, folds[other]) for other in ranked[1:]]
