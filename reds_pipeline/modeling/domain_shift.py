"""How near the photographs are to what a backbone knows (R-IMP-8).

What belongs here: answers without any training, by nearest neighbours and by the backbone's own
ImageNet head, which are good only where the photographs are much like what the backbone learnt
from. What does not: changes over time (``feature_drift``), fitting heads, reading tables, drawing
(``domain_shift_figure``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.intervals import wilson_interval

NEIGHBOURS = 5
MOST_ASKED = 2000
"""Pictures whose neighbours are looked for at most; more would make no interval tell more."""

Features = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Share:
    """How many of some pictures were answered rightly.

    Attributes:
        right: Pictures whose class was said.
        pictures: All that were asked about.
        low: Lower end of the 95 % Wilson interval of their quotient.
        high: Its upper end.
    """

    right: int
    pictures: int
    low: float
    high: float

    @property
    def accuracy(self) -> float:
        """The quotient."""
        return self.right / self.pictures


@dataclass(frozen=True)
class ZeroShot:
    """What the backbone's own head says, without any training on our pictures.

    Attributes:
        share: Pictures whose class got the highest sum of chances over its kinds in ImageNet.
        mass: Mean chance, of all ImageNet's classes, that fell on kinds of the true class.
        left_out: Classes of which ImageNet has no kind; their pictures were not asked about.
    """

    share: Share
    mass: float
    left_out: tuple[str, ...]


def share_of(correct: NDArray[np.bool_]) -> Share:
    """Count right answers (n,), with the interval of their share.

    Raises:
        ValueError: Nothing was asked.
    """
    right, pictures = int(correct.sum()), len(correct)
    if not pictures:
        raise ValueError("no pictures")
    return Share(right, pictures, *wilson_interval(right, pictures))


def nearest_neighbours(
    features: Features, labels: Sequence[str], fold: NDArray[np.integer[Any]], *, seed: int
) -> Share:
    """Answer with the class most frequent among the nearest pictures of the other folds.

    Nothing is fitted: it shows whether the backbone's own distances already separate the
    classes. The folds are those of the model that it is compared with.

    Args:
        features: (n, d).
        labels: Class of each picture.
        fold: Fold of each picture, so that no author is on both sides.
        seed: Which pictures are asked about where there are more than ``MOST_ASKED``.
    """
    from sklearn.neighbors import KNeighborsClassifier

    names = np.asarray(labels, dtype=str)
    asked = _sample(len(names), seed)
    correct = np.zeros(len(names), bool)
    for number in np.unique(fold[asked]):
        others = fold != number
        mine = asked[fold[asked] == number]
        # Weighing by distance leaves no ties to the order of the names.
        voting = KNeighborsClassifier(
            n_neighbors=min(NEIGHBOURS, int(others.sum())), metric="cosine", weights="distance"
        )
        voting.fit(features[others], names[others])
        correct[mine] = voting.predict(features[mine]) == names[mine]
    return share_of(correct[asked])


def zero_shot(
    features: Features,
    labels: Sequence[str],
    head: tuple[NDArray[np.float32], NDArray[np.float32]],
    kinds: Mapping[str, Sequence[int]],
) -> ZeroShot | None:
    """Ask the backbone's own head which class each picture shows.

    Args:
        features: (n, d).
        labels: Class of each picture, all keys of ``kinds``.
        head: Weights (c, d) and bias (c,).
        kinds: For each class the places of its kinds among the c outputs; none for a class that
            ImageNet does not have.

    Returns:
        None where ImageNet has kinds of fewer than two of the classes.
    """
    from scipy.special import softmax

    classes = sorted(name for name, places in kinds.items() if places)
    left_out = tuple(sorted(name for name in kinds if name not in classes))
    known = np.flatnonzero(np.isin(np.asarray(labels, dtype=str), classes))
    if len(classes) < 2 or not len(known):
        return None
    weights, bias = head
    true = np.searchsorted(classes, np.asarray(labels, dtype=str)[known])
    sums = np.empty((len(known), len(classes)))
    for start in range(0, len(known), MOST_ASKED):
        part = slice(start, start + MOST_ASKED)
        chances = softmax(features[known[part]] @ weights.T + bias, axis=1)
        for column, name in enumerate(classes):
            sums[part, column] = chances[:, list(kinds[name])].sum(axis=1)
    return ZeroShot(
        share_of(sums.argmax(axis=1) == true),
        float(sums[np.arange(len(true)), true].mean()),
        left_out,
    )


def _sample(count: int, seed: int) -> NDArray[np.int64]:
    """Return at most ``MOST_ASKED`` of so many places, in order."""
    if count <= MOST_ASKED:
        return np.arange(count)
    generator = np.random.default_rng(seed)
    return np.sort(generator.choice(count, MOST_ASKED, replace=False))
