"""Intervals of shares, and of what is drawn by bootstrap.

What belongs here: how sure a number from so many is. What does not: what the number is of, or
drawing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

# Sums in another order differ by less.
_NO_SPREAD = 1e-9


def wilson_interval(correct: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share (Wilson, JASA 22, 1927; R-EXP-14).

    Not by ``scipy.stats``, which gives the same and takes a second to import: `reds status` would
    need it for nothing else.
    """
    low, high = wilson_of_share(correct / total, total, confidence)
    # What rounding would put a hair inside of the ends.
    return (low if correct else 0.0), (high if correct < total else 1.0)


def wilson_of_share(share: float, size: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share of so many, which need not be whole.

    Of pictures that come in groups the ``effective_number`` is the size.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    spread = z * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    half = spread / (1 + z * z / size)
    return max(0.0, middle - half), min(1.0, middle + half)


def effective_number(groups: Sequence[str]) -> float:
    """Return how many independent pictures those of some groups count for at least (Kish 1965).

    It takes all pictures of a group to be right or wrong together: of equally large groups their
    number, of one large and many small ones less.
    """
    sizes = Counter(groups).values()
    return sum(sizes) ** 2 / sum(size * size for size in sizes)


def difference_of_shares(
    one: tuple[float, float, float], other: tuple[float, float, float]
) -> tuple[float, float]:
    """Return the interval of the difference of two unpaired shares, from their own intervals.

    Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10).

    Args:
        one: A share with the ends of its interval.
        other: The one that is taken off it.
    """
    (first, first_low, first_high), (second, second_low, second_high) = one, other
    difference = first - second
    return (
        difference - math.hypot(first - first_low, second_high - second),
        difference + math.hypot(first_high - first, second - second_low),
    )


def with_unseen_groups(
    low: float,
    high: float,
    value: float,
    groups: int,
    *,
    lowest: float = 0.0,
    highest: float = 1.0,
) -> tuple[float, float]:
    """Return a bootstrap interval that does not claim more than so many groups can show.

    Where all groups agree, as in a model that makes no mistake, every draw gives the same number
    and the bootstrap no interval at all. But of g groups that agree nobody can say that no other
    would differ: up to a share may, for which Wilson's interval of 0 in g stands. At worst those
    have the lowest or the highest number there is. One group says nothing of others.

    Args:
        low: Lower end over the draws.
        high: Upper end.
        value: As measured.
        groups: How many groups were drawn from, each draw.
        lowest: The lowest number possible.
        highest: The highest.
    """
    if groups < 2:
        return lowest, highest
    if high - low > _NO_SPREAD:
        return max(lowest, low), min(highest, high)
    unseen = wilson_interval(0, groups)[1]
    return value - unseen * (value - lowest), value + unseen * (highest - value)
