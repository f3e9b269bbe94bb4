"""The data set: what is left when all classes are seen together.

What belongs here: what people decided, duplicates across classes (R-SCR-6), the target per class
(R-SCR-10), the groups that a split must not tear apart, and the name of the result. What does
not: rules within one class (cleaning.py), which duplicate is the better one (duplicates.py), which
pictures a class keeps that has too many (picture_window.py), and the split itself.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reds_pipeline.imaging.author_share import beyond_share
from reds_pipeline.imaging.cleaning import (
    NO_DECISIONS,
    REASON_OF_KIND,
    CleaningRules,
    age,
    duplicate_columns,
)
from reds_pipeline.imaging.clusters import connected_components, smallest_names
from reds_pipeline.imaging.duplicates import (
    CopyPairs,
    Duplicate,
    duplicate_groups,
    find_duplicates,
)
from reds_pipeline.imaging.hashing import hashes_to_integers
from reds_pipeline.imaging.picture_window import Candidate, Keep, recency, with_a_place
from reds_pipeline.review.decisions import DISCARD, Decision, DecisionBook

OTHER_CLASS_DUPLICATE = "other_class_duplicate"
AUTHOR_SHARE = "author_share"
BEYOND_TARGET = "beyond_target"
NOT_CONFIRMED = "not_confirmed"
REVIEWED_OUT = "reviewed_out"
LABELLED_OTHERWISE = "labelled_otherwise"
_DUPLICATE_REASONS = frozenset(REASON_OF_KIND.values())
_COPIED_COLUMNS = (
    "media_key",
    "sha256",
    "extension",
    "author_key",
    "created_at",
    "width",
    "height",
)
_DEFAULT_RULES = CleaningRules()


@dataclass
class _Picture:
    """A cleaned row on its way to a verdict.

    Attributes:
        row: Of the table ``CLEAN_IMAGES``.
        collected_as: The class it was collected under.
        class_name: The label to learn.
        decision: What a person decided about it.
        reason: Why it is dropped, as far as is known.
        duplicate: What stays instead.
        cluster: Smallest SHA-256 of its duplicates of all kinds in all classes.
    """

    row: Mapping[str, Any]
    collected_as: str
    class_name: str
    decision: Decision | None
    reason: str = ""
    duplicate: Duplicate | None = None
    cluster: str = ""

    @property
    def chosen(self) -> bool:
        """Whether a person said that it shows something, be it a class or not."""
        return self.decision is not None and self.decision.verdict != DISCARD


def curate(
    clean_rows_by_class: Mapping[str, Sequence[Mapping[str, Any]]],
    per_class: int,
    rules: CleaningRules = _DEFAULT_RULES,
    unconfirmed_posts: Collection[str] = frozenset(),
    *,
    decisions: DecisionBook = NO_DECISIONS,
    similar: Iterable[Mapping[str, Any]] = (),
    keep: Keep = "newest",
) -> list[dict[str, Any]]:
    """Put the classes together into one data set.

    The reasons, first match wins:

    1. ``reviewed_out``: a person discarded it.
    2. ``labelled_otherwise``: a person put it into a class that is not selected now.
    3. ``not_confirmed``: its post has not been seen at its host for long.
    4. What cleaning found in it by itself: ``multi_class`` or a quality gate.
    5. ``reviewed_out``: it looks like a picture that a person discarded.
    6. ``exact_duplicate``, ``near_duplicate``, ``mirrored_duplicate``, ``cropped_duplicate``: a
       better picture of its class shows the same (``keep_best``). Found anew among those that
       are left: if the better copy of cleaning is not confirmed now, the other takes its place.
    7. ``other_class_duplicate``: a copy of any kind, also through others between them, is in
       another class, so its label is in doubt, and all of them lose it. A copy counts as
       evidence even if it was dropped itself, because the doubt does not go away with it, but
       not if a person discarded it.
    8. ``author_share``: too much of its class is by its author (``author_share``).
    9. ``beyond_target``: its class has its ``per_class`` pictures without it (``picture_window``
       says which).

    For a picture that a person put into a class only 1 to 3, being the same bytes again, and 9
    apply; it is learnt as that class whatever it was collected as, and of its duplicates it is
    the one that stays.

    Args:
        clean_rows_by_class: All rows that ``clean_class`` gave, by class name.
        per_class: How many images a class may keep.
        rules: Thresholds.
        unconfirmed_posts: Keys of the posts that nobody can say are still there.
        decisions: What people decided.
        similar: Rows of the table ``SIMILAR_PAIRS``.
        keep: Which pictures stay in a class that has more than ``per_class``.

    Returns:
        One row of the table ``CURATED`` for each row given, by ``class_name`` in the order given,
        oldest first. ``cluster`` is the smallest SHA-256 among duplicates of all kinds in all
        classes, dropped ones too; ``group`` that among images joined by author or cluster.
    """
    copies = CopyPairs(similar)
    pictures = [
        _picture(row, class_name, decisions.of(row["sha256"]), clean_rows_by_class)
        for class_name, rows in clean_rows_by_class.items()
        for row in rows
    ]
    order = {class_name: place for place, class_name in enumerate(clean_rows_by_class)}
    pictures.sort(key=lambda picture: (order[picture.class_name], *age(picture.row)))
    all_rows = [picture.row for picture in pictures]
    groups = duplicate_groups(all_rows, rules.perceptual_radius, copies).all_kinds
    names = smallest_names(groups, [row["sha256"] for row in all_rows])
    for picture, cluster in zip(pictures, names, strict=True):
        picture.cluster = cluster
    looks_discarded = _looks_discarded(pictures, rules.perceptual_radius)
    for picture in pictures:
        picture.reason = _own_reason(picture, clean_rows_by_class, unconfirmed_posts)
        if not (picture.reason or picture.chosen) and (
            picture.row["perceptual_hash"] in looks_discarded
        ):
            picture.reason = REVIEWED_OUT
    for class_name in clean_rows_by_class:
        of_class = [
            picture
            for picture in pictures
            if picture.class_name == class_name and not picture.reason
        ]
        _drop_duplicates(of_class, rules.perceptual_radius, copies)
    _drop_doubtful(pictures)
    _drop_beyond_share(pictures, per_class, keep)
    _drop_beyond_target(pictures, per_class, keep)
    rows = [_curated_row(picture) for picture in pictures]
    for row, group in zip(rows, _groups(rows), strict=True):
        row["group"] = group
    return rows


def dataset_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the name of a data set: equal if and only if the kept images and groups are.

    Args:
        rows: Rows of ``curate`` in any order.

    Returns:
        64 hexadecimal digits: SHA-256 over the sorted (sha256, class_name, group) of kept rows.
    """
    kept = sorted((row["sha256"], row["class_name"], row["group"]) for row in rows if row["kept"])
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()


