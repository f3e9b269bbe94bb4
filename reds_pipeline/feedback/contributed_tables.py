"""The two tables of contributed photos: what each is, and which are learnt from.

What belongs here: reading and writing them under their locks, and bringing the files into the image
store. What does not: the verdicts themselves (``labels.py``, ``curation.py``), and taking rows
out for somebody who deleted a photo (``withdrawal``).

A contribution may be deleted at any moment. Its row of ``contributed_images`` is written all the
same where its file is in the store, for by that row ``withdrawal`` finds what is to be erased; in
``contributed_dataset``, of which is learnt, it has no row from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from reds_pipeline.feedback.contributions import (
    Contribution,
    contributions,
    read_contributed_photo,
)
from reds_pipeline.feedback.curation import FeedbackRules, judge_contributed
from reds_pipeline.feedback.labels import contributed_label
from reds_pipeline.imaging import quality
from reds_pipeline.imaging.cleaning import CleaningRules
from reds_pipeline.imaging.duplicates import CopyPairs
from reds_pipeline.review.decisions import DecisionBook
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.locks import WITHDRAWAL_SECONDS, exclusive
from reds_pipeline.storage.tables import (
    CLEAN_IMAGES,
    CONTRIBUTED,
    CONTRIBUTED_IMAGES,
    SIMILAR_PAIRS,
    read_rows,
    write_rows,
)

IMAGES_TABLE = "contributed_images"
DATASET_TABLE = "contributed_dataset"

# What one decode says about a picture.
_DESCRIBING = ("perceptual_hash", "mirrored_hash", "colour_spread", "scores")

Row = dict[str, Any]


def write_contributed_images(
    home: Home, classes_of: Callable[[str], Collection[str]], rules: CleaningRules
) -> list[Row]:
    """Describe and label every contribution that is there, and bring its photo into the store.

    Args:
        home: Where they are.
        classes_of: The selected classes that a tag names.
        rules: The quality gates; those that a collected picture has to pass.

    Returns:
        The rows of the table ``CONTRIBUTED_IMAGES``, as written, oldest first.

    Raises:
        RedsError: A contribution is damaged, or a withdrawal is at work.
    """
    from reds_pipeline.imaging.resize import RESIZE_RULE
    from reds_pipeline.imaging.tensors import describe_missing

    table = home.table(IMAGES_TABLE)
    given = contributions(home)
    if not given and not table.exists():
        return []
    with _alone(home, IMAGES_TABLE):
        known = {row["sha256"]: row for row in read_rows(table, CONTRIBUTED_IMAGES)}
        stored = [one for one in given if _store(home, one)]
        described = describe_missing(
            [_described_before(one, known.get(one.sha256, {})) for one in stored],
            home.images,
            home.tensors(RESIZE_RULE),
        )
        rows = [
            _row(one, facts, classes_of, rules)
            | {"bytes": home.images.path(one.sha256, one.extension).stat().st_size}
            for one, facts in zip(stored, described, strict=True)
        ]
        write_rows(table, rows, CONTRIBUTED_IMAGES)
    return rows


def write_contributed_dataset(
    home: Home,
    curated: Sequence[Mapping[str, Any]],
    decisions: DecisionBook,
    classes: Sequence[str],
    rules: FeedbackRules,
) -> list[Row]:
    """Decide which contributed photos are learnt from, given the data set of the posts.

    Args:
        home: Where the tables are.
        curated: All rows of the data set, dropped ones too.
        decisions: What operators decided.
        classes: The selected ones.
        rules: What contributed photos are held to.

    Returns:
        The rows of the table ``CONTRIBUTED``, as written.

    Raises:
        RedsError: A table is damaged, or a withdrawal is at work.
    """
    contributed = read_rows(home.table(IMAGES_TABLE), CONTRIBUTED_IMAGES)
    if not contributed and not home.table(DATASET_TABLE).exists():
        return []
    rows = judge_contributed(
        contributed,
        curated,
        [
            row
            for name in classes
            for row in read_rows(home.table("clean_images", name), CLEAN_IMAGES)
        ],
        decisions,
        classes=classes,
        copies=CopyPairs(read_rows(home.table("similar_pairs"), SIMILAR_PAIRS)),
        rules=rules,
    )
    with _alone(home, DATASET_TABLE):
        present = {one.id for one in contributions(home)}
        rows = [row for row in rows if row["contribution_id"] in present]
        write_rows(home.table(DATASET_TABLE), rows, CONTRIBUTED)
    return rows


def contributed_candidates(home: Home, decisions: DecisionBook) -> list[Row]:
    """Return the contributed photos that may be learnt from, one row a content, by SHA-256.

    These are those that nothing speaks against, and those of which an operator said what they
    show.
    """
    rows = {}
    for row in read_rows(home.table(IMAGES_TABLE), CONTRIBUTED_IMAGES):
        decision = decisions.of(row["sha256"])
        if row["kept"] if decision is None else decision.label:
            rows[row["sha256"]] = row
    return [rows[sha256] for sha256 in sorted(rows)]


def judged_contributions(home: Home) -> list[Row]:
    """Return the rows of all contributed photos, those to learn from and the others."""
    return read_rows(home.table(DATASET_TABLE), CONTRIBUTED)


def learnt_contributions(home: Home) -> list[Row]:
    """Return the rows of the contributed photos to learn from, in a fixed order."""
    rows = [row for row in judged_contributions(home) if row["kept"]]
    return sorted(rows, key=lambda row: (row["class_name"], row["sha256"]))


def _alone(home: Home, table: str) -> AbstractContextManager[None]:
    return exclusive(
        home.lock(table), "curating contributed photos", patience_seconds=WITHDRAWAL_SECONDS
    )


def _store(home: Home, contributed: Contribution) -> bool:
    """Put a photo into the image store, unless it was deleted meanwhile."""
    if home.images.path(contributed.sha256, contributed.extension).exists():
        return True
    try:
        home.images.put(read_contributed_photo(home, contributed), contributed.extension)
    except FileNotFoundError:
        return False
    return True


def _described_before(contributed: Contribution, known: Mapping[str, Any]) -> Row:
    """Return what ``describe_missing`` completes: all that is known already."""
    return {
        "sha256": contributed.sha256,
        "extension": contributed.extension,
        "width": contributed.width,
        "height": contributed.height,
        "status": "stored",
        **{column: known.get(column) for column in _DESCRIBING},
    }


def _row(
    contributed: Contribution,
    facts: Mapping[str, Any],
    classes_of: Callable[[str], Collection[str]],
    rules: CleaningRules,
) -> Row:
    label = contributed_label(contributed.tags, contributed.rejected, classes_of)
    flags = quality.flags(facts, rules.gate_thresholds)
    reason = label.reason or quality.first_drop(flags, rules.dropping_gates)
    return {
        "contribution_id": contributed.id,
        "sha256": contributed.sha256,
        "extension": contributed.extension,
        "class_name": label.class_name,
        "origin": label.origin,
        "created_at": contributed.at,
        "width": contributed.width,
        "height": contributed.height,
        "flags": flags,
        "kept": not reason,
        "drop_reason": reason,
        **{column: facts[column] for column in _DESCRIBING},
    }
