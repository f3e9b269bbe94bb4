"""Which of Dagster's runs go, on both databases, and what the page knows afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml

from reds_pipeline.housekeeping import dagster_runs
from reds_pipeline.housekeeping.chore import Chore
from reds_pipeline.housekeeping.databases import databases, shrink, slack
from reds_pipeline_tests.housekeeping.dagster_history import DEFINITIONS, collect, refresh
from reds_pipeline_tests.postgres_on_loopback import postgres

pytestmark = pytest.mark.req("R-IMP-4")

NAMES = ("cat", "dog")
# Catching what steps print takes two more processes a step.
NOTHING_PRINTED = {
    "compute_logs": {
        "module": "dagster.core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
SELECTION, IMAGES = dg.AssetKey("class_selection"), dg.AssetKey("clean_images")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as port:
        yield f"postgresql+psycopg2://dagster:secret@127.0.0.1:{port}/dagster"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance on SQLite, as in every home."""
    with opened(tmp_path, NOTHING_PRINTED) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance on SQLite, the second time on Postgres as in containers."""
    settings: dict[str, Any] = dict(NOTHING_PRINTED)
    if request.param == "postgres":
        url = request.getfixturevalue("server")
        settings["storage"] = {"postgres": {"postgres_url": url}}
    with opened(tmp_path, settings) as made:
        yield made
        made.wipe()


@contextmanager
def opened(directory: Path, settings: dict[str, Any]) -> Iterator[dg.DagsterInstance]:
    written = {"telemetry": {"enabled": False}, **settings}
    (directory / "dagster.yaml").write_text(yaml.safe_dump(written))
    with dg.DagsterInstance.from_config(str(directory)) as made:
        made.add_dynamic_partitions("class", list(NAMES))
        yield made


def remaining(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


def latest(instance: dg.DagsterInstance, partition: str) -> str:
    wanted = dg.AssetRecordsFilter(IMAGES, asset_partitions=[partition])
    [record] = instance.fetch_materializations(wanted, limit=1).records
    return record.run_id


def found(instance: dg.DagsterInstance, days: float = 0.0) -> list[Chore]:
    return list(dagster_runs.chores(instance, days))


def tidy(instance: dg.DagsterInstance, days: float = 0.0) -> list[Chore]:
    chores = found(instance, days)
    for chore in chores:
        chore.remove()
    return chores


def rows_about(instance: dg.DagsterInstance, run_id: str) -> int:
    storage: Any = instance.event_log_storage
    count = 0
    for table in ("event_logs", "asset_check_executions"):
        query = sa.text(f"SELECT COUNT(*) FROM {table} WHERE run_id = :run_id")
        with storage.index_connection() as connection:
            count += connection.execute(query, {"run_id": run_id}).scalar()
    return count


def test_old_runs_go_and_what_they_were_the_last_to_say_stays(
    either: dg.DagsterInstance, tmp_path: Path
) -> None:
    """The page, freshness and sensors know how things stand by the runs that stay."""
    first = refresh(either)
    only_of_dog = collect(either, "dog", first)
    superseded = collect(either, "cat", first)
    failed = collect(either, "cat", first, fails="yes")
    older_failure = failed
    second = refresh(either)
    of_cat = collect(either, "cat", second)
    failed = collect(either, "cat", second, fails="yes")
    queued = either.create_run_for_job(DEFINITIONS.resolve_job_def("weekly_refresh")).run_id
    assert found(either, days=1) == [], "nothing is old"

    [chore] = tidy(either)
    assert chore.count == 3
    assert chore.size > 3000
    assert remaining(either) == {only_of_dog, second, of_cat, failed, queued}
    for run_id in (first, superseded, older_failure):
        assert rows_about(either, run_id) == 0
        assert not list(tmp_path.rglob(f"*{run_id}*")), "SQLite's file of the run is gone, too"
    assert latest(either, "cat") == of_cat
    assert latest(either, "dog") == only_of_dog
    assert either.get_materialized_partitions(IMAGES) == set(NAMES)
    [record] = either.fetch_materializations(SELECTION, limit=1).records
    assert record.run_id == second
    assert found(either) == [], "a second time there is nothing to do"


def test_a_class_that_is_none_any_more_keeps_no_run(instance: dg.DagsterInstance) -> None:
    of_cat = collect(instance, "cat", "first")
    of_dog = collect(instance, "dog", "second")
    instance.delete_dynamic_partition("class", "cat")
    tidy(instance)
    assert remaining(instance) == {of_dog}
    assert rows_about(instance, of_cat) == 0


def test_what_a_person_deleted_on_the_page_leaves_nothing(tmp_path: Path) -> None:
    """Dagster empties a run's file and keeps it, and forgets the outcomes of its checks."""
    with opened(tmp_path, {}) as instance:
        deleted = collect(instance, "cat", "first")
        [printed] = (tmp_path / "storage").glob(f"{deleted}/**/*.err")
        instance.delete_run(deleted)
        assert printed.exists()
        assert rows_about(instance, deleted) == 1, "the outcome of its check"
        [chore] = tidy(instance)
        assert (chore.what, chore.count) == ("logs of runs that are no more", 1)
        assert rows_about(instance, deleted) == 0
        assert not list(tmp_path.rglob(f"*{deleted}*"))


def test_a_kill_between_two_steps_of_a_removal_is_made_good(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = [collect(instance, "cat", "first") for _ in range(3)][:2]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(instance.event_log_storage, "delete_events", killed)
        tidy(instance)
    tidy(instance)
    assert remaining(instance).isdisjoint(old)
    assert [rows_about(instance, run_id) for run_id in old] == [0, 0]
    assert found(instance) == []


def test_databases_give_back_what_was_deleted_from_them(
    either: dg.DagsterInstance, tmp_path: Path
) -> None:
    secret = "a sentence in the metadata of an old run " * 2000

    @dg.asset
    def notes() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"said": secret})

    for _ in range(3):
        dg.materialize([notes], instance=either)
    tidy(either)
    places = databases(either, "sqlite:////nowhere/mlflow.sqlite")
    assert list(shrink(places)) == []
    assert sum(map(slack, places)) == 0
    held = sum(path.read_bytes().count(secret[:80].encode()) > 0 for path in _files(tmp_path))
    assert held in (0, 2), "only the newest run and the index say it, in SQLite"
    wanted = either.fetch_materializations(notes.key, limit=5).records
    assert len(wanted) == 1
    assert json.dumps(secret)[1:80] in repr(wanted[0].asset_materialization)


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_a_database_that_somebody_writes_to_is_left_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    monkeypatch.setattr("reds_pipeline.housekeeping.databases._PATIENCE_SECONDS", 0.1)
    place = tmp_path / "index.db"
    writer = sqlite3.connect(place, isolation_level=None)
    writer.execute("CREATE TABLE said (words TEXT)")
    writer.execute("INSERT INTO said VALUES (?)", ("word " * 10_000,))
    writer.execute("DELETE FROM said")
    writer.execute("BEGIN IMMEDIATE")
    [sentence] = shrink([f"sqlite:///{place}"])
    assert "could not be made smaller" in sentence
    writer.execute("COMMIT")
    assert list(shrink([f"sqlite:///{place}"])) == []
    assert slack(f"sqlite:///{place}") == 0
    writer.close()
