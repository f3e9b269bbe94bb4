"""The choice of C inside the training folds, and the fits that follow from it.

What belongs here: nested cross-validation over a grid of penalties, for any targets and any
measure. What does not: solving (``linear_svm``), or measuring what comes out
(``cross_validation``).

To choose C for outer fold i, each other fold j is predicted by the fit without {i, j}; the choice
for the final fit looks at each fold i predicted by the fit without i. The fit without {i, j}
serves both fold i and fold j, so that five folds need 10 + 5 fits for each penalty and not 25 + 5.
No fold has a say in the C of the fit that predicts it (nested cross-validation: Varma and Simon,
"Bias in error estimation when using cross-validation for model selection", BMC Bioinformatics 7,
2006).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.blas_threads import one_blas_thread
from reds_pipeline.modeling.linear_svm import LinearFits, LinearProblem
from reds_pipeline.modeling.training_only import FoldedRows

_INNER_REDUCTION = 1e-3
"""Of the fits that only choose C: about one answer in 5,000 is another than at the minimum."""

Score = Callable[[NDArray[np.float64], NDArray[np.bool_]], float]
"""Of decision values (m, k) against targets (m, k); higher is better."""


@dataclass(frozen=True, eq=False)
class FoldFits:
    """The fits along a split.

    Attributes:
        penalties: The p values of C that were tried, ascending.
        inner_scores: float64 (folds, p), mean score inside the training folds of each fold.
        final_scores: float64 (p,), mean score over the folds.
        fold_C: C of each fold's fit.
        final_C: C of the final fit.
        decisions: float64 (n, k), each training row's values by the fit that has not seen it;
            NaN for the rows of no fold.
        inner_decisions: float64 (folds + 1, n, k), for calibration: row i has what fold i's
            choice looked at, the values of the other folds' rows inside the training folds at
            its C; the last has the same for the final fit, all folds' rows. NaN elsewhere.
            Values at different C have different scales, so that those of ``decisions`` cannot be
            calibrated together.
        final: One subset, one penalty: the fit on all training rows.
        fold_seconds: Wall-clock time of the folds' fits at the chosen C, evenly divided.
        choice_seconds: Of the choice.
        final_seconds: Of the final fit.
        converged: Whether the fits of folds and all training rows are minima.
    """

    penalties: tuple[float, ...]
    inner_scores: NDArray[np.float64]
    final_scores: NDArray[np.float64]
    fold_C: tuple[float, ...]  # noqa: N815 - C is its name in the field.
    final_C: float  # noqa: N815
    decisions: NDArray[np.float64]
    inner_decisions: NDArray[np.float64]
    final: LinearFits
    fold_seconds: tuple[float, ...]
    choice_seconds: float
    final_seconds: float
    converged: bool


def fit_folds(
    features: NDArray[np.floating[Any]],
    targets: NDArray[np.bool_],
    fold: NDArray[np.integer[Any]],
    penalties: Sequence[float],
    score: Score,
    *,
    only_trained: FoldedRows | None = None,
) -> FoldFits:
    """Choose C inside the folds, then fit each fold's complement and all training rows.

    Args:
        features: float (n, d).
        targets: bool (n, k).
        fold: int (n,), the fold in which a row is predicted, -1 for a test row.
        penalties: What C is chosen among.
        score: What the choice maximises; of equal ones the smallest C is taken.
        only_trained: Further rows to fit on, which nothing is predicted for or scored with.
    """
    with one_blas_thread():
        return _fit_folds(
            features, targets, fold, tuple(sorted(penalties)), score, only_trained=only_trained
        )


def _fit_folds(
    features: NDArray[np.floating[Any]],
    targets: NDArray[np.bool_],
    fold: NDArray[np.integer[Any]],
    grid: tuple[float, ...],
    score: Score,
    *,
    only_trained: FoldedRows | None,
) -> FoldFits:
    folds = int(fold.max()) + 1
    began = time.perf_counter()
    left_out = [*combinations(range(folds), 2), *((number,) for number in range(folds)), ()]
    problem = _problem(features, targets, fold, left_out, only_trained)
    inner = problem.path(range(len(left_out) - 1), grid, _INNER_REDUCTION)
    questions = [
        (row, asked, _chooser(some, asked, folds))
        for row, some in enumerate(left_out)
        for asked in some
    ]
    scores = np.full((folds + 1, folds, len(grid)), np.nan)
    for row, asked, chooser in questions:
        held_out = fold == asked
        values = inner.path_values(row, features[held_out])
        scores[chooser, asked] = [score(some, targets[held_out]) for some in values]
    # A fold has no score of its own in the choice that it is to judge.
    mean_scores = np.nanmean(scores, axis=1)
    # argmax takes the first of equals: the smallest C, the widest margin.
    choice = mean_scores.argmax(axis=1)
    inner_decisions = np.full((folds + 1, *targets.shape), np.nan)
    for row, asked, chooser in questions:
        held_out = fold == asked
        values = inner.decision_values(row, int(choice[chooser]), features[held_out])
        inner_decisions[chooser, held_out] = values
    chosen = time.perf_counter()
    penalty_of = tuple(grid[column] for column in choice)
    fits, seconds = _exact_fits(problem, inner, choice, grid)
    decisions = np.full(targets.shape, np.nan)
    for number in range(folds):
        held_out = fold == number
        decisions[held_out] = fits[number].decision_values(0, 0, features[held_out])
    return FoldFits(
        penalties=grid,
        inner_scores=mean_scores[:folds],
        final_scores=mean_scores[folds],
        fold_C=penalty_of[:folds],
        final_C=penalty_of[folds],
        decisions=decisions,
        inner_decisions=inner_decisions,
        final=fits[folds],
        fold_seconds=tuple(seconds[:folds]),
        choice_seconds=chosen - began,
        final_seconds=seconds[folds],
        converged=all(bool(one.converged.all()) for one in fits),
    )


def _problem(
    features: NDArray[np.floating[Any]],
    targets: NDArray[np.bool_],
    fold: NDArray[np.integer[Any]],
    left_out: Sequence[tuple[int, ...]],
    only_trained: FoldedRows | None,
) -> LinearProblem:
    """Return the problem of which each subset lacks some folds."""
    sample_weights = None
    if only_trained is not None:
        sample_weights = np.concatenate([np.ones(len(targets)), only_trained.sample_weights])
        features = np.concatenate([features, only_trained.features])
        targets = np.concatenate([targets, only_trained.targets])
        fold = np.concatenate([fold, only_trained.fold])
    subsets = np.stack([(fold >= 0) & ~np.isin(fold, some) for some in left_out])
    return LinearProblem(features, targets, subsets, sample_weights=sample_weights)


def _chooser(left_out: tuple[int, ...], asked: int, folds: int) -> int:
    """Return which choice a fit has a say in: that of the other fold it was fitted without.

    The fit without one fold alone has it in the final choice, which comes after the folds'.
    """
    others = [number for number in left_out if number != asked]
    return others[0] if others else folds


def _exact_fits(
    problem: LinearProblem,
    inner: LinearFits,
    choice: NDArray[np.intp],
    grid: tuple[float, ...],
) -> tuple[list[LinearFits], list[float]]:
    """Return the fit without each fold, then that of all, each at its C, and their times.

    Those of the same C are solved together, from where the choice left them, and share the time.
    """
    folds = len(choice) - 1
    first = problem.subsets - len(choice)
    fits: dict[int, LinearFits] = {}
    seconds: dict[int, float] = {}
    for column in np.unique(choice).tolist():
        members = np.flatnonzero(choice == column).tolist()
        began = time.perf_counter()
        near = inner.weights[first:, column]
        near = np.concatenate([near, near.mean(axis=0, keepdims=True)])
        solved, reached = problem.solve(
            [first + member for member in members], grid[column], start=near[members]
        )
        for place, member in enumerate(members):
            some = slice(place, place + 1)
            fits[member] = problem.fits(solved[some, None], reached[some, None], [first + member])
        each = (time.perf_counter() - began) / len(members)
        seconds |= dict.fromkeys(members, each)
    return [fits[number] for number in range(folds + 1)], [
        seconds[number] for number in range(folds + 1)
    ]
