"""How ``reds status`` looks in a terminal: one screen, the verdict first.

What belongs here: laying out what ``status.home_status`` gathered. What does not: gathering or
judging it; the details below the screen (``terminal.show_details``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reds_pipeline.spine_status import JOBS
from reds_pipeline.terminal import make_console
from reds_pipeline.verdict import ago

_SECONDS_A_DAY = 86_400.0
_WIDTH_OF_LABELS = 10
_ALARMS_SHOWN = 3
_CLASSES_SHOWN = 8
_FAILURES_SHOWN = 2
_LONGEST_SENTENCE = 240


def show_screen(report: Mapping[str, Any]) -> None:
    """Show what ``status.home_status`` returned, within one screen."""
    console = make_console(width_of_a_file=80)
    with console.capture() as drawn:
        _draw(console, report)
    # Tables fill their lines up with spaces, of which a terminal would make lines of their own.
    for line in drawn.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")


def _draw(console: Console, report: Mapping[str, Any]) -> None:
    _show_verdict(console, report["verdict"])
    console.print()
    lines = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    lines.add_column(width=_WIDTH_OF_LABELS, style="bold", no_wrap=True)
    lines.add_column(overflow="fold")
    for label, sentence in _lines(report):
        lines.add_row(label, Text(sentence))
    console.print(lines)
    _show_classes(console, report["classes_now"] or [])
    failures = ((report["recent"] or {}).get("failures") or [])[-_FAILURES_SHOWN:]
    if failures:
        console.print("\nFailed in the last days, the newest last", style="bold")
    for event in failures:
        what = f"{event['subject']} {event['class']}".strip()
        console.print(_cut(f"  {_local(event['at'])}  {what}: {event['message']}"))
    console.print(
        "\n`reds status --details` shows where every picture went, all models and exports."
    )


def _show_verdict(console: Console, verdict: Mapping[str, Any]) -> None:
    console.print(verdict["sentence"], style="bold red" if verdict["red"] else "bold green")
    alarms = verdict["alarms"]
    for alarm in alarms[:_ALARMS_SHOWN]:
        mark = ("! ", "bold red") if alarm["red"] else ("- ", "yellow")
        table = Table(box=None, show_header=False, pad_edge=False, padding=0)
        table.add_column(width=2)
        table.add_column(overflow="fold")
        table.add_row(Text(*mark), Text(_cut(alarm["what"])))
        table.add_row("", Text(f"{alarm['todo']}  [{alarm['heading']}]", "dim"))
        console.print(table)
    if len(alarms) > _ALARMS_SHOWN:
        console.print(f"  and {len(alarms) - _ALARMS_SHOWN} more (`reds status --json`)")
    if alarms:
        console.print("  What stands in brackets is a row of docs/operating.md.", style="dim")


def _lines(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    now = report["now"]
    yield "Home", report["home"]
    yield from _of_runs(report, now)
    yield from _of_model(report, now)
    if (posts := report["posts"]) and posts["held"]:
        swept = _last((report["spine"] or {}).get("succeeded", {}), _SWEEPS)
        yield (
            "Posts",
            f"{posts['held']:,} held, {posts['unconfirmed']:,} of them not confirmed within "
            f"{posts['confirmed_within_days']:g} days; last looked for "
            + (_ago(swept, now) if swept else "never"),
        )
    if disk := report["disk"]:
        budget = f" of {disk['budget_gb']:g} GB allowed" if disk["budget_gb"] else ""
        kinds = ", ".join(f"{kind} {_size(size)}" for kind, size in list(disk["kinds"].items())[:3])
        yield (
            "Disk",
            f"{_size(disk['bytes'])}{budget} ({kinds or 'nothing'}); "
            f"{_size(disk['free_bytes'])} free",
        )
    feedback = report["feedback"]
    if feedback["answers"] or feedback["photos_given"] or report["decisions_waiting"]:
        waiting = report["decisions_waiting"]
        yield (
            "People",
            f"{feedback['answers']} photos answered, {feedback['accepted']} of "
            f"{feedback['shown']} suggestions taken; {feedback['photos_given']} photos given; "
            f"{waiting} {'decision waits' if waiting == 1 else 'decisions wait'} for a training",
        )


_SWEEPS = ("recheck_posts", "retrain", "measure_drift")


def _of_runs(report: Mapping[str, Any], now: str) -> Iterator[tuple[str, str]]:
    spine = report["spine"]
    if report["at_work"]:
        yield "Now", report["at_work"]["sentence"]
    if not spine:
        return
    if not report["at_work"]:
        running = [f"{_name(run)}, since {_local(run['at'])}" for run in spine["running"]]
        yield "Now", "; ".join(running) or "nothing runs"
    if spine["queued"]:
        names = [_name(run) for run in spine["queued"]]
        yield "Queued", f"{len(names)}: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}"
    daemons = spine["daemons"]
    if daemons is None or not daemons["last_heard_at"]:
        yield "Daemon", "has never run here: `reds up` starts it, and the schedules with it"
    else:
        state = "alive" if daemons["alive"] else "NOT RUNNING"
        yield "Daemon", f"{state}, heard of {_ago(daemons['last_heard_at'], now)}"
    planned = [
        f"{schedule['name'].removesuffix('_schedule')} {_local(schedule['next_at'])}"
        for schedule in spine["schedules"]
        if schedule["next_at"]
    ]
    if daemons is not None and daemons["alive"]:
        yield "Next", "; ".join(planned) or "nothing: every schedule is switched off"
    if skipped := [
        f"{schedule['name']} {schedule['last']}"
        for schedule in spine["schedules"]
        if schedule["last"].startswith("skipped")
    ]:
        yield "Skipped", _cut("; ".join(skipped))
    done = [f"{job} {_ago(at, now)}" for job in JOBS if (at := spine["succeeded"].get(job))]
    if done:
        yield "Last", "; ".join(done)


def _of_model(report: Mapping[str, Any], now: str) -> Iterator[tuple[str, str]]:
    serving = report["serving"]
    if serving and serving["version"]:
        parts = [f"version {serving['version']}"]
        if serving["backbone"]:
            parts[0] += f" ({serving['backbone']})"
        if serving["since"]:
            parts.append(f"since {_local(serving['since'])}")
        if serving["accuracy"] is not None:
            said = f"accuracy {serving['accuracy']:.3f}"
            if serving["interval"]:
                low, high = serving["interval"]
                said += f" ({low:.3f} to {high:.3f}) on {serving['pictures']} held-out pictures"
            parts.append(said)
        yield "Champion", ", ".join(parts)
    elif serving:
        yield "Champion", "none yet"
    freshness = report["freshness"]
    if freshness and freshness["trained_at"]:
        days = _days(freshness["trained_at"], now)
        fresh = "fresh" if days <= freshness["warn_days"] else "old"
        yield (
            "Trained",
            f"{_ago(freshness['trained_at'], now)}: {fresh} (expected within "
            f"{freshness['warn_days']:.0f} days, {freshness['fail_days']:.0f} are too many)",
        )
    if retraining := report["retraining"]:
        yield "Retrains", _retraining(retraining, now)


_MODES = {
    "every_refresh": "after every refresh",
    "auto": "when the study of drift says so",
    "ask": "when you agree with the study of drift",
}


def _retraining(retraining: Mapping[str, Any], now: str) -> str:
    said = _MODES[retraining["mode"]]
    advice = retraining["advice"]
    if advice is None:
        return f"{said}; drift has not been measured yet"
    if advice["outdated"]:
        return f"{said}; drift was measured {_ago(advice['at'], now)}, before the last training"
    due = "due" if advice["due"] else "not due"
    reason = f": {advice['reasons'][0]}" if advice["reasons"] else ""
    return _cut(
        f"{said}; measured {_ago(advice['at'], now)}: every {advice['interval_days']:.0f} days is "
        f"suggested, {due}{reason}"
    )


def _show_classes(console: Console, classes: Sequence[Mapping[str, Any]]) -> None:
    if not classes:
        return
    console.print()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Class", no_wrap=True, max_width=24, overflow="ellipsis")
    table.add_column("state", no_wrap=True)
    for column in ("kept", "of these 7 days"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("posts kept", no_wrap=True)
    for each in classes[:_CLASSES_SHOWN]:
        dry = f", dry {each['dry_refreshes']}x" if each["dry_refreshes"] else ""
        rate = "" if each["posts"] is None else f"{each['posts']} in {each['days']:.0f} days"
        table.add_row(
            each["class"],
            f"{each['state']}{dry}",
            f"{each['kept']:,}",
            f"{each['posted_lately']:,}",
            rate,
        )
    console.print(table)
    if len(classes) > _CLASSES_SHOWN:
        console.print(f"and {len(classes) - _CLASSES_SHOWN} more")


def _name(run: Mapping[str, Any]) -> str:
    return f"{run['job']} {run['class_name']}".strip()


def _last(succeeded: Mapping[str, str], jobs: Iterable[str]) -> str:
    return max((succeeded.get(job, "") for job in jobs), default="")


def _days(at: str, now: str) -> float:
    elapsed = datetime.fromisoformat(now) - datetime.fromisoformat(at)
    return elapsed.total_seconds() / _SECONDS_A_DAY


def _ago(at: str, now: str) -> str:
    return ago(_days(at, now))


def _local(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone():%a %Y-%m-%d %H:%M}"


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _cut(sentence: str) -> str:
    """Return a sentence that cannot fill the screen; all of it is in the JSON."""
    if len(sentence) <= _LONGEST_SENTENCE:
        return sentence
    return f"{sentence[: _LONGEST_SENTENCE - 4].rsplit(' ', 1)[0]} ..."
