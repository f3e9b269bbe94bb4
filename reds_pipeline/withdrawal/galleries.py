"""Taking withdrawn pictures out of what trainings show and list in MLflow.

What belongs here: the sheets of wrong answers, their list, and the list of all answers. What does
not: ``split.json``, which has to go on naming what was used, and marking models (``lineage``).
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from reds_pipeline.error_gallery import ERROR_LIST
from reds_pipeline.tracking import Tracking
from reds_pipeline.training_log import PREDICTIONS

_NOTICE = "Removed, because a picture that it showed was withdrawn."
_NOTICE_SIZE = (480, 40)


def clean_gallery(
    tracking: Tracking, run_id: str, is_gone: Callable[[str], bool], *, write: bool
) -> int:
    """Take pictures out of one run's sheets and lists.

    A sheet is overwritten, which every store of MLflow's files can do, and goes before the list
    that says what it shows: a kill in between leaves the list for the next call.

    Args:
        tracking: Where the run is.
        run_id: The run.
        is_gone: Whether the picture of a SHA-256 was withdrawn.
        write: Whether to change anything, or only to count.

    Returns:
        How many sheets showed such a picture.
    """
    listed = tracking.record(run_id, ERROR_LIST)
    sheets: set[str] = set()
    if listed is not None:
        rows = [dict(zip(listed["columns"], values, strict=True)) for values in listed["data"]]
        sheets = {row["sheet"] for row in rows if row["sheet"] and is_gone(row["sha256"])}
        left = [
            row | {"sheet": "", "place": 0} if row["sheet"] in sheets else row
            for row in rows
            if not is_gone(row["sha256"])
        ]
        if write and left != rows:
            for sheet in sorted(sheets):
                tracking.write_bytes(run_id, sheet, _notice())
            _write_table(tracking, run_id, ERROR_LIST, listed["columns"], left)
    if write:
        _clean_answers(tracking, run_id, is_gone)
    return len(sheets)


def _clean_answers(tracking: Tracking, run_id: str, is_gone: Callable[[str], bool]) -> None:
    answers = tracking.record(run_id, PREDICTIONS)
    if answers is None:
        return
    rows = [dict(zip(answers["columns"], values, strict=True)) for values in answers["data"]]
    left = [row for row in rows if not is_gone(row["sha256"])]
    if len(left) < len(rows):
        _write_table(tracking, run_id, PREDICTIONS, answers["columns"], left)


def _write_table(
    tracking: Tracking, run_id: str, name: str, columns: list[str], rows: list[dict[str, Any]]
) -> None:
    data = [[row[column] for column in columns] for row in rows]
    tracking.write_json(run_id, name, {"columns": columns, "data": data})


def _notice() -> bytes:
    """Return the JPEG that stands where photographs were."""
    from PIL import Image, ImageDraw

    notice = Image.new("RGB", _NOTICE_SIZE, "white")
    ImageDraw.Draw(notice).text((10, 12), _NOTICE, fill="black")
    file = BytesIO()
    notice.save(file, "JPEG")
    return file.getvalue()
