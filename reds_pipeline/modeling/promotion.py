"""Whether a newly trained model should serve instead of the present one.

What belongs here: the rule, as a pure function. What does not: registries and aliases. Every
decision comes with its reason in words, because it is kept for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A model as far as the rule looks at it.

    Attributes:
        backbone: Name of its encoder.
        cv_mean: Mean accuracy of the grouped folds, 0 to 1.
        cv_variance: Variance of those accuracies.
        dataset_digest: The data set it was trained on.
        classes: What it can say.
    """

    backbone: str
    cv_mean: float
    cv_variance: float
    dataset_digest: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """What is to be done with a candidate.

    Attributes:
        promote: Whether it shall serve.
        reason: Why, in words.
    """

    promote: bool
    reason: str


def best(models: Sequence[Measured]) -> int:
    """Return the position of the best of several models on one data set (R-EXP-12).

    Accuracy decides; of equally accurate ones the steadier wins, then the first.
    """
    return min(
        range(len(models)), key=lambda index: (-models[index].cv_mean, models[index].cv_variance)
    )


def decide(candidate: Measured, champion: Measured | None, margin: float) -> Decision:
    """Say whether a candidate shall replace the champion.

    On the same data the more accurate one serves. On other data both numbers were measured on
    different pictures, so the newer one, which knows the newer pictures, serves unless it is
    worse by more than ``margin``.

    Args:
        candidate: The best of the models just trained.
        champion: The model that serves now, if any.
        margin: The loss of accuracy that newer data is worth.
    """
    if champion is None:
        return Decision(True, "There was no model before.")
    here, there = f"{candidate.cv_mean:.4f}", f"{champion.cv_mean:.4f}"
    if candidate.dataset_digest == champion.dataset_digest:
        better = candidate.cv_mean > champion.cv_mean
        return Decision(
            better,
            f"On the same data set {candidate.backbone} reaches {here} in grouped "
            f"cross-validation, the champion {champion.backbone} {there}.",
        )
    if candidate.classes != champion.classes:
        return Decision(
            True,
            f"The classes changed from {', '.join(champion.classes)} to "
            f"{', '.join(candidate.classes)}; grouped cross-validation {here}.",
        )
    good_enough = candidate.cv_mean >= champion.cv_mean - margin
    comparison = f"reaches {here} in grouped cross-validation, the champion {there} on older data"
    verdict = "within" if good_enough else "beyond"
    return Decision(
        good_enough,
        f"{candidate.backbone} {comparison}: {verdict} the allowed loss of {margin:g}.",
    )
