"""Intervals of shares.

What belongs here: how sure a share of so many is. What does not: what the share is of.
"""

from __future__ import annotations


def wilson_interval(correct: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share (Wilson, JASA 22, 1927; R-EXP-14)."""
    from scipy.stats import binomtest

    interval = binomtest(correct, total).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
