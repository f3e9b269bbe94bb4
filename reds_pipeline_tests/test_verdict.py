"""What needs somebody, told from what was gathered; the rules alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.verdict import HEADINGS, ago, verdict

NOW = "2026-11-22T10:00:00Z"
LATELY, LONG_AGO = "2026-11-21T22:00:00Z", "2026-10-01T10:00:00Z"
OPERATING = Path(__file__).parents[1] / "docs" / "operating.md"


def well() -> dict[str, Any]:
    """What is gathered of a home in which all is well."""
    return {
        "now": NOW,
        "unreadable": {},
        "at_work": None,
        "spine": {
            "ran": True,
            "daemons": {
                "last_heard_at": NOW,
                "alive": True,
                "several": False,
                "processes": [12],
                "errors": [],
            },
            "schedules": [{"name": "refresh_schedule", "stopped": False, "last": "started"}],
            "running": [],
            "queued": [],
            "succeeded": {"retrain": LATELY, "recheck_posts": LATELY},
            "failed": [],
        },
        "serving": {"version": "3", "recorded": True},
        "freshness": {"trained_at": LATELY, "warn_days": 8.0, "fail_days": 15.0},
        "retraining": {"mode": "auto", "advice": None, "waits_for_a_person": False},
        "classes_now": [{"class": "cat"}],
        "posts": {"held": 9, "unconfirmed": 0, "confirmed_within_days": 30.0},
        "disk": {"complaint": ""},
        "recent": {"failures": [], "unsent": [], "alarms": [], "backups": ""},
    }


def changed(path: str, value: object) -> dict[str, Any]:
    """What is gathered where one thing, named by its keys with dots, is otherwise."""
    found = well()
    *places, last = path.split(".")
    place: Any = found
    for key in places:
        place = place[int(key)] if key.isdigit() else place[key]
    place[int(last) if last.isdigit() else last] = value
    return found


def test_where_all_is_well_one_line_says_so() -> None:
    judged = verdict(well())
    assert not judged.red
    assert judged.alarms == ()
    assert judged.sentence == "All is well: version 3 serves, the schedules run by themselves."


@pytest.mark.parametrize(
    ("kind", "red", "path", "value", "said"),
    [
        ("no daemon", True, "spine.daemons.alive", False, "last heard of a moment ago"),
        ("two daemons", True, "spine.daemons.several", True, "Two Dagster daemons"),
        ("stopped", True, "spine.schedules.0.stopped", True, "refresh_schedule is switched off"),
        ("failed", True, "spine.schedules.0.last", "failed: no such tag", "no such tag"),
        ("stale", False, "freshness.trained_at", "2026-11-12T10:00:00Z", "10 days ago"),
        ("stale", True, "freshness.trained_at", LONG_AGO, "52 days ago"),
        ("no sweep", True, "spine.succeeded", {"recheck_posts": LONG_AGO}, "52 days ago"),
        ("disk", True, "disk.complaint", "REDS takes 9 GB; prune it.", "REDS takes 9 GB."),
        ("unreadable", True, "unreadable", {"ledger": "file is not a database"}, "of ledger"),
        (
            "long work",
            True,
            "at_work",
            {"work": "`reds run`", "since": LONG_AGO, "sentence": "`reds run`, which began"},
            "for 52.0 days",
        ),
        (
            "unsent",
            True,
            "recent.unsent",
            [{"subject": "failure", "title": "x failed"}],
            "x failed",
        ),
        ("alarm", False, "recent.alarms", [{"at": LATELY, "body": "9 posts"}], "12 hours ago"),
        ("backups", False, "recent.backups", "old.reds holds it.", "old.reds"),
        ("unrecorded", False, "serving.recorded", False, "Version 3 was chosen in MLflow"),
        ("no model", False, "serving.version", "", "No model serves"),
        ("unconfirmed", False, "posts.unconfirmed", 4, "4 of 9 posts"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    kind: str, red: bool, path: str, value: object, said: str
) -> None:
    judged = verdict(changed(path, value))
    [alarm] = judged.alarms
    assert (alarm.kind, alarm.red) == (kind, red)
    assert said in alarm.what
    assert alarm.todo
    assert judged.red == red


def test_what_one_thing_hides_is_said_once() -> None:
    reason = "The schedule 'x' cannot be read; write five fields."
    judged = verdict(changed("unreadable", {"runs": reason, "freshness": reason}))
    [alarm] = judged.alarms
    assert alarm.what.startswith("What is known of runs and freshness cannot be read: The schedule")


def test_a_collection_of_a_class_that_left_has_nothing_to_make_up_for() -> None:
    failed = {"run_id": "1", "job": "collect_class", "class_name": "cat", "at": LATELY}
    found = changed("spine.failed", [failed])
    assert verdict(found).red
    found["classes_now"] = [{"class": "cat", "state": "left"}, {"class": "dog"}]
    assert not verdict(found).red
    found["classes_now"] = None
    assert verdict(found).red, "what cannot be read hides nothing"


def test_a_failed_run_says_why_and_the_worst_comes_first() -> None:
    found = changed(
        "spine.failed",
        [{"run_id": "7", "job": "collect_class", "class_name": "cat", "at": LATELY}],
    )
    found["recent"]["failures"] = [{"run_id": "7", "message": "The host is down."}]
    found["recent"]["backups"] = "old.reds holds it."
    judged = verdict(found)
    assert [alarm.kind for alarm in judged.alarms] == ["failed", "backups"]
    assert judged.alarms[0].what == "collect_class cat failed 12 hours ago: The host is down."
    assert judged.sentence == "One thing is red:"


def test_a_training_that_waits_for_a_person_is_no_fault() -> None:
    found = changed("retraining.waits_for_a_person", True)
    found["retraining"]["advice"] = {"reasons": ["Half of the tags are new."]}
    judged = verdict(found)
    assert not judged.red
    assert [alarm.kind for alarm in judged.alarms] == ["approval"]
    assert "Half of the tags are new." in judged.alarms[0].what


def test_every_alarm_has_a_row_in_the_page_for_operators() -> None:
    page = OPERATING.read_text(encoding="utf-8")
    section = page.split("## What to do when it is red")[1].split("\n## ")[0]
    assert [heading for heading in HEADINGS.values() if f"| {heading} |" not in section] == []


@pytest.mark.parametrize(
    ("days", "words"),
    [(0.0, "a moment ago"), (0.01, "14 minutes ago"), (0.5, "12 hours ago"), (3.2, "3 days ago")],
)
def test_times_are_told_in_the_largest_unit_of_which_there_are_two(days: float, words: str) -> None:
    assert ago(days) == words
