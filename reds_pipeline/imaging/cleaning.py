"""Which images of one class are fit for training, and why the others are not.

What belongs here: the rules R-SCR-5 to R-SCR-7 within a class. What does not: anything across
classes (curation.py), and deleting: every row comes out again with its verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reds_pipeline.imaging import quality
from reds_pipeline.imaging.alignment import MIRRORED
from reds_pipeline.imaging.clusters import smallest_names
from reds_pipeline.imaging.duplicates import (
    CROPPED,
    EXACT,
    PERCEPTUAL,
    Duplicate,
    duplicate_groups,
    find_duplicates,
)
from reds_pipeline.review.decisions import DecisionBook

MULTI_CLASS = "multi_class"
EXACT_DUPLICATE = "exact_duplicate"
NEAR_DUPLICATE = "near_duplicate"
MIRRORED_DUPLICATE = "mirrored_duplicate"
CROPPED_DUPLICATE = "cropped_duplicate"
REASON_OF_KIND: Mapping[str, str] = {
    EXACT: EXACT_DUPLICATE,
    PERCEPTUAL: NEAR_DUPLICATE,
    MIRRORED: MIRRORED_DUPLICATE,
    CROPPED: CROPPED_DUPLICATE,
}
"""The reason for which a duplicate of each kind is dropped."""

NO_DECISIONS = DecisionBook({}, str)


@dataclass(frozen=True)
class CleaningRules:
    """Thresholds of cleaning and curation.

    Attributes:
        perceptual_radius: Largest number of differing hash bits (0 to 15) at which two pictures
            count as the same. At 8, re-encoded, rescaled and brightened copies are all found and
            none of 319,600 pairs of different pictures is taken for one (performance.md 2).
        dropping_gates: Names of the quality gates whose hits drop; the others only flag.
        gate_thresholds: Thresholds of quality gates that differ from the usual, by name.
    """

    perceptual_radius: int = 8
    dropping_gates: frozenset[str] = quality.DEFAULT_DROPS
    gate_thresholds: Mapping[str, float] = field(default_factory=dict)


_DEFAULT_RULES = CleaningRules()


def clean_class(
    class_name: str,
    rows: Sequence[Mapping[str, Any]],
    classes_of_post: Mapping[str, Collection[str]],
    rules: CleaningRules = _DEFAULT_RULES,
    decisions: DecisionBook = NO_DECISIONS,
) -> list[dict[str, Any]]:
    """Judge every stored image of a class.

    The reasons, first match wins: ``multi_class`` (the post's tags name another selected class,
    R-SCR-6), the quality gates that drop, in their order (``quality.GATES``, R-SCR-5),
    ``exact_duplicate`` (same bytes as a better row), ``near_duplicate`` (looks like a better
    image) and ``mirrored_duplicate`` (looks like the mirror image of one, R-SCR-7).

    Of duplicates the best stays (``keep_best``). Only images that no other reason drops compete:
    a grey copy, however large, does not make the colour original disappear, and two images are
    not joined through a dropped one between them. The ``cluster`` column, in contrast, is found
    over all images, dropped ones too, so that whatever is related stays on one side of a
    train/test split.

    A picture that a person put into this class is dropped only as the same bytes again. One that
    a person discarded or put into another class competes with nobody; ``curate`` deals with it.

    Args:
        class_name: The class.
        rows: Rows of the images table; those that are not ``stored`` are passed over.
        classes_of_post: For each ``post_key`` the selected classes that the lemmas of its tags
            name; a post that is missing names none.
        rules: Thresholds.
        decisions: What people decided.

    Returns:
        Each stored row once, oldest first, with the further columns of the table
        ``CLEAN_IMAGES``: ``cluster`` is the smallest SHA-256 of the group of duplicates of all
        kinds, ``keeper`` names the best of the duplicates, which may itself be dropped later.
    """
    stored = sorted((row for row in rows if row["status"] == "stored"), key=age)
    decided = [decisions.of(row["sha256"]) for row in stored]
    chosen = {
        row["sha256"]
        for row, decision in zip(stored, decided, strict=True)
        if decision is not None and decision.label == class_name
    }
    flags = [quality.flags(row, rules.gate_thresholds) for row in stored]
    reasons = [
        ""
        if row["sha256"] in chosen
        else MULTI_CLASS
        if set(classes_of_post.get(row["post_key"], ())) - {class_name}
        else quality.first_drop(hits, rules.dropping_gates)
        for row, hits in zip(stored, flags, strict=True)
    ]
    competing = [
        position
        for position, (row, reason, decision) in enumerate(
            zip(stored, reasons, decided, strict=True)
        )
        if not reason and (decision is None or row["sha256"] in chosen)
    ]
    duplicates = dict(
        zip(
            competing,
            find_duplicates(
                [stored[position] for position in competing],
                rules.perceptual_radius,
                chosen=lambda row: row["sha256"] in chosen,
            ),
            strict=True,
        )
    )
    groups = duplicate_groups(stored, rules.perceptual_radius).all_kinds
    clusters = smallest_names(groups, [row["sha256"] for row in stored])
    cleaned = []
    for position, row in enumerate(stored):
        duplicate = duplicates.get(position)
        reason = REASON_OF_KIND[duplicate.kind] if duplicate else reasons[position]
        cleaned.append(
            {
                **row,
                "class_name": class_name,
                "kept": not reason,
                "drop_reason": reason,
                "cluster": clusters[position],
                "flags": flags[position],
                **duplicate_columns(duplicate),
            }
        )
    return cleaned


def age(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the key that sorts rows of images from the oldest to the newest."""
    return row["created_at"] or "", row["media_key"]


def duplicate_columns(duplicate: Duplicate | None) -> dict[str, Any]:
    """Return the columns that say which picture stayed instead of a row, and why."""
    if duplicate is None:
        return {
            "keeper": "",
            "duplicate_kind": "",
            "duplicate_distance": None,
            "keeper_rule": "",
        }
    return {
        "keeper": duplicate.keeper,
        "duplicate_kind": duplicate.kind,
        "duplicate_distance": duplicate.distance,
        "keeper_rule": duplicate.rule,
    }
