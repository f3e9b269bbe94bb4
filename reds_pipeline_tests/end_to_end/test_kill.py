"""Ctrl+C or a kill at any stage loses nothing, doubles nothing and leaves nothing half-written."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.pixelfed.application import InstanceOptions
from reds_pipeline.demo.town.town import Town
from reds_pipeline.storage.atomic import TEMPORARY_PREFIX
from reds_pipeline.storage.tables import read_rows
from reds_pipeline_tests.end_to_end.conftest import COMMAND, SECONDS, Install, Reds

# Pictures that may be on their way when the process dies: one a thread.
IN_FLIGHT = 8
CLASSES = "cat,dog,flower"


@dataclass(frozen=True)
class Scene:
    """An instance, a home, and what has happened so far."""

    instance: EmbeddedInstance
    home: Path

    def timeline_pages(self) -> int:
        return sum("/timelines/tag/" in record.path for record in self.instance.requests)

    def stored_pictures(self) -> int:
        return sum(1 for _ in (self.home / "images").rglob("*.jpg"))

    def has(self, pattern: str) -> bool:
        return any(self.home.glob(pattern))

    def registered_versions(self) -> int:
        """Count the versions of the model of classes, which becomes champion a moment later."""
        path = self.home / "mlflow.sqlite"
        if not path.exists():
            return 0
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            query = "SELECT COUNT(*) FROM model_versions WHERE name = 'reds-tagger'"
            try:
                return int(database.execute(query).fetchone()[0])
            except sqlite3.OperationalError:
                # Not made yet, or being written at this moment.
                return 0


# The stage at which the process is killed, and how its beginning shows from outside.
STAGES: dict[str, Callable[[Scene], bool]] = {
    "while timelines are walked": lambda scene: scene.timeline_pages() >= 5,
    "while pictures are fetched": lambda scene: scene.stored_pictures() >= 15,
    "between two classes": lambda scene: scene.has("tables/clean_images/*.parquet"),
    "when copies are looked for": lambda scene: scene.has("embeddings/tiny*/*.npy"),
    "when the data set is curated": lambda scene: scene.has("tables/curated_dataset.parquet"),
    "when doubtful labels are known": lambda scene: scene.has("tables/label_suspects.parquet"),
    "when the test is frozen": lambda scene: scene.has("tables/test_pictures.parquet"),
    "while a training is logged": lambda scene: scene.has("mlflow-artifacts/*/artifacts/*"),
    "when a version is registered": lambda scene: scene.registered_versions() > 0,
}


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.build(images_per_class=16)


@pytest.fixture(scope="module")
def undisturbed(
    town: Town, tmp_path_factory: pytest.TempPathFactory, install: Install
) -> dict[str, list[dict[str, object]]]:
    """Return the rows of a run that nobody killed."""
    with EmbeddedInstance(town) as instance:
        reds = install(
            tmp_path_factory.mktemp("undisturbed") / "home", instance, REDS_CLASSES=CLASSES
        )
        reds("run", "--json")
    return comparable(reds.home)


def comparable(home: Path) -> dict[str, list[dict[str, object]]]:
    """Return what does not depend on the home's secret key or the clock."""
    tables = {"curated": read_rows(home / "tables" / "curated_dataset.parquet")}
    for name in CLASSES.split(","):
        tables[name] = read_rows(home / "tables" / "images" / f"{name}.parquet")
    for name in ("similar_pairs", "label_suspects", "test_pictures", "predictions/tiny"):
        tables[name] = read_rows(home / "tables" / f"{name}.parquet")
    columns = (
        *("sha256", "class_name", "status", "reason", "kept", "drop_reason", "created_at"),
        *("keeper", "duplicate_kind", "keeper_rule", "scores", "one", "other", "is_copy"),
        *("review_rank", "guess", "protocol", "fold", "predicted"),
    )
    return {
        table: sorted(
            ({column: row[column] for column in columns if column in row} for row in rows),
            key=str,
        )
        for table, rows in tables.items()
    }


