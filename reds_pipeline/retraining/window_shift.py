"""Whether new pictures look different from those that were learnt (R-IMP-5, R-IMP-8).

What belongs here: a classifier that tells two windows of time apart, and what it does where there
is nothing to tell. What does not: which pictures belong to which window (``new_pictures.py``),
drawing.

A classifier asked which of two sets a picture is from is a test of whether they differ (Lopez-Paz &
Oquab 2017), and on the representation that a model uses it is among the best at finding a change
that harms it (Rabanser, Günnemann & Lipton 2019). With many pictures any two windows differ
significantly, so its area under the curve is looked at, which is a size and not a probability.

As in ``modeling.feature_drift`` the centre of the class is taken off, and people are kept apart:
the classifier is asked about authors it has not seen. Both windows hold each class in the same
proportion, or more cats would pass for other pictures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.blas_threads import one_blas_thread
from reds_pipeline.modeling.feature_drift import (
    FEWEST_UNITS,
    MOST_COMPARED,
    MOST_COMPONENTS,
    areas_under_curve,
    wins_of_units,
    within_classes,
)

MOST_OLD_PER_NEW = 4
"""Old pictures compared with each new one at most; more would hardly narrow the interval."""

SPLITS_OF_THE_OLD = 20
"""Random splits of what was learnt that show what chance gives."""

CHANCE = 0.95
"""Share of them that stay below what is called beyond chance."""

_FOLDS = 5
_BOOTSTRAPS = 200

Features = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Pictures:
    """The pictures of one window of time.

    Attributes:
        features: (n, d).
        labels: Class of each.
        groups: Author or cluster of each.
    """

    features: Features
    labels: Sequence[str]
    groups: Sequence[str]


@dataclass(frozen=True, eq=False)
class _Points:
    """Pictures as points: (n, k), with class and author of each."""

    points: NDArray[np.float32]
    labels: NDArray[np.str_]
    unit: Integers

    def at(self, rows: Integers) -> _Points:
        """Return some of them."""
        return _Points(self.points[rows], self.labels[rows], self.unit[rows])


@dataclass(frozen=True)
class WindowShift:
    """How well new pictures can be told from old ones.

    Attributes:
        auc: Area under the curve, out of fold: 0.5 for no difference at all, 1 for a complete one.
        low: Lower end of its 95 % bootstrap interval over authors.
        high: Its upper end.
        baseline: Mean of what random splits of the old pictures' authors give.
        chance: What 95 of 100 of those stay below.
        old_pictures: Compared.
        new_pictures: Compared.
        new_authors: Who posted the new ones.
    """

    auc: float
    low: float
    high: float
    baseline: float
    chance: float
    old_pictures: int
    new_pictures: int
    new_authors: int


def window_shift(old: Pictures, new: Pictures, *, seed: int) -> WindowShift | None:
    """Measure how well new pictures can be told from old ones of the same classes.

    An author who posted at both times belongs to the time with more of the pictures.

    Args:
        old: What was learnt.
        new: What came later.
        seed: Of samples, splits, folds and bootstrap.

    Returns:
        None with fewer than ``FEWEST_UNITS`` authors at either time.
    """
    generator = np.random.default_rng(seed)
    labels = np.asarray([*old.labels, *new.labels], dtype=str)
    unit = np.unique([*old.groups, *new.groups], return_inverse=True)[1]
    is_new = np.arange(len(labels)) >= len(old.labels)
    belongs = np.flatnonzero(_side_of_units(unit, is_new)[unit] == is_new)
    rows = belongs[_matched(labels[belongs], is_new[belongs], generator)]
    if _fewest_units(unit[rows], is_new[rows]) < FEWEST_UNITS:
        return None
    rests = within_classes(np.concatenate([old.features, new.features]), labels)
    with one_blas_thread():
        everything = _Points(_projected(rests, len(rows), seed), labels, unit)
        auc, low, high = _area(everything.at(rows), is_new[rows], generator, seed)
        past = everything.at(np.flatnonzero(~is_new))
        chances = _areas_by_chance(past, is_new[rows], generator, seed)
    if not chances:
        return None
    return WindowShift(
        auc=auc,
        low=low,
        high=high,
        baseline=float(np.mean(chances)),
        chance=float(np.quantile(chances, CHANCE)),
        old_pictures=int((~is_new[rows]).sum()),
        new_pictures=int(is_new[rows].sum()),
        new_authors=len(np.unique(unit[rows][is_new[rows]])),
    )


def class_share_change(old: Sequence[str], new: Sequence[str]) -> float:
    """Return the total variation distance between the class shares of two windows, 0 to 1.

    Raises:
        ValueError: One of them holds no picture.
    """
    if not old or not new:
        raise ValueError("no pictures")
    before, after = Counter(old), Counter(new)
    return 0.5 * sum(
        abs(before[name] / len(old) - after[name] / len(new)) for name in {*before, *after}
    )


def _side_of_units(unit: Integers, is_new: Flags) -> Flags:
    """Return for each unit whether more than half of its pictures are new."""
    return np.asarray(np.bincount(unit, is_new) * 2 > np.bincount(unit))


def _matched(labels: NDArray[np.str_], is_new: Flags, generator: np.random.Generator) -> Integers:
    """Return places such that every class has the same share of both windows, in order."""
    names = np.unique(labels)
    mine = [np.flatnonzero(is_new & (labels == name)) for name in names]
    theirs = [np.flatnonzero(~is_new & (labels == name)) for name in names]
    sizes = [min(len(one), len(other)) for one, other in zip(mine, theirs, strict=True)]
    if not sum(sizes):
        return np.empty(0, np.int64)
    ratio = min(
        MOST_OLD_PER_NEW,
        *(len(other) / size for other, size in zip(theirs, sizes, strict=True) if size),
    )
    scale = min(1.0, MOST_COMPARED / sum(sizes) / max(ratio, 1))
    chosen = []
    for one, other, size in zip(mine, theirs, sizes, strict=True):
        chosen.append(generator.permutation(one)[: round(size * scale)])
        chosen.append(generator.permutation(other)[: round(size * scale * ratio)])
    return np.sort(np.concatenate(chosen))


def _fewest_units(unit: Integers, is_new: Flags) -> int:
    return min(len(np.unique(unit[is_new])), len(np.unique(unit[~is_new])))


def _projected(rests: NDArray[np.float32], compared: int, seed: int) -> NDArray[np.float32]:
    """Return the rests along the few directions in which pictures vary most, of unit spread.

    Which window a picture is of takes no part in it, so it is done once for all comparisons.
    """
    from sklearn.decomposition import PCA

    components = max(1, min(MOST_COMPONENTS, rests.shape[1], compared // 10))
    reduction = PCA(components, whiten=True, svd_solver="randomized", random_state=seed)
    return np.asarray(reduction.fit_transform(rests), np.float32)


def _area(
    all_points: _Points, is_new: Flags, generator: np.random.Generator, seed: int
) -> tuple[float, float, float]:
    """Return the area under the curve with its interval over authors."""
    unit = np.unique(all_points.unit, return_inverse=True)[1]
    new_unit = np.bincount(unit, is_new) > 0
    answers = _out_of_fold_answers(all_points, is_new, seed)
    wins = wins_of_units(answers, is_new, unit, new_unit)
    sizes = np.bincount(unit)
    drawn = generator.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), _BOOTSTRAPS)
    everyone = np.ones((1, len(sizes)), np.int64)
    area = float(areas_under_curve(wins, sizes, new_unit, everyone)[0])
    low, high = np.nanquantile(areas_under_curve(wins, sizes, new_unit, drawn), [0.025, 0.975])
    return area, float(low), float(high)


def _areas_by_chance(
    past: _Points, compared: Flags, generator: np.random.Generator, seed: int
) -> list[float]:
    """Return the areas that random splits of one window's authors give.

    They are of as many pictures as are ``compared``, new and old ones: chance is the larger the
    fewer they are.
    """
    from sklearn.metrics import roc_auc_score

    units = np.unique(past.unit)
    pictures = min(len(compared), len(past.unit))
    found = []
    for _ in range(SPLITS_OF_THE_OLD):
        order = generator.permutation(units)
        held = np.bincount(past.unit)[order].cumsum()
        taken, everyone = (
            order[: 1 + int(np.searchsorted(held, share * pictures))]
            for share in (compared.mean(), 1)
        )
        drawn = np.flatnonzero(np.isin(past.unit, everyone))
        is_new = np.isin(past.unit[drawn], taken)
        rows = _matched(past.labels[drawn], is_new, generator)
        if _fewest_units(past.unit[drawn[rows]], is_new[rows]) < _FOLDS:
            continue
        answers = _out_of_fold_answers(past.at(drawn[rows]), is_new[rows], seed)
        found.append(float(roc_auc_score(is_new[rows], answers)))
    return found


def _out_of_fold_answers(some: _Points, is_new: Flags, seed: int) -> NDArray[np.float64]:
    """Return (n,) decision values, each by a classifier that had not seen the author."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    centred = some.points.copy()
    for name in np.unique(some.labels):
        mine = some.labels == name
        centred[mine] -= centred[mine].mean(axis=0)
    classifier = LogisticRegression(max_iter=1000, class_weight="balanced")
    folds = StratifiedGroupKFold(n_splits=_FOLDS, shuffle=True, random_state=seed)
    answers = cross_val_predict(
        classifier, centred, is_new, groups=some.unit, cv=folds, method="decision_function"
    )
    return np.asarray(answers, np.float64)
