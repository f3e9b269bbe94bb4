from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reds_pipeline.backup.mlflow_paths import files_elsewhere, move_files
from reds_pipeline.errors import RedsError
from reds_pipeline.tracking import BUNDLE_DIRECTORY, EXPERIMENT, MODEL_ARTIFACT, Tracking


def opened(home: Path) -> Tracking:
    return Tracking(f"sqlite:///{home / 'mlflow.sqlite'}", home / "mlflow-artifacts")


@pytest.fixture
def old(mlflow_database: Path, tmp_path: Path) -> Path:
    """A home with one registered model, at a path whose characters mean something elsewhere."""
    home = tmp_path / "50 % of_it"
    home.mkdir()
    shutil.copyfile(mlflow_database, home / "mlflow.sqlite")
    tracking = opened(home)
    with tracking.training("tiny", "key", params={}, tags={}) as run:
        run.log_json("class_order.json", ["cat", "dog"])
        bundle = tmp_path / MODEL_ARTIFACT / BUNDLE_DIRECTORY
        bundle.mkdir(parents=True)
        (bundle / "bundle.json").write_text("{}")
        run.log_directory(bundle.parent, MODEL_ARTIFACT)
    tracking.register(run.run_id, {})
    return home


def mentions(database: Path, text: str) -> list[str]:
    """Return the columns of a database in which a text stands."""
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return [
            f"{table}.{column[1]}"
            for (table,) in tables.fetchall()
            for column in connection.execute(f"PRAGMA table_info({table})").fetchall()
            if connection.execute(
                f"SELECT 1 FROM {table} WHERE instr(CAST({column[1]} AS TEXT), ?)", (text,)
            ).fetchone()
        ]


@pytest.mark.req("R-IMP-8")
def test_a_copied_home_reads_and_erases_its_own_files(old: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(old, tmp_path / "copy"))
    with pytest.raises(RedsError, match="moved or copied; `reds restore --moved"):
        _ = opened(copy).client
    database, artifacts = copy / "mlflow.sqlite", copy / "mlflow-artifacts"
    assert files_elsewhere(database, EXPERIMENT, artifacts) == str(old / "mlflow-artifacts")
    assert move_files(database, EXPERIMENT, artifacts) == 4, "experiment, run, version twice"
    assert mentions(database, old.name) == mentions(database, old.as_uri().rpartition("/")[2]) == []
    assert move_files(database, EXPERIMENT, artifacts) == 0, "there is nothing left to do"

    tracking = opened(copy)
    [version] = tracking.versions()
    assert tracking.read_json(version.run_id, "class_order.json") == ["cat", "dog"]
    assert tracking.bundle(version, tmp_path) == next(copy.rglob("bundle.json")).parent
    tracking.delete_version(version.version)
    assert not list(copy.rglob("bundle.json"))
    assert list(old.rglob("bundle.json")), "the home it was copied from keeps its own"


def test_a_place_whose_name_begins_alike_is_another_place(old: Path, tmp_path: Path) -> None:
    database = old / "mlflow.sqlite"
    beside = (old / "mlflow-artifacts-of-somebody").as_uri()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE runs SET artifact_uri = ?", (beside,))
    move_files(database, EXPERIMENT, tmp_path / "new" / "mlflow-artifacts")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT artifact_uri FROM runs").fetchall() == [(beside,)]


def test_files_of_an_object_store_stay_where_they_are(old: Path, tmp_path: Path) -> None:
    database = old / "mlflow.sqlite"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE experiments SET artifact_location = 's3://reds/mlflow'")
    assert files_elsewhere(database, EXPERIMENT, tmp_path) == ""
    assert move_files(database, EXPERIMENT, tmp_path) == 0


def test_a_home_without_trainings_has_nothing_to_move(
    mlflow_database: Path, tmp_path: Path
) -> None:
    assert files_elsewhere(tmp_path / "none.sqlite", EXPERIMENT, tmp_path) == ""
    assert files_elsewhere(mlflow_database, EXPERIMENT, tmp_path) == ""


def test_a_home_reached_by_another_name_is_the_same_home(old: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(old)
    assert files_elsewhere(link / "mlflow.sqlite", EXPERIMENT, link / "mlflow-artifacts") == ""
