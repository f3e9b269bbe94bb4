"""How fast the top tags change (R-IMP-5).

What belongs here: overlap of kept samples against the days between them, the share that is retained
beyond chance, and the half-life. What does not: making samples (``tag_samples.py``), measures of
overlap (``rank_overlap.py``), drawing.

Two samples of posts written at the same moment do not have the same top either: a top is a count,
and counts vary. So the overlap of halves of two samples is divided by that of the two halves of
each, as one corrects a correlation for attenuation (Spearman 1904): 1 is no change beyond chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.retraining.rank_overlap import jaccard, overlaps, rank_biased_overlap
from reds_pipeline.retraining.tag_samples import SPLITS, TOP_NAMES, Kind

HALF = 0.5

LEAST_FLOOR = 0.2
"""Overlap of a sample's own halves below which it is too small to say anything of others."""

COMPARED_RANKS = 20
"""How far down halves are compared.

A sample keeps the names that are common in it as a whole, so the far ends of its two halves agree
more than those of two samples can, which would pass for change: 8 % of it in made-up weeks without
any, where 20 ranks show 1 %.
"""

FEWEST_FOR_INTERVAL = 5
"""Samples below which drawing among them says nothing about those not taken."""

_BOOTSTRAPS = 200
_SECONDS_A_DAY = 86_400.0

Sample = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class PairOverlap:
    """Two samples compared.

    Attributes:
        older: Place of the older sample.
        newer: Place of the newer one.
        days: Between them.
        jaccard: Shared over all names of both tops.
        rank_biased: Their rank-biased overlap.
        retained: Rank-biased overlap of their halves over what chance leaves of it; 1 for no
            change.
    """

    older: int
    newer: int
    days: float
    jaccard: float
    rank_biased: float
    retained: float


@dataclass(frozen=True)
class Retention:
    """One point of the retention curve.

    Attributes:
        days: Between two samples, on average.
        pairs: How many pairs of samples lie about so many days apart.
        retained: Share of the top that is left, beyond chance: the fit that never rises.
        low: Lower end of the 95 % bootstrap interval over samples; None with too few.
        high: Its upper end.
    """

    days: float
    pairs: int
    retained: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class TagDrift:
    """How fast one kind of names changes.

    Attributes:
        samples: Samples that could be compared.
        left_out: Samples too small to compare.
        floor: Mean rank-biased overlap of two halves of one sample: what chance alone leaves.
        pairs: Every pair, the closest first.
        curve: The retention curve; empty with fewer than two samples.
        half_life_days: Where the curve falls below a half; None where it never does.
        half_life_low: Lower end of its 95 % interval; None where it cannot be told.
        half_life_high: Its upper end; None if it is longer than what was seen.
        days_seen: The longest time between two samples; None with fewer than two.
        last_retained: What the curve ends with; None with fewer than two.
    """

    samples: int
    left_out: int
    floor: float | None
    pairs: tuple[PairOverlap, ...]
    curve: tuple[Retention, ...]
    half_life_days: float | None
    half_life_low: float | None
    half_life_high: float | None
    days_seen: float | None
    last_retained: float | None


def tag_drift(samples: Sequence[Sample], kind: Kind, *, seed: int) -> TagDrift:
    """Compare all samples with one another.

    Args:
        samples: Rows of each kept sample, oldest sample first.
        kind: Which names.
        seed: Of the bootstrap.
    """
    rows = [[row for row in sample if row["kind"] == kind] for sample in samples]
    halves = _halves(rows)
    floors = np.array([_within(mine) for mine in halves])
    usable = np.flatnonzero(floors >= LEAST_FLOOR)
    pairs = sorted(
        (
            _pair(
                (number, other),
                (rows[usable[number]], rows[usable[other]]),
                (halves[usable[number]], halves[usable[other]]),
                float(np.sqrt(floors[usable[number]] * floors[usable[other]])),
            )
            for number, other in combinations(range(len(usable)), 2)
        ),
        key=lambda pair: pair.days,
    )
    curve = _with_intervals(pairs, len(usable), seed) if pairs else _Curve()
    return TagDrift(
        samples=len(usable),
        left_out=len(samples) - len(usable),
        floor=float(floors[usable].mean()) if len(usable) else None,
        pairs=tuple(pairs),
        curve=curve.points,
        half_life_days=curve.half_life,
        half_life_low=curve.low,
        half_life_high=curve.high,
        days_seen=pairs[-1].days if pairs else None,
        last_retained=curve.points[-1].retained if pairs else None,
    )


def half_life(days: NDArray[np.float64], retained: NDArray[np.float64]) -> float | None:
    """Return where a falling curve that begins with 1 at 0 days first reaches a half.

    Args:
        days: (n,), rising and above 0.
        retained: (n,), never rising.

    Returns:
        Days, between the points in proportion; None if it never falls so low.
    """
    below = np.flatnonzero(retained <= HALF)
    if not len(below):
        return None
    place = int(below[0])
    before = (0.0, 1.0) if place == 0 else (float(days[place - 1]), float(retained[place - 1]))
    fallen = before[1] - float(retained[place])
    return before[0] + (before[1] - HALF) / fallen * (float(days[place]) - before[0])


