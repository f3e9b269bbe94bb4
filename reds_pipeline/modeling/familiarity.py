"""Whether a photo is like those that a model has learnt from.

What belongs here: the measure, and the line between familiar and not. What does not: wrong or
foreign pictures among those that are learnt from (``outliers``), or what follows for people
(``tagging``). A model of classes must choose one of them, and chances that were calibrated on
photographs of these classes say nothing of a photograph that shows none: with one class of five
left out, 83 % of its photographs were called likely to show another.

The measure is the cosine between an embedding and the nearest class mean, after features were
standardised, centred between the classes and brought to unit length: distances from class means as
Lee, Lee, Lee and Shin ("A simple unified framework for detecting out-of-distribution samples and
adversarial attacks", NeurIPS 2018) take them, on the unit sphere as Sun, Ming, Zhu and Li
("Out-of-distribution detection with deep nearest neighbors", ICML 2022) found to matter. It was
chosen by measuring (``docs/experiments.md``): nearest neighbours tell about as much, but would
have to keep the embedding of every person's photo. Nothing here belongs to one picture: it is means
over classes, like the model itself.

The line is a split-conformal one (Lei and others, "Distribution-free predictive inference for
regression", JASA 113, 2018): the cosine that ``FAMILIAR_SHARE`` of the pictures to learn from
reach when the means are those of the other folds, so that no picture vouches for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.moments import ROWS_AT_ONCE, block_moments

if TYPE_CHECKING:
    from reds_pipeline.modeling.splits import Split
    from reds_pipeline.modeling.training_only import TrainingOnly

FAMILIAR_SHARE = 0.95
"""Of the pictures that a model has not seen but that are like what it learnt, those that shall be
found familiar."""

EVERYTHING = -1.0
"""Limit that every photo reaches: so few pictures cannot say where unfamiliar begins."""

_LENGTH_ERROR = 1e-6
_ROUNDING = 1e-9

Features = NDArray[np.floating[Any]]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Familiarity:
    """What photos of m classes look like as embeddings of d numbers.

    Attributes:
        centre: float64 (d,), taken off an embedding; it lies between the classes.
        scale: float64 (d,), by which it is then divided; above zero.
        directions: float64 (m, d), of unit length: where each class lies from there.
        limit: Cosine, -1 to 1, from which a photo is familiar.

    Raises:
        ValueError: The parts do not fit together or a number is not finite.
    """

    centre: Numbers
    scale: Numbers
    directions: Numbers
    limit: float

    def __post_init__(self) -> None:
        """Check shapes, types and numbers."""
        dimension = self.centre.size
        shapes = {
            "centre": (dimension,),
            "scale": (dimension,),
            "directions": (len(self.directions), dimension),
        }
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != np.float64:
                raise ValueError(
                    f"its familiarity's {name} is {array.dtype} {array.shape}, not float64 {shape}"
                )
            if not np.isfinite(array).all():
                raise ValueError(f"its familiarity's {name} holds numbers that are not finite")
        if not (self.scale > 0).all():
            raise ValueError("its familiarity's scale holds numbers that are not above zero")
        lengths = np.linalg.norm(self.directions, axis=1)
        if not len(lengths) or np.abs(lengths - 1).max() > _LENGTH_ERROR:
            raise ValueError("its familiarity's directions are not one or more of unit length")
        if not -1 <= self.limit <= 1:
            raise ValueError("its familiarity's limit is not a cosine")

    @property
    def dimension(self) -> int:
        """Length of the embeddings it takes."""
        return int(self.centre.size)

    def similarity(self, embeddings: Features) -> Numbers:
        """Return float64 (n,), the cosine between embeddings (n, d) and the nearest class mean."""
        blocks = range(0, len(embeddings), ROWS_AT_ONCE)
        return np.concatenate(
            [
                np.zeros(0),
                *(self._similarity(embeddings[start : start + ROWS_AT_ONCE]) for start in blocks),
            ]
        )

    def _similarity(self, embeddings: Features) -> Numbers:
        directions = _directions((embeddings - self.centre) / self.scale)
        cosines = (directions @ self.directions.T).max(axis=1)
        # Rounding must not make of it what is no cosine.
        return np.asarray(np.clip(cosines, -1, 1))

    def is_familiar(self, embeddings: Features) -> NDArray[np.bool_]:
        """Return bool (n,), which embeddings (n, d) are like those that were learnt from."""
        return np.asarray(self.similarity(embeddings) >= self.limit)


def fit_familiarity(
    features: Features,
    labels: Sequence[str],
    groups: Sequence[str],
    split: Split,
    only_trained: TrainingOnly | None = None,
) -> Familiarity:
    """Learn what photos look like from the training images of a split, and draw the line.

    Args:
        features: float (n, d), finite; test images included, which are not looked at.
        labels: Class of each image.
        groups: Group of each image.
        split: Of these images.
        only_trained: Further images to learn from; the line is not drawn through them.
    """
    from reds_pipeline.modeling.blas_threads import one_blas_thread
    from reds_pipeline.modeling.training_only import NOWHERE

    names = np.asarray(labels, dtype=str)
    fold, weights = split.fold, None
    if only_trained is not None:
        given = only_trained.folds(split, groups)
        kept = (given != NOWHERE) & np.isin(only_trained.labels, names)
        features = np.concatenate([features, only_trained.features[kept]])
        names = np.concatenate([names, np.asarray(only_trained.labels, dtype=str)[kept]])
        fold = np.concatenate([fold, given[kept]])
        weights = np.concatenate([np.ones(len(labels)), only_trained.sample_weights[kept]])
    is_measured = np.arange(len(names)) < len(split.fold)
    found = []
    with one_blas_thread():
        for number in range(split.folds):
            others = (fold >= 0) & (fold != number)
            without = fit_means(features[others], names[others], _some(weights, others))
            found.append(without.similarity(features[(fold == number) & is_measured]))
        learnt = fold >= 0
        final = fit_means(features[learnt], names[learnt], _some(weights, learnt))
    limit = familiar_limit(np.concatenate(found))
    return Familiarity(final.centre, final.scale, final.directions, limit)


def familiar_limit(similarity: Numbers, *, lowest: float = EVERYTHING) -> float:
    """Return the cosine that a further picture like these reaches with ``FAMILIAR_SHARE``.

    Args:
        similarity: float64 (n,), each by means that its picture had no part in.
        lowest: What every photo reaches.

    Returns:
        One of them, or ``lowest`` if there are too few.
    """
    below = int((1 - FAMILIAR_SHARE) * (len(similarity) + 1) + _ROUNDING)
    if below < 1:
        return lowest
    return float(np.sort(similarity)[below - 1])


def fit_means(
    features: Features, names: NDArray[np.str_], weights: Numbers | None = None
) -> Familiarity:
    """Return what rows of features look like; nothing is unfamiliar yet.

    Args:
        features: float (n, d), finite.
        names: Class of each.
        weights: float64 (n,), above 0, how much each counts; None for 1 each.
    """
    classes = [np.flatnonzero(names == name) for name in np.unique(names)]
    blocks = block_moments(features, classes, weights)
    spread = blocks.of(np.ones((1, len(classes)), bool)).scale[0]
    scale = np.where(spread > 0, spread, 1.0)
    # One class alone would lie around its own centre, in no direction.
    centre = blocks.means.mean(axis=0) if len(classes) > 1 else np.zeros(len(scale))
    sums = np.zeros((len(classes), len(scale)))
    for number, rows in enumerate(classes):
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            directions = _directions((features[some] - centre) / scale)
            sums[number] += (
                directions.sum(axis=0) if weights is None else weights[some] @ directions
            )
    means = _directions(sums)
    # A class that lies in no direction, as one of blank pictures may, has to have one all the same.
    means[~means.any(axis=1), 0] = 1
    return Familiarity(centre, scale, means, EVERYTHING)


def _some(weights: Numbers | None, rows: NDArray[np.bool_]) -> Numbers | None:
    return None if weights is None else weights[rows]


def _directions(vectors: Numbers) -> Numbers:
    """Return vectors (n, d) at unit length; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))
