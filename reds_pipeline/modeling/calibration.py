"""From decision values to chances.

What belongs here: one temperature for a model, and the softmax that uses it. What does not:
thresholds, or fitting heads. A linear SVM's values say which class and how far from the border,
not how likely; divided by a temperature and put through a softmax they become chances that mean
what they say. The temperature is fitted on out-of-fold values, which no head has been fitted on
(Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LOWEST_TEMPERATURE = 1e-3
HIGHEST_TEMPERATURE = 1e3


def fit_temperature(
    decisions: NDArray[np.float64], labels: Sequence[str], classes: Sequence[str]
) -> float:
    """Return the temperature under which the true classes are likeliest.

    Where every image is classified rightly, certainty would have no end. So the true class is
    asked to have a chance of (n + 1) / (n + k), after Platt ("Probabilistic outputs for support
    vector machines", 1999), where n is the number of images of the class and k that of classes.

    Args:
        decisions: float64 (n, k), out of fold, without NaN.
        labels: Class of each row.
        classes: The class of each column.

    Raises:
        ValueError: A decision value is not finite.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    if not np.isfinite(decisions).all():
        raise ValueError("temperature is fitted on finite decision values; leave out test rows")
    column = {name: number for number, name in enumerate(classes)}
    codes = np.array([column[name] for name in labels])
    images = np.bincount(codes, minlength=len(classes))
    wanted = np.repeat(1 / (images[codes] + len(classes))[:, None], len(classes), axis=1)
    wanted[np.arange(len(codes)), codes] *= images[codes] + 1

    def surprise(log_temperature: float) -> float:
        chances = log_softmax(decisions / np.exp(log_temperature), axis=1)
        return float(-(wanted * chances).sum(axis=1).mean())

    bounds = (np.log(LOWEST_TEMPERATURE), np.log(HIGHEST_TEMPERATURE))
    best = minimize_scalar(surprise, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))


def probabilities(decisions: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return float64 (n, k), rows that add up to 1, for decision values (n, k)."""
    scaled = decisions / temperature
    # Taking the largest away changes nothing but keeps the exponentials from overflowing.
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
