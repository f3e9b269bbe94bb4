"""How good a ranking of tags is.

What belongs here: the measures of a multi-label model and their intervals. What does not: fitting
one (``multilabel.py``), and measures of a model that names one class (``cross_validation.py``).

Of K tags recommended for an image, with the tags that its author wrote as the truth (H-19, after
Park et al., "HARRISON: a benchmark on hashtag recommendation for real-world images", 2016):
P@K is hits / K, R@K is hits / number of true tags, A@K is whether there is any hit. Each is
averaged over the images that have a true tag at all. A tag that an author did not write is counted
as wrong, though it may well be shown, so all of them are lower bounds of what a reader would call
right.

Average precision is scikit-learn's ``average_precision_score``, tied values included, for all tags
and for many weights of the rows at once: an interval over groups needs hundreds of weightings, for
which scikit-learn's, one tag and one weighting a call, takes minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.intervals import with_unseen_groups

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

RESAMPLES = 200
_OUTER = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """A measure with the interval that holds it in 95 of 100 cases.

    Attributes:
        value: As measured.
        low: 2.5 % point over resamples of the groups; see ``with_unseen_groups``.
        high: 97.5 % point.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Recommendations:
    """What the first tags of a ranking are worth, averaged over images.

    Attributes:
        precision_at_1: P@1.
        recall_at_5: R@5.
        accuracy_at_5: A@5.
    """

    precision_at_1: Interval
    recall_at_5: Interval
    accuracy_at_5: Interval


@dataclass(frozen=True, eq=False)
class TagMeasures:
    """What a multi-label model of t tags is worth on n images.

    An image without any of the tags has no say in ``recommendations``, where nobody could be right
    about it; everywhere else a tag named on it is one named wrongly.

    Attributes:
        recommendations: The first tags of its ranking.
        mean_average_precision: Mean over the tags that some image has.
        macro_f1: Mean F1 of those tags.
        micro_f1: F1 of all decisions together.
        decision_accuracy: Share of the n x t decisions that are right; a model that never names a
            tag has a high one too, so it stands beside the others only.
        average_precision: float64 (t,), NaN for a tag that no image has.
        f1: float64 (t,), likewise.
    """

    recommendations: Recommendations
    mean_average_precision: Interval
    macro_f1: float
    micro_f1: float
    decision_accuracy: float
    average_precision: Numbers
    f1: Numbers


def precision_at(scores: Numbers, truth: Flags, count: int) -> Numbers:
    """Return P@count of each image, float64 (n,).

    Args:
        scores: float64 (n, t); of equal ones the earlier tag is recommended first.
        truth: bool (n, t), whether an image has a tag.
        count: How many tags are recommended, K.
    """
    return _hits(scores, truth, count) / count


def recall_at(scores: Numbers, truth: Flags, count: int) -> Numbers:
    """Return R@count of each image, float64 (n,), NaN for one without a true tag."""
    true = truth.sum(axis=1)
    return np.divide(
        _hits(scores, truth, count), true, out=np.full(len(true), np.nan), where=true > 0
    )


def accuracy_at(scores: Numbers, truth: Flags, count: int) -> Numbers:
    """Return A@count of each image, float64 (n,): 1 if any tag recommended is a true one."""
    return (_hits(scores, truth, count) > 0).astype(np.float64)


def average_precision(scores: Numbers, truth: Flags, weights: Numbers | None = None) -> Numbers:
    """Return the average precision of each tag.

    Args:
        scores: float64 (n, t).
        truth: bool (n, t).
        weights: float64 (r, n) of r weightings of the images; one of all ones by default.

    Returns:
        float64 (r, t), or (t,) without weights; NaN where no image with weight has the tag.
    """
    weightings = np.ones((1, len(scores))) if weights is None else weights
    result = np.full((len(weightings), scores.shape[1]), np.nan)
    for tag in range(scores.shape[1]):
        order = np.argsort(-scores[:, tag], kind="stable")
        ranked = scores[order, tag]
        positives = np.flatnonzero(truth[order, tag])
        # Images of the same score are recommended together or not at all.
        together = np.searchsorted(-ranked, -ranked[positives], side="right") - 1
        weight = weightings[:, order]
        above = np.cumsum(weight, axis=1)[:, together]
        weight_of_positives = weight[:, positives]
        found = np.cumsum(weight_of_positives, axis=1)
        ties = np.searchsorted(positives, together, side="right") - 1
        precision = np.divide(found[:, ties], above, out=np.zeros_like(above), where=above > 0)
        total = weight_of_positives.sum(axis=1)
        np.divide(
            (precision * weight_of_positives).sum(axis=1),
            total,
            out=result[:, tag],
            where=total > 0,
        )
    return result[0] if weights is None else result