def _picture(
    row: Mapping[str, Any],
    collected_as: str,
    decision: Decision | None,
    selected: Collection[str],
) -> _Picture:
    class_name = collected_as
    if decision is not None and decision.label in selected:
        class_name = decision.label
    return _Picture(row, collected_as, class_name, decision)


def _own_reason(
    picture: _Picture, selected: Collection[str], unconfirmed_posts: Collection[str]
) -> str:
    """Return the reason that needs no other image, or an empty string."""
    decision = picture.decision
    if decision is not None and decision.verdict == DISCARD:
        return REVIEWED_OUT
    if decision is not None and decision.label not in selected:
        return LABELLED_OTHERWISE
    if picture.row["post_key"] in unconfirmed_posts:
        return NOT_CONFIRMED
    reason = str(picture.row["drop_reason"])
    return "" if picture.chosen or reason in _DUPLICATE_REASONS else reason


def _looks_discarded(pictures: Sequence[_Picture], radius: int) -> set[str]:
    """Return the perceptual hashes within the radius of one that a person discarded."""
    hashes = sorted({picture.row["perceptual_hash"] or "" for picture in pictures} - {""})
    discarded = {
        picture.row["perceptual_hash"]
        for picture in pictures
        if picture.decision is not None and picture.decision.verdict == DISCARD
    }
    words = hashes_to_integers(hashes)
    near = np.zeros(len(words), dtype=bool)
    for word in words[[digits in discarded for digits in hashes]]:
        near |= np.bitwise_count(words ^ word) <= radius
    return {digits for digits, is_near in zip(hashes, near.tolist(), strict=True) if is_near}


