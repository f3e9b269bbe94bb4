"""Means and standard deviations of many overlapping sets of rows in one pass.

What belongs here: moments of blocks of rows and of any union of blocks. What does not: what is
standardised with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS_AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class Moments:
    """Of u sets of rows.

    Attributes:
        mean: float64 (u, d).
        scale: float64 (u, d), the standard deviation, divided by the number of rows or by their
            total weight; exactly 0 where a feature is constant up to rounding.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BlockMoments:
    """Of b blocks of rows.

    Attributes:
        counts: float64 (b,), number of rows, or their total weight.
        means: float64 (b, d).
        squares: float64 (b, d), sum of the squared distances from the mean, each as often as its
            row weighs.
        roundings: float64 (b,), how often the sums of a block were rounded.
    """

    counts: NDArray[np.float64]
    means: NDArray[np.float64]
    squares: NDArray[np.float64]
    roundings: NDArray[np.float64]

    def of(self, members: NDArray[np.bool_]) -> Moments:
        """Return the moments of the unions bool (u, b) of blocks.

        The blocks' moments are put together as by Chan, Golub and LeVeque ("Algorithms for
        computing the sample variance", The American Statistician 37, 1983).
        """
        weights = members * self.counts
        totals = weights.sum(axis=1, keepdims=True)
        mean = weights @ self.means / totals
        squares = members @ self.squares
        for union, row in enumerate(weights):
            squares[union] += row @ (self.means - mean[union]) ** 2
        variance = squares / totals
        # What the rounding of a sum can leave where there is no spread at all.
        rounding = (members * self.roundings).sum(axis=1, keepdims=True) * np.finfo(np.float64).eps
        noise = rounding * variance + (mean * rounding) ** 2
        return Moments(mean, np.where(variance <= noise, 0.0, np.sqrt(variance)))


def block_moments(
    features: NDArray[np.floating[Any]],
    blocks: Sequence[NDArray[np.intp]],
    sample_weights: NDArray[np.float64] | None = None,
) -> BlockMoments:
    """Return the moments of blocks of rows of features (n, d), summed in float64.

    Args:
        features: float (n, d).
        blocks: Numbers of the rows of each block.
        sample_weights: float64 (n,), above 0, how much each row counts; None for 1 each.

    Raises:
        ValueError: A feature is not finite.
    """
    weigh = _Weighing(sample_weights)
    counts = np.array([weigh.total(block) for block in blocks], np.float64)
    means, squares = np.zeros((2, len(blocks), features.shape[1]))
    for number, block in enumerate(blocks):
        starts = range(0, len(block), ROWS_AT_ONCE)
        parts = [block[start : start + ROWS_AT_ONCE] for start in starts]
        for part in parts:
            means[number] += weigh.sum(features[part], part)
        means[number] /= counts[number]
        if not np.isfinite(means[number]).all():
            raise ValueError("a linear SVM is fitted on finite features")
        for part in parts:
            squares[number] += weigh.sum_of_squares(features[part] - means[number], part)
    roundings = np.array([weigh.roundings(block) for block in blocks], np.float64)
    return BlockMoments(counts, means, squares, roundings)


@dataclass(frozen=True, eq=False)
class _Weighing:
    """Sums over rows that need not count alike.

    Attributes:
        weights: float64 (n,), of all rows; None where each counts once, which sums in the order,
            and to the very bits, of a sum without weights.
    """

    weights: NDArray[np.float64] | None

    def total(self, rows: NDArray[np.intp]) -> float:
        return float(len(rows) if self.weights is None else self.weights[rows].sum())

    def roundings(self, rows: NDArray[np.intp]) -> int:
        # A weight rounds every product, and the mean of a single row is not that row any more.
        return len(rows) if self.weights is None else 2 * len(rows) + 2

    def sum(self, values: NDArray[np.floating[Any]], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        if self.weights is None:
            return np.asarray(values.sum(axis=0, dtype=np.float64))
        return np.asarray(self.weights[rows] @ values.astype(np.float64, copy=False))

    def sum_of_squares(
        self, values: NDArray[np.floating[Any]], rows: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        if self.weights is None:
            return np.asarray(np.einsum("ij,ij->j", values, values))
        return np.asarray(np.einsum("i,ij,ij->j", self.weights[rows], values, values))
