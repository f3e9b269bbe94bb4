from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reds_pipeline.dataset_report import DatasetReport, dataset_report
from reds_pipeline.imaging.resize import RESIZE_RULE
from reds_pipeline.storage.home import Home
from reds_pipeline_tests import curated_home
from reds_pipeline_tests.figure_checks import assert_readable

TARGET = 10


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return curated_home.fill(tmp_path_factory.mktemp("curated"))


@pytest.fixture(scope="module")
def report(home: Home) -> DatasetReport:
    return dataset_report(home, TARGET)


@pytest.mark.req("R-SCR-10")
def test_the_funnel_adds_up_and_what_is_missing_is_said(report: DatasetReport) -> None:
    assert report.problems == []
    assert {name: funnel.kept for name, funnel in report.funnels.items()} == {"cat": 4, "dog": 6}
    assert [balance.missing for balance in report.balances] == [6, 4]
    assert [counts.confirmed for counts in report.reviews] == [1, 2]


@pytest.mark.req("R-IMG-2")
@pytest.mark.req("R-IMG-6")
def test_shapes_are_those_of_the_kept_pictures(report: DatasetReport) -> None:
    assert [(each.class_name, each.images) for each in report.shapes] == [
        ("cat", 4),
        ("dog", 6),
        ("all", 10),
    ]
    assert all(each.cropped_share == 1 for each in report.shapes), "940 by 640 and wider"


@pytest.mark.req("R-IMG-7")
@pytest.mark.req("R-IMG-13")
def test_squares_and_their_files(report: DatasetReport) -> None:
    squares = report.squares
    assert (squares.images, squares.smallest, squares.largest) == (10, (224, 224), (224, 224))
    assert squares.pixels == 50_176
    everything = report.files[-1]
    assert everything.original_bytes == 10 * curated_home.BYTES_OF_A_FILE
    assert everything.uint8_bytes == 10 * 150_528


@pytest.mark.req("R-IMG-1")
@pytest.mark.req("R-IMG-11")
def test_photographs_are_jpeg_and_drawings_png(report: DatasetReport) -> None:
    """A withdrawal finds photographs in the run history by their file type."""
    assert set(report.figures) == {
        "funnel.png",
        "image_sizes.png",
        "class_examples.jpg",
        "mean_images.jpg",
        "examples.jpg",
    }
    for name, data in report.figures.items():
        with Image.open(BytesIO(data)) as image:
            assert image.format == ("PNG" if name.endswith(".png") else "JPEG")
        if name.endswith(".png"):
            assert_readable(data)
        else:
            assert len(data) <= 74_000


@pytest.mark.req("R-IMG-11")
def test_the_example_of_a_class_is_one_that_a_person_confirmed(
    home: Home, report: DatasetReport
) -> None:
    with Image.open(BytesIO(report.figures["class_examples.jpg"])) as sheet:
        shown = np.asarray(sheet.convert("RGB"))[6:230, 6:230].astype(float)
    squares = home.tensors(RESIZE_RULE)
    confirmed = curated_home.sha_of("cat", curated_home.STORED - 2)

    def distance(sha256: str) -> float:
        return float(np.abs(squares.read([sha256])[0] - shown).mean())

    others = [curated_home.sha_of("cat", number) for number in (3, 4, 5)]
    assert distance(confirmed) < min(distance(sha256) for sha256 in others)


def test_a_data_set_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no pictures"):
        dataset_report(Home(tmp_path), TARGET)
