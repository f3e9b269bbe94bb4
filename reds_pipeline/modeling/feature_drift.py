"""Whether what a backbone sees in the photographs changes with the time of posting (R-IMP-8).

What belongs here: how far each month lies from all, and how well old pictures can be told from
new ones. What does not: how near all of them are to what the backbone knows (``domain_shift``),
and drawing (``domain_shift_figure``).

With enough pictures any two months differ "significantly", so sizes of effects are reported and
chance is drawn beside them. Pictures of one person in one month come and go together: they are
one unit, not many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_COMPARED = 2000
"""Pictures whose features are compared over time at most, the same share of every month."""

FEWEST_IN_A_PERIOD = 20
FEWEST_UNITS = 10
"""Authors on either side, below which one person's habits would pass for a change of times."""

MOST_COMPONENTS = 50
"""Directions in which times are told apart at most; with as many as pictures any two can be."""

BEYOND_BY_CHANCE = 0.05
"""Share of the periods that lie beyond ``Period.chance`` where nothing drifts."""

_PERMUTATIONS = 200
_BOOTSTRAPS = 200
_FOLDS = 5


Features = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Period:
    """Months next to one another that hold enough pictures together.

    Attributes:
        first: The first month, such as ``2026-03``.
        last: The last one, often the same.
        pictures: Pictures posted in them.
        distance: How far their centre is from that of all pictures, class by class, as a share
            of the spread of pictures within a class: 1 would be as far as a picture typically
            is from the centre of its class.
        chance: The distance that chance stays below in 95 of 100 shufflings of the months.
    """

    first: str
    last: str
    pictures: int
    distance: float
    chance: float

    @property
    def name(self) -> str:
        """The months in words."""
        return self.first if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class OldAgainstNew:
    """How well a classifier tells the oldest third of the pictures from the newest.

    Attributes:
        auc: Area under its ROC curve, out of fold: 0.5 for no difference at all, 1 for a
            complete one.
        low: Lower end of the 95 % bootstrap interval over authors.
        high: Its upper end.
        p_value: Two-sided Mann-Whitney test between the authors' mean answers. With many authors
            it is small however little has changed; go by ``auc``.
        pictures: Pictures compared.
    """

    auc: float
    low: float
    high: float
    p_value: float
    pictures: int


def monthly_drift(
    features: Features,
    labels: Sequence[str],
    groups: Sequence[str],
    created_at: Sequence[str],
    *,
    seed: int,
) -> tuple[Period, ...]:
    """Measure how the features of the same classes move with the month of posting.

    The class's centre is taken off first, so that a month with more cats is no shift. Chance is
    what shuffling the months among units (an author in a month) gives.

    Args:
        features: (n, d).
        labels: Class of each picture.
        groups: Author or cluster of each picture.
        created_at: When each was posted, ISO 8601.
        seed: Of the sample and the shuffling.

    Returns:
        Periods of at least ``FEWEST_IN_A_PERIOD`` pictures, oldest first; none if all pictures
        make one period only.
    """
    months = np.asarray([moment[:7] for moment in created_at])
    period_of, spans = _periods(months)
    if len(spans) < 2:
        return ()
    generator = np.random.default_rng(seed)
    rows = _sample(np.arange(len(months)), MOST_COMPARED, generator)
    rests = within_classes(features[rows], np.asarray(labels, dtype=str)[rows])
    spread = float(np.sqrt((rests.astype(np.float64) ** 2).sum(axis=1).mean()))
    cells = np.stack([np.asarray(groups, dtype=str)[rows], period_of[rows].astype(str)])
    _, first, unit = np.unique(cells, axis=1, return_index=True, return_inverse=True)
    unit_sums, unit_sizes = _sums(rests, unit, len(first)), np.bincount(unit)
    period_of_unit = period_of[rows][first]
    distances = _distances(unit_sums, unit_sizes, period_of_unit, len(spans))
    shuffled = [
        _distances(unit_sums, unit_sizes, generator.permutation(period_of_unit), len(spans))
        for _ in range(_PERMUTATIONS)
    ]
    chance = np.quantile(np.stack(shuffled), 1 - BEYOND_BY_CHANCE, axis=0)
    sizes = np.bincount(period_of, minlength=len(spans))
    scale = spread or 1.0
    return tuple(
        Period(*span, int(size), float(distance / scale), float(limit / scale))
        for span, size, distance, limit in zip(spans, sizes, distances, chance, strict=True)
    )


def old_against_new(
    features: Features,
    labels: Sequence[str],
    groups: Sequence[str],
    created_at: Sequence[str],
    *,
    seed: int,
) -> OldAgainstNew | None:
    """Measure how well the oldest third of the pictures can be told from the newest.

    The classifier sees what remains of the features once the centre of the class is taken off,
    and is asked about authors it has not seen, or it would know people instead of times. A group
    that posted at both times belongs to the time at which it posted more.

    Args:
        features: (n, d).
        labels: Class of each picture.
        groups: Author or cluster of each picture.
        created_at: When each was posted, ISO 8601.
        seed: Of the sample, the folds and the bootstrap.

    Returns:
        None with fewer than ``FEWEST_UNITS`` authors at either time.
    """
    from scipy.stats import mannwhitneyu

    generator = np.random.default_rng(seed)
    units = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    rows, is_new = _thirds(np.asarray(created_at), units)
    kept = _sample(np.arange(len(rows)), MOST_COMPARED, generator)
    rows, is_new = rows[kept], is_new[kept]
    unit = np.unique(units[rows], return_inverse=True)[1]
    new_unit = np.bincount(unit, is_new) > 0
    if min(new_unit.sum(), (~new_unit).sum()) < FEWEST_UNITS:
        return None
    rests = within_classes(features[rows], np.asarray(labels, dtype=str)[rows])
    answers = _out_of_fold_answers(rests, is_new, unit, seed)
    wins = wins_of_units(answers, is_new, unit, new_unit)
    sizes = np.bincount(unit)
    everyone = np.ones((1, len(sizes)), np.int64)
    drawn = generator.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), _BOOTSTRAPS)
    auc = float(areas_under_curve(wins, sizes, new_unit, everyone)[0])
    low, high = np.nanquantile(areas_under_curve(wins, sizes, new_unit, drawn), [0.025, 0.975])
    means = np.bincount(unit, answers) / np.bincount(unit)
    p_value = mannwhitneyu(means[new_unit], means[~new_unit]).pvalue
    return OldAgainstNew(auc, float(low), float(high), float(p_value), len(rows))


