"""Housekeeping as its users have it: ``reds prune`` and the job."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
from sqlalchemy.exc import OperationalError

from reds_pipeline.cli import cli
from reds_pipeline.definitions import build_defs
from reds_pipeline.embedding.tiny import TinyEncoder
from reds_pipeline.errors import RedsError
from reds_pipeline.housekeeping.keep_house import HOUSEKEEPING, keep_house
from reds_pipeline.notices import DISK, NOTICE
from reds_pipeline.promotion import promote_best
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.workers import at_work
from reds_pipeline_tests import served_models
from reds_pipeline_tests.served_models import ServedModels

LOST = "f" * 64


@pytest.fixture(scope="module")
def models(mlflow_database: Path, tmp_path_factory: pytest.TempPathFactory) -> ServedModels:
    """Three versions, of which the first serves; tests add what they want removed."""
    home = served_models.fill(
        tmp_path_factory.mktemp("house") / "home", mlflow_database, [(14, 14), (10, 10), (9, 9)]
    )
    for model in range(3):
        home.train(model)
        promote_best(home.platform)
    return home


@pytest.fixture
def home(models: ServedModels) -> Iterator[Home]:
    """The home with a little of what may go, and nothing of it afterwards."""
    made = models.platform.home
    half = made.root / "tables" / ".writing-abc.parquet"
    half.write_bytes(b"half a table")
    length = TinyEncoder.dimension
    store = ArrayStore(made.embeddings / TinyEncoder.encoder_id, (length,), "float32")
    store.append([LOST], np.zeros((1, length), np.float32))
    for path in (half, *store.root.iterdir()):
        os.utime(path, (0, 0))
    yield made
    half.unlink(missing_ok=True)
    store.erase({LOST})


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def events(platform: Platform) -> list[dict[str, Any]]:
    return platform.ledger.events(HOUSEKEEPING)


def launch(platform: Platform, instance: dg.DagsterInstance, **config: Any) -> Any:
    result = (
        build_defs(platform=platform)
        .resolve_job_def("housekeeping")
        .execute_in_process(
            instance=instance, run_config={"ops": {"keep_house": {"config": config}}}
        )
    )
    [event] = [event for event in result.all_events if event.is_successful_output]
    metadata = event.step_output_data.metadata
    return {name: value.value for name, value in metadata.items()}


def test_a_dry_run_says_what_applying_then_removes(
    models: ServedModels, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    def prune(*arguments: str) -> dict[str, Any]:
        command = ["prune", "--home", str(home.root), "--json", *arguments]
        cli(command, standalone_mode=False, obj={"debug": False})
        return dict(json.loads(capsys.readouterr().out))

    before = sorted(home.root.glob("t*/**/*"))
    dry = prune()
    assert sorted(home.root.glob("t*/**/*")) == before
    assert {each["what"]: each["count"] for each in dry["found"] if each["count"]} == {
        "half-written files": 1,
        f"rows of embeddings {TinyEncoder.encoder_id}": 1,
    }
    assert dry["freed_bytes"] > 4 * TinyEncoder.dimension
    assert dry["disk"]["kinds"]["squares"] > 6e6
    assert [each["model"] for each in dry["models"]] == ["reds-tagger", "reds-hashtags"]
    recorded = len(events(models.platform))
    done = prune("--apply")
    assert done["found"] == dry["found"]
    assert done["applied"]
    [event] = events(models.platform)[recorded:]
    assert [(each["what"], each["count"]) for each in event["removed"]] == [
        (each["what"], each["count"]) for each in done["found"] if each["count"]
    ]
    again = prune("--apply")
    assert [each for each in again["found"] if each["count"]] == []
    assert len(events(models.platform)) == recorded + 1, "nothing is recorded where nothing goes"


def test_only_what_is_asked_for_is_looked_at(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["prune", "--home", str(home.root), "--apply", "--only", "samples", "--only", "runs"]
    cli(command, standalone_mode=False, obj={"debug": False})
    shown = " ".join(capsys.readouterr().out.split())
    assert "Nothing may go: everything that is there is needed. The home takes" in shown
    assert (home.root / "tables" / ".writing-abc.parquet").exists()


def test_nothing_is_removed_while_somebody_works_on_the_home(home: Home) -> None:
    command = ["prune", "--home", str(home.root)]
    with at_work(home.lock("run"), "`reds run`"):
        cli(command, standalone_mode=False, obj={"debug": False})
        with pytest.raises(RedsError, match="is being worked on by `reds run`"):
            cli([*command, "--apply"], standalone_mode=False, obj={"debug": False})
    assert (home.root / "tables" / ".writing-abc.parquet").exists()


@pytest.mark.parametrize("kind", ["encoders", "orphans"])
def test_what_cannot_be_told_is_said_and_stops_nothing(
    models: ServedModels, home: Home, instance: dg.DagsterInstance, kind: str
) -> None:
    """These trainings do not say which encoder they need; then the tables are damaged, too."""
    table = home.table("images", "cat")
    if kind == "orphans":
        table.parent.mkdir()
        table.write_bytes(b"no table")
    report = keep_house(models.platform, instance, apply=True, only=[kind])
    [chore] = [each for each in report.chores if each.left_alone]
    assert chore.kind == kind
    assert any(words in chore.left_alone for words in ("what encoder version", "damaged"))
    assert (home.root / "tables" / ".writing-abc.parquet").exists() is (kind == "encoders")
    table.unlink(missing_ok=True)


@pytest.mark.parametrize(
    "error",
    [
        OSError(30, "Read-only file system"),
        OperationalError("DELETE", {}, sqlite3.OperationalError("database is locked")),
    ],
)
def test_what_fails_while_it_is_removed_is_reported(
    models: ServedModels, home: Home, instance: dg.DagsterInstance, error: Exception
) -> None:
    def failing(*_: object) -> int:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ArrayStore, "erase", failing)
        report = keep_house(models.platform, instance, apply=True, only=["orphans"])
    assert [each.what for each in report.going] == ["half-written files"]
    [stays] = [each for each in report.chores if each.left_alone]
    assert any(
        words in stays.left_alone for words in ("Read-only file system", "database is locked")
    )
    assert "\n" not in stays.left_alone


def test_the_job_does_what_the_settings_say(
    models: ServedModels, home: Home, instance: dg.DagsterInstance
) -> None:
    half = home.root / "tables" / ".writing-abc.parquet"
    off = Platform(load_settings(home=home.root, housekeeping="off"))
    assert launch(off, instance) == {}
    report = Platform(load_settings(home=home.root, housekeeping="report"))
    said = launch(report, instance)
    assert (said["removed"], said["bytes freed"]) == (False, 0)
    assert "half-written files" in said["found"]
    assert half.exists()
    done = launch(models.platform, instance)
    assert done["removed"]
    assert done["bytes freed"] > 4 * TinyEncoder.dimension
    assert not half.exists()
    assert done["what to do about the disk"] == "nothing"


def test_a_home_above_its_budget_is_told_of_once_a_week(
    home: Home, instance: dg.DagsterInstance
) -> None:
    tight = Platform(load_settings(home=home.root, housekeeping="report", disk_budget_gb=0.001))
    for _ in range(2):
        said = launch(tight, instance, only=["samples"])
        assert "REDS_DISK_BUDGET_GB" in said["what to do about the disk"]
    [notice] = [event for event in tight.ledger.events(NOTICE) if event["subject"] == DISK]
    assert "`reds prune`" in notice["body"]
