from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from reds_pipeline.error_gallery import FOLDS_SHEET, TEST_SHEET, error_gallery
from reds_pipeline_tests.made_up_training import made_up_set


def answer(sha256: str, fold: int, predicted: str, chance: float) -> dict[str, Any]:
    return {
        "sha256": sha256,
        "fold": fold,
        "class_name": "cat",
        "predicted": predicted,
        "chance": chance,
    }


def test_the_surest_errors_come_first_and_the_test_before_the_folds(tmp_path: Path) -> None:
    data = made_up_set(tmp_path)
    keys = data.keys
    gallery = error_gallery(
        [
            answer(keys[0], 1, "dog", 0.6),
            answer(keys[1], 1, "dog", 0.9),
            answer(keys[2], 1, "cat", 0.9),
            answer(keys[3], -1, "owl", 0.4),
        ],
        data.squares,
    )
    assert [(row["sha256"], row["sheet"], row["place"]) for row in gallery.rows] == [
        (keys[3], TEST_SHEET, 1),
        (keys[1], FOLDS_SHEET, 1),
        (keys[0], FOLDS_SHEET, 2),
    ]
    sizes = {}
    for name, data_of_sheet in gallery.sheets.items():
        with Image.open(io.BytesIO(data_of_sheet)) as opened:
            sizes[name] = opened.width
    assert sizes[FOLDS_SHEET] > sizes[TEST_SHEET], "two pictures take more room than one"


def test_a_picture_whose_square_is_gone_is_listed_and_not_shown(tmp_path: Path) -> None:
    data = made_up_set(tmp_path)
    gallery = error_gallery([answer("0" * 64, -1, "dog", 0.9)], data.squares)
    assert [(row["sheet"], row["place"]) for row in gallery.rows] == [("", 0)]
    assert gallery.sheets == {}


def test_a_model_without_errors_has_an_empty_gallery(tmp_path: Path) -> None:
    gallery = error_gallery([answer("0" * 64, -1, "cat", 0.9)], made_up_set(tmp_path).squares)
    assert (gallery.rows, gallery.sheets) == ((), {})
