"""The linear support vector machine that turns an embedding into classes.

What belongs here: building, fitting and asking one head. What does not: which images it is
fitted on (``splits``, ``cross_validation``) and what its values mean as chances
(``calibration``).

R-EXP-1: a linear SVM instead of the networks' own head. Features are standardised and the SVM
is solved in the dual. ``C`` is fixed at 1e-4, chosen on the 845 photographs of five classes with
MobileNetV2's 1,280 features (grouped five-fold cross-validation with three seeds, the same
splits for every row), on the demonstration's 550 drawn pictures with ``tiny``, and for time on
4,000 made-up rows of 4,096 features (processor time of one fit):

======================  =======  =========  ===========  ===========  =============  =============
features                CV mean  10 % of    75 training  64 features  drawn, tiny    4,000 x 4,096
                                 labels     photographs
                                 wrong
======================  =======  =========  ===========  ===========  =============  =============
standardised, C = 1e-5  0.993    0.993      0.980        0.944        0.868          2.4 s
standardised, C = 1e-4  0.994    0.993      0.983        0.952        0.911          2.8 s
standardised, C = 3e-4  0.993    0.990      0.979        0.956        0.916          4.1 s
standardised, C = 1e-3  0.993    0.986      0.976        0.960        0.918          6.7 s
standardised, C = 1e-2  0.991    0.965      0.971        0.958        0.920          10.8 s
standardised, C = 1e-1  0.991    0.957      0.971        0.950        0.920
unit length, C = 1      0.993    0.994      0.985        0.960        0.894
as they are, C = 1      0.992    0.949      0.985        0.944        0.898
======================  =======  =========  ===========  ===========  =============  =============

On clean labels all are equal within the noise (standard deviation over folds 0.006). Hashtags
are not clean labels, and with wrong ones every step above 1e-4 costs; below it, encoders with
few or weak features lose. It converges everywhere, in 17 rounds where 1e-2 takes 143.
Standardising makes one C mean the same for every backbone, whatever the scale of its features;
unit length does as well on MobileNetV2 but not on histograms.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeadParameters:
    """How a head is fitted.

    Attributes:
        C: Weight of the training errors against the width of the margin.
        seed: Seed of the solver's order of images.
        max_iterations: Rounds after which the solver gives up.
    """

    C: float = 1e-4
    seed: int = 0
    max_iterations: int = 1000


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head after fitting.

    Attributes:
        pipeline: scikit-learn's ``StandardScaler`` and ``LinearSVC``.
        classes: The classes, sorted, in the order of the decision values.
        seconds: Wall-clock time of the fit.
        converged: Whether the solver finished before its last round.
    """

    pipeline: Pipeline
    classes: tuple[str, ...]
    seconds: float
    converged: bool


def fit_head(
    features: NDArray[np.floating[Any]], labels: Sequence[str], parameters: HeadParameters
) -> FittedHead:
    """Fit a head on features (n, d) and their classes.

    Raises:
        ValueError: There is one class only, or a feature is not finite.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    machine = LinearSVC(
        C=parameters.C,
        dual=True,
        random_state=parameters.seed,
        max_iter=parameters.max_iterations,
    )
    pipeline = make_pipeline(StandardScaler(), machine)
    began = time.perf_counter()
    with warnings.catch_warnings():
        # Told below in the field ``converged``, once, instead of once for each class.
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipeline.fit(features.astype(np.float64), np.asarray(labels, dtype=str))
    seconds = time.perf_counter() - began
    converged = bool(machine.n_iter_ < parameters.max_iterations)
    if not converged:
        _logger.warning("the linear SVM did not converge in %d rounds", machine.n_iter_)
    classes = tuple(str(name) for name in machine.classes_)
    return FittedHead(pipeline, classes, seconds, converged)


def decision_values(pipeline: Pipeline, features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return float64 (n, k): one column a class, the largest is the answer.

    For two classes scikit-learn gives one column, the second class against the first; here it
    comes out as two of opposite sign, so that nothing downstream needs to know.
    """
    values = np.asarray(pipeline.decision_function(features.astype(np.float64)), np.float64)
    if values.ndim == 1:
        return np.stack([-values, values], axis=1)
    return values
