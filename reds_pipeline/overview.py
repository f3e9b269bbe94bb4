"""What an operator wants to know at a glance, section by section.

What belongs here: gathering it, each section by itself, so that one that cannot be read hides no
other. What does not: what of it is wrong (``verdict.py``), how it looks (``terminal_status.py``),
and the details (``status.py``). Nothing is started, asked of a host or made: looking at an empty
directory leaves it empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from reds_pipeline.resources import Platform
from reds_pipeline.settings import Settings
from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CURATED, CURSORS, POSTS, read_rows
from reds_pipeline.storage.workers import worker_at

DAYS_LOOKED_BACK = 7.0
_LONGEST_REASON = 200

Value = TypeVar("Value")


class Sections:
    """Reads one section after the other, so that one that fails hides no other.

    Attributes:
        unreadable: Name of each section that could not be read, and why, in a sentence.
    """

    def __init__(self) -> None:
        self.unreadable: dict[str, str] = {}

    def read(self, name: str, read: Callable[[], Value], otherwise: Value) -> Value:
        """Return what ``read`` returns; ``otherwise`` if it fails, in whatever way."""
        try:
            return read()
        except Exception as error:
            # Damaged files and databases that are down raise whatever their libraries like.
            reason = " ".join(str(error).split())[:_LONGEST_REASON]
            self.unreadable.setdefault(name, reason or type(error).__name__)
            return otherwise


def overview(platform: Platform, sections: Sections) -> dict[str, Any]:
    """Return every section of the screen, as JSON; None for one that cannot be read."""
    home, settings = platform.home, platform.settings

    def read(name: str, function: Callable[[], Any]) -> Any:
        return sections.read(name, function, None)

    spine = read("runs", lambda: _spine(settings))
    trained_at = spine["succeeded"].get("retrain", "") if spine else ""
    return {
        "now": as_text(datetime.now(UTC)),
        "at_work": read("at work", lambda: _at_work(home)),
        "spine": spine,
        "serving": read("champion", lambda: _serving(platform)),
        "freshness": read("freshness", lambda: _freshness(settings, trained_at)),
        "retraining": read("retraining", lambda: _retraining(platform, trained_at)),
        "classes_now": read("classes", lambda: _classes(home)),
        "posts": read("posts", lambda: _posts(platform)),
        "disk": read("disk", lambda: _disk(settings, home)),
        "recent": read("ledger", lambda: _recent(platform)),
    }


def has_ledger(platform: Platform) -> bool:
    """Return whether there is a ledger to read, without making one."""
    return bool(platform.settings.ledger_url) or (platform.home.root / "ledger.sqlite").exists()


def _at_work(home: Home) -> dict[str, Any] | None:
    worker = worker_at(home.lock("run"))
    return None if worker is None else {**asdict(worker), "sentence": worker.sentence_part()}


def _spine(settings: Settings) -> dict[str, Any]:
    from reds_pipeline.spine_status import spine_status

    return spine_status(settings).as_dict()


def _serving(platform: Platform) -> dict[str, Any]:
    from reds_pipeline.model_history import history
    from reds_pipeline.stage_inputs import trainings
    from reds_pipeline.tracking_glance import serving_version
    from reds_pipeline.tracking_registry import CHAMPION, REGISTERED_MODEL

    uri = platform.settings.tracking_uri or platform.home.default_tracking_uri
    version = serving_version(uri, REGISTERED_MODEL, CHAMPION)
    changes = history(platform.ledger) if has_ledger(platform) else []
    of_version = [entry for entry in changes if entry.change.version == version]
    if not version:
        return {"version": ""}
    last = of_version[-1] if of_version else None
    measured: Mapping[str, Any] = next(
        (
            row
            for row in trainings(platform.home, platform.settings.backbones)
            if last is not None
            and row["protocol"] == "grouped"
            and row["backbone"] == last.change.backbone
            and row["dataset_digest"] == last.change.dataset_digest
        ),
        {},
    )
    metrics = last.change.metrics if last else {}
    return {
        "version": version,
        "backbone": last.change.backbone if last else "",
        "since": last.at if last else "",
        "recorded": not changes or changes[-1].change.version == version,
        "reason": last.change.reason if last else "",
        "accuracy": metrics.get("test_accuracy", measured.get("test_accuracy")),
        "interval": [measured["test_low"], measured["test_high"]] if measured else None,
        "pictures": measured.get("n_test"),
    }


def _freshness(settings: Settings, trained_at: str) -> dict[str, Any]:
    from reds_pipeline.freshness import freshness_window

    window = freshness_window(settings)
    return {
        "trained_at": trained_at,
        "warn_days": window.warn / timedelta(days=1),
        "fail_days": window.fail / timedelta(days=1),
    }


def _retraining(platform: Platform, trained_at: str) -> dict[str, Any]:
    from reds_pipeline.retraining.kept_advice import latest_advice

    mode = platform.settings.retrain
    advice = latest_advice(platform.home)
    if advice is None:
        return {"mode": mode, "advice": None, "waits_for_a_person": False}
    outdated = bool(trained_at) and trained_at > advice.at
    return {
        "mode": mode,
        "advice": {
            "at": advice.at,
            "interval_days": advice.interval_days,
            "due": advice.due,
            "reasons": list(advice.reasons),
            "outdated": outdated,
        },
        "waits_for_a_person": mode == "ask" and advice.due and not outdated,
    }


def _classes(home: Home) -> list[dict[str, Any]]:
    from reds_pipeline.class_states import class_states

    states = class_states(home)
    if not states:
        return []
    rows = read_rows(home.table("curated_dataset"), CURATED)
    kept = Counter(row["class_name"] for row in rows if row["kept"])
    since = as_text(datetime.now(UTC) - timedelta(days=DAYS_LOOKED_BACK))
    recent = Counter(
        row["class_name"] for row in rows if row["kept"] and (row["created_at"] or "") >= since
    )
    return [
        {
            "class": state.name,
            "state": state.state,
            "since": state.since,
            "dry_refreshes": state.dry_refreshes,
            "kept": kept[state.name],
            "posted_lately": recent[state.name],
            **_supply(home, state.name),
        }
        for state in states
    ]


def _supply(home: Home, name: str) -> dict[str, Any]:
    """Count the kept posts of the time of which all were seen; a rate would need an interval."""
    from reds_pipeline.fediverse.posts import posted_at
    from reds_pipeline.retraining.supply import walked_window

    posts = read_rows(home.table("posts", name), POSTS)
    window = walked_window(posts, read_rows(home.table("cursors", name), CURSORS))
    if window is None:
        return {"posts": None, "days": None}
    start, end = as_text(window.start), as_text(window.end)
    inside = sum(row["status"] == "kept" and start <= posted_at(row) <= end for row in posts)
    return {"posts": inside, "days": window.days}


def _posts(platform: Platform) -> dict[str, Any]:
    """Count kept posts, and those that their host has not shown for too long to learn from."""
    oldest = as_text(datetime.now(UTC) - timedelta(days=platform.settings.confirmed_within_days))
    seen = {
        row["post_key"]: row["confirmed_at"] or row["collected_at"] or ""
        for path in platform.home.root.glob("tables/posts/*.parquet")
        for row in read_rows(path, POSTS)
        if row["status"] == "kept"
    }
    return {
        "held": len(seen),
        "unconfirmed": sum(at < oldest for at in seen.values()),
        "oldest_confirmation": min(seen.values(), default=""),
        "confirmed_within_days": platform.settings.confirmed_within_days,
    }


def _disk(settings: Settings, home: Home) -> dict[str, Any]:
    from reds_pipeline.housekeeping.disk_use import complaint, disk_use

    use = disk_use(home.root)
    return {
        **use.as_dict(),
        "budget_gb": settings.disk_budget_gb,
        "complaint": complaint(use, settings),
    }


def _recent(platform: Platform) -> dict[str, Any]:
    """Return what the ledger holds of the last days: failures, notices, changes of classes."""
    from reds_pipeline.backup.remembered import backup_sentence, remembered_backups
    from reds_pipeline.class_states import CLASS_CHANGE
    from reds_pipeline.notices import FAILED, NOTICE, REMOVAL_ALARM, SENT, TEST

    if not has_ledger(platform):
        return {"failures": [], "unsent": [], "alarms": [], "class_changes": [], "backups": ""}
    ledger = platform.ledger
    since = as_text(datetime.now(UTC) - timedelta(days=DAYS_LOOKED_BACK))

    def events(kind: str) -> list[dict[str, Any]]:
        return [event for _, event in ledger.events_after(kind, 0, since=since)]

    notices = events(NOTICE)
    newest: dict[str, dict[str, Any]] = {}
    for event in notices:
        if event["subject"] == TEST and event.get("outcome") == SENT:
            # Whoever tried it since has seen what stood here, and knows that it works again.
            newest.clear()
        # The newest of a title counts: what was sent in the end is no longer unsent.
        newest[event.get("title", event["subject"])] = event
    outdated = [backup.shown for backup in remembered_backups(ledger) if backup.is_outdated]
    return {
        "failures": events("run_failure"),
        "unsent": [event for event in newest.values() if event.get("outcome") == FAILED],
        "alarms": [event for event in notices if event["subject"] == REMOVAL_ALARM],
        "class_changes": events(CLASS_CHANGE),
        "backups": backup_sentence(outdated) if outdated else "",
    }