def _drop_duplicates(pictures: Sequence[_Picture], radius: int, copies: CopyPairs) -> None:
    """Give each superfluous picture of one class its reason and what stays instead."""
    chosen = {picture.row["sha256"] for picture in pictures if picture.chosen}
    verdicts = find_duplicates(
        [picture.row for picture in pictures],
        radius,
        copies,
        lambda row: row["sha256"] in chosen,
    )
    for picture, duplicate in zip(pictures, verdicts, strict=True):
        if duplicate is not None:
            picture.duplicate = duplicate
            picture.reason = REASON_OF_KIND[duplicate.kind]


def _drop_doubtful(pictures: Sequence[_Picture]) -> None:
    """Drop what is left of each cluster that is in several classes."""
    classes: dict[str, set[str]] = defaultdict(set)
    for picture in pictures:
        if picture.decision is None:
            classes[picture.cluster].add(picture.collected_as)
        elif picture.decision.label:
            classes[picture.cluster].add(picture.decision.label)
    for picture in pictures:
        if not (picture.reason or picture.chosen) and len(classes[picture.cluster]) > 1:
            picture.reason = OTHER_CLASS_DUPLICATE


def _drop_beyond_share(pictures: Sequence[_Picture], per_class: int, keep: Keep) -> None:
    """Drop what is too much of one author; a person's own choices are not counted."""
    for of_class in _fit(pictures).values():
        unchosen = [each for each in of_class if not each.chosen]
        unchosen.sort(key=lambda each: recency(each.row), reverse=keep == "newest")
        authors = [each.row["author_key"] or "" for each in unchosen]
        for position in beyond_share(authors, per_class):
            unchosen[position].reason = AUTHOR_SHARE


def _drop_beyond_target(pictures: Sequence[_Picture], per_class: int, keep: Keep) -> None:
    """Drop what is too many of each class."""
    for of_class in _fit(pictures).values():
        candidates = [Candidate(recency(each.row), each.chosen) for each in of_class]
        staying = with_a_place(candidates, per_class, keep)
        for position, picture in enumerate(of_class):
            if position not in staying:
                picture.reason = BEYOND_TARGET


def _fit(pictures: Sequence[_Picture]) -> dict[str, list[_Picture]]:
    """Return the pictures that nothing was found against yet, by class."""
    fit: dict[str, list[_Picture]] = defaultdict(list)
    for picture in pictures:
        if not picture.reason:
            fit[picture.class_name].append(picture)
    return fit


def _curated_row(picture: _Picture) -> dict[str, Any]:
    return {
        **{column: picture.row[column] for column in _COPIED_COLUMNS},
        "class_name": picture.class_name,
        "collected_as": picture.collected_as,
        "cluster": picture.cluster,
        "flags": list(picture.row.get("flags") or ()),
        "decision": picture.decision.verdict if picture.decision is not None else "",
        **duplicate_columns(picture.duplicate),
        "kept": not picture.reason,
        "drop_reason": picture.reason,
    }


def _groups(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the group of each row: connected through equal authors or equal clusters.

    An author that is not known joins nothing.
    """
    ties: dict[tuple[str, str], int] = {}
    edges: list[tuple[int, int]] = []
    for index, row in enumerate(rows):
        for column in ("author_key", "cluster"):
            if row[column]:
                tie = ties.setdefault((column, row[column]), len(rows) + len(ties))
                edges.append((index, tie))
    labels = connected_components(
        len(rows) + len(ties), np.array(edges, dtype=np.int64).reshape(-1, 2)
    )
    return smallest_names(labels[: len(rows)], [row["sha256"] for row in rows])