def wins_of_units(
    answers: NDArray[np.float64],
    is_new: NDArray[np.bool_],
    unit: NDArray[np.int64],
    new_unit: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return (new units, old units): pairs of pictures in which the new one is taken for newer.

    With these every bootstrap sample of units has its area under the curve in a few products.
    """
    new, old = answers[is_new][:, None], answers[~is_new][None, :]
    pairs = ((new > old) + 0.5 * (new == old)).astype(np.float32)
    number = np.where(new_unit, np.cumsum(new_unit), np.cumsum(~new_unit)) - 1
    by_new = _sums(pairs, number[unit[is_new]], int(new_unit.sum()))
    by_both = _sums(by_new.T, number[unit[~is_new]], int((~new_unit).sum()))
    return by_both.T.astype(np.float64)


def areas_under_curve(
    wins: NDArray[np.float64],
    sizes: NDArray[np.int64],
    new_unit: NDArray[np.bool_],
    times_drawn: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return (b,): the area under the curve of each way (b, units) to draw the units.

    It is the share of pairs of a new and an old picture in which the new one is taken for newer;
    NaN for a sample without one side.
    """
    new, old = times_drawn[:, new_unit], times_drawn[:, ~new_unit]
    pairs = (new @ sizes[new_unit]) * (old @ sizes[~new_unit])
    won = ((new @ wins) * old).sum(axis=1)
    return np.where(pairs > 0, won / np.maximum(pairs, 1), np.nan)


def _periods(months: NDArray[np.str_]) -> tuple[NDArray[np.int64], list[tuple[str, str]]]:
    """Join months until each period holds enough pictures; what is left joins the last one."""
    names, month_of, counts = np.unique(months, return_inverse=True, return_counts=True)
    period_of_month = np.zeros(len(names), np.int64)
    period, held = 0, 0
    for number, count in enumerate(counts):
        if held >= FEWEST_IN_A_PERIOD and counts[number:].sum() >= FEWEST_IN_A_PERIOD:
            period, held = period + 1, 0
        period_of_month[number] = period
        held += int(count)
    spans = []
    for number in range(period + 1):
        inside = names[period_of_month == number]
        spans.append((str(inside[0]), str(inside[-1])))
    return period_of_month[month_of], spans


def _thirds(
    created_at: NDArray[np.str_], units: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the pictures of the oldest and the newest third, and which of them are new."""
    order = np.argsort(created_at, kind="stable")
    third = len(order) // 3
    if third == 0:
        return np.empty(0, np.int64), np.empty(0, bool)
    rows = np.concatenate([order[:third], order[-third:]])
    is_new = np.arange(len(rows)) >= third
    unit = np.unique(units[rows], return_inverse=True)[1]
    mostly_new = np.bincount(unit, is_new) * 2 > np.bincount(unit)
    belongs = mostly_new[unit] == is_new
    return rows[belongs], is_new[belongs]


def within_classes(features: Features, names: NDArray[np.str_]) -> NDArray[np.float32]:
    """Return features of unit length with the centre of their class taken off."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    rests = (features / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    for name in np.unique(names):
        mine = names == name
        rests[mine] -= rests[mine].mean(axis=0)
    return rests


def _sums(values: NDArray[np.float32], unit: NDArray[np.int64], units: int) -> NDArray[np.float32]:
    """Return (units, d): the sum of the rows of each unit."""
    from scipy.sparse import csr_array

    ones = np.ones(len(unit), np.float32)
    belongs = csr_array((ones, (unit, np.arange(len(unit)))), shape=(units, len(unit)))
    return np.asarray(belongs @ values)


def _distances(
    unit_sums: NDArray[np.float32],
    unit_sizes: NDArray[np.int64],
    period_of_unit: NDArray[np.int64],
    periods: int,
) -> NDArray[np.float64]:
    """Return (periods,): lengths of the mean rest of each period."""
    sums = _sums(unit_sums, period_of_unit, periods).astype(np.float64)
    sizes = np.bincount(period_of_unit, unit_sizes, minlength=periods)
    means = sums / np.maximum(sizes, 1)[:, None]
    return np.asarray(np.linalg.norm(means, axis=1))


def _out_of_fold_answers(
    rests: NDArray[np.float32], is_new: NDArray[np.bool_], unit: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """Return (n,) decision values, each by a classifier that had not seen the author."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    components = min(MOST_COMPONENTS, rests.shape[1], len(rests) // 10)
    classifier = make_pipeline(
        PCA(components, svd_solver="randomized", random_state=seed),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )
    folds = StratifiedGroupKFold(n_splits=_FOLDS, shuffle=True, random_state=seed)
    answers = cross_val_predict(
        classifier, rests, is_new, groups=unit, cv=folds, method="decision_function"
    )
    return np.asarray(answers, np.float64)


def _sample(
    rows: NDArray[np.int64], most: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return at most ``most`` of the rows, in order."""
    if len(rows) <= most:
        return rows
    return np.sort(generator.choice(rows, most, replace=False))
