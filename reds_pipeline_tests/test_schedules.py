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
def sunday(home: Path) -> Iterator[Life]:
    """Begin before the first tick."""
    with life(home, MONDAY - timedelta(hours=12)) as begun:
        yield begun


def begin(sunday: Life) -> None:
    """Let the daemon be there once, so that schedules are on from then."""
    with sunday.daemon():
        pass


def test_a_tick_leads_to_one_training_and_those_missed_are_made_up_for_once(sunday: Life) -> None:
    begin(sunday)
    sunday.go_to(MONDAY)
    with sunday.daemon() as daemon:
        sunday.passes(daemon, 4)
        assert len(runs_of(daemon, WEEKLY_REFRESH)) == 1
        assert len(runs_of(daemon, COLLECT_CLASS)) == 2
        assert [run.status for run in runs_of(daemon, RETRAIN)] == [dg.DagsterRunStatus.SUCCESS]
        assert daemon.errors == []
    # A daemon that was started anew has nothing left to do.
    with sunday.daemon() as daemon:
        sunday.passes(daemon, 1)
        assert daemon.instance.get_runs_count() == 4

    sunday.go_to(MONDAY + 5 * WEEK + timedelta(days=2))
    with sunday.daemon() as daemon:
        sunday.passes(daemon, 1)
        assert len(runs_of(daemon, WEEKLY_REFRESH)) == 2
        assert ticks_of(daemon, "refresh_schedule") == [("SUCCESS", "")] * 2


def test_a_new_time_does_not_replay_a_tick_of_before_it(
    sunday: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(sunday)
    # On that day 02:00 is over, and nobody has missed it: it was not asked for then.
    monkeypatch.setenv("REDS_REFRESH_CRON", "0 2 * * *")
    sunday.go_to(MONDAY - timedelta(minutes=30))
    with sunday.daemon() as daemon:
        assert runs_of(daemon, WEEKLY_REFRESH) == []
        [(status, reason)] = ticks_of(daemon, "refresh_schedule")
        assert status == "SKIPPED"
        assert reason.startswith("the schedule was set anew at 2026-11-16 02:30")
        sunday.go_to(MONDAY + timedelta(days=1))
        daemon.iterate()
        assert len(runs_of(daemon, WEEKLY_REFRESH)) == 1
    events = Platform(load_settings()).ledger.events(SCHEDULE_CHANGE)
    changes = [event for event in events if event["subject"] == "refresh_schedule"]
    assert [(event["cron"], event["was"]) for event in changes] == [
        ("0 3 * * 1 UTC", ""),
        ("0 2 * * * UTC", "0 3 * * 1 UTC"),
    ]


def test_refreshes_every_minute_wait_for_what_follows_from_the_one_before(
    sunday: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They neither pile up nor keep the training from its turn."""
    monkeypatch.setenv("REDS_REFRESH_CRON", "* * * * *")
    with sunday.daemon() as daemon:
        sunday.passes(daemon, 7)
        trained = len(runs_of(daemon, RETRAIN))
        assert 1 <= trained <= len(runs_of(daemon, WEEKLY_REFRESH)) <= trained + 1
        skipped = [reason for status, reason in ticks_of(daemon, "refresh_schedule") if reason]
        assert skipped
        assert all("the refresh before" in reason for reason in skipped)


def test_a_tick_while_reds_run_works_starts_nothing(sunday: Life) -> None:
    begin(sunday)
    lock = Platform(load_settings()).home.lock("run")
    sunday.go_to(MONDAY)
    with at_work(lock, "`reds run`"), sunday.daemon() as daemon:
        [(status, reason)] = ticks_of(daemon, "refresh_schedule")
        assert (status, "`reds run`" in reason) == ("SKIPPED", True)
    sunday.go_to(MONDAY + WEEK)
    with at_work(lock, "`reds retrain`"), sunday.daemon() as daemon:
        # It refreshes nothing, so the week's refresh is not lost to it.
        assert len(runs_of(daemon, WEEKLY_REFRESH)) == 1


def test_a_tick_that_a_kill_interrupted_is_finished_with_the_run_it_had_made(
    sunday: Life,
) -> None:
    begin(sunday)
    sunday.go_to(MONDAY)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(dg.DagsterInstance, "submit_run", _killed)
        with sunday.daemon():
            pytest.fail("it was to be killed")
    with sunday.daemon() as daemon:
        [run] = runs_of(daemon, WEEKLY_REFRESH)
        assert run.status == dg.DagsterRunStatus.SUCCESS
        assert ticks_of(daemon, "refresh_schedule") == [("SUCCESS", "")]


def test_a_run_that_was_made_and_never_queued_stops_no_later_tick(sunday: Life) -> None:
    """The daemon was killed while it made the run, and was away for more than one tick."""
    begin(sunday)
    sunday.go_to(MONDAY)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(dg.DagsterInstance, "submit_run", _killed)
        with sunday.daemon():
            pytest.fail("it was to be killed")
    sunday.go_to(MONDAY + WEEK)
    with sunday.daemon() as daemon:
        runs = runs_of(daemon, WEEKLY_REFRESH)
        assert dg.DagsterRunStatus.SUCCESS in [run.status for run in runs]


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_deletions_go_before_all_else_and_housekeeping_after(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDS_HOUSEKEEPING", "report")
    for name in ("REFRESH", "RECHECK", "HOUSEKEEPING"):
        monkeypatch.setenv(f"REDS_{name}_CRON", "0 3 * * 1")
    with life(home, MONDAY - timedelta(hours=12)) as begun, begun.daemon() as daemon:
        begun.go_to(MONDAY)
        daemon.iterate()
        begun.passes(daemon, 2)
        records = daemon.instance.get_run_records()
        started = {each.dagster_run.job_name: each.start_time or 0.0 for each in records}
        assert 0 < started[RECHECK_POSTS] < started[WEEKLY_REFRESH] < started[COLLECT_CLASS]
        # It may come to its turn between a refresh and what the sensors ask for after it.
        housekeeping = started[HOUSEKEEPING]
        assert housekeeping == 0 or housekeeping > started[WEEKLY_REFRESH]
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
