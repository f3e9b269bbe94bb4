"""Runs that Dagster starts: they wait for whoever works on their home, and none does work twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline import executor
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.workers import at_work, worker_at

# What a process that reconstructs the job has to find again.
HOME_VARIABLE = "HOME_OF_TEST_EXECUTOR"
done: list[str] = []


@dg.op
def work() -> None:
    worker = worker_at(Home(Path(os.environ[HOME_VARIABLE])).lock("run"))
    done.append(worker.work if worker else "")


def job_named(name: str) -> dg.JobDefinition:
    home = Home(Path(os.environ[HOME_VARIABLE]))

    @dg.job(name=name, executor_def=executor.one_worker_executor(home, frozenset({"beside"})))
    def job() -> None:
        work()

    return job


def job_of_home() -> dg.JobDefinition:
    return job_named("collect_class")


def job_beside() -> dg.JobDefinition:
    return job_named("beside")


@pytest.fixture(scope="module")
def home_of_jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One for all tests: Dagster remembers a job that it has reconstructed."""
    root = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(HOME_VARIABLE, str(root))
        yield Home(root)


@pytest.fixture
def home(home_of_jobs: Home) -> Home:
    done.clear()
    return home_of_jobs


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    directory = tmp_path / "dagster"
    directory.mkdir()
    with dg.DagsterInstance.local_temp(str(directory)) as opened:
        yield opened


def execute(instance: dg.DagsterInstance, **tags: str) -> dg.JobExecutionResult:
    return dg.execute_job(
        dg.reconstructable(job_of_home), instance=instance, tags=tags, raise_on_error=False
    )


def messages(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [entry.user_message for entry in instance.all_logs(run_id)]


def when_waiting(instance: dg.DagsterInstance, act: Callable[[], None]) -> threading.Thread:
    """Act in a thread as soon as a run says that it waits; give up after a while."""

    def look() -> None:
        for _ in range(600):
            entries = [
                entry for run in instance.get_runs() for entry in instance.all_logs(run.run_id)
            ]
            if any("Waiting for" in entry.user_message for entry in entries):
                break
            time.sleep(0.1)
        act()

    thread = threading.Thread(target=look)
    thread.start()
    return thread


def test_a_run_is_the_one_worker_of_its_home_and_says_so(
    instance: dg.DagsterInstance, home: Home
) -> None:
    result = execute(instance, **{"dagster/partition": "cat"})
    assert result.success
    assert done == [f"Dagster's run {result.run_id[:8]} of collect_class (cat)"]
    assert worker_at(home.lock("run")) is None


def test_a_run_waits_for_who_works_already(
    instance: dg.DagsterInstance, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, may_end = threading.Event(), threading.Event()

    def by_hand() -> None:
        with at_work(home.lock("run"), "`reds run`"):
            held.set()
            may_end.wait()

    person = threading.Thread(target=by_hand)
    person.start()
    held.wait()
    # Jobs whose changes have a lock of their own do not wait.
    beside = dg.execute_job(dg.reconstructable(job_beside), instance=instance)
    assert beside.success
    assert done == ["`reds run`"]
    looking = when_waiting(instance, may_end.set)
    result = execute(instance)
    looking.join()
    person.join()
    assert result.success
    assert any(
        "Waiting for `reds run`, which began at" in m for m in messages(instance, result.run_id)
    )

    # One that waits too long says so instead of waiting for ever.
    monkeypatch.setattr(executor, "_HOURS_TO_WAIT", 0.0)
    with at_work(home.lock("run"), "`reds run`"):
        failed = execute(instance)
    assert not failed.success
    [failure] = [event for event in failed.all_events if event.is_job_failure]
    assert failure.job_failure_data.error is not None
    assert "gave up: " in failure.job_failure_data.error.message


def test_a_run_that_is_stopped_waits_no_longer(instance: dg.DagsterInstance, home: Home) -> None:
    with at_work(home.lock("run"), "`reds run`"):
        stopping = when_waiting(instance, lambda: os.kill(os.getpid(), signal.SIGINT))
        result = execute(instance)
        stopping.join()
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.is_finished
    assert not done


@pytest.mark.parametrize(
    "tags",
    [
        {"dagster/schedule_name": "weekly", ".dagster/scheduled_execution_time": "2026-11-22"},
        {"dagster/sensor_name": "collect", "dagster/run_key": "refresh:cat"},
    ],
    ids=["one tick of a schedule", "one request of a sensor"],
)
def test_of_two_runs_for_one_thing_only_the_first_works(
    instance: dg.DagsterInstance, home: Home, tags: dict[str, str]
) -> None:
    first = execute(instance, **tags)
    second = execute(instance, **tags)
    assert first.success
    assert len(done) == 1
    run = instance.get_run_by_id(second.run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.CANCELED
    assert any(first.run_id[:8] in message for message in messages(instance, second.run_id))
    # A second attempt at the same is meant.
    retried = execute(instance, **tags, **{"dagster/parent_run_id": first.run_id})
    assert retried.success
    assert len(done) == 2
