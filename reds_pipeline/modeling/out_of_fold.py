"""What a head says of each picture that it has not been fitted on.

What belongs here: chances for every picture of a data set, from heads that saw neither it nor
anything of its group. What does not: what the chances say about labels (``label_issues``), or
measuring heads (``cross_validation``, which keeps a test part away; here every picture needs an
answer, so there is none).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.calibration import fit_temperature, probabilities
from reds_pipeline.modeling.heads import USUAL_C, one_against_rest, one_column_a_class
from reds_pipeline.modeling.linear_svm import fit_squared_hinge

FOLDS = 5

MOST_FITTED = 20_000
"""Pictures that a head is fitted on at most; a linear head has nothing more to learn from the
others, which are only asked about. The heads of all folds together look at a quarter more, some
0.4 GB with 1,280 features."""


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Chances of all pictures that could be judged.

    Attributes:
        classes: The k judged classes, sorted, in the order of the columns.
        judged: bool (n,), whether the picture's class could be spread over the folds.
        chances: float64 (n, k), rows that add up to 1; NaN where not judged.
        unjudged: For each class left out, in how many groups its pictures are.
    """

    classes: tuple[str, ...]
    judged: NDArray[np.bool_]
    chances: NDArray[np.float64]
    unjudged: dict[str, int]


def out_of_fold_chances(
    features: NDArray[np.floating[Any]],
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    seed: int,
    folds: int = FOLDS,
    most_fitted: int = MOST_FITTED,
) -> OutOfFold:
    """Ask about each picture the head that was fitted without its group.

    A picture of the same author, or another copy of the same photograph, would vouch for a wrong
    label that both carry; therefore a group stays together (R-EXP-2). A class in fewer groups
    than there are folds cannot be learnt without the pictures it is asked about and is left out
    on both sides, with its pictures.

    Args:
        features: (n, d), finite.
        labels: Class of each picture.
        groups: Group of each picture: what must not be on both sides.
        seed: Of the folds, and of which pictures are fitted on where there are too many.
        folds: Number of folds.
        most_fitted: Pictures that a head is fitted on at most, divided among the classes evenly.

    Returns:
        Chances under one temperature for all folds. With fewer than two classes left nothing is
        judged.
    """
    names = np.asarray(labels, dtype=str)
    units = np.asarray(groups, dtype=str)
    unjudged = _in_too_few_groups(names, units, folds)
    judged = ~np.isin(names, list(unjudged))
    classes = np.unique(names[judged])
    if len(classes) < 2:
        unjudged |= {str(name): _groups_of(name, names, units) for name in classes}
        nobody = np.zeros(len(names), bool)
        return OutOfFold((), nobody, np.empty((len(names), 0)), unjudged)
    fold = _grouped_folds(names[judged], units[judged], folds, seed)
    decisions = _decisions(features[judged], names[judged], fold, seed, most_fitted)
    temperature = fit_temperature(decisions, names[judged].tolist(), classes.tolist())
    chances = np.full((len(names), len(classes)), np.nan)
    chances[judged] = probabilities(decisions, temperature)
    return OutOfFold(tuple(classes.tolist()), judged, chances, unjudged)


def _in_too_few_groups(
    names: NDArray[np.str_], units: NDArray[np.str_], folds: int
) -> dict[str, int]:
    available = {str(name): _groups_of(name, names, units) for name in np.unique(names)}
    return {name: count for name, count in available.items() if count < folds}


def _groups_of(name: str, names: NDArray[np.str_], units: NDArray[np.str_]) -> int:
    return len(np.unique(units[names == name]))


def _grouped_folds(
    names: NDArray[np.str_], units: NDArray[np.str_], folds: int, seed: int
) -> NDArray[np.int64]:
    """Return the fold of each picture, the same throughout a group."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    fold = np.zeros(len(names), np.int64)
    for number, (_, held_out) in enumerate(splitter.split(names, names, units)):
        fold[held_out] = number
    group_of = np.unique(units, return_inverse=True)[1]
    together = np.unique(np.stack([group_of, fold]), axis=1).shape[1]
    if together != group_of.max() + 1:
        raise AssertionError("a group of pictures is in two folds")
    return fold


def _decisions(
    features: NDArray[np.floating[Any]],
    names: NDArray[np.str_],
    fold: NDArray[np.int64],
    seed: int,
    most_fitted: int,
) -> NDArray[np.float64]:
    """Return float64 (n, k), by the head fitted on the other folds."""
    classes, targets = one_against_rest(names.tolist())
    order = np.random.default_rng(seed).permutation(len(names))
    numbers = np.unique(fold)
    fitted_on = np.stack(
        [
            _first_of_each(names, fold != number, order, most_fitted // len(classes))
            for number in numbers
        ]
    )
    if any(len(np.unique(names[some])) < len(classes) for some in fitted_on):
        raise AssertionError("a head was fitted without some class")
    fits = fit_squared_hinge(features, targets, fitted_on, [USUAL_C])
    decisions = np.empty(targets.shape)
    for place, number in enumerate(numbers):
        asked = np.flatnonzero(fold == number)
        for start in range(0, len(asked), most_fitted):
            some = asked[start : start + most_fitted]
            decisions[some] = fits.decision_values(place, 0, features[some])
    return one_column_a_class(decisions)


def _first_of_each(
    names: NDArray[np.str_], allowed: NDArray[np.bool_], order: NDArray[np.int64], most: int
) -> NDArray[np.bool_]:
    """Return bool (n,): of each class the first ``most`` allowed ones in an order.

    One order for all folds, so that their heads look at the same rows as far as they may.
    """
    chosen = np.zeros(len(names), bool)
    for name in np.unique(names):
        candidates = order[allowed[order] & (names[order] == name)]
        chosen[candidates[:most]] = True
    return chosen
