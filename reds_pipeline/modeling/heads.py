"""The linear support vector machine that turns an embedding into classes.

What belongs here: building, fitting and asking one head. What does not: which images it is
fitted on (``splits``, ``cross_validation``), how its ``C`` is chosen (``choose_c``), solving
(``linear_svm``), and what its values mean as chances (``calibration``).

R-EXP-1: a linear SVM instead of the networks' own head, one class against the rest, squared
hinge, on standardised features. Standardising makes one ``C`` mean about the same for every
backbone, whatever the scale of its features.

``C`` is chosen inside the training folds. That this chooses well was measured on the 845
photographs of five classes, five grouped folds: accuracy out of fold against the true labels, with
MobileNetV2's 1,280 features (three seeds), with a tenth of the labels wrong, and with the 2,041
features of ``tiny`` (one seed, the folds not grouped):

==============  ===========  ===========  =====
C               MobileNetV2  10 % wrong   tiny
==============  ===========  ===========  =====
1e-6            0.991        0.990        0.622
1e-5            0.993        0.994        0.695
1e-4            0.994        0.992        0.775
1e-3            0.994        0.982        0.757
1e-2            0.994        0.950        0.725
1e-1            0.994        0.929        0.720
chosen inside   0.994        0.992
==============  ===========  ===========  =====

On clean labels nearly every C is as good as another, and the choice between them is chance. With
wrong labels, which hashtags have, a large C costs much and the choice, which sees the wrong labels
only, avoids it: it fell on 1e-5 or 1e-4 in each of the fifteen folds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.linear_svm import LinearFits, fit_squared_hinge

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_logger = logging.getLogger(__name__)

PENALTIES = (1e-5, 1e-4, 3e-4, 1e-3, 1e-2)
"""Values of C that the choice is made among, in ascending order: close where the best ones were
found, and with an end on both sides for features that are few or weak."""

USUAL_C = 1e-4
"""C of a head that is fitted without choosing, such as those that ask after wrong labels."""


@dataclass(frozen=True)
class HeadParameters:
    """How a head is fitted.

    Attributes:
        C: Weight of the training errors against the width of the margin; None to choose it
            inside the folds.
        seed: Of the split.
        answer_accuracy: Share of the given answers that shall be right (``abstention``).
        penalties: What C is chosen among, in ascending order.
    """

    C: float | None = None
    seed: int = 0
    answer_accuracy: float = 0.95
    penalties: tuple[float, ...] = PENALTIES


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head after fitting.

    Attributes:
        pipeline: scikit-learn's ``StandardScaler`` and ``LinearSVC``.
        classes: The classes, sorted, in the order of the decision values.
        C: It was fitted with.
        seconds: Wall-clock time of the fit.
        converged: Whether the solver reached the minimum.
    """

    pipeline: Pipeline
    classes: tuple[str, ...]
    C: float
    seconds: float
    converged: bool


def fit_head(
    features: NDArray[np.floating[Any]], labels: Sequence[str], parameters: HeadParameters
) -> FittedHead:
    """Fit a head on features (n, d) and their classes, with ``USUAL_C`` where none is given.

    Raises:
        ValueError: There is one class only, or a feature is not finite.
    """
    penalty = USUAL_C if parameters.C is None else parameters.C
    classes, targets = one_against_rest(labels)
    began = time.perf_counter()
    fits = fit_squared_hinge(features, targets, np.ones((1, len(targets)), bool), [penalty])
    seconds = time.perf_counter() - began
    return head_from_fits(fits, classes, penalty=penalty, seconds=seconds, images=len(targets))


def one_against_rest(labels: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """Return the k classes, sorted, and what is to be told apart.

    Returns:
        bool (n, k), a column a class; of two classes (n, 1), the second against the first.

    Raises:
        ValueError: There is one class only.
    """
    classes, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    if len(classes) < 2:
        raise ValueError("a head needs two classes at least")
    targets = codes[:, None] == np.arange(len(classes))
    return tuple(classes.tolist()), targets[:, 1:] if len(classes) == 2 else targets


def one_column_a_class(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return float64 (..., k) of decision values that for two classes have one column only.

    It comes out as two of opposite sign, so that nothing downstream needs to know.
    """
    return np.concatenate([-values, values], axis=-1) if values.shape[-1] == 1 else values


def head_from_fits(
    fits: LinearFits, classes: tuple[str, ...], *, penalty: float, seconds: float, images: int
) -> FittedHead:
    """Return the fit of one subset with one penalty as a head.

    scikit-learn's objects hold our numbers: they are what skops and MLflow save and what people
    expect to load.

    Args:
        fits: Of one subset and one penalty.
        classes: The classes, sorted.
        penalty: C.
        seconds: Wall-clock time of the fit.
        images: Number of rows it was fitted on.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    scaler = StandardScaler()
    scaler.mean_ = fits.mean[0].copy()
    scaler.scale_ = fits.scale[0].copy()
    scaler.var_ = scaler.scale_**2
    scaler.n_features_in_ = scaler.mean_.size
    scaler.n_samples_seen_ = images
    machine = LinearSVC(C=penalty, dual=False)
    machine.coef_ = fits.coefficients[0, 0].copy()
    machine.intercept_ = fits.intercepts[0, 0].copy()
    machine.classes_ = np.asarray(classes)
    machine.n_features_in_ = scaler.mean_.size
    machine.n_iter_ = 1
    converged = bool(fits.converged[0, 0])
    return FittedHead(make_pipeline(scaler, machine), classes, penalty, seconds, converged)


def decision_values(pipeline: Pipeline, features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return float64 (n, k): one column a class, the largest is the answer."""
    values = np.asarray(pipeline.decision_function(features.astype(np.float64)), np.float64)
    return one_column_a_class(values.reshape(len(features), -1))
