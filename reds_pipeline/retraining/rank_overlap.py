"""How much two rankings of names agree.

What belongs here: Jaccard's index of two tops, and rank-biased overlap. What does not: which
rankings are compared, and what chance gives (``tag_drift.py``).

A ranking is the count of each name; names with equal counts are tied, and no order among them is
made up: an alphabetical one, the same in both rankings, would pass for agreement.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

PERSISTENCE = 0.95
"""The p of rank-biased overlap: the chance that a reader of the list goes on to the next name.

With 0.95 the first 20 ranks carry 85 % of the weight (Webber et al. 2010, equation 21): about as
far down as classes are chosen.
"""

Ranking = Mapping[str, int]


def top(ranking: Ranking, size: int) -> set[str]:
    """Return the names on the first ``size`` ranks, with all that are tied with the last."""
    counts = sorted((count for count in ranking.values() if count > 0), reverse=True)
    if not counts:
        return set()
    least = counts[min(size, len(counts)) - 1]
    return {name for name, count in ranking.items() if count >= least}


def jaccard(one: Ranking, other: Ranking, size: int) -> float:
    """Return shared over all names of two tops (Jaccard 1901): 0 for none shared, 1 for the same.

    Args:
        one: Count of each name.
        other: Likewise.
        size: How many ranks a top has.

    Raises:
        ValueError: Neither holds any name.
    """
    first, second = top(one, size), top(other, size)
    if not first | second:
        raise ValueError("no names to compare")
    return len(first & second) / len(first | second)


def rank_biased_overlap(one: Ranking, other: Ranking, persistence: float = PERSISTENCE) -> float:
    """Return the extrapolated rank-biased overlap: 0 for nothing shared, 1 for the same.

    Webber, Moffat & Zobel (ACM TOIS 28, 2010): equation 30, evaluated as far as the shorter
    ranking goes. Ties as there (Corsi & Urbano, SIGIR 2024, call it variant w): tied names stand
    together on the first of their ranks, and the agreement of two prefixes is twice what they
    share over what they hold.

    Args:
        one: Count of each name; names without any are not in the ranking.
        other: Likewise.
        persistence: Their p, between 0 and 1.

    Raises:
        ValueError: One of them is empty.
    """
    names = sorted({*one, *other})
    counts = np.array([[ranking.get(name, 0) for name in names] for ranking in (one, other)])
    return float(overlaps(counts[:1], counts[1:], persistence)[0])


def overlaps(
    ones: NDArray[np.int64],
    others: NDArray[np.int64],
    persistence: float = PERSISTENCE,
    depth: int | None = None,
) -> NDArray[np.float64]:
    """Return (m,): the rank-biased overlap of each of m pairs of rankings.

    Args:
        ones: (m, names) counts.
        others: (m, names) counts of the same names.
        persistence: See ``rank_biased_overlap``.
        depth: Ranks that are looked at; by default as far as the shorter ranking goes.

    Raises:
        ValueError: A ranking is empty.
    """
    sizes = (ones > 0).sum(axis=1), (others > 0).sum(axis=1)
    if min(sizes[0].min(initial=1), sizes[1].min(initial=1)) == 0:
        raise ValueError("a ranking holds no names")
    first, second = _ranks(ones), _ranks(others)
    deepest = ones.shape[1]
    held = _up_to(first, deepest) + _up_to(second, deepest)
    agreement = 2 * _up_to(np.maximum(first, second), deepest) / np.maximum(held, 1)
    depths = np.arange(1, deepest + 1)
    evaluated = np.minimum(np.minimum(*sizes), depth or deepest)[:, None]
    weights = np.where(depths <= evaluated, persistence ** (depths - 1.0), 0)
    seen = (1 - persistence) * (agreement * weights).sum(axis=1)
    last = agreement[np.arange(len(ones)), evaluated[:, 0] - 1]
    return np.asarray(seen + last * persistence ** evaluated[:, 0], np.float64)


def _ranks(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (m, names): 1 for the highest count; beyond all ranks for names without any."""
    ordered = np.sort(-counts, axis=1)
    ranks = [np.searchsorted(row, -mine) for row, mine in zip(ordered, counts, strict=True)]
    return np.where(counts > 0, np.stack(ranks) + 1, counts.shape[1] + 1)


def _up_to(ranks: NDArray[np.int64], deepest: int) -> NDArray[np.int64]:
    """Return (m, deepest): how many names stand on the first d ranks."""
    width = deepest + 2
    places = np.arange(len(ranks))[:, None] * width + ranks
    counted = np.bincount(places.ravel(), minlength=len(ranks) * width).reshape(-1, width)
    return np.asarray(counted[:, 1 : deepest + 1].cumsum(axis=1))
