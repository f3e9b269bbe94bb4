from __future__ import annotations

from pathlib import Path
from typing import Any

from reds_pipeline.modeling.splits import make_split
from reds_pipeline.small_classes import too_small_classes, without_classes
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import TEST_PICTURES, write_rows

Row = dict[str, Any]


def _rows(**groups: int) -> list[Row]:
    return [
        {
            "sha256": f"{name} {number}",
            "class_name": name,
            "group": f"{name} {number}",
            "kept": True,
            "drop_reason": "",
        }
        for name, count in groups.items()
        for number in range(count)
    ]


def test_a_class_that_can_be_split_is_never_left_out(tmp_path: Path) -> None:
    assert too_small_classes(Home(tmp_path), _rows(cat=40, dog=40, owl=40), 7) == []
    assert too_small_classes(Home(tmp_path), _rows(cat=40, dog=40, owl=8), 7) == []


def test_a_class_that_would_stop_the_training_of_all_is_left_out(tmp_path: Path) -> None:
    rows = _rows(cat=40, dog=40, owl=5, fox=9, bee=2)
    assert too_small_classes(Home(tmp_path), rows, 7) == ["bee", "owl"]
    left = without_classes(rows, ["bee", "owl"])
    dropped = [row for row in left if not row["kept"]]
    assert {row["class_name"] for row in dropped} == {"bee", "owl"}
    assert {row["drop_reason"] for row in dropped} == {"class_too_small"}
    kept = [row for row in left if row["kept"]]
    assert make_split(
        [row["class_name"] for row in kept],
        [row["group"] for row in kept],
        protocol="grouped",
        seed=7,
    ).folds


def test_what_was_held_out_counts_with_what_is_too_small(tmp_path: Path) -> None:
    """Of its ten authors six were held out, when it had sixty; deletions took the others."""
    home = Home(tmp_path)
    rows = _rows(cat=40, dog=40, owl=10)
    tested = [{"sha256": f"{name} {n}"} for name in ("cat", "dog", "owl") for n in range(6)]
    write_rows(home.table("test_pictures"), tested, TEST_PICTURES)
    assert too_small_classes(home, rows, 7) == ["owl"]


def test_where_leaving_out_does_not_help_nothing_is_left_out(tmp_path: Path) -> None:
    """The training fails then as it must, and its sentence names the class."""
    assert too_small_classes(Home(tmp_path), _rows(cat=40, dog=3), 7) == []
    assert too_small_classes(Home(tmp_path), _rows(cat=3, dog=3, owl=3), 7) == []
