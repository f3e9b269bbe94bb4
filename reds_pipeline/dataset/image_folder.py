"""An export as directories: one for each part, in it one for each class, in it the pictures.

What belongs here: writing that form, which torchvision's ``ImageFolder`` and dataset hubs read.
What does not: choosing the pictures. There is a directory for each part, because one that held
all pictures would ask to be split at random, which leaks. A class that has no picture in a part
has its directory there all the same: a reader that numbers classes by their directories must
complain rather than number them differently in the two parts.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

from reds_pipeline.dataset.records import ExportChoice, ExportRecord
from reds_pipeline.dataset.splits import PARTS
from reds_pipeline.storage.home import Home, file_name

METADATA = "metadata.csv"
LAYOUT = (
    "`train/<class>/<sha256>.<extension>` and `test/<class>/...`: the pictures as they were "
    "stored. Read each with its own torchvision `ImageFolder`.",
    "`train/metadata.csv`, `test/metadata.csv`: one row a picture, `file_name` relative to the "
    "file.",
)


def write_image_folder(directory: Path, home: Home, choice: ExportChoice) -> dict[str, str]:
    """Write the pictures of an export.

    Args:
        directory: An existing directory.
        home: Where the pictures lie.
        choice: What to export.

    Returns:
        The pattern of the files of each part.

    Raises:
        FileNotFoundError: A picture is gone.
        OSError: The disk is full.
    """
    data_files: dict[str, str] = {}
    for part in PARTS:
        records = [record for record in choice.records if record.part == part]
        if not records:
            continue
        for name in choice.classes:
            (directory / part / file_name(name)).mkdir(parents=True)
        for record in records:
            shutil.copyfile(record.stored_in(home), directory / part / _place(record))
        _write_metadata(directory / part / METADATA, records)
        data_files[part] = f"{part}/**"
    return data_files


def _place(record: ExportRecord) -> str:
    return f"{file_name(record.class_name)}/{record.file_name}"


def _write_metadata(path: Path, records: list[ExportRecord]) -> None:
    rows: list[dict[str, Any]] = [
        {"file_name": _place(record), "label": record.label, **record.description()}
        for record in records
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
