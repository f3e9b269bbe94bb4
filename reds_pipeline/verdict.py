"""What of a home's state needs somebody, and what to do about it.

What belongs here: the rules, as pure functions of what ``overview.py`` gathered. What does not:
gathering or showing it. Every alarm names a row of the table "What to do when it is red" in
docs/operating.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

_SECONDS_A_DAY = 86_400.0
_MOST_DAYS_AT_WORK = 1.0
# The sweep is daily; one that failed is made up for by the next.
_MOST_DAYS_WITHOUT_SWEEP = 3.0
_SWEEPING_JOBS = ("recheck_posts", "retrain", "measure_drift")

HEADINGS = {
    "no daemon": "Dagster's daemon does not run",
    "two daemons": "Two daemons run",
    "stopped": "A schedule is switched off",
    "stale": "No training for too long",
    "failed": "A run failed",
    "no sweep": "Deletions are not looked for",
    "unsent": "A notice could not be sent",
    "disk": "The disk is filling up",
    "unreadable": "Something cannot be read",
    "long work": "Somebody has been at work for long",
    "approval": "A training waits for you",
    "unconfirmed": "Posts are not confirmed",
    "alarm": "A host lost most of its posts",
    "backups": "A backup holds what was taken back",
    "unrecorded": "The champion was moved in MLflow",
    "no model": "No model serves",
}
"""Alarm to its row in docs/operating.md."""


@dataclass(frozen=True)
class Alarm:
    """One thing that needs somebody.

    Attributes:
        kind: A key of ``HEADINGS``.
        red: Whether something is wrong; otherwise it can wait, but not for ever.
        what: What is the matter, one sentence.
        todo: What to do about it, one sentence.
    """

    kind: str
    red: bool
    what: str
    todo: str


@dataclass(frozen=True)
class Verdict:
    """What to think of a home.

    Attributes:
        sentence: In one line.
        alarms: What needs somebody, what is wrong first.
    """

    sentence: str
    alarms: tuple[Alarm, ...]

    @property
    def red(self) -> bool:
        """Whether something is wrong."""
        return any(alarm.red for alarm in self.alarms)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "red": self.red,
            "sentence": self.sentence,
            "alarms": [{**asdict(alarm), "heading": HEADINGS[alarm.kind]} for alarm in self.alarms],
        }


def verdict(found: Mapping[str, Any]) -> Verdict:
    """Judge what ``overview.overview`` returned."""
    alarms = sorted(_alarms(found), key=lambda alarm: not alarm.red)
    red = sum(alarm.red for alarm in alarms)
    if red:
        sentence = "One thing is red:" if red == 1 else f"{red} things are red:"
    elif not found["classes_now"] and not found["unreadable"]:
        sentence = "Nothing has been collected yet; start with `reds run` or `reds demo`."
    else:
        sentence = f"All is well: {_good_news(found)}"
    return Verdict(sentence, tuple(alarms))


def _good_news(found: Mapping[str, Any]) -> str:
    serving, spine = found["serving"] or {}, found["spine"] or {}
    version = serving.get("version")
    parts = [f"version {version} serves" if version else "no model serves yet"]
    if found["at_work"]:
        parts.append(f"{found['at_work']['work']} is at work")
    elif (spine.get("daemons") or {}).get("alive"):
        parts.append("the schedules run by themselves")
    else:
        parts.append("nothing runs by itself until `reds up` is started")
    return f"{', '.join(parts)}."


def _alarms(found: Mapping[str, Any]) -> Iterator[Alarm]:
    sections: dict[str, list[str]] = {}
    for what, reason in found["unreadable"].items():
        sections.setdefault(reason, []).append(what)
    for reason, names in sections.items():
        yield Alarm(
            "unreadable",
            True,
            f"What is known of {' and '.join(names)} cannot be read: {reason.rstrip('.')}.",
            "Mend what the sentence names; the rest is shown below.",
        )
    yield from _of_spine(found)
    yield from _of_model(found)
    yield from _of_posts(found)
    yield from _of_ledger(found)
    if (disk := found["disk"]) and disk["complaint"]:
        what, _, todo = disk["complaint"].partition("; ")
        yield Alarm("disk", True, f"{what}.", todo)
    if worker := found["at_work"]:
        days = _days_since(worker["since"], found["now"])
        if days > _MOST_DAYS_AT_WORK:
            yield Alarm(
                "long work",
                True,
                f"{worker['sentence']}, has been at work for {days:.1f} days.",
                "See on Dagster's page or in its terminal whether it goes on; stop it if not.",
            )


def _of_spine(found: Mapping[str, Any]) -> Iterator[Alarm]:
    spine = found["spine"]
    if not spine or not spine["ran"]:
        return
    daemons = spine["daemons"]
    if daemons["several"]:
        numbers = ", ".join(map(str, daemons["processes"]))
        yield Alarm(
            "two daemons",
            True,
            "Two Dagster daemons work on this home"
            + (f" (processes {numbers})." if numbers else "."),
            "Stop the one that `reds up`, or your service, did not start.",
        )
    if daemons["last_heard_at"] and not daemons["alive"]:
        yield Alarm(
            "no daemon",
            True,
            "Nothing runs by itself: Dagster's daemon was last heard of "
            f"{_ago(daemons['last_heard_at'], found['now'])}.",
            "Start it: `reds up`, or your service of it.",
        )
    for schedule in spine["schedules"]:
        if schedule["stopped"]:
            yield Alarm(
                "stopped",
                True,
                f"{schedule['name']} is switched off.",
                "Switch it on in Dagster, under Automation, if that was not meant.",
            )
        elif schedule["last"].startswith("failed"):
            yield Alarm(
                "failed",
                True,
                f"{schedule['name']} could not start a run: {schedule['last'][8:]}",
                "Look at the schedule's last tick in Dagster.",
            )
    sentences = {
        event["run_id"]: event["message"] for event in (found["recent"] or {}).get("failures", ())
    }
    left = {each["class"] for each in found["classes_now"] or () if each.get("state") == "left"}
    for run in spine["failed"]:
        # Nobody collects a class that left, so nothing would ever make up for it.
        if run["class_name"] in left:
            continue
        said = sentences.get(run["run_id"], "its page in Dagster says why.")
        name = f"{run['job']} {run['class_name']}".strip()
        yield Alarm(
            "failed",
            True,
            f"{name} failed {_ago(run['at'], found['now'])}: {said}",
            "Do what the sentence says; the next run of its schedule tries again, or `reds run`.",
        )


def _of_model(found: Mapping[str, Any]) -> Iterator[Alarm]:
    serving, freshness = found["serving"], found["freshness"]
    if serving and found["classes_now"] and not serving["version"] and not found["at_work"]:
        yield Alarm("no model", False, "No model serves.", "Train one: `reds retrain`.")
    if serving and serving["version"] and not serving["recorded"]:
        yield Alarm(
            "unrecorded",
            False,
            f"Version {serving['version']} was chosen in MLflow, and nobody said why.",
            "The next training records it; `reds promote` says why.",
        )
    if freshness and freshness["trained_at"]:
        days = _days_since(freshness["trained_at"], found["now"])
        if days > freshness["warn_days"]:
            red = days > freshness["fail_days"]
            yield Alarm(
                "stale",
                red,
                f"The newest training ended {days:.0f} days ago; with these settings "
                f"{freshness['warn_days']:.0f} are expected"
                f" and {freshness['fail_days']:.0f} the most there should be.",
                "See below which run failed or waits; `reds run` does it all by hand.",
            )
    retraining = found["retraining"]
    if retraining and retraining["waits_for_a_person"]:
        reasons = retraining["advice"]["reasons"] or ["the study of drift says so."]
        yield Alarm(
            "approval",
            False,
            f"A training is due and waits for you: {reasons[0]}",
            "Start it: `reds retrain`.",
        )


def _of_posts(found: Mapping[str, Any]) -> Iterator[Alarm]:
    posts = found["posts"]
    if not posts or not posts["held"]:
        return
    spine = found["spine"] or {}
    swept = max((spine.get("succeeded", {}).get(job, "") for job in _SWEEPING_JOBS), default="")
    if swept and _days_since(swept, found["now"]) > _MOST_DAYS_WITHOUT_SWEEP:
        yield Alarm(
            "no sweep",
            True,
            f"Deleted posts were last looked for {_ago(swept, found['now'])}.",
            "Start `reds up`, or `reds retrain` if the model should follow at once.",
        )
    if posts["unconfirmed"]:
        yield Alarm(
            "unconfirmed",
            False,
            f"{posts['unconfirmed']} of {posts['held']} posts were not shown by their host for "
            f"{posts['confirmed_within_days']:g} days, and are not learnt from.",
            "The next sweeps look for them; `reds hosts probe` says whether the host answers.",
        )


def _of_ledger(found: Mapping[str, Any]) -> Iterator[Alarm]:
    recent = found["recent"]
    if not recent:
        return
    if recent["unsent"]:
        notice = recent["unsent"][-1]
        others = len(recent["unsent"]) - 1
        yield Alarm(
            "unsent",
            True,
            f"The notice {notice.get('title', notice['subject'])!r} could not be sent"
            f"{f', and {others} others' if others else ''}: {notice.get('reason', '')}.",
            "Correct REDS_NOTIFY, and try it with `reds notify --test`.",
        )
    for event in recent["alarms"][-1:]:
        yield Alarm(
            "alarm",
            False,
            f"{_ago(event['at'], found['now']).capitalize()}: {event.get('body', '')}",
            "Ask the host's operators what happened.",
        )
    if recent["backups"]:
        yield Alarm("backups", False, recent["backups"], "Make a new one: `reds backup`.")


def _days_since(at: str, now: str) -> float:
    elapsed = datetime.fromisoformat(now) - datetime.fromisoformat(at)
    return elapsed.total_seconds() / _SECONDS_A_DAY


def _ago(at: str, now: str) -> str:
    return ago(_days_since(at, now))


def ago(days: float) -> str:
    """Say how long ago something was, in the largest unit of which there are two."""
    seconds = days * _SECONDS_A_DAY
    for unit, length in (("days", _SECONDS_A_DAY), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return "a moment ago"
