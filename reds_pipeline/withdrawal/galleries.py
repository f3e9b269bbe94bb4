"""Taking withdrawn pictures out of what trainings show and list in MLflow.

What belongs here: the sheets of wrong answers, their list, and the list of all answers. What does
not: ``split.json``, which has to go on naming what was used, and marking models (``lineage``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from reds_pipeline.error_gallery import COLUMNS, ERROR_LIST
from reds_pipeline.run_artifacts import PREDICTION_COLUMNS, PREDICTIONS
from reds_pipeline.tracking import Tracking

_SHEETS = ERROR_LIST.rpartition("/")[0]
_NOTICE = "Removed, because a picture that it showed was withdrawn."
_NOTICE_SIZE = (480, 40)


def clean_gallery(
    tracking: Tracking, run_id: str, is_gone: Callable[[str], bool], *, write: bool
) -> int | None:
    """Take pictures out of one run's sheets and lists.

    A sheet is overwritten, which every store of MLflow's files can do, and goes before the list
    that says what it shows: a kill in between leaves the list for the next call. Where the list
    itself is damaged nobody knows what the sheets show, so all of them go.

    Args:
        tracking: Where the run is.
        run_id: The run.
        is_gone: Whether the picture of a SHA-256 was withdrawn.
        write: Whether to change anything, or only to count.

    Returns:
        How many sheets showed such a picture; None if the run's files could not be read or
        written, so that it has to be done again.
    """
    from mlflow.exceptions import MlflowException

    try:
        sheets = _clean_sheets(tracking, run_id, is_gone, write=write)
        if write:
            _clean_answers(tracking, run_id, is_gone)
    except (MlflowException, OSError):
        return None
    return len(sheets)


def _clean_sheets(
    tracking: Tracking, run_id: str, is_gone: Callable[[str], bool], *, write: bool
) -> set[str]:
    """Take pictures out of the sheets and their list, and return the sheets that showed them."""
    there = tracking.artifacts(run_id, _SHEETS)
    if ERROR_LIST not in there:
        return set()
    rows = _rows(tracking, run_id, ERROR_LIST)
    if rows is None:
        sheets, left = there.keys() - {ERROR_LIST}, []
    else:
        sheets = {row["sheet"] for row in rows if row["sheet"] and is_gone(row["sha256"])}
        left = [
            row | {"sheet": "", "place": 0} if row["sheet"] in sheets else row
            for row in rows
            if not is_gone(row["sha256"])
        ]
    if write and left != rows:
        for sheet in sorted(sheets):
            tracking.write_bytes(run_id, sheet, _notice())
        _write_table(tracking, run_id, ERROR_LIST, COLUMNS, left)
    return sheets


def _clean_answers(tracking: Tracking, run_id: str, is_gone: Callable[[str], bool]) -> None:
    if not any(entry.path == PREDICTIONS for entry in tracking.client.list_artifacts(run_id)):
        return
    rows = _rows(tracking, run_id, PREDICTIONS)
    left = [row for row in rows or () if not is_gone(row["sha256"])]
    if left != rows:
        _write_table(tracking, run_id, PREDICTIONS, PREDICTION_COLUMNS, left)


def _rows(tracking: Tracking, run_id: str, name: str) -> list[dict[str, Any]] | None:
    """Return the rows of a table that is there, or None if a kill left only part of it."""
    try:
        table = tracking.read_json(run_id, name)
        return [dict(zip(table["columns"], values, strict=True)) for values in table["data"]]
    except ValueError:
        return None


def _write_table(
    tracking: Tracking, run_id: str, name: str, columns: Sequence[str], rows: list[dict[str, Any]]
) -> None:
    data = [[row[column] for column in columns] for row in rows]
    tracking.write_json(run_id, name, {"columns": list(columns), "data": data})


def _notice() -> bytes:
    """Return the JPEG that stands where photographs were."""
    from PIL import Image, ImageDraw

    notice = Image.new("RGB", _NOTICE_SIZE, "white")
    ImageDraw.Draw(notice).text((10, 12), _NOTICE, fill="black")
    file = BytesIO()
    notice.save(file, "JPEG")
    return file.getvalue()
