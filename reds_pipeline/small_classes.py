"""Classes that are too small to be split, and would keep all others from being learnt.

What belongs here: finding them, and marking their pictures. What does not: classes that a person
named; leaving one of those out would be to overrule the person, so that training fails and says
which class it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from reds_pipeline.errors import RedsError
from reds_pipeline.frozen_test import TABLE
from reds_pipeline.lexicon.class_memory import LEAST_LEARNT
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import TEST_PICTURES, read_rows

CLASS_TOO_SMALL = "class_too_small"
# With so many groups a class can always be spread over five folds and a test.
_NEVER_TOO_SMALL = 30

Row = Mapping[str, Any]


def too_small_classes(home: Home, rows: Sequence[Row], seed: int) -> list[str]:
    """Return the classes without which the data set can be split, if it cannot be with them.

    The smallest goes first, by its groups (authors, copies) and then its pictures; at least two
    classes stay.

    Args:
        home: Where it is remembered what is held out.
        rows: Of the curated data set, kept ones only.
        seed: Of this installation's splits.

    Returns:
        Nothing if the data set can be split, or cannot be whatever is left out.
    """
    held_out = {row["sha256"] for row in read_rows(home.table(TABLE), TEST_PICTURES)}
    groups: dict[str, set[str]] = defaultdict(set)
    pictures: dict[str, int] = defaultdict(int)
    for row in rows:
        groups[row["class_name"]].add(row["group"])
        pictures[row["class_name"]] += 1
    order = sorted(groups, key=lambda name: (len(groups[name]), pictures[name], name))
    small = [name for name in order if len(groups[name]) < _NEVER_TOO_SMALL]
    if not small:
        return []
    for count in range(len(small) + 1):
        left = [row for row in rows if row["class_name"] not in small[:count]]
        if len(order) - count < LEAST_LEARNT:
            return []
        if _can_be_split(left, held_out, seed):
            return small[:count]
    return []


def without_classes(rows: Sequence[Row], classes: Collection[str]) -> list[dict[str, Any]]:
    """Return rows of the curated data set with these classes dropped, reason included."""
    return [
        {**row, "kept": False, "drop_reason": CLASS_TOO_SMALL}
        if row["kept"] and row["class_name"] in classes
        else dict(row)
        for row in rows
    ]


def _can_be_split(rows: Sequence[Row], held_out: Collection[str], seed: int) -> bool:
    """Whether both protocols can be trained on rows."""
    import numpy as np

    from reds_pipeline.modeling.splits import Protocol, make_split

    ordered = sorted(rows, key=lambda row: (row["class_name"], row["sha256"]))
    labels, groups = ([row[column] for row in ordered] for column in ("class_name", "group"))
    tested = np.array([row["sha256"] in held_out for row in ordered], bool)
    protocols: tuple[Protocol, ...] = ("grouped", "report")
    try:
        for protocol in protocols:
            make_split(labels, groups, protocol=protocol, seed=seed, held_out=tested)
    except RedsError:
        return False
    return True