@dataclass(frozen=True)
class _Curve:
    """A retention curve with its half-life."""

    points: tuple[Retention, ...] = ()
    half_life: float | None = None
    low: float | None = None
    high: float | None = None


def _halves(samples: Sequence[Sample]) -> NDArray[np.int64]:
    """Return (samples, 2, splits, names): posts of each half with each name."""
    names = sorted({row["name"] for sample in samples for row in sample})
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(samples), 2, SPLITS, len(names)), np.int64)
    for number, sample in enumerate(samples):
        for row in sample:
            of_halves = np.asarray(row["posts_of_halves"]).reshape(SPLITS, 2)
            counts[number, :, :, place[row["name"]]] = of_halves.T
    return counts


def _within(halves: NDArray[np.int64]) -> float:
    """Return how much the halves of one sample (2, splits, names) agree: what chance leaves."""
    if not halves.any(axis=2).all():
        return 0.0
    return float(overlaps(halves[0], halves[1], depth=COMPARED_RANKS).mean())


def _pair(
    numbers: tuple[int, int],
    samples: tuple[Sample, Sample],
    halves: tuple[NDArray[np.int64], NDArray[np.int64]],
    floor: float,
) -> PairOverlap:
    older, newer = ({row["name"]: row["posts"] for row in sample} for sample in samples)
    # Other halves of the authors, so that one who posted at both times is compared with others.
    crossed = np.concatenate(
        [
            overlaps(halves[0][0], halves[1][1], depth=COMPARED_RANKS),
            overlaps(halves[0][1], halves[1][0], depth=COMPARED_RANKS),
        ]
    )
    seconds = (_moment(samples[1]) - _moment(samples[0])).total_seconds()
    return PairOverlap(
        *numbers,
        days=seconds / _SECONDS_A_DAY,
        jaccard=jaccard(older, newer, TOP_NAMES),
        rank_biased=rank_biased_overlap(older, newer),
        retained=float(crossed.mean()) / floor,
    )


def _moment(sample: Sample) -> datetime:
    return datetime.fromisoformat(sample[0]["sampled_at"])


def _with_intervals(pairs: Sequence[PairOverlap], samples: int, seed: int) -> _Curve:
    """Return the curve, and how sure it is by drawing samples with replacement."""
    distance = _distances(pairs)
    everyone = np.ones(samples, np.int64)
    days, retained = _fit(pairs, distance, everyone)
    middle = half_life(days, retained)
    sizes = np.bincount(distance)
    low = high = np.full(len(days), np.nan)
    life_low = life_high = None
    if samples >= FEWEST_FOR_INTERVAL:
        generator = np.random.default_rng(seed)
        drawn = generator.multinomial(samples, np.full(samples, 1 / samples), _BOOTSTRAPS)
        fits = [_fit(pairs, distance, times) for times in drawn]
        values = np.stack([np.interp(days, [0.0, *at], [1.0, *share]) for at, share in fits])
        low, high = np.quantile(values, [0.025, 0.975], axis=0)
        lives = [half_life(at, share) for at, share in fits]
        ends = np.quantile(
            [np.inf if life is None else life for life in lives],
            [0.025, 0.975],
            # Between a number and "longer than seen" nothing can be interpolated.
            method="nearest",
        )
        life_low, life_high = (float(end) if np.isfinite(end) else None for end in ends)
    return _Curve(
        tuple(
            Retention(float(at), int(size), float(share), _known(lowest), _known(highest))
            for at, size, share, lowest, highest in zip(
                days, sizes, retained, low, high, strict=True
            )
        ),
        middle,
        life_low,
        life_high,
    )


def _distances(pairs: Sequence[PairOverlap]) -> NDArray[np.int64]:
    """Return (pairs,): which pairs lie about equally many days apart, the closest 0."""
    days = np.array([pair.days for pair in pairs])
    step = np.median([pair.days for pair in pairs if pair.newer == pair.older + 1])
    return np.asarray(np.unique(np.round(days / step), return_inverse=True)[1])


def _fit(
    pairs: Sequence[PairOverlap], distance: NDArray[np.int64], times: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean days and retained share of each distance, never rising, each in [0, 1].

    Args:
        pairs: All pairs.
        distance: (pairs,), which ones are taken together.
        times: (samples,), how often each sample was drawn.
    """
    from scipy.optimize import isotonic_regression

    weights = np.array([times[pair.older] * times[pair.newer] for pair in pairs], np.float64)
    drawn = np.bincount(distance, weights)
    some = drawn > 0
    if not some.any():
        # One sample drawn each time is like itself.
        return np.array([pairs[-1].days]), np.ones(1)
    days = np.bincount(distance, weights * [pair.days for pair in pairs])[some] / drawn[some]
    shares = np.bincount(distance, weights * [pair.retained for pair in pairs])[some] / drawn[some]
    fitted = isotonic_regression(np.minimum(shares, 1), weights=drawn[some], increasing=False)
    return days, np.asarray(fitted.x, np.float64)


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
