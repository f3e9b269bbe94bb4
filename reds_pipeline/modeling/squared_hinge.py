"""The minimum of the squared hinge loss, for many columns over the same rows at once.

What belongs here: the numbers of the solver. What does not: what rows and columns stand for
(``linear_svm``).

Each column, one target on one subset of the rows, minimises 1/2 |w|^2 + 1/2 b^2 + C times the sum
of s max(0, 1 - y (w z + b))^2, as liblinear does (Fan et al., JMLR 9, 2008); s is how much a row
counts, mostly 1. That is the plain loss of a row times the root of s that shall reach that root
instead of 1, and so it is computed. All columns take their
steps together, so that the work is products of large matrices. The steps are those of the
nonlinear conjugate gradients of Polak and Ribiere (1969), preconditioned with the curvature that
the loss would have if every row were inside its margin: one matrix for all columns, near the
true one for a small C and an upper bound for any. Along a direction the loss is a piecewise
quadratic of one number, whose minimum Newton's method finds within a bracket.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Places = NDArray[np.intp]

_ROWS_AT_ONCE = 4096
_LINE_ROUNDS = 12
_LINE_TOLERANCE = 1e-2
# Rounding of a float32 Gram matrix can make it indefinite; this much of its trace on the diagonal
# outweighs that and does not slow anything that float32 can tell apart.
_TRACE_SHARE = 1e-7


@dataclass(frozen=True, eq=False)
class Rows:
    """Standardised rows, and each subset's own standardisation on top.

    Attributes:
        values: float32 or float64 (n, d); rows that belong to the same subsets lie together.
        blocks: First and last row, exclusive, of those that belong to the same subsets.
        members: bool (blocks, s), whether a block belongs to a subset.
        shift: float64 (s, d), what each subset takes off the values.
        factor: float64 (s, d), by which it then multiplies; 0 for a feature that is constant.
        roots: float64 (n,), the root of how much each row counts; None where each counts once.
    """

    values: Floats
    blocks: tuple[tuple[int, int], ...]
    members: NDArray[np.bool_]
    shift: NDArray[np.float64]
    factor: NDArray[np.float64]
    roots: NDArray[np.float64] | None = None

    def forward(self, weights: Floats, subset: Places) -> Floats:
        """Return (c, n), the value of each row in each column; 0 for rows outside its subset.

        Args:
            weights: (c, d + 1), the intercept last.
            subset: int (c,), the subset of each column.
        """
        dtype = weights.dtype
        scaled = weights[:, :-1] * self.factor[subset].astype(dtype)
        offset = weights[:, -1] - _products(scaled, self.shift[subset].astype(dtype))
        result = np.zeros((len(subset), len(self.values)), dtype)
        for (first, last), member in zip(self.blocks, self.members, strict=True):
            chosen = np.flatnonzero(member[subset])
            some, some_offset = scaled[chosen], offset[chosen, None]
            for start in range(first, last, _ROWS_AT_ONCE):
                stop = min(start + _ROWS_AT_ONCE, last)
                values = self.values[start:stop].astype(dtype, copy=False)
                result[chosen, start:stop] = some @ values.T + some_offset
        return result

    def backward(self, pull: Floats, subset: Places) -> Floats:
        """Return (c, d + 1), the transpose of ``forward``, for (c, n)."""
        dtype = pull.dtype
        result = np.zeros((len(subset), self.values.shape[1] + 1), dtype)
        for (first, last), member in zip(self.blocks, self.members, strict=True):
            chosen = np.flatnonzero(member[subset])
            for start in range(first, last, _ROWS_AT_ONCE):
                stop = min(start + _ROWS_AT_ONCE, last)
                values = self.values[start:stop].astype(dtype, copy=False)
                result[chosen, :-1] += pull[chosen, start:stop] @ values
        total = pull.sum(axis=1)
        result[:, :-1] -= total[:, None] * self.shift[subset].astype(dtype)
        result[:, :-1] *= self.factor[subset].astype(dtype)
        result[:, -1] = total
        return result


class Curvature:
    """The inverse of the curvature with all rows inside their margins, one for all columns."""

    def __init__(self, rows: Rows) -> None:
        """Prepare what does not depend on C."""
        self._values = rows.values
        if rows.roots is not None:
            self._values = rows.values * rows.roots[:, None].astype(rows.values.dtype)
        # With few rows the small matrix of the rows stands for the large one of the features.
        self._by_rows = 2 * self._values.shape[0] < self._values.shape[1]
        if self._by_rows:
            values = self._values.astype(np.float64)
            self._gram: Floats = values @ values.T
        else:
            self._gram = self._values.T @ self._values
        self._strength = 0.0
        self._factor: Any = None

    def prepare(self, strength: float) -> None:
        """Factorise the identity plus ``strength`` times the Gram matrix."""
        from scipy.linalg import cho_factor

        if strength == self._strength:
            return
        matrix = self._gram * self._gram.dtype.type(strength)
        matrix[np.diag_indices_from(matrix)] += (
            1 if self._by_rows else (1 + _TRACE_SHARE * np.trace(matrix))
        )
        self._strength = strength
        # The matrix is symmetric; in the order of Fortran nothing is copied.
        self._factor = cho_factor(matrix.T, lower=True, overwrite_a=True, check_finite=False)

    def solve(self, gradient: Floats) -> Floats:
        """Return (c, d) for gradients (c, d)."""
        from scipy.linalg import cho_solve

        if not self._by_rows:
            right = gradient.astype(np.float32, order="C").T
            solved = cho_solve(self._factor, right, overwrite_b=True, check_finite=False)
            return np.asarray(solved.T, gradient.dtype)
        # Sherman, Morrison and Woodbury, in float64 because two near equal numbers are subtracted.
        exact = gradient.astype(np.float64)
        values = self._values.astype(np.float64)
        inner = cho_solve(self._factor, (exact @ values.T).T, check_finite=False)
        return np.asarray(exact - self._strength * (inner.T @ values), gradient.dtype)


@dataclass(frozen=True)
class Stop:
    """When a column is near enough to its minimum: either will do.

    Attributes:
        reduction: Gradient's length, in the measure of the curvature, over its length at zero.
        gradient: Gradient's plain length. As the loss bends by 1 at least in every direction,
            the weights are then no farther than this from those at the minimum.
        most_rounds: After so many steps the columns that are left give up.
    """

    reduction: float
    gradient: float
    most_rounds: int


@dataclass(frozen=True, eq=False)
class Columns:
    """The c columns that take their steps together.

    Attributes:
        subset: int (c,), the subset of each.
        sides: int8 (c, n), 1 or -1 where a row belongs to the column's subset, 0 elsewhere.
    """

    subset: Places
    sides: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class _Work:
    """What is known of each column that has not come to its end."""

    place: Places
    subset: Places
    sides: Floats
    margins: Floats
    weights: Floats
    gradient: Floats
    direction: Floats
    length: Floats
    limit: Floats
    flat: Floats
    varies: Floats

    def only(self, chosen: NDArray[np.bool_]) -> Self:
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))


def minimise(
    rows: Rows,
    curvature: Curvature,
    columns: Columns,
    weights: Floats,
    *,
    penalty: float,
    stop: Stop,
) -> NDArray[np.bool_]:
    """Bring weights, where they are, to the minimum of each column.

    Args:
        rows: The rows.
        curvature: Prepared for this penalty.
        columns: The columns.
        weights: float (c, d + 1), the start, the intercept last; changed. Its type is that of
            the work.
        penalty: C.
        stop: When a column is near enough to its minimum, and when the rest gives up.

    Returns:
        bool (c,), whether the column came near enough.
    """
    dtype = weights.dtype.type
    twice = dtype(2 * penalty)
    subset = columns.subset
    signs = columns.sides.astype(dtype)
    # What a row's margin should reach; the same numbers for all columns.
    goals = np.ones((1, signs.shape[1]), dtype)
    if rows.roots is not None:
        goals[0] = rows.roots
        signs *= goals
    margins = signs * rows.forward(weights, subset)
    # Rows outside the subset lie beyond the margin, and never move.
    margins[columns.sides == 0] = 2 * goals.max()
    nothing = np.zeros(len(subset), dtype)
    work = _Work(
        place=np.arange(len(subset)),
        subset=subset,
        sides=signs,
        margins=margins,
        weights=weights.copy(),
        gradient=np.zeros_like(weights),
        direction=np.zeros_like(weights),
        length=nothing,
        limit=nothing,
        flat=1 / (1 + twice * (signs * signs).sum(axis=1)),
        varies=(rows.factor > 0)[subset].astype(dtype),
    )
    at_zero = twice * rows.backward(signs * goals, subset)
    at_zero_length = _products(at_zero, _preconditioned(curvature, work, at_zero))
    work = replace(work, limit=dtype(stop.reduction) ** 2 * at_zero_length)
    reached = np.zeros(len(subset), bool)
    for round_number in range(stop.most_rounds + 1):
        slack = np.maximum(goals - work.margins, 0)
        gradient = work.weights - twice * rows.backward(slack * work.sides, work.subset)
        solved = _preconditioned(curvature, work, gradient)
        length = _products(gradient, solved)
        ended = (length <= work.limit) | (_products(gradient, gradient) <= stop.gradient**2)
        if ended.any() or round_number == stop.most_rounds:
            weights[work.place] = work.weights
            reached[work.place] = ended
            going = ~ended
            if round_number == stop.most_rounds or not going.any():
                break
            work = work.only(going)
            slack, gradient, solved = slack[going], gradient[going], solved[going]
            length = length[going]
        direction = -solved
        if round_number:
            change = _products(gradient - work.gradient, solved) / work.length
            direction += np.maximum(change, 0)[:, None] * work.direction
        movement = work.sides * rows.forward(direction, work.subset)
        step = _line_minimum(work, direction, slack, movement, goals=goals, twice=twice)
        work = replace(
            work,
            margins=work.margins + step[:, None] * movement,
            weights=work.weights + step[:, None] * direction,
            gradient=gradient,
            direction=direction,
            length=length,
        )
    return reached


def _line_minimum(
    work: _Work, direction: Floats, slack: Floats, movement: Floats, *, goals: Floats, twice: Any
) -> Floats:
    """Return (c,), how far along its direction each column's loss is lowest."""
    along = _products(work.weights, direction)
    bend = _products(direction, direction)
    squares = movement * movement
    slope = at_start = along - twice * _products(slack, movement)
    step = np.zeros_like(along)
    lowest, highest = np.zeros_like(along), np.full_like(along, np.inf)
    for _ in range(_LINE_ROUNDS):
        newton = step - slope / (bend + twice * _products(squares, slack > 0))
        # Half the bracket where Newton's method leaves it.
        step = np.where(newton < highest, np.maximum(newton, lowest), (lowest + highest) / 2)
        slack = np.maximum(goals - work.margins - step[:, None] * movement, 0)
        slope = along + step * bend - twice * _products(slack, movement)
        if (np.abs(slope) <= _LINE_TOLERANCE * np.abs(at_start)).all():
            break
        lowest = np.where(slope < 0, step, lowest)
        highest = np.where(slope < 0, highest, step)
    return step


def _preconditioned(curvature: Curvature, work: _Work, gradient: Floats) -> Floats:
    solved = np.empty_like(gradient)
    solved[:, :-1] = curvature.solve(gradient[:, :-1]) * work.varies
    solved[:, -1] = work.flat * gradient[:, -1]
    return solved


def _products(first: Floats, second: NDArray[Any]) -> Floats:
    """Return the inner product of each row with the same row of another array."""
    return np.asarray(np.einsum("ij,ij->i", first, second, dtype=first.dtype))
