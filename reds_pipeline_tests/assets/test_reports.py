from __future__ import annotations

import re
from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline import dataset_report as module
from reds_pipeline.assets.reports import FUNNEL_CHECK, dataset_report
from reds_pipeline.dataset_report import DatasetReport
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CURATED, read_rows, write_rows
from reds_pipeline_tests import curated_home

LARGEST_PICTURE = 100_000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return curated_home.fill(tmp_path / "home")


def materialised(home: Home) -> dg.ExecuteInProcessResult:
    platform = Platform(load_settings(home=home.root), attended=True)
    return dg.materialize([dataset_report], resources={"platform": platform})


def test_everything_is_shown_and_small_enough_for_the_event_log(home: Home) -> None:
    result = materialised(home)
    [event] = result.get_asset_materialization_events()
    texts = {name: str(value.value) for name, value in event.materialization.metadata.items()}
    pictures = {name: text for name, text in texts.items() if "data:image/" in text}
    assert len(pictures) == 5
    assert all(len(text) < LARGEST_PICTURE for text in pictures.values())
    photographs = {name for name, text in pictures.items() if "data:image/jpeg" in text}
    assert photographs == {"one of each class", "mean pictures", "examples"}
    assert "dog is 994 short of 1,000 pictures" in texts["balance"]
    assert "| all | 10 |" in texts["shapes"]
    assert "| red | " in texts["channels"]
    assert re.search(
        r"\| all \| 0\.010 \| 1\.505 \| 6\.021 \| 12\.042 \|", texts["megabytes on disk"]
    )
    assert {path.name for path in home.figures.iterdir()} >= {"funnel.png", "mean_images.jpg"}
    [check] = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (FUNNEL_CHECK, True)


def test_a_lost_picture_fails_the_check_and_nothing_else(home: Home) -> None:
    table = home.table("curated_dataset")
    write_rows(table, read_rows(table, CURATED)[1:], CURATED)
    result = materialised(home)
    [check] = result.get_asset_check_evaluations()
    assert result.success
    assert not check.passed
    assert "cat: 1 cleaned pictures have no verdict" in str(check.metadata["problems"].value)


@pytest.mark.req("R-SCR-11")
def test_a_picture_that_is_withdrawn_meanwhile_is_in_no_figure(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = home.table("curated_dataset")
    made: list[int] = []

    def report_and_lose_one(root: Home, images_per_class: int) -> DatasetReport:
        report = measured(root, images_per_class)
        made.append(sum(row["kept"] for row in read_rows(table, CURATED)))
        if len(made) == 1:
            rows = read_rows(table, CURATED)
            kept = next(row for row in rows if row["kept"])
            write_rows(table, [row for row in rows if row is not kept], CURATED)
        return report

    measured = module.dataset_report
    monkeypatch.setattr(module, "dataset_report", report_and_lose_one)
    assert materialised(home).success
    assert made == [10, 9], "made again without it"
