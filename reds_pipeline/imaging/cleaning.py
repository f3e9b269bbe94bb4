"""Which images of one class are fit for training, and why the others are not.

What belongs here: the rules R-SCR-5 to R-SCR-7 within a class. What does not: anything across
classes (curation.py), and deleting: every row comes out again with its verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reds_pipeline.imaging.clusters import near_duplicate_clusters
from reds_pipeline.imaging.colour import GREYSCALE_TOLERANCE, is_greyscale

MULTI_CLASS = "multi_class"
GREYSCALE = "greyscale"
EXACT_DUPLICATE = "exact_duplicate"
NEAR_DUPLICATE = "near_duplicate"


@dataclass(frozen=True)
class CleaningRules:
    """Thresholds of cleaning and curation.

    Attributes:
        perceptual_radius: Largest number of differing hash bits (0 to 15) at which two pictures
            count as the same. At 8, re-encoded, rescaled and brightened copies are all found and
            none of 319,600 pairs of different pictures is taken for one (performance.md 2).
        greyscale_tolerance: Largest colour spread, 0 to 255, that counts as grey.
    """

    perceptual_radius: int = 8
    greyscale_tolerance: float = GREYSCALE_TOLERANCE


_DEFAULT_RULES = CleaningRules()


def clean_class(
    class_name: str,
    rows: Sequence[Mapping[str, Any]],
    classes_of_post: Mapping[str, Collection[str]],
    rules: CleaningRules = _DEFAULT_RULES,
) -> list[dict[str, Any]]:
    """Judge every stored image of a class.

    The reasons, first match wins: ``multi_class`` (the post's tags name another selected class,
    R-SCR-6), ``greyscale`` (R-SCR-5), ``exact_duplicate`` (same bytes as an earlier image),
    ``near_duplicate`` (looks like an earlier image, R-SCR-7).

    Of duplicates the earliest stays, by ``created_at`` and then ``media_key``. Only images that
    no other reason drops compete: a grey copy, however early, does not make the colour original
    disappear, and two images are not joined through a dropped one between them. The ``cluster``
    column, in contrast, is found over all images, dropped ones too, so that whatever is related
    stays on one side of a train/test split.

    Args:
        class_name: The class.
        rows: Rows of the images table; those that are not ``stored`` are passed over.
        classes_of_post: For each ``post_key`` the selected classes that the lemmas of its tags
            name; a post that is missing names none.
        rules: Thresholds.

    Returns:
        Each stored row once, oldest first, with ``class_name``, ``kept``, ``drop_reason`` and
        ``cluster`` (the smallest SHA-256 of the near-duplicate cluster) added.
    """
    stored = sorted((row for row in rows if row["status"] == "stored"), key=age)
    reasons = [_own_reason(row, class_name, classes_of_post, rules) for row in stored]
    _mark_later_ones(reasons, [row["sha256"] for row in stored], EXACT_DUPLICATE)
    remaining = [row for row, reason in zip(stored, reasons, strict=True) if not reason]
    looks = dict(
        zip(
            (row["sha256"] for row in remaining),
            _clusters(remaining, rules.perceptual_radius),
            strict=True,
        )
    )
    _mark_later_ones(reasons, [looks.get(row["sha256"], "") for row in stored], NEAR_DUPLICATE)
    clusters = _clusters(stored, rules.perceptual_radius)
    return [
        {
            **row,
            "class_name": class_name,
            "kept": not reason,
            "drop_reason": reason,
            "cluster": cluster,
        }
        for row, reason, cluster in zip(stored, reasons, clusters, strict=True)
    ]


def age(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the key that sorts rows of images from the oldest to the newest."""
    return row["created_at"] or "", row["media_key"]


def _own_reason(
    row: Mapping[str, Any],
    class_name: str,
    classes_of_post: Mapping[str, Collection[str]],
    rules: CleaningRules,
) -> str:
    """Return the reason that needs no other image, or an empty string."""
    if set(classes_of_post.get(row["post_key"], ())) - {class_name}:
        return MULTI_CLASS
    if is_greyscale(row["colour_spread"], rules.greyscale_tolerance):
        return GREYSCALE
    return ""


def _mark_later_ones(reasons: list[str], identities: Sequence[str], reason: str) -> None:
    """Give ``reason`` to each row without one whose identity came before among such rows."""
    seen: set[str] = set()
    for index, identity in enumerate(identities):
        if reasons[index]:
            continue
        if identity in seen:
            reasons[index] = reason
        seen.add(identity)


def _clusters(rows: Sequence[Mapping[str, Any]], radius: int) -> list[str]:
    return near_duplicate_clusters(
        [row["sha256"] for row in rows], [row["perceptual_hash"] for row in rows], radius
    )
