"""The part of each picture, the one that the models of this installation were tested by.

What belongs here: the split that a card counts and an export carries. What does not: how a split
is made (``modeling.splits``). Whoever learns from an export can only compare with our numbers,
and be as honest, if what we held out is held out there too, and if they can see which pictures
must stay together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reds_pipeline.errors import RedsError

Part = Literal["train", "test"]
PARTS: tuple[Part, ...] = ("train", "test")


@dataclass(frozen=True)
class DatasetSplit:
    """Which part each picture belongs to.

    Attributes:
        part_of: By SHA-256.
        group_of: Number of the picture's group by SHA-256: pictures of one author, and copies of
            one picture, have the same. Numbers mean nothing beyond this data set.
        seed: Of the shuffling.
        problem: Why nothing could be held out, so that all is ``train``; "" normally.
    """

    part_of: Mapping[str, Part]
    group_of: Mapping[str, int]
    seed: int
    problem: str


def in_training_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the kept rows in the order in which a training splits them.

    The same order as ``stage_inputs.curated_rows``: a split depends on it.

    Args:
        rows: Rows of the curated data set.
    """
    kept = (row for row in rows if row["kept"])
    return sorted(kept, key=lambda row: (row["class_name"], row["sha256"]))


def split_dataset(
    rows: Sequence[Mapping[str, Any]], seed: int, held_out: Collection[str] = frozenset()
) -> DatasetSplit:
    """Split the kept pictures by the grouped protocol, as trainings do (R-EXP-2, R-EXP-3).

    Args:
        rows: Rows of the curated data set.
        seed: The seed of this installation's trainings.
        held_out: SHA-256 of the pictures that trainings hold out for good; empty before the
            first one, which will hold out what is drawn here.

    Returns:
        The split; a data set that is too small to be split is all ``train``, with the reason.
    """
    from reds_pipeline.modeling.splits import make_split

    kept = in_training_order(rows)
    names = [row["sha256"] for row in kept]
    groups = [row["group"] for row in kept]
    numbers = {group: number for number, group in enumerate(sorted(set(groups)))}
    problem = ""
    tested = [False] * len(kept)
    try:
        split = make_split(
            [row["class_name"] for row in kept],
            groups,
            protocol="grouped",
            seed=seed,
            held_out=np.array([name in held_out for name in names], bool),
        )
        tested = split.test.tolist()
    except RedsError as error:
        problem = str(error)
    return DatasetSplit(
        part_of={
            name: "test" if is_tested else "train"
            for name, is_tested in zip(names, tested, strict=True)
        },
        group_of={name: numbers[group] for name, group in zip(names, groups, strict=True)},
        seed=seed,
        problem=problem,
    )
