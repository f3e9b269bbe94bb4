"""The linear support vector machine: many targets, many subsets of the rows, many penalties.

What belongs here: standardisation of each subset and the order of the fits. What does not: the
numbers of the solver (``squared_hinge``), which rows and which penalty (``choose_c``), or what
the values mean (``calibration``).

The fits are those of scikit-learn's ``StandardScaler`` and ``LinearSVC`` on the same rows:
squared hinge, one target against the rest, the intercept penalised like a weight; with their
``sample_weight`` where rows do not count alike. liblinear
solves them one after the other; here all subsets and targets share one copy of the rows, each
subset's standardisation being a shift and a factor for each feature, and take their steps
together. The penalties are gone through in ascending order, each starting where the last ended.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.blas_threads import one_blas_thread
from reds_pipeline.modeling.moments import ROWS_AT_ONCE, block_moments
from reds_pipeline.modeling.squared_hinge import Columns, Curvature, Rows, Stop, minimise

Features = NDArray[np.floating[Any]]

VALUE_ERROR = 1e-4
"""Decision values of the rows are no farther than this from those at the minimum, unless less is
asked for."""

_SINGLE_REDUCTION = 1e-4
_SINGLE_ROUNDS = 150
_MOST_ROUNDS = 3000
_MOST_EXACT = 20_000_000

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LinearFits:
    """Minima for s subsets, p penalties and k targets over d features.

    Attributes:
        mean: float64 (s, d), of each subset's rows.
        scale: float64 (s, d), their standard deviation, 1 for a constant feature.
        weights: float64 (s, p, k, d + 1), for standardised features, the intercept last.
        converged: bool (s, p), whether the solver reached its reduction for all targets.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    converged: NDArray[np.bool_]

    @property
    def coefficients(self) -> NDArray[np.float64]:
        """float64 (s, p, k, d), for standardised features."""
        return self.weights[..., :-1]

    @property
    def intercepts(self) -> NDArray[np.float64]:
        """float64 (s, p, k)."""
        return self.weights[..., -1]

    def decision_values(
        self, subset_index: int, penalty_index: int, features: Features
    ) -> NDArray[np.float64]:
        """Return float64 (m, k) for features (m, d)."""
        return self._values(self.weights[subset_index, penalty_index], subset_index, features)

    def path_values(self, subset_index: int, features: Features) -> NDArray[np.float64]:
        """Return float64 (p, m, k) for features (m, d): the values with every penalty."""
        penalties, targets, length = self.weights[subset_index].shape
        flat = self.weights[subset_index].reshape(-1, length)
        values = self._values(flat, subset_index, features)
        values = values.reshape(len(features), penalties, targets)
        return np.ascontiguousarray(values.transpose(1, 0, 2))

    def _values(
        self, weights: NDArray[np.float64], subset_index: int, features: Features
    ) -> NDArray[np.float64]:
        plain = weights[:, :-1] / self.scale[subset_index]
        offset = weights[:, -1] - plain @ self.mean[subset_index]
        return np.asarray(features.astype(np.float64, copy=False) @ plain.T + offset)


