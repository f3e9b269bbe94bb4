"""The linear support vector machine: many targets, many subsets of the rows, many penalties.

What belongs here: the exact minimum, quickly. What does not: which rows and which penalty
(``choose_c``), or what the values mean (``calibration``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class LinearFits:
    """Minima for s subsets, p penalties and k targets over d features.

    Attributes:
        mean: float64 (s, d), of each subset's rows.
        scale: float64 (s, d), their standard deviation, 1 for a constant feature.
        coefficients: float64 (s, p, k, d), for standardised features.
        intercepts: float64 (s, p, k).
        converged: bool (s, p).
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    converged: NDArray[np.bool_]

    def decision_values(
        self, subset_index: int, penalty_index: int, features: Features
    ) -> NDArray[np.float64]:
        """Return float64 (m, k) for features (m, d)."""
        weights = self.coefficients[subset_index, penalty_index] / self.scale[subset_index]
        offset = self.intercepts[subset_index, penalty_index]
        shifted = features.astype(np.float64) - self.mean[subset_index]
        return np.asarray(shifted @ weights.T + offset)


def fit_squared_hinge(
    features: Features,
    targets: NDArray[np.bool_],
    subsets: NDArray[np.bool_],
    penalties: Sequence[float],
) -> LinearFits:
    """Fit every target on every subset with every penalty."""
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    shape = (len(subsets), len(penalties), targets.shape[1])
    dimension = features.shape[1]
    mean, scale = np.empty((2, len(subsets), dimension))
    coefficients, intercepts = np.empty((*shape, dimension)), np.empty(shape)
    for row, kept in enumerate(subsets):
        scaler = StandardScaler().fit(features[kept].astype(np.float64))
        mean[row], scale[row] = scaler.mean_, scaler.scale_
        standardised = scaler.transform(features[kept].astype(np.float64))
        for column, penalty in enumerate(penalties):
            for number, target in enumerate(targets.T):
                if len(np.unique(target[kept])) < 2:
                    coefficients[row, column, number] = 0
                    intercepts[row, column, number] = 1 if target[kept].all() else -1
                    continue
                machine = LinearSVC(C=penalty, dual=False, tol=1e-6, max_iter=10_000)
                machine.fit(standardised, target[kept])
                coefficients[row, column, number] = machine.coef_[0]
                intercepts[row, column, number] = machine.intercept_[0]
    return LinearFits(mean, scale, coefficients, intercepts, np.ones(shape[:2], bool))
