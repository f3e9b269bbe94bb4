"""The pictures that a training got wrong, to be looked at in MLflow.

What belongs here: which pictures, their list, and the sheets that show them. What does not:
taking withdrawn ones out again (``withdrawal.galleries``). Sheets are photographs of people's
pictures, so each training lists by SHA-256 what it shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reds_pipeline.storage.arrays import ArrayStore

ERROR_LIST = "errors/errors.json"
TEST_SHEET, FOLDS_SHEET = "errors/test.jpg", "errors/folds.jpg"
COLUMNS = ("sheet", "place", "sha256", "fold", "true", "said", "chance")

_MOST_ON_A_SHEET = 30
_COLUMNS_OF_A_SHEET = 6
_SIDE = 160
_LARGEST_SHEET = 400_000


@dataclass(frozen=True)
class ErrorGallery:
    """What a training got wrong.

    Attributes:
        rows: One row a wrong answer with the keys ``COLUMNS``, the surest first, those of the
            test before those of the folds: ``sheet`` is the artifact that shows the picture, or
            empty, ``place`` its number there, ``fold`` -1 for the test.
        sheets: JPEG files by artifact.
    """

    rows: tuple[dict[str, Any], ...]
    sheets: Mapping[str, bytes]


def error_gallery(predictions: Sequence[Mapping[str, Any]], squares: ArrayStore) -> ErrorGallery:
    """Return the gallery of the wrong ones among some answers.

    Args:
        predictions: Rows of the predictions table, of one protocol.
        squares: Tensors of the pictures; one that is not there is listed and not shown.
    """
    rows: list[dict[str, Any]] = []
    sheets = {}
    for sheet, is_test in ((TEST_SHEET, True), (FOLDS_SHEET, False)):
        wrong = sorted(
            (
                row
                for row in predictions
                if (row["fold"] < 0) == is_test and row["predicted"] != row["class_name"]
            ),
            key=lambda row: (-row["chance"], row["sha256"]),
        )
        missing = set(squares.missing([row["sha256"] for row in wrong]))
        shown = [row for row in wrong if row["sha256"] not in missing][:_MOST_ON_A_SHEET]
        places = {row["sha256"]: number for number, row in enumerate(shown, 1)}
        rows += [_listed(row, sheet, places.get(row["sha256"], 0)) for row in wrong]
        if shown:
            sheets[sheet] = _sheet(shown, squares)
    return ErrorGallery(tuple(rows), sheets)


def _listed(row: Mapping[str, Any], sheet: str, place: int) -> dict[str, Any]:
    return {
        "sheet": sheet if place else "",
        "place": place,
        "sha256": row["sha256"],
        "fold": row["fold"],
        "true": row["class_name"],
        "said": row["predicted"],
        "chance": round(row["chance"], 4),
    }


def _sheet(shown: Sequence[Mapping[str, Any]], squares: ArrayStore) -> bytes:
    from reds_pipeline.imaging.contact_sheet import contact_sheet

    captions = [
        f"{number}. {row['class_name']}, said {row['predicted']} {row['chance']:.2f}"
        for number, row in enumerate(shown, 1)
    ]
    return contact_sheet(
        squares.read([row["sha256"] for row in shown]),
        captions,
        columns=_COLUMNS_OF_A_SHEET,
        thumbnail_side=_SIDE,
        max_bytes=_LARGEST_SHEET,
    )
