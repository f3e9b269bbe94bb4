"""Intervals of shares, and of what is drawn by bootstrap.

What belongs here: how sure a number from so many is. What does not: what the number is of, or
drawing.
"""

from __future__ import annotations

# Sums in another order differ by less.
_NO_SPREAD = 1e-9


def wilson_interval(correct: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share (Wilson, JASA 22, 1927; R-EXP-14)."""
    from scipy.stats import binomtest

    interval = binomtest(correct, total).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


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
