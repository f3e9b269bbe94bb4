from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import DatasetInput
from mlflow.exceptions import MlflowException

from reds_pipeline.errors import RedsError
from reds_pipeline.tracking import (
    BUNDLE_DIRECTORY,
    CHAMPION,
    HASHTAG_MODEL,
    MODEL_ARTIFACT,
    MODEL_REMOVED,
    TRAINING_KEY,
    Tracking,
)
from reds_pipeline.tracking_run import LearntDataset, Training


@pytest.fixture
def tracking(mlflow_database: Path, tmp_path: Path) -> Tracking:
    shutil.copy(mlflow_database, tmp_path / "mlflow.sqlite")
    return Tracking(f"sqlite:///{tmp_path / 'mlflow.sqlite'}", tmp_path / "artifacts")


def finished(tracking: Tracking, key: str, tmp_path: Path) -> str:
    with tracking.training("tiny grouped", key, params={"C": 1}, tags={"backbone": "tiny"}) as run:
        run.log_metrics({"cv/accuracy_mean": 0.5})
        run.log_fold(1, {"accuracy": 0.5}, {"backbone": "tiny"})
        run.log_json("class_order.json", ["cat", "dog"])
        run.log_bytes("figures/confusion.png", b"png")
        bundle = tmp_path / key / MODEL_ARTIFACT / BUNDLE_DIRECTORY
        bundle.mkdir(parents=True)
        (bundle / "bundle.json").write_text("{}")
        run.log_directory(bundle.parent, MODEL_ARTIFACT)
    return run.run_id


