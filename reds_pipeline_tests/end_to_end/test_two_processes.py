"""Two processes on one home: refused, made to wait, or harmless, and never a locked database."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from reds_pipeline.cli import cli
from reds_pipeline.definitions import build_defs
from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline.errors import RedsError
from reds_pipeline.instance import open_instance
from reds_pipeline.jobs import COLLECT_CLASS, RETRAIN, SELECTION_TAG, WEEKLY_REFRESH
from reds_pipeline.resources import NEW_WORK, Platform
from reds_pipeline.runner import run_main_job, run_retraining
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.workers import at_work
from reds_pipeline_tests import curated_home

CLASSES = ("cat", "dog")


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Home, threading.Event]]:
    """A home on which somebody works until the event is set."""
    home = curated_home.fill(tmp_path)
    holds, may_end = threading.Event(), threading.Event()

    def work() -> None:
        with at_work(home.lock("run"), "Dagster's run 1a2b3c4d of retrain"):
            holds.set()
            may_end.wait()

    other = threading.Thread(target=work)
    other.start()
    holds.wait()
    yield home, may_end
    may_end.set()
    other.join()


@pytest.mark.parametrize("command", ["run", "retrain", "demo"])
def test_who_comes_second_reads_who_works_and_what_to_do(
    held: tuple[Home, threading.Event], command: str
) -> None:
    home, _ = held
    result = CliRunner().invoke(cli, [command, "--home", str(home.root)])
    assert isinstance(result.exception, RedsError)
    sentence = str(result.exception)
    assert f"{home.root} is being worked on by Dagster's run 1a2b3c4d of retrain, which" in sentence
    assert "add --wait" in sentence


def test_who_waits_goes_on_when_the_other_has_ended(held: tuple[Home, threading.Event]) -> None:
    home, may_end = held
    lines: list[str] = []

    def announce(line: str) -> None:
        lines.append(line)
        may_end.set()

    # What it then does fails: this home has no host and its pictures are made up.
    with pytest.raises(RedsError, match=r"No host is configured|pictures"):
        run_retraining(load_settings(home=home.root, backbones=("tiny",)), announce, wait=True)
    assert lines[0].startswith("Waiting for Dagster's run 1a2b3c4d of retrain, which began at")
    assert lines[1] == "Embedding what is new, training and comparing"


def test_a_run_by_hand_between_two_queued_runs_of_a_refresh_does_no_harm(
    tmp_path: Path, mlflow_database: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "mlflow.sqlite").write_bytes(mlflow_database.read_bytes())
    with EmbeddedInstance(Town.build(images_per_class=16)) as host:
        settings = load_settings(
            home=home,
            host_url=host.url,
            host_token=host.token,
            classes=CLASSES,
            backbones=("tiny",),
            min_images_per_class=5,
        )
        platform = Platform(settings, attended=True)
        with open_instance(settings) as instance:
            definitions = build_defs(platform)

            def execute(job: str, partition: str = "", **tags: str) -> dg.ExecuteInProcessResult:
                return definitions.resolve_job_def(job).execute_in_process(
                    instance=instance, partition_key=partition or None, tags=tags
                )

            refresh = execute(WEEKLY_REFRESH).run_id
            execute(COLLECT_CLASS, "cat", **{SELECTION_TAG: refresh})
            # The second collection waits in the queue when somebody starts a run.
            run_main_job(settings, lambda _: None)
            before = {path: path.read_bytes() for path in home.glob("images/*/*/*")}
            platform.cost.clear()
            execute(COLLECT_CLASS, "dog", **{SELECTION_TAG: refresh})
            assert execute(RETRAIN, **{SELECTION_TAG: refresh}).success
    assert {what: platform.cost[what] for what in NEW_WORK} == dict.fromkeys(NEW_WORK, 0)
    assert {path: path.read_bytes() for path in home.glob("images/*/*/*")} == before
    assert len(platform.ledger.events("promotion")) == 1


_WRITER = """
import sys
from reds_pipeline.storage.ledger import Ledger
ledger = Ledger(sys.argv[1])
for number in range(int(sys.argv[3])):
    ledger.append("feedback", sys.argv[2], {"number": number})
"""
# What two daemons write in an hour: beats of 7 threads, ticks of 4 sensors, queries before each.
_DAEMON = """
import sys, time
import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickData, TickStatus
from dagster._daemon.types import DaemonHeartbeat
from reds_pipeline.instance import open_instance
from reds_pipeline.settings import load_settings
with open_instance(load_settings(home=sys.argv[1])) as instance:
    for number in range(60):
        for kind in sorted(instance.get_required_daemon_types()):
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), kind, sys.argv[2], []))
        for sensor in ("collect", "retrain", "failure", "freshness"):
            tick = instance.create_tick(TickData(
                instigator_origin_id=sensor, instigator_name=sensor, timestamp=time.time(),
                instigator_type=InstigatorType.SENSOR, status=TickStatus.STARTED,
                selector_id=sensor))
            instance.get_run_records(dg.RunsFilter(job_name="retrain"), limit=20)
            instance.update_tick(tick.with_status(TickStatus.SKIPPED))
"""
_RUNS = """
import logging, sys
import dagster as dg
from reds_pipeline.instance import open_instance
from reds_pipeline.settings import load_settings
@dg.asset
def made(context):
    for number in range(50):
        context.log.info(f"line {number}")
logging.getLogger("dagster").setLevel(logging.CRITICAL)
with open_instance(load_settings(home=sys.argv[1])) as instance:
    for number in range(3):
        assert dg.materialize([made], instance=instance).success
"""


def test_an_hours_ticks_lock_no_database_and_lose_nothing(tmp_path: Path) -> None:
    home, events = Home(tmp_path), 200
    with open_instance(load_settings(home=tmp_path)) as instance:
        programs = [
            (_WRITER, home.default_ledger_url, "page", str(events)),
            (_WRITER, home.default_ledger_url, "pipeline", str(events)),
            (_DAEMON, str(tmp_path), "one"),
            (_DAEMON, str(tmp_path), "two"),
            (_RUNS, str(tmp_path)),
        ]
        running = [
            subprocess.Popen([sys.executable, "-c", *program], stderr=subprocess.PIPE, text=True)
            for program in programs
        ]
        results = [process.communicate(timeout=180)[1] for process in running]
        assert [process.returncode for process in running] == [0] * len(running), results
        assert not [text for text in results if "locked" in text]
        ticks = {
            sensor: len(instance.get_ticks(sensor, sensor))
            for sensor in ("collect", "retrain", "failure", "freshness")
        }
        assert ticks == dict.fromkeys(ticks, 2 * 60)
        runs = instance.get_runs()
    assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS] * 3
    written = Ledger(home.default_ledger_url).events("feedback")
    for subject in ("page", "pipeline"):
        numbers = [event["number"] for event in written if event["subject"] == subject]
        assert numbers == list(range(events))
