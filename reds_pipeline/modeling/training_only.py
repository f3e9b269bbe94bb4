"""Pictures that heads learn from and that never say how good a head is.

What belongs here: what is known of such pictures, and which fold each stays out of. What does
not: where they come from and how much they count (``feedback.labels``, ``feedback.weights``), or
fitting (``choose_c``).

A label that a model had a part in, such as a suggestion that somebody accepted, agrees with models
more often than it should. Measured on such labels a model looks better than it is, and one that
learns from its own answers looks better every week. So these pictures train and do nothing else:
folds and test consist of the same pictures, in the same folds, with and without them (R-IMP-6).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.splits import Split

NOWHERE = -1
"""In place of a fold: a picture that no head may learn from, for its group is in the test."""


@dataclass(frozen=True, eq=False)
class TrainingOnly:
    """The m pictures that only ever train.

    Attributes:
        features: float (m, d).
        labels: Class of each.
        groups: Group of each, named as those of the pictures that are measured.
        sample_weights: float64 (m,), above 0, how much each counts; a measured picture counts 1.

    Raises:
        ValueError: The lengths differ.
    """

    features: NDArray[np.floating[Any]]
    labels: Sequence[str]
    groups: Sequence[str]
    sample_weights: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check that each picture has one of everything."""
        lengths = {
            len(self.features),
            len(self.labels),
            len(self.groups),
            len(self.sample_weights),
        }
        if len(lengths) != 1:
            raise ValueError("a picture has one row of features, label, group and weight")

    def folds(self, split: Split, groups: Sequence[str]) -> NDArray[np.int64]:
        """Return int64 (m,), the fold whose head must not learn from each, or ``NOWHERE``.

        That is the fold of its group, and ``NOWHERE`` where its group tests (R-EXP-3). One whose
        group holds no measured picture could train everywhere; it gets a fold by its group's
        name, so that the heads of the folds learn from the same share of both kinds as the final
        one. Where a group is in several folds, as in the plain shuffle of ``report``, the
        picture trains nowhere.

        Args:
            split: Of the measured pictures.
            groups: Their groups.
        """
        fold_of: dict[str, int] = {}
        for group, fold in zip(groups, split.fold.tolist(), strict=True):
            fold_of[group] = fold if fold_of.get(group, fold) == fold else NOWHERE
        return np.array(
            [fold_of.get(group, zlib.crc32(group.encode()) % split.folds) for group in self.groups],
            np.int64,
        )


@dataclass(frozen=True, eq=False)
class FoldedRows:
    """Rows that only train, ready to be fitted.

    Attributes:
        features: float (m, d).
        targets: bool (m, k).
        fold: int (m,), the fold whose fit leaves the row out; none is below 0.
        sample_weights: float64 (m,), above 0.
    """

    features: NDArray[np.floating[Any]]
    targets: NDArray[np.bool_]
    fold: NDArray[np.integer[Any]]
    sample_weights: NDArray[np.float64]


def folded_rows(
    pictures: TrainingOnly, classes: Sequence[str], split: Split, groups: Sequence[str]
) -> FoldedRows | None:
    """Return the pictures that may train along a split, or None if there are none.

    A label that no measured picture has is no class of the head, and its pictures are left out.

    Args:
        pictures: All that there are.
        classes: Of the head, sorted; of two classes the target is the second.
        split: Of the measured pictures.
        groups: Their groups.
    """
    names = np.asarray(pictures.labels, dtype=str)
    fold = pictures.folds(split, groups)
    usable = (fold != NOWHERE) & np.isin(names, list(classes))
    if not usable.any():
        return None
    targets = names[usable, None] == np.asarray(classes)
    return FoldedRows(
        features=pictures.features[usable],
        targets=targets[:, 1:] if len(classes) == 2 else targets,
        fold=fold[usable],
        sample_weights=pictures.sample_weights[usable],
    )