def test_a_kill_while_a_database_is_made_leaves_all_of_its_tables_or_nothing(
    mlflow_database: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mlflow.sqlite"
    program = "import sys, pathlib; from reds_pipeline.tracking import Tracking; "
    program += "Tracking(sys.argv[1], pathlib.Path(sys.argv[2])).client"
    command = [sys.executable, "-c", program, f"sqlite:///{path}", str(tmp_path / "artifacts")]
    with subprocess.Popen(command) as making:
        while making.poll() is None and not (path.exists() and path.stat().st_size):
            time.sleep(0.001)
        making.kill()
    assert tables(path) == tables(mlflow_database)


def tables(path: Path) -> list[tuple[object, ...]]:
    """Everything but the text: MLflow writes what a column allows in the order of a set."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute(
            "SELECT thing.type, thing.name, part.name, part.type, part.pk FROM sqlite_master thing "
            "LEFT JOIN pragma_table_info(thing.name) part ORDER BY thing.name, part.cid"
        ).fetchall()


@pytest.mark.parametrize("uri", ["file:///tmp/mlruns", "./mlruns", "mlruns"])
def test_the_old_file_store_is_refused_with_the_remedy(uri: str, tmp_path: Path) -> None:
    with pytest.raises(RedsError, match="REDS_TRACKING_URI to sqlite"):
        Tracking(uri, tmp_path)


def test_a_finished_training_is_found_again_with_all_it_logged(
    tracking: Tracking, tmp_path: Path
) -> None:
    assert tracking.finished_training("k1") is None
    run_id = finished(tracking, "k1", tmp_path)
    assert tracking.finished_training("k1") == run_id
    assert tracking.finished_training("k2") is None
    assert tracking.read_json(run_id, "class_order.json") == ["cat", "dog"]
    assert tracking.read_bytes(run_id, "figures/confusion.png") == b"png"
    runs = tracking.client.search_runs([tracking.experiment_id])
    [fold] = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == run_id]
    assert fold.data.metrics == {"accuracy": 0.5}
    assert fold.info.status == "FINISHED"


def test_a_training_that_fails_is_marked_and_not_found(tracking: Tracking) -> None:
    with (
        pytest.raises(RuntimeError),
        tracking.training("tiny", "k1", params={}, tags={}) as run,
    ):
        raise RuntimeError("no memory")
    assert tracking.client.get_run(run.run_id).info.status == "FAILED"
    assert tracking.finished_training("k1") is None


def test_a_training_that_was_killed_is_closed_by_the_next_one(
    tracking: Tracking, tmp_path: Path
) -> None:
    killed = tracking.client.create_run(tracking.experiment_id, tags={TRAINING_KEY: "k1"})
    finished(tracking, "k1", tmp_path)
    assert tracking.client.get_run(killed.info.run_id).info.status == "KILLED"


def test_a_training_is_registered_once_and_its_bundle_read_in_place(
    tracking: Tracking, tmp_path: Path
) -> None:
    assert tracking.alias(CHAMPION) is None
    first = tracking.register(finished(tracking, "k1", tmp_path), {"backbone": "tiny"})
    assert tracking.alias(CHAMPION) is None
    assert tracking.register(first.run_id, {}).version == first.version == "1"
    second = tracking.register(finished(tracking, "k2", tmp_path), {})
    assert second.version == "2"
    for version in (first, second):
        tracking.set_alias(CHAMPION, version.version)
        champion = tracking.alias(CHAMPION)
        assert champion is not None
        assert champion.version == version.version
    bundle = tracking.bundle(first, tmp_path / "unused")
    assert json.loads((bundle / "bundle.json").read_text()) == {}
    assert not (tmp_path / "unused").exists()


def test_links_lead_to_the_run(tracking: Tracking) -> None:
    assert tracking.link("abc") == (
        "http://127.0.0.1:5000/#/experiments/1/runs/abc?workflowType=machine_learning"
    )


def test_a_record_that_is_gone_is_none(tracking: Tracking, tmp_path: Path) -> None:
    run_id = finished(tracking, "k1", tmp_path)
    assert tracking.record(run_id, "class_order.json") is None, "a list is not a record"
    assert tracking.record(run_id, "training.json") is None
    with tracking.training("tiny", "k2", params={}, tags={}) as run:
        run.log_json("training.json", {"cv_mean": 0.5})
    assert tracking.record(run.run_id, "training.json") == {"cv_mean": 0.5}


def test_a_damaged_database_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.sqlite"
    path.write_bytes(b"not a database" * 100)
    tracking = Tracking(f"sqlite:///{path}", tmp_path / "artifacts")
    with pytest.raises(RedsError, match="cannot be used") as caught:
        _ = tracking.client
    assert "\n" not in str(caught.value)


def test_two_registered_models_have_versions_and_aliases_of_their_own(
    tracking: Tracking, tmp_path: Path
) -> None:
    run_id = finished(tracking, "k1", tmp_path)
    classes = tracking.register(run_id, {})
    tags = tracking.register(run_id, {}, HASHTAG_MODEL, "Many hashtags.")
    assert (classes.version, tags.version) == ("1", "1")
    assert (tags.model, tags.description) == (HASHTAG_MODEL, "Many hashtags.")
    tracking.set_alias(CHAMPION, "1", HASHTAG_MODEL)
    assert tracking.aliases(HASHTAG_MODEL) == {CHAMPION: "1"}
    assert tracking.aliases() == {}
    tracking.remove_alias(CHAMPION, HASHTAG_MODEL)
    tracking.remove_alias(CHAMPION, HASHTAG_MODEL)
    assert tracking.alias(CHAMPION, HASHTAG_MODEL) is None


def test_a_deleted_version_takes_its_files_along_but_not_its_numbers(
    tracking: Tracking, tmp_path: Path
) -> None:
    run_id = finished(tracking, "k1", tmp_path)
    version = tracking.register(run_id, {}).version
    assert f"{MODEL_ARTIFACT}/{BUNDLE_DIRECTORY}/bundle.json" in tracking.artifacts(run_id)
    tracking.set_alias(CHAMPION, version)
    with pytest.raises(RedsError, match="is the champion and stays"):
        tracking.delete_version(version)
    tracking.remove_alias(CHAMPION)
    tracking.delete_version(version)
    tracking.delete_version(version)
    assert tracking.version(version) is None
    assert not any(name.startswith(MODEL_ARTIFACT) for name in tracking.artifacts(run_id))
    assert tracking.metrics(run_id) == {"cv/accuracy_mean": 0.5}
    assert "class_order.json" in tracking.artifacts(run_id)


def test_a_training_whose_model_was_removed_is_made_again(
    tracking: Tracking, tmp_path: Path
) -> None:
    """Otherwise a data set that comes back would get a version without files."""
    run_id = finished(tracking, "k1", tmp_path)
    tracking.client.set_tag(run_id, MODEL_REMOVED, "2026-11-21T12:00:00Z")
    assert tracking.finished_training("k1") is None


def test_many_numbers_are_logged_in_requests_that_mlflow_takes(tracking: Tracking) -> None:
    with tracking.training("tiny", "k1", params={}, tags={}) as run:
        run.log_metrics({f"test/recall/class {number}": 0.5 for number in range(1200)})
    tracking.add_metrics(run.run_id, {"domain/zero_shot": 0.25})
    assert len(tracking.metrics(run.run_id)) == 1201


class _TakenOnce:
    """MLflow's client at the moment in which another process enters the same data set."""

    def __init__(self, tracking: Tracking) -> None:
        self._client = tracking.client
        self._taken = False

    def log_inputs(self, run_id: str, inputs: list[DatasetInput]) -> None:
        if not self._taken:
            self._taken = True
            raise MlflowException("UNIQUE constraint failed: datasets.name, datasets.digest")
        self._client.log_inputs(run_id, inputs)


def test_trainings_at_the_same_moment_can_name_the_same_data_set(tracking: Tracking) -> None:
    """Two processes learn from one data set; MLflow looks for it, and enters it a moment later."""
    with tracking.training("tiny", "k", params={}, tags={}) as run:
        hasty: Any = _TakenOnce(tracking)
        data = LearntDataset("curated_dataset", "d", {}, {"sha256": "string"}, {})
        Training(hasty, run.run_id, tracking.experiment_id, "tiny").log_dataset(data)
    inputs = tracking.client.get_run(run.run_id).inputs
    assert inputs is not None
    assert [each.dataset.digest for each in inputs.dataset_inputs] == ["d"]
