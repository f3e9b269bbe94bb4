"""The data set: what is left when all classes are seen together.

What belongs here: duplicates across classes (R-SCR-6), the target per class (R-SCR-10), the
groups that a split must not tear apart, and the name of the result. What does not: rules within
one class (cleaning.py) and the split itself.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from reds_pipeline.imaging.cleaning import CleaningRules, age
from reds_pipeline.imaging.clusters import (
    connected_components,
    near_duplicate_clusters,
    smallest_names,
)
from reds_pipeline.imaging.hashing import hamming_pairs, hashes_to_integers

OTHER_CLASS_DUPLICATE = "other_class_duplicate"
BEYOND_TARGET = "beyond_target"
NOT_CONFIRMED = "not_confirmed"
_COPIED_COLUMNS = (
    "sha256",
    "extension",
    "class_name",
    "author_key",
    "created_at",
    "width",
    "height",
)
_DEFAULT_RULES = CleaningRules()


def curate(
    clean_rows_by_class: Mapping[str, Sequence[Mapping[str, Any]]],
    per_class: int,
    rules: CleaningRules = _DEFAULT_RULES,
    unconfirmed_posts: Collection[str] = frozenset(),
) -> list[dict[str, Any]]:
    """Put the classes together into one data set.

    An image is dropped as ``other_class_duplicate`` when another class holds an image with the
    same bytes or the same look, so both classes lose it: its label is in doubt. The other image
    counts as evidence even if it was dropped itself, because the doubt does not go away with it.
    Of what remains each class keeps the first ``per_class`` by age; the rest is ``beyond_target``.
    An image of a post that its host has not shown for long is dropped as ``not_confirmed``.

    Args:
        clean_rows_by_class: All rows that ``clean_class`` gave, by class name.
        per_class: How many images a class may keep.
        rules: Thresholds.
        unconfirmed_posts: Keys of the posts that nobody can say are still there.

    Returns:
        One row for each image that cleaning kept, by class in the order given, oldest first:
        sha256, extension, class_name, author_key, cluster, created_at, width, height, group,
        kept, drop_reason. ``cluster`` is found over all classes, through dropped images too, for
        two pictures may be related only through one in another class. ``group`` is the smallest
        SHA-256 among images joined by author or cluster, through others too.
    """
    shared = _contents_of_several_classes(clean_rows_by_class, rules.perceptual_radius)
    cluster_of = _clusters_of_all_classes(clean_rows_by_class, rules.perceptual_radius)
    curated: list[dict[str, Any]] = []
    for rows in clean_rows_by_class.values():
        places_left = per_class
        for row in sorted((row for row in rows if row["kept"]), key=age):
            reason = ""
            if row["sha256"] in shared:
                reason = OTHER_CLASS_DUPLICATE
            elif row["post_key"] in unconfirmed_posts:
                reason = NOT_CONFIRMED
            elif places_left == 0:
                reason = BEYOND_TARGET
            else:
                places_left -= 1
            copied = {column: row[column] for column in _COPIED_COLUMNS}
            verdict = {"kept": not reason, "drop_reason": reason}
            curated.append({**copied, "cluster": cluster_of[row["sha256"]], **verdict})
    for row, group in zip(curated, _groups(curated), strict=True):
        row["group"] = group
    return curated


def dataset_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the name of a data set: equal if and only if the kept images and groups are.

    Args:
        rows: Rows of ``curate`` in any order.

    Returns:
        64 hexadecimal digits: SHA-256 over the sorted (sha256, class_name, group) of kept rows.
    """
    kept = sorted((row["sha256"], row["class_name"], row["group"]) for row in rows if row["kept"])
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()


def _contents_of_several_classes(
    clean_rows_by_class: Mapping[str, Sequence[Mapping[str, Any]]], radius: int
) -> set[str]:
    """Return the SHA-256 of all images that, exactly or nearly, appear under several classes."""
    classes_of_content: dict[str, set[str]] = defaultdict(set)
    contents_of_hash: dict[str, set[str]] = defaultdict(set)
    classes_of_hash: dict[str, set[str]] = defaultdict(set)
    for class_name, rows in clean_rows_by_class.items():
        for row in rows:
            classes_of_content[row["sha256"]].add(class_name)
            if row["perceptual_hash"]:
                contents_of_hash[row["perceptual_hash"]].add(row["sha256"])
                classes_of_hash[row["perceptual_hash"]].add(class_name)
    shared = {sha256 for sha256, classes in classes_of_content.items() if len(classes) > 1}
    hashes = sorted(contents_of_hash)
    pairs = hamming_pairs(hashes_to_integers(hashes), radius).tolist()
    # A hash stands in for all images that carry it, so it is also near to itself.
    for first, second in [*pairs, *([index, index] for index in range(len(hashes)))]:
        if len(classes_of_hash[hashes[first]] | classes_of_hash[hashes[second]]) > 1:
            shared |= contents_of_hash[hashes[first]] | contents_of_hash[hashes[second]]
    return shared


def _clusters_of_all_classes(
    clean_rows_by_class: Mapping[str, Sequence[Mapping[str, Any]]], radius: int
) -> dict[str, str]:
    """Return the near-duplicate cluster of each SHA-256."""
    rows = [row for rows in clean_rows_by_class.values() for row in rows]
    sha256s = [row["sha256"] for row in rows]
    hashes = [row["perceptual_hash"] for row in rows]
    return dict(zip(sha256s, near_duplicate_clusters(sha256s, hashes, radius), strict=True))


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