class LinearProblem:
    """Rows, targets and subsets, prepared once for any number of fits."""

    def __init__(
        self,
        features: Features,
        targets: NDArray[np.bool_],
        subsets: NDArray[np.bool_],
        *,
        sample_weights: NDArray[np.float64] | None = None,
        most_cells: int = 4_000_000,
    ) -> None:
        """Standardise each subset.

        Args:
            features: float (n, d).
            targets: bool (n, k).
            subsets: bool (s, n), none of them empty.
            sample_weights: float64 (n,), above 0, how much each row counts, in its loss and in
                the standardisation; None for 1 each.
            most_cells: Rows times columns that are worked on together, of a dozen numbers each.

        Raises:
            ValueError: A subset is empty, a feature of one of its rows is not finite, or a weight
                is not above 0.
        """
        if not subsets.any(axis=1).all():
            raise ValueError("a linear SVM is fitted on one row at least")
        if (
            sample_weights is not None
            and not (np.isfinite(sample_weights) & (sample_weights > 0)).all()
        ):
            raise ValueError("the weight of a row is a finite number above 0")
        used = np.flatnonzero(subsets.any(axis=0))
        signatures, block_of = np.unique(subsets[:, used].T, axis=0, return_inverse=True)
        block_of = block_of.ravel()
        chosen = used[np.argsort(block_of, kind="stable")]
        ends = np.cumsum(np.bincount(block_of)).tolist()
        blocks = tuple(zip([0, *ends[:-1]], ends, strict=True))
        moments = block_moments(
            features, [chosen[first:last] for first, last in blocks], sample_weights
        )
        common = moments.of(np.ones((1, len(blocks)), bool))
        each = moments.of(signatures.T)
        common_scale = np.where(common.scale > 0, common.scale, 1)
        values = np.empty((len(chosen), features.shape[1]), np.float32)
        for start in range(0, len(chosen), ROWS_AT_ONCE):
            some = features[chosen[start : start + ROWS_AT_ONCE]].astype(np.float64)
            values[start : start + ROWS_AT_ONCE] = (some - common.mean) / common_scale
        self.mean = each.mean
        self.scale = np.where(each.scale > 0, each.scale, 1)
        self._rows = Rows(
            values=values,
            blocks=blocks,
            members=signatures,
            shift=(each.mean - common.mean) / common_scale,
            factor=np.where(each.scale > 0, common_scale / self.scale, 0),
            roots=None if sample_weights is None else np.sqrt(sample_weights[chosen]),
        )
        lengths = np.einsum("ij,ij->i", values, values, dtype=np.float64)
        # One more for the intercept.
        self._longest = float(np.sqrt(1 + lengths.max()))
        self._most_cells = most_cells
        self._rows_in_double: Rows | None = None
        self._curvature = Curvature(self._rows)
        self._sides = np.where(targets[chosen].T, 1, -1).astype(np.int8)
        self._subsets = np.ascontiguousarray(subsets[:, chosen])

    @property
    def subsets(self) -> int:
        """Number of subsets."""
        return len(self.mean)

    def path(
        self, subset_indices: Sequence[int], penalties: Sequence[float], reduction: float
    ) -> LinearFits:
        """Fit every target on some of the subsets with every penalty.

        Args:
            subset_indices: The s subsets.
            penalties: The p values of C, in any order.
            reduction: How near to the minimum is near enough, see ``squared_hinge.Stop``;
                0 for values that are right to ``VALUE_ERROR``.
        """
        shape = (len(subset_indices), len(penalties), len(self._sides))
        weights = np.empty((*shape, self.mean.shape[1] + 1))
        reached = np.empty(shape, bool)
        start = None
        for column in np.argsort(penalties, kind="stable"):
            start, ended = self.solve(subset_indices, penalties[column], reduction, start)
            weights[:, column], reached[:, column] = start, ended
        return self.fits(weights, reached, subset_indices)

    def solve(
        self,
        subset_indices: Sequence[int],
        penalty: float,
        reduction: float = 0,
        start: NDArray[np.float64] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Fit every target on some of the subsets.

        Args:
            subset_indices: Which.
            penalty: C.
            reduction: How near to the minimum is near enough, see ``squared_hinge.Stop``;
                0 for values that are right to ``VALUE_ERROR``.
            start: float64 (len(subset_indices), k, d + 1), weights near the solution.

        Returns:
            (float64 (len(subset_indices), k, d + 1), weights for standardised features with the
            intercept last; bool (len(subset_indices), k), whether they are at the minimum).
        """
        targets, dimension = len(self._sides), self.mean.shape[1]
        shape = (len(subset_indices), targets, dimension + 1)
        weights = np.zeros(shape) if start is None else start.astype(np.float64)
        flat = weights.reshape(-1, dimension + 1)
        subset = np.repeat(np.asarray(subset_indices, np.intp), targets)
        target = np.tile(np.arange(targets), len(subset_indices))
        reached = np.zeros(len(subset), bool)
        rows = self._subsets.shape[1]
        self._curvature.prepare(2 * penalty * self._subsets[subset_indices].mean())
        at_once = max(1, self._most_cells // rows)
        for first in range(0, len(subset), at_once):
            some = slice(first, first + at_once)
            sides = self._sides[target[some]] * self._subsets[subset[some]]
            flat[some], reached[some] = self._minimum(
                subset[some], sides, penalty, flat[some], reduction
            )
        return weights, reached.reshape(shape[:2])

    def _minimum(
        self,
        subset: NDArray[np.intp],
        sides: NDArray[np.int8],
        penalty: float,
        start: NDArray[np.float64],
        reduction: float,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Go as far as float32 leads, and the rest of the way in float64."""
        near = start.astype(np.float32)
        reached = minimise(
            self._rows,
            self._curvature,
            Columns(subset, sides),
            near,
            penalty=penalty,
            stop=Stop(max(reduction, _SINGLE_REDUCTION), 0, _SINGLE_ROUNDS),
        )
        exact = near.astype(np.float64)
        if reduction < _SINGLE_REDUCTION:
            reached = np.zeros_like(reached)
        left = ~reached
        if left.any():
            rest = exact[left]
            reached[left] = minimise(
                self._exact_rows(),
                self._curvature,
                Columns(subset[left], sides[left]),
                rest,
                penalty=penalty,
                stop=Stop(reduction, VALUE_ERROR / self._longest, _MOST_ROUNDS),
            )
            exact[left] = rest
        return exact, reached

    def _exact_rows(self) -> Rows:
        """Return the rows in float64, unless that is too much to keep.

        Those that are kept in float32 are turned into float64 piece by piece as they are used.
        """
        if self._rows.values.size > _MOST_EXACT:
            return self._rows
        if self._rows_in_double is None:
            self._rows_in_double = replace(self._rows, values=self._rows.values.astype(np.float64))
        return self._rows_in_double

    def fits(
        self, weights: NDArray[np.float64], reached: NDArray[np.bool_], subsets: Sequence[int]
    ) -> LinearFits:
        """Return weights (s, p, k, d + 1) of some subsets, and whether they are at the minimum."""
        if not reached.all():
            _logger.warning(
                "%d of %d linear SVMs did not converge in %d rounds",
                (~reached).sum(),
                reached.size,
                _MOST_ROUNDS,
            )
        return LinearFits(
            mean=self.mean[subsets],
            scale=self.scale[subsets],
            weights=weights,
            converged=np.asarray(reached.all(axis=-1)),
        )


def fit_squared_hinge(
    features: Features,
    targets: NDArray[np.bool_],
    subsets: NDArray[np.bool_],
    penalties: Sequence[float],
    *,
    sample_weights: NDArray[np.float64] | None = None,
    reduction: float = 0,
) -> LinearFits:
    """Fit every target on every subset of the rows with every penalty.

    Args:
        features: float (n, d), finite where a subset looks.
        targets: bool (n, k), each to be told apart from the rest. One that all rows of a subset
            have, or none, is no failure: its values are nearly the same everywhere.
        subsets: bool (s, n), none of them empty.
        penalties: The p values of C, in any order.
        sample_weights: float64 (n,), above 0, how much each row counts, as scikit-learn's
            ``sample_weight`` of both steps; None for 1 each.
        reduction: How near to the minimum is near enough, see ``squared_hinge.Stop``; 0 for
            values that are right to ``VALUE_ERROR``.

    Raises:
        ValueError: A subset is empty, a feature of one of its rows is not finite, or a weight is
            not above 0.
    """
    with one_blas_thread():
        problem = LinearProblem(features, targets, subsets, sample_weights=sample_weights)
        return problem.path(range(len(subsets)), penalties, reduction)
