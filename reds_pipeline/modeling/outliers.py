"""Which pictures are like no class of the data set.

What belongs here: a score of being unlike, and where unusual begins. What does not: wrong
labels (``label_issues``). A dog among the cats is like the dogs and no outlier here; an outlier
is the picture that should be in no class: a hashtag named one, but it shows something else.

Features are centred between the classes and brought to unit length; the score is half of one
minus the cosine to the most similar class mean, from 0 (it points the same way) to 1 (the
opposite way). A picture's own group is taken out of the means that it is compared with, so that
nobody vouches for himself. On photographs with 20 planted of a class that the data set does not
have, this ranks better than distances to nearest neighbours, cleanlab's outlier score among
them, for the planted ones are each other's neighbours (``benchmarks/README.md``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEVIATIONS = 3.0
"""How many median absolute deviations above the median a score is unusual: 3.0 % of the 845
photographs, and about four in five of 20 foreign ones planted among them (MobileNetV2)."""

_BLOCK_ROWS = 1024
_ROUNDING = 1e-6

Features = NDArray[np.floating[Any]]


def outlier_scores(
    features: Features, labels: Sequence[str], groups: Sequence[str]
) -> NDArray[np.float64]:
    """Return float64 (n,), from 0 (like some class) to 1 (unlike all).

    Args:
        features: (n, d), finite.
        labels: Class of each picture.
        groups: Group of each picture; it does not count in the means it is compared with.

    Returns:
        The scores; 0 for a picture that nothing outside its group can be compared with. Memory
        beside the features: k means, and float64 copies of 1,024 rows or of the largest group.
    """
    classes, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    units = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    centre = _centre(features, codes, len(classes))
    blocks = list(_whole_groups(units))
    sums = np.zeros((len(classes), features.shape[1]))
    for rows in blocks:
        directions = _directions(features[rows], centre)
        for code in np.unique(codes[rows]):
            sums[code] += directions[codes[rows] == code].sum(axis=0)
    counts = np.bincount(codes, minlength=len(classes))
    scores = np.zeros(len(codes))
    for rows in blocks:
        directions = _directions(features[rows], centre)
        cosine = _highest_cosine(directions, codes[rows], units[rows], sums, counts)
        scores[rows] = (1 - np.clip(cosine, -1, 1)) / 2
    return scores


def unusual(scores: NDArray[np.float64], deviations: float = DEVIATIONS) -> NDArray[np.bool_]:
    """Return bool (n,), whether a score lies far above the others.

    Median and median absolute deviation, unlike mean and standard deviation, hardly move when
    a few outliers are among the scores.
    """
    if not len(scores):
        return np.zeros(0, bool)
    middle = np.median(scores)
    spread = np.median(np.abs(scores - middle))
    return np.asarray(scores > middle + max(deviations * spread, _ROUNDING))


def _centre(features: Features, codes: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Return the mean of the class means, float64 (d,): the same for a large and a small class.

    One class alone would lie around its own centre, in no direction; it is not centred.
    """
    if classes < 2:
        return np.zeros(features.shape[1])
    means = [features[codes == code].mean(axis=0, dtype=np.float64) for code in range(classes)]
    return np.asarray(np.mean(means, axis=0))


def _whole_groups(units: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield row numbers in blocks, rows of one group beside each other and in one block."""
    order = np.argsort(units, kind="stable")
    ends = np.flatnonzero(np.diff(units[order], append=-1)) + 1
    start = 0
    while start < len(order):
        within = ends[(ends > start) & (ends <= start + _BLOCK_ROWS)]
        end = int(within[-1] if len(within) else ends[ends > start][0])
        yield order[start:end]
        start = end


def _directions(features: Features, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = features - centre
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0))


def _highest_cosine(
    directions: NDArray[np.float64],
    codes: NDArray[np.int64],
    units: NDArray[np.int64],
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return each row's cosine to the most similar class mean outside its group, or 1.

    Args:
        directions: (b, d), rows of one group beside each other.
        codes: Class of each row.
        units: Group of each row.
        sums: (k, d), sum of all directions of each class.
        counts: Number of all pictures of each class.
    """
    first = np.flatnonzero(np.diff(units, prepend=-1))
    group = np.cumsum(np.diff(units, prepend=-1) != 0) - 1
    highest = np.full(len(directions), -np.inf)
    for code in range(len(sums)):
        of_class = (codes == code)[:, None]
        own = np.add.reduceat(directions * of_class, first, axis=0)
        others = counts[code] - np.add.reduceat(of_class[:, 0].astype(np.int64), first)
        means = sums[code] - own
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(float).tiny)
        cosine = np.einsum("bd,bd->b", directions, means[group])
        # Rounding may leave a direction where no picture is left.
        highest = np.where(others[group] > 0, np.maximum(highest, cosine), highest)
    return np.where(np.isneginf(highest), 1.0, highest)
