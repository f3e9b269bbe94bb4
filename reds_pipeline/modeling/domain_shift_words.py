"""What the domain shift comes to, in sentences.

What belongs here: saying how near photographs are to what a backbone knows, and whether they
drift, with what each number rests on. What does not: measuring (``domain_shift``,
``feature_drift``), tables and figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reds_pipeline.modeling.domain_shift import Share, ZeroShot
from reds_pipeline.modeling.feature_drift import BEYOND_BY_CHANCE, OldAgainstNew, Period


def nearness_in_words(svm: Share, neighbours: Share, zero_shot: Share | None) -> str:
    """Return how well each way to answer does; the last had to have the class to be asked."""
    told = (
        f"Neighbours alone, nothing fitted, answer {_share(neighbours)} rightly, the linear SVM "
        f"{_share(svm)}"
    )
    if zero_shot is not None:
        told += f", the backbone's own ImageNet head {_share(zero_shot)}"
        if zero_shot.pictures < svm.pictures:
            told += f" of the {zero_shot.pictures} pictures whose class ImageNet has"
    return f"{told}."


def zero_shot_in_words(found: ZeroShot, kinds: Mapping[str, Sequence[int]]) -> str:
    """Return how the backbone's own head was asked.

    Args:
        found: What it answered.
        kinds: For each class the places of its kinds among ImageNet's.
    """
    counted = ", ".join(f"{name} {len(places)}" for name, places in kinds.items())
    unasked = (
        f" Pictures of {', '.join(found.left_out)} were not asked about, unlike elsewhere."
        if found.left_out
        else ""
    )
    return (
        f"Kinds in ImageNet: {counted}.{unasked} On average {100 * found.mass:.1f} % of all "
        "chances fall on kinds of the true class."
    )


def drift_in_words(drift: Sequence[Period], times: OldAgainstNew | None) -> str:
    """Return whether months differ; of many, some do by chance."""
    if not drift:
        return "The pictures of too few months are here to see a drift."
    beyond = [period.name for period in drift if period.distance > period.chance]
    told = (
        f"{len(beyond)} of {len(drift)} periods lie farther from all pictures than 95 of 100 "
        f"shufflings of the months (by chance {BEYOND_BY_CHANCE * len(drift):.2g} would)"
        f"{': ' if beyond else ''}{', '.join(beyond)}"
    )
    if times is None:
        return f"{told}; too few authors posted early or late to tell old from new."
    return (
        f"{told}; old and new pictures are told apart with an AUC of {times.auc:.2f} (95 % "
        f"interval {times.low:.2f} to {times.high:.2f}; 0.5 is no difference)."
    )


def _share(share: Share) -> str:
    return f"{share.accuracy:.3f} ({share.low:.3f} to {share.high:.3f})"
