"""All tags of an image at once: one linear SVM a tag, with a threshold of its own (R-IMP-1).

What belongs here: fitting, calibrating and drawing the thresholds along a split. What does not:
which tags there are (``tag_lists.py``), measures of a ranking (``ranking_metrics.py``), logging.

Each tag is learnt against all images without it (one against the rest, squared hinge, one C for
all tags, chosen inside the grouped folds by mean average precision). A sigmoid a tag turns its
values into chances that are independent of each other and need not add up to 1 (H-18).

A tag that an author did not write is unknown rather than wrong: most photographs of a cat do not
say ``pet``. Nobody can tell these from true negatives without looking, so they are fitted and
counted as negatives. Ranking suffers little from that, for the wrongly negative are a small part
of all; chances come out as how often authors *write* the tag on such a picture, which is what a
recommendation needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.abstention import HIGHEST_THRESHOLD, reached
from reds_pipeline.modeling.blas_threads import one_blas_thread
from reds_pipeline.modeling.bundle import ModelBundle, Provenance
from reds_pipeline.modeling.calibration import fit_sigmoids, sigmoid
from reds_pipeline.modeling.choose_c import FoldFits, fit_folds
from reds_pipeline.modeling.familiarity import Familiarity
from reds_pipeline.modeling.ranking_metrics import (
    Recommendations,
    TagMeasures,
    average_precision,
    measure,
    measure_recommendations,
)
from reds_pipeline.modeling.splits import Split

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Tags are noisy labels, for which wider margins are better. Mean average precision out of fold on
# 723 photographs with MobileNetV2's features and 17 tags of a made-up town: 0.416, 0.415, 0.417 for
# these, 0.406 and 0.403 for 1e-2 and 1e-1, which take as long as these three together.
PENALTIES = (1e-5, 1e-4, 1e-3)
# H-17: a tag is recommended from a chance of 10 % on, never below.
LEAST_CHANCE = 0.1
UNSHOWN_CHANCE = 0.5
# One-sided, one in a thousand: of 200 tags that pictures do not show, hardly one looks shown.
_CONVINCING_DEVIATIONS = 3.09


@dataclass(frozen=True)
class TagParameters:
    """How a multi-label model is fitted.

    Attributes:
        C: Weight of the training errors; chosen inside the folds among ``PENALTIES`` if None.
        seed: Of split and intervals.
    """

    C: float | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class TagCalibration:
    """How the decision values of t tags become chances and answers.

    Attributes:
        slope: float64 (t,), of the sigmoids.
        offset: float64 (t,), likewise.
        thresholds: float64 (t,), the chance from which each tag is recommended.
        shown: bool (t,), the tags that pictures were found to show; see ``draw_thresholds``.
    """

    slope: Numbers
    offset: Numbers
    thresholds: Numbers
    shown: Flags

    def chances(self, decisions: Numbers) -> Numbers:
        """Return float64 (n, t) for decision values (n, t)."""
        return sigmoid(decisions * self.slope + self.offset)


@dataclass(frozen=True, eq=False)
class TagExperiment:
    """A multi-label model of t tags with what a split of n images says of it.

    Attributes:
        fits: Folds and final fit, before calibration.
        calibration: Of the final model.
        chances: float64 (n, t). Of a training image out of fold, calibrated on the other folds; of
            a test image by the final model.
        given: bool (n, t), which chances reach their thresholds; those of a training image were
            drawn on the other folds.
        folds: What the folds say, training images only.
        test: What the test images say; None if none of them has any of the tags.
        popularity: What naming the most frequent tags to everybody is worth on the training
            images, each fold's frequencies counted on the others.
        test_popularity: Likewise on the test images; None if they say nothing.
    """

    fits: FoldFits
    calibration: TagCalibration
    chances: Numbers
    given: Flags
    folds: TagMeasures
    test: TagMeasures | None
    popularity: Recommendations
    test_popularity: Recommendations | None


def run_tag_experiment(
    features: NDArray[np.floating[Any]],
    targets: Flags,
    groups: Sequence[str],
    split: Split,
    parameters: TagParameters,
) -> TagExperiment:
    """Fit a multi-label model and measure it.

    Args:
        features: float (n, d).
        targets: bool (n, t), which tags an image has; each tag with a training image.
        groups: Group of each image, for the intervals.
        split: Of the n images; grouped, so that no author is on both sides.
        parameters: Of the fit.
    """
    penalties = PENALTIES if parameters.C is None else (parameters.C,)
    fits = fit_folds(features, targets, split.fold, penalties, _mean_average_precision)
    training, test = split.training, split.test
    chances = np.empty(targets.shape)
    given = np.zeros(targets.shape, bool)
    frequencies = np.empty(targets.shape)
    for number in range(split.folds):
        asked, others = split.fold == number, training & (split.fold != number)
        calibration = _calibrate(fits.inner_decisions[number][others], targets[others])
        chances[asked] = calibration.chances(fits.decisions[asked])
        given[asked] = reached(chances[asked], calibration.thresholds)
        frequencies[asked] = targets[others].mean(axis=0)
    final = _calibrate(fits.inner_decisions[-1][training], targets[training])
    with one_blas_thread():
        chances[test] = final.chances(fits.final.decision_values(0, 0, features[test]))
    given[test] = reached(chances[test], final.thresholds)
    frequencies[test] = targets[training].mean(axis=0)
    names, seed = np.asarray(groups, dtype=str), parameters.seed
    has_test = bool(targets[test].any())
    return TagExperiment(
        fits=fits,
        calibration=final,
        chances=chances,
        given=given,
        folds=measure(
            chances[training], given[training], targets[training], names[training].tolist(), seed
        ),
        test=measure(chances[test], given[test], targets[test], names[test].tolist(), seed)
        if has_test
        else None,
        popularity=measure_recommendations(
            frequencies[training], targets[training], names[training].tolist(), seed
        ),
        test_popularity=measure_recommendations(
            frequencies[test], targets[test], names[test].tolist(), seed
        )
        if has_test
        else None,
    )


def draw_thresholds(chances: Numbers, targets: Flags) -> tuple[Numbers, Flags]:
    """Return the chance from which each tag is recommended.

    It is where the tag's F1 is highest, but not below ``LEAST_CHANCE``: the highest F1 of a rare
    tag rests on a few pictures. A tag whose pictures do not stand out from the others (rank-sum
    test; Mann and Whitney, 1947) would best be named on every picture, which helps nobody; it is
    named from ``UNSHOWN_CHANCE`` on, when it is likelier than not.

    Args:
        chances: float64 (n, t), out of fold.
        targets: bool (n, t).

    Returns:
        (thresholds float64 (t,), bool (t,) whether a tag's pictures stand out).
    """
    from scipy.stats import rankdata

    positives = targets.sum(axis=0)
    negatives = len(targets) - positives
    rank_sums = np.where(targets, rankdata(chances, axis=0), 0).sum(axis=0)
    excess = rank_sums - positives * (len(targets) + 1) / 2
    spread = np.sqrt(positives * negatives * (len(targets) + 1) / 12)
    shown = (spread > 0) & (excess > _CONVINCING_DEVIATIONS * spread)
    least = np.where(shown, LEAST_CHANCE, UNSHOWN_CHANCE)
    return np.clip(_highest_f1(chances, targets), least, HIGHEST_THRESHOLD), shown


def bundle_of_tags(
    experiment: TagExperiment,
    tags: Sequence[str],
    provenance: Provenance,
    familiarity: Familiarity | None = None,
) -> ModelBundle:
    """Return the portable model that decides as the experiment's final one."""
    final = experiment.fits.final
    return ModelBundle(
        kind="tags",
        classes=tuple(tags),
        mean=final.mean[0],
        scale=final.scale[0],
        weights=np.ascontiguousarray(final.coefficients[0, 0]),
        intercept=np.ascontiguousarray(final.intercepts[0, 0]),
        slope=experiment.calibration.slope,
        offset=experiment.calibration.offset,
        thresholds=experiment.calibration.thresholds,
        provenance=provenance,
        familiarity=familiarity,
    )


def _calibrate(decisions: Numbers, targets: Flags) -> TagCalibration:
    """Return the calibration under which values (n, t) say most about targets (n, t)."""
    slope, offset = fit_sigmoids(decisions, targets)
    thresholds, shown = draw_thresholds(sigmoid(decisions * slope + offset), targets)
    return TagCalibration(slope, offset, thresholds, shown)


def _highest_f1(chances: Numbers, targets: Flags) -> Numbers:
    """Return for each tag the chance at and above which its F1 is highest."""
    order = np.argsort(-chances, axis=0, kind="stable")
    ranked = np.take_along_axis(chances, order, axis=0)
    hits = np.cumsum(np.take_along_axis(targets, order, axis=0), axis=0)
    named = np.arange(1, len(chances) + 1)[:, None]
    f1 = 2 * hits / (named + targets.sum(axis=0))
    # Images of equal chance are named together or not at all.
    f1[:-1][ranked[:-1] == ranked[1:]] = -1
    best = f1.argmax(axis=0)
    return np.asarray(np.take_along_axis(ranked, best[None], axis=0)[0])


def _mean_average_precision(decisions: Numbers, targets: Flags) -> float:
    precisions = average_precision(decisions, targets)
    return float(np.nanmean(precisions)) if targets.any() else 0.0
