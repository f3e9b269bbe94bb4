"""Decisions as files on disk.

What belongs here: reading and writing a file that somebody named. What does not: the forms
(``csv_format.py``, ``label_studio.py``) and what becomes of decisions (``desk.py``).
"""

from __future__ import annotations

from pathlib import Path

from reds_pipeline.errors import RedsError
from reds_pipeline.review.csv_format import write_csv
from reds_pipeline.review.desk import ImportReport, ReviewDesk
from reds_pipeline.review.imports import read_decision_file
from reds_pipeline.review.label_studio import write_label_studio
from reds_pipeline.storage.atomic import write_text


def import_decisions(desk: ReviewDesk, path: Path) -> ImportReport:
    """Take in the decisions of a CSV or Label Studio file, as one batch.

    Args:
        desk: Of the home that is reviewed.
        path: The file.

    Raises:
        RedsError: It cannot be read, or makes no sense; nothing of it is recorded.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RedsError(
            f"{path} cannot be read ({error.strerror}); name a file that `reds review --export` "
            "or Label Studio wrote."
        ) from error
    return desk.take_in(read_decision_file(data))


def write_decisions(desk: ReviewDesk, path: Path) -> int:
    """Write what was decided about the pictures of a home.

    Args:
        desk: Of the home that is reviewed.
        path: A ``.csv`` file, or a ``.json`` file in Label Studio's form, which also holds the
            pictures that nobody has decided about.

    Returns:
        How many decisions are in it.

    Raises:
        RedsError: The name ends in neither.
    """
    reviewed = desk.reviewed()
    decided = reviewed.decided()
    if path.suffix == ".csv":
        write_text(path, write_csv(decided))
    elif path.suffix == ".json":
        write_text(path, write_label_studio(reviewed.gallery.pictures, reviewed.decisions))
    else:
        raise RedsError(
            f"{path} was not written because its name does not say in which form; let it end in "
            ".csv, or in .json for Label Studio."
        )
    return len(decided)
