"""What old trainings leave in MLflow, and what of them stays for ever."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import pytest

from reds_pipeline.housekeeping import trainings
from reds_pipeline.run_artifacts import SPLIT
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tracking import MODEL_ARTIFACT, MODEL_REMOVED, Tracking
from reds_pipeline.withdrawal.lineage import mark_models
from reds_pipeline.withdrawal.tombstones import record_erasure

PICTURE = "a" * 64


@pytest.fixture
def home(tmp_path: Path, mlflow_database: Path) -> Home:
    made = Home(tmp_path / "home")
    made.root.mkdir()
    shutil.copy(mlflow_database, made.root / "mlflow.sqlite")
    return made


@pytest.fixture
def tracking(home: Home) -> Tracking:
    return Tracking(home.default_tracking_uri, home.artifacts)


def train(tracking: Tracking, key: str) -> str:
    """Log a training with everything of which some goes and some stays."""
    with tracking.training("tiny grouped", key, params={"C": 1}, tags={}) as run:
        run.log_json(SPLIT, {"test": [PICTURE], "fold": {}})
        run.log_json("predictions.json", {"columns": ["sha256"], "data": [[PICTURE]]})
        run.log_json("errors/errors.json", {"columns": ["sha256", "sheet"], "data": []})
        run.log_bytes("errors/test.jpg", b"photographs")
        run.log_bytes("figures/confusion.png", b"drawing")
        run.log_json(f"{MODEL_ARTIFACT}/bundle/bundle.json", {"kind": "classes"})
        run.log_json("training.json", {"cv_mean": 0.9})
        run.log_metrics({"cv/accuracy_mean": 0.9})
    return run.run_id


def tidy(
    home: Home, tracking: Tracking, *, days: float = -1.0, needed: Collection[str] = ()
) -> dict[str, int]:
    """Remove what is found; with less than no days, all that there is is old."""
    chores = list(trainings.chores(tracking, home.artifacts, days, needed))
    for chore in chores:
        chore.remove()
    return {chore.what: chore.count for chore in chores}


def test_an_old_training_without_a_model_keeps_its_numbers_and_no_pictures(
    home: Home, tracking: Tracking
) -> None:
    old, served = train(tracking, "old"), train(tracking, "served")
    assert tidy(home, tracking, days=1.0) == {}, "nothing is old"
    size = sum(size for name, size in tracking.artifacts(old).items() if name != "training.json")
    [chore] = trainings.chores(tracking, home.artifacts, -1.0, {served})
    assert chore.size == size
    assert tidy(home, tracking, needed={served}) == {
        "trainings with files that show or name pictures": 1
    }
    assert set(tracking.artifacts(old)) == {"training.json"}
    assert tracking.metrics(old) == {"cv/accuracy_mean": 0.9}
    assert len(tracking.artifacts(served)) == 7
    assert tracking.finished_training("old") is None, "its model would be missing"
    assert tracking.finished_training("served") == served
    assert tidy(home, tracking, needed={served}) == {}


def test_a_withdrawal_has_nothing_to_look_for_in_what_was_removed(
    home: Home, tracking: Tracking
) -> None:
    """Neither is such a training one that no longer says what it used."""
    old, served = train(tracking, "old"), train(tracking, "served")
    tidy(home, tracking, needed={served})
    ledger = Ledger(home.default_ledger_url)
    record_erasure(ledger, home.keyed_hash, {PICTURE})
    marked = mark_models(tracking, ledger, home.keyed_hash)
    assert (marked.runs, marked.unreadable) == ((served,), ())
    ledger.close()
    assert old not in marked.runs


def test_a_kill_while_files_go_leaves_no_training_that_seems_to_have_a_model(
    home: Home, tracking: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = train(tracking, "old")

    def killed(_self: Tracking, _run: str, path: str) -> None:
        if path == MODEL_ARTIFACT:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Tracking, "delete_artifacts", killed)
        tidy(home, tracking)
    assert MODEL_REMOVED in tracking.client.get_run(old).data.tags
    assert tracking.finished_training("old") is None
    assert tracking.record(old, SPLIT) is not None, "by it a withdrawal finds what is left"
    assert tidy(home, tracking) == {"trainings with files that show or name pictures": 1}
    assert set(tracking.artifacts(old)) == {"training.json"}


def test_runs_that_somebody_deleted_in_mlflow_go_with_their_files(
    home: Home, tracking: Tracking, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a while in which they can be restored there, and never those of a version."""
    deleted, of_version = train(tracking, "deleted"), train(tracking, "of a version")
    for run_id in (deleted, of_version):
        tracking.client.delete_run(run_id)
    assert tidy(home, tracking, days=1.0) == {}
    done = tidy(home, tracking, needed={of_version})
    assert done == {"runs of MLflow that were deleted there": 1}
    assert not (home.artifacts / deleted).exists()
    assert (home.artifacts / of_version).exists()
    with closing(sqlite3.connect(home.root / "mlflow.sqlite")) as database:
        rows = database.execute("SELECT run_uuid FROM runs").fetchall()
        metrics = database.execute("SELECT DISTINCT run_uuid FROM metrics").fetchall()
    assert rows == metrics == [(of_version,)]
    assert capsys.readouterr().out == "", "what MLflow says about it is for nobody here"
    assert tidy(home, tracking, needed={of_version}) == {}


def test_files_of_runs_that_mlflow_does_not_know_go(home: Home, tracking: Tracking) -> None:
    """Those of runs that it knows stay, and what was not made by it."""
    known = train(tracking, "known")
    lost, new, notes = (home.artifacts / name for name in ("0" * 32, "1" * 32, "notes of mine"))
    for place in (lost, new, notes):
        place.mkdir()
        (place / "file.json").write_text(json.dumps([1]))
        if place != new:
            os.utime(place, (0, 0))
    os.utime(home.artifacts / known, (0, 0))
    assert tidy(home, tracking, needed={known}) == {"files of runs that MLflow does not know": 1}
    assert sorted(path.name for path in home.artifacts.iterdir()) == sorted(
        [known, new.name, notes.name]
    )
