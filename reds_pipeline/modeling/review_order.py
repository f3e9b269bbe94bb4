"""Why a picture is up for review, and which one a person should look at first.

What belongs here: reasons and ranks from scores. What does not: the scores (``label_issues``,
``outliers``), or what a person decided.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LABEL = "label"
"""The label is probably wrong."""

NEAR_CLASS = "near_class"
"""The head would say another class, but is torn between the two."""

OUTLIER = "outlier"
"""Unlike all classes."""

NOTHING = ""

_ORDER = (LABEL, NEAR_CLASS, OUTLIER, NOTHING)


def reasons(
    suspect: NDArray[np.bool_], guessed_otherwise: NDArray[np.bool_], outlier: NDArray[np.bool_]
) -> list[str]:
    """Return the first reason that holds for each picture, in the order above."""
    chosen = np.select([suspect, guessed_otherwise, outlier], [LABEL, NEAR_CLASS, OUTLIER], NOTHING)
    return [str(reason) for reason in chosen]


def review_ranks(
    why: Sequence[str],
    label_quality: NDArray[np.float64],
    outlier_score: NDArray[np.float64],
    keys: Sequence[str],
) -> NDArray[np.int64]:
    """Return int64 (n,): 0 for the picture to look at first, then 1, 2 and so on.

    Suspects come first, then near-class confusions, then outliers, then the rest. Outliers go by
    their score, all others by label quality, the lowest first and those without any last; the
    key decides between equals, so that the order of the pictures given does not matter.

    Args:
        why: Reason of each picture, as ``reasons`` gives it.
        label_quality: float64 (n,), from 0 (bad) to 1; NaN where it is not known.
        outlier_score: float64 (n,).
        keys: Name of each picture, all different.
    """
    stage = np.array([_ORDER.index(reason) for reason in why], np.int64)
    unknown_last = np.where(np.isnan(label_quality), np.inf, label_quality)
    within = np.where(stage == _ORDER.index(OUTLIER), -outlier_score, unknown_last)
    names = np.asarray(keys, dtype=str)
    ranks = np.empty(len(names), np.int64)
    ranks[np.lexsort((names, -outlier_score, within, stage))] = np.arange(len(names))
    return ranks