def run_until(reds: Reds, reached: Callable[[], bool]) -> None:
    """Start a run and kill it, with everything it started, once a stage is reached."""
    process = subprocess.Popen(
        [*COMMAND, "run", "--json"],
        env=reds.environment,
        cwd=reds.home.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + SECONDS
    try:
        while not reached():
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline, "the stage was never reached"
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.fixture
def instance(town: Town) -> Iterator[EmbeddedInstance]:
    # Slow enough that a stage lasts longer than it takes to notice it.
    with EmbeddedInstance(town, InstanceOptions(latency_seconds=0.01)) as running:
        yield running


def test_a_run_stopped_at_every_stage_ends_as_if_it_had_not_been(
    undisturbed: dict[str, list[dict[str, object]]],
    instance: EmbeddedInstance,
    tmp_path: Path,
    install: Install,
) -> None:
    reds = install(tmp_path / "home", instance, REDS_CLASSES=CLASSES)
    scene = Scene(instance, reds.home)
    interrupt(reds, lambda: scene.timeline_pages() >= 1)
    for reached in STAGES.values():
        run_until(reds, lambda reached=reached: reached(scene))  # type: ignore[misc]
        assert_every_table_is_whole(reds.home)
    result = reds("run", "--json")

    assert comparable(reds.home) == undisturbed
    asked = Counter(
        record.path for record in instance.requests if record.path.startswith("/storage/")
    )
    repeated = sum(count - 1 for count in asked.values())
    assert repeated <= IN_FLIGHT * (1 + len(STAGES))
    summary = json.loads(result.stdout)
    assert summary["champion"] == {"backbone": "tiny", "version": "1"}
    assert_mlflow_holds_each_training_once(reds.home, summary["tracking_uri"])
    assert not any((reds.home / "journals").rglob("*.jsonl"))
    assert_dagster_shows_no_run_as_still_going_on(reds.home)


def assert_every_table_is_whole(home: Path) -> None:
    for path in (home / "tables").rglob("*.parquet"):
        if not path.name.startswith(TEMPORARY_PREFIX):
            read_rows(path)


def assert_mlflow_holds_each_training_once(home: Path, uri: str) -> None:
    from reds_pipeline.tracking import TRAINING_KEY, Tracking

    tracking = Tracking(uri, home / "mlflow-artifacts")
    runs = tracking.client.search_runs([tracking.experiment_id], max_results=200)
    parents = [run for run in runs if TRAINING_KEY in run.data.tags]
    finished = Counter(
        run.data.tags[TRAINING_KEY] for run in parents if run.info.status == "FINISHED"
    )
    assert set(finished.values()) == {1}
    assert {run.info.status for run in parents} <= {"FINISHED", "KILLED"}
    assert len(tracking.client.search_model_versions("name = 'reds-tagger'")) == 1


def assert_dagster_shows_no_run_as_still_going_on(home: Path) -> None:
    import dagster as dg

    from reds_pipeline.instance import open_instance
    from reds_pipeline.settings import load_settings

    with open_instance(load_settings(home=home)) as dagster_instance:
        statuses = Counter(run.status for run in dagster_instance.get_runs())
    ended = {
        *(dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE),
        dg.DagsterRunStatus.CANCELED,
    }
    assert set(statuses) <= ended
    assert statuses[dg.DagsterRunStatus.CANCELED] > 0, "what a kill left open was closed"


def interrupt(reds: Reds, reached: Callable[[], bool]) -> None:
    """Start a run and press Ctrl+C once a stage is reached; it says that it can go on."""
    process = subprocess.Popen(
        # As in a terminal: what is started in the background may have Ctrl+C ignored.
        [
            *(sys.executable, "-c"),
            "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from reds_pipeline.cli import main; main()",
            *("run", "--json"),
        ],
        env=reds.environment,
        cwd=reds.home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert output == ""
    assert errors.splitlines()[-1] == "Stopped. The same command goes on from here."
    assert "Traceback" not in errors
