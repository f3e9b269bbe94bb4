"""The pictures of an export, and all that an export says about each.

What belongs here: choosing the pictures and putting together what is said of them. What does
not: writing them in some format. An export never says who posted a picture or where: no handle,
address, key or exact time, and neither the words that the author wrote about it (alt text,
hashtags), which name people and places. Its SHA-256 stays, because by that name a picture that is
withdrawn can be found in every copy of the export.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reds_pipeline.dataset.licences import Sharing, common_licence, may_be_exported
from reds_pipeline.dataset.splits import DatasetSplit, Part
from reds_pipeline.storage.home import Home, file_name
from reds_pipeline.storage.partitions import partitions
from reds_pipeline.storage.tables import IMAGES, read_rows

LabelOrigin = Literal["hashtag", "person"]

NO_LICENCE = "all rights reserved"
"""What an export says of a picture without a licence; an empty cell would read as not known."""

_PERSON_VERDICTS = frozenset({"keep", "label"})
_MONTH = len("2026-11")


@dataclass(frozen=True)
class ExportRecord:
    """One picture of an export.

    Attributes:
        sha256: Of the stored file; its name in the export.
        extension: Of the file, without a dot.
        class_name: The class to learn.
        label: Number of the class in the export's list of classes.
        part: ``train`` or ``test``.
        group: What must stay together in any other split.
        label_origin: ``hashtag`` when only the author's hashtag says so, ``person`` when somebody
            looked at the picture.
        licence: As the tables have it; "" for all rights reserved.
        width: Of the upright picture, in pixels.
        height: Of the upright picture, in pixels.
        month: In which it was posted, such as ``2026-11``.
    """

    sha256: str
    extension: str
    class_name: str
    label: int
    part: Part
    group: int
    label_origin: LabelOrigin
    licence: str
    width: int
    height: int
    month: str

    @property
    def file_name(self) -> str:
        """Name of the picture's file in every format."""
        return f"{self.sha256}.{self.extension}"

    def stored_in(self, home: Home) -> Path:
        """Return where the picture lies in this installation."""
        return home.images.path(self.sha256, self.extension)

    def description(self) -> dict[str, Any]:
        """Return what the export says about the picture beside its label, by column."""
        return {
            "class_name": self.class_name,
            "split": self.part,
            "group": self.group,
            "label_origin": self.label_origin,
            "licence": self.licence or NO_LICENCE,
            "width": self.width,
            "height": self.height,
            "posted": self.month,
            "sha256": self.sha256,
        }


@dataclass(frozen=True)
class ExportChoice:
    """What an export takes.

    Attributes:
        records: The pictures in the order of their SHA-256, which mixes the classes.
        classes: Names of the classes; a label is a place in this list.
        left_out: How many kept pictures stay behind, by reason: ``licence``, ``file_lost``.
    """

    records: tuple[ExportRecord, ...]
    classes: tuple[str, ...]
    left_out: Mapping[str, int]


def licences_by_picture(home: Home) -> dict[str, str]:
    """Return the licence of every stored picture by SHA-256, over all posts that show it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for part in partitions(home, "images"):
        for row in read_rows(part.table, IMAGES):
            if row["status"] == "stored":
                found[row["sha256"]].add(row["licence"] or "")
    return {sha256: common_licence(licences) for sha256, licences in found.items()}


def label_origin(row: Mapping[str, Any]) -> LabelOrigin:
    """Return who says that the picture of a row of the curated data set shows its class."""
    return "person" if row.get("decision") in _PERSON_VERDICTS else "hashtag"


def choose_records(
    home: Home,
    rows: Sequence[Mapping[str, Any]],
    split: DatasetSplit,
    sharing: Sharing,
) -> ExportChoice:
    """Choose the pictures of an export.

    Args:
        home: Where pictures and licences are.
        rows: Rows of the curated data set.
        split: Of these rows.
        sharing: Which licences to take.

    Raises:
        ValueError: A picture was kept twice.
    """
    kept = [row for row in rows if row["kept"]]
    if len({row["sha256"] for row in kept}) < len(kept):
        raise ValueError("the data set keeps a picture more than once")
    licences = licences_by_picture(home)
    # All classes of the data set, also one that loses every picture here: a label then means the
    # same in every export of the same data set.
    # In the order of file names, in which readers of an image folder number them.
    classes = tuple(sorted({row["class_name"] for row in kept}, key=file_name))
    labels = {name: number for number, name in enumerate(classes)}
    left_out: Counter[str] = Counter()
    records = []
    for row in sorted(kept, key=lambda row: row["sha256"]):
        licence = licences.get(row["sha256"], "")
        if not may_be_exported(licence, sharing):
            left_out["licence"] += 1
            continue
        record = ExportRecord(
            sha256=row["sha256"],
            extension=row["extension"],
            class_name=row["class_name"],
            label=labels[row["class_name"]],
            part=split.part_of[row["sha256"]],
            group=split.group_of[row["sha256"]],
            label_origin=label_origin(row),
            licence=licence,
            width=row["width"],
            height=row["height"],
            month=(row["created_at"] or "")[:_MONTH],
        )
        if record.stored_in(home).exists():
            records.append(record)
        else:
            left_out["file_lost"] += 1
    return ExportChoice(tuple(records), classes, dict(left_out))
