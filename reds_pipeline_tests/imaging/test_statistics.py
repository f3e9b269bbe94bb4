from __future__ import annotations

from typing import Any

import pytest

from reds_pipeline.imaging.statistics import (
    ClassStatistics,
    DiskSizes,
    class_statistics,
    disk_sizes,
    shape_statistics,
)


def _row(class_name: str, width: int, height: int, kept: bool = True) -> dict[str, Any]:
    return {"class_name": class_name, "width": width, "height": height, "kept": kept}


@pytest.mark.req("R-IMG-2")
@pytest.mark.req("R-IMG-6")
def test_shapes_of_one_class() -> None:
    sizes = [(75, 100), (100, 100), (125, 100), (150, 100), (200, 100)]
    assert shape_statistics("dog", sizes) == ClassStatistics("dog", 5, 1.3, 1.0, 1.5, 0.8)


@pytest.mark.req("R-IMG-6")
def test_the_overall_share_weighs_each_image_alike() -> None:
    # The source report prints 89 for these shares of equal classes; the mean is 86.8 (AUD-R9).
    shares = {"dog": 82, "cat": 86, "flower": 86, "bird": 83, "car": 97}
    rows = [
        _row(name, 4000 if index < share else 3000, 3000)
        for name, share in shares.items()
        for index in range(100)
    ]
    *per_class, overall = class_statistics(rows)
    assert {entry.class_name: round(100 * entry.cropped_share) for entry in per_class} == shares
    assert overall.class_name == "all"
    assert overall.images == 500
    assert overall.cropped_share == pytest.approx(0.868)


@pytest.mark.req("R-IMG-6")
def test_larger_classes_weigh_more_in_the_overall_share() -> None:
    rows = [_row("dog", 200, 100)] + [_row("cat", 100, 100)] * 3
    assert class_statistics(rows)[-1].cropped_share == 0.25


def test_dropped_images_do_not_count_and_empty_classes_are_named() -> None:
    dog, cat, overall = class_statistics([_row("dog", 100, 100), _row("cat", 9, 9, kept=False)])
    assert (dog.images, cat, overall.images) == (1, ClassStatistics("cat", 0, 0, 0, 0, 0), 1)


@pytest.mark.req("R-IMG-10")
@pytest.mark.req("R-IMG-13")
def test_the_size_on_disk_before_and_after() -> None:
    """One square is 150,528 bytes; the report's float64 took eight times that (AUD-R13)."""
    rows = [
        _row("dog", 9, 9) | {"sha256": "a"},
        _row("dog", 9, 9) | {"sha256": "file is lost"},
        _row("dog", 9, 9, kept=False) | {"sha256": "b"},
        _row("cat", 9, 9) | {"sha256": "c"},
    ]
    square = 224 * 224 * 3
    assert disk_sizes(rows, {"a": 1000, "b": 50, "c": 300}) == [
        DiskSizes("dog", 2, 1000, 2 * square, 8 * square, 16 * square),
        DiskSizes("cat", 1, 300, square, 4 * square, 8 * square),
        DiskSizes("all", 3, 1300, 3 * square, 12 * square, 24 * square),
    ]


@pytest.mark.req("R-IMG-13")
def test_the_report_s_five_thousand_images_would_take_six_gigabytes_as_float64() -> None:
    rows = [_row("dog", 9, 9) | {"sha256": str(number)} for number in range(5000)]
    everything = disk_sizes(rows, {})[-1]
    assert round(everything.uint8_bytes / 1e9, 2) == 0.75
    assert round(everything.float64_bytes / 1e9, 2) == 6.02