def f1_scores(given: Flags, truth: Flags) -> Numbers:
    """Return the F1 of each tag, float64 (t,); NaN for one that no image has."""
    hits = (given & truth).sum(axis=0)
    true = truth.sum(axis=0)
    return np.divide(
        2.0 * hits, given.sum(axis=0) + true, out=np.full(len(true), np.nan), where=true > 0
    )


def measure_recommendations(
    chances: Numbers, truth: Flags, groups: Sequence[str], seed: int
) -> Recommendations:
    """Measure the first tags of a ranking; see `measure` for the arguments."""
    judged = _judged(truth)
    chances, truth = chances[judged], truth[judged]
    names = np.asarray(groups, dtype=str)[judged]
    weights, units = _weights(names, seed), len(np.unique(names))
    totals = weights.sum(axis=1)

    def averaged(values: Numbers) -> Interval:
        return _interval(float(values.mean()), weights @ values / totals, units)

    return Recommendations(
        precision_at_1=averaged(precision_at(chances, truth, 1)),
        recall_at_5=averaged(recall_at(chances, truth, 5)),
        accuracy_at_5=averaged(accuracy_at(chances, truth, 5)),
    )


def measure(
    chances: Numbers, given: Flags, truth: Flags, groups: Sequence[str], seed: int
) -> TagMeasures:
    """Measure a ranking and its decisions on images, with intervals over their groups.

    Images of one author are alike, so groups are drawn with replacement and not images.

    Args:
        chances: float64 (n, t), by which tags are ranked.
        given: bool (n, t), which tags reach their thresholds.
        truth: bool (n, t), which tags the image has.
        groups: Group of each image.
        seed: Of the resamples.

    Raises:
        ValueError: No image has a true tag.
    """
    recommendations = measure_recommendations(chances, truth, groups, seed)
    weights = _weights(np.asarray(groups, dtype=str), seed)
    precisions = average_precision(chances, truth)
    f1 = f1_scores(given, truth)
    resampled = average_precision(chances, truth, weights)
    return TagMeasures(
        recommendations=recommendations,
        mean_average_precision=_interval(
            float(np.nanmean(precisions)),
            np.nanmean(resampled[np.isfinite(resampled).any(axis=1)], axis=1),
            len(set(groups)),
        ),
        macro_f1=float(np.nanmean(f1)),
        micro_f1=float(2 * (given & truth).sum() / (given.sum() + truth.sum())),
        decision_accuracy=float((given == truth).mean()),
        average_precision=precisions,
        f1=f1,
    )


def _judged(truth: Flags) -> Flags:
    judged = np.asarray(truth.any(axis=1))
    if not judged.any():
        raise ValueError("no image has a tag to be found")
    return judged


def _hits(scores: Numbers, truth: Flags, count: int) -> NDArray[np.int64]:
    # A stable order of all tags: among a few hundred, choosing the largest first saves nothing.
    recommended = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return np.asarray(np.take_along_axis(truth, recommended, axis=1).sum(axis=1))


def _weights(groups: NDArray[np.str_], seed: int) -> Numbers:
    """Return how often each resample of the groups holds each image, float64 (r, n)."""
    names, group = np.unique(groups, return_inverse=True)
    generator = np.random.default_rng(seed)
    shares = np.full(len(names), 1 / len(names))
    drawn = generator.multinomial(len(names), shares, size=RESAMPLES)
    return np.asarray(drawn[:, group], np.float64)


def _interval(value: float, resampled: Numbers, groups: int) -> Interval:
    # A resample holds images twice, which flatters average precision. Only the spread is wanted.
    low, high = np.percentile(resampled, _OUTER) - resampled.mean() + value
    return Interval(value, *with_unseen_groups(float(low), float(high), value, groups))
