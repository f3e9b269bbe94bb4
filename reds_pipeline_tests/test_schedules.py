"""Ticks of the real schedules, asked by Dagster's own scheduler and queue on SQLite (R-IMP-4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.jobs import (
    COLLECT_CLASS,
    HOUSEKEEPING,
    PRIORITY_TAG,
    RECHECK_POSTS,
    RETRAIN,
    WEEKLY_REFRESH,
)
from reds_pipeline.resources import Platform
from reds_pipeline.schedules import SCHEDULE_CHANGE, refresh_schedule, schedules
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.workers import at_work
from reds_pipeline_tests.stand_in_pipeline import MONDAY, WEEK, Life, life, runs_of, ticks_of

pytestmark = pytest.mark.req("R-IMP-4")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REDS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REDS_BACKBONES", "tiny")
    monkeypatch.setenv("REDS_HOUSEKEEPING", "off")
    # Only where a test is about it.
    monkeypatch.setenv("REDS_RECHECK_CRON", "0 2 1 1 *")
    return tmp_path / "home"


@pytest.fixture
def monday(home: Path) -> Iterator[Life]:
    with life(home, MONDAY) as begun:
        yield begun


def test_a_tick_drives_everything_to_the_training_and_only_once(monday: Life) -> None:
    with monday.daemon() as daemon:
        monday.go_to(MONDAY + timedelta(seconds=12))
        daemon.settle()
        jobs = [run.job_name for run in runs_of(daemon, WEEKLY_REFRESH)]
        assert jobs == [WEEKLY_REFRESH]
        assert len(runs_of(daemon, COLLECT_CLASS)) == 2
        assert [run.status for run in runs_of(daemon, RETRAIN)] == [dg.DagsterRunStatus.SUCCESS]
        assert daemon.errors == []
        # The same daemon, and one that was started anew, have nothing left to do.
        daemon.settle()
    with monday.daemon() as daemon:
        daemon.settle()
        assert daemon.instance.get_runs_count() == 4


def test_ticks_that_were_missed_are_made_up_for_once(monday: Life) -> None:
    with monday.daemon() as daemon:
        daemon.settle()
    monday.go_to(MONDAY + 6 * WEEK)
    with monday.daemon() as daemon:
        daemon.settle()
        assert len(runs_of(daemon, WEEKLY_REFRESH)) == 1
        assert len(runs_of(daemon, RETRAIN)) == 1
        # And the next one comes when it is due.
        monday.go_to(MONDAY + 6 * WEEK + timedelta(seconds=12))
        daemon.settle()
        assert len(runs_of(daemon, WEEKLY_REFRESH)) == 2


def test_a_new_time_does_not_replay_a_tick_of_before_it(
    monday: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monday.daemon() as daemon:
        daemon.settle()
    monday.go_to(MONDAY + timedelta(hours=10))
    # On that day 08:00 is over, and nobody has missed it: it was not asked for then.
    monkeypatch.setenv("REDS_REFRESH_CRON", "0 8 * * *")
    with monday.daemon() as daemon:
        daemon.settle()
        assert runs_of(daemon, WEEKLY_REFRESH) == []
        [(status, reason)] = ticks_of(daemon, "refresh_schedule")
        assert status == "SKIPPED"
        assert reason.startswith("the schedule was set anew at 2026-11-16 12:59")
        monday.go_to(MONDAY + timedelta(hours=29, minutes=1))
        daemon.settle()
        assert len(runs_of(daemon, WEEKLY_REFRESH)) == 1
    changes = Platform(load_settings()).ledger.events(SCHEDULE_CHANGE)
    assert [
        (event["cron"], event["was"]) for event in changes if "refresh" in event["subject"]
    ] == [
        ("0 3 * * 1 UTC", ""),
        ("0 8 * * * UTC", "0 3 * * 1 UTC"),
    ]


def test_a_tick_during_the_refresh_before_starts_nothing_and_says_why(
    monday: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDS_REFRESH_CRON", "* * * * *")
    with monday.daemon() as daemon:
        daemon.iterate()
        for minute in range(1, 4):
            # One iteration a minute: the queue is always behind.
            monday.go_to(MONDAY + timedelta(minutes=minute))
            daemon.iterate()
        assert len(runs_of(daemon, WEEKLY_REFRESH)) == 1
        ticks = ticks_of(daemon, "refresh_schedule")
        assert ticks[0] == ("SUCCESS", "")
        for status, reason in ticks[1:]:
            assert status == "SKIPPED"
            assert "before" in reason


def test_refreshes_every_minute_do_not_keep_the_training_from_its_turn(
    monday: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDS_REFRESH_CRON", "* * * * *")
    with monday.daemon() as daemon:
        for half_minutes in range(1, 24):
            monday.go_to(MONDAY + timedelta(seconds=31) * half_minutes)
            daemon.iterate()
        trained = len(runs_of(daemon, RETRAIN))
        assert trained >= 2
        assert trained <= len(runs_of(daemon, WEEKLY_REFRESH)) <= trained + 1


def test_a_tick_while_reds_run_works_starts_nothing(monday: Life) -> None:
    lock = Platform(load_settings()).home.lock("run")
    with monday.daemon() as daemon:
        with at_work(lock, "`reds run`"):
            monday.go_to(MONDAY + timedelta(seconds=12))
            daemon.settle()
        [(status, reason)] = ticks_of(daemon, "refresh_schedule")
        assert (status, "`reds run`" in reason) == ("SKIPPED", True)
        with at_work(lock, "`reds retrain`"):
            monday.go_to(MONDAY + WEEK + timedelta(seconds=12))
            daemon.iterate()
        # It refreshes nothing, so the week's refresh is not lost to it.
        assert len(runs_of(daemon, WEEKLY_REFRESH)) == 1


def test_a_tick_that_a_kill_interrupted_is_finished_with_the_run_it_had_made(
    monday: Life,
) -> None:
    with monday.daemon() as daemon:
        monday.go_to(MONDAY + timedelta(seconds=12))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dg.DagsterInstance, "submit_run", _killed)
            with pytest.raises(KeyboardInterrupt):
                daemon.iterate()
        [made] = runs_of(daemon, WEEKLY_REFRESH)
        assert made.status == dg.DagsterRunStatus.NOT_STARTED
    with monday.daemon() as daemon:
        daemon.settle()
        [run] = runs_of(daemon, WEEKLY_REFRESH)
        assert (run.run_id, run.status) == (made.run_id, dg.DagsterRunStatus.SUCCESS)
        assert len(runs_of(daemon, RETRAIN)) == 1


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_deletions_go_before_all_else_and_housekeeping_after(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDS_HOUSEKEEPING", "report")
    for name in ("REFRESH", "RECHECK", "HOUSEKEEPING"):
        monkeypatch.setenv(f"REDS_{name}_CRON", "0 3 * * 1")
    with life(home, MONDAY) as begun, begun.daemon() as daemon:
        begun.go_to(MONDAY + timedelta(seconds=12))
        daemon.settle()
        records = daemon.instance.get_run_records()
        started = sorted(records, key=lambda record: record.start_time or 0.0)
        order = [record.dagster_run.job_name for record in started]
        assert (order[0], order[-1]) == (RECHECK_POSTS, HOUSEKEEPING)
        tags = {run.dagster_run.job_name: run.dagster_run.tags for run in records}
        assert int(tags[RECHECK_POSTS][PRIORITY_TAG]) > 0 > int(tags[HOUSEKEEPING][PRIORITY_TAG])


def test_housekeeping_is_scheduled_unless_it_is_off() -> None:
    names = {schedule.name for schedule in schedules(load_settings())}
    assert names == {"refresh_schedule", "recheck_schedule", "housekeeping_schedule"}
    off = {schedule.name for schedule in schedules(load_settings(housekeeping="off"))}
    assert names - off == {"housekeeping_schedule"}


@pytest.mark.parametrize(
    ("setting", "value"), [("refresh_cron", "weekly"), ("timezone", "Mars/Olympus")]
)
def test_a_time_that_cannot_be_read_is_a_sentence(setting: str, value: str) -> None:
    with pytest.raises(RedsError, match="cannot be read; write it as five fields"):
        refresh_schedule(load_settings(**{setting: value}))
