"""Which model served when and why, and changing that so that nothing is ever lost.

What belongs here: the events ``promotion`` of the ledger, and moving the alias ``champion``
together with them. What does not: deciding (``modeling/promotion.py``), or what has to be true
before a change (``promotion.py``).

The ledger is the record. Its line is written before the alias moves, and a second one after; so
a kill in between is told from a person who moved the alias in MLflow, and finished by whoever
looks next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from uuid import uuid4

from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.tracking import CHALLENGER, CHAMPION, REGISTERED_MODEL, Tracking

PROMOTION = "promotion"
PROMOTION_FINISHED = "promotion_finished"

How = Literal["rule", "person", "rollback", "mlflow"]
BY_RULE: How = "rule"
BY_PERSON: How = "person"
BY_ROLLBACK: How = "rollback"
IN_MLFLOW: How = "mlflow"

# Measuring two models on common pictures may have to embed them first.
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class ChampionChange:
    """A change of the model that serves.

    Attributes:
        version: The version that serves from now on; empty if none does.
        backbone: Its encoder.
        reason: Why, in words.
        how: ``rule``, ``person`` (chose it), ``rollback`` (a person went back to it), or
            ``mlflow`` (the alias was moved there, which was noticed later).
        by: Who, in words.
        previous: The version that served before; empty if none did.
        dataset_digest: The data set it was trained on.
        metrics: What was measured of it.
    """

    version: str
    backbone: str
    reason: str
    how: How
    by: str
    previous: str = ""
    dataset_digest: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedChange:
    """A change with what the ledger knows about it.

    Attributes:
        at: When, ISO 8601 in UTC.
        change: What changed.
        change_id: By which its end is recognised; empty in a home of an older version of REDS.
        finished: Whether the alias is known to have moved.
    """

    at: str
    change: ChampionChange
    change_id: str = ""
    finished: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return it as ``reds history --json`` prints it."""
        return {"at": self.at, **asdict(self.change)}


@contextmanager
def champion_lock(home: Home) -> Iterator[None]:
    """Keep everybody else from changing the champion meanwhile.

    Raises:
        RedsError: Somebody else has been changing it for minutes.
    """
    with exclusive(
        home.lock("champion"), "choosing the model that serves", patience_seconds=_PATIENCE_SECONDS
    ):
        yield


def history(ledger: Ledger, model: str = REGISTERED_MODEL) -> list[RecordedChange]:
    """Return every change of the champion of one registered model, oldest first."""
    finished = {event["subject"] for event in ledger.events(PROMOTION_FINISHED)}
    return [
        _recorded(event, finished)
        for event in ledger.events(PROMOTION)
        if event.get("model", REGISTERED_MODEL) == model
    ]


def change_champion(
    tracking: Tracking, ledger: Ledger, change: ChampionChange, model: str = REGISTERED_MODEL
) -> None:
    """Let another version serve, for good and on the record.

    To be called with ``champion_lock`` held. ``change.previous`` is filled in here.
    """
    before = tracking.alias(CHAMPION, model)
    change_id = _record(ledger, change, before.version if before else "", model)
    _move(tracking, ledger, change.version, change_id, model)


def catch_up(tracking: Tracking, ledger: Ledger, model: str = REGISTERED_MODEL) -> list[str]:
    """Finish what a kill cut short, and record what somebody changed in MLflow.

    To be called with ``champion_lock`` held, before anything that asks which model serves.

    Returns:
        What was found, one sentence each.
    """
    entries = history(ledger, model)
    last = entries[-1] if entries else None
    champion = tracking.alias(CHAMPION, model)
    serving = champion.version if champion else ""
    recorded = last.change.version if last else ""
    if serving == recorded:
        if last is not None and not last.finished:
            ledger.append(PROMOTION_FINISHED, last.change_id, {})
        return []
    if last is not None and not last.finished and serving == last.change.previous:
        existing = {version.version for version in tracking.versions(model)}
        if recorded in existing:
            _move(tracking, ledger, recorded, last.change_id, model)
            return [f"A change to version {recorded} that was cut short is finished."]
    reason = (
        f"Moved in MLflow from version {recorded or 'none'} to version {serving or 'none'}; "
        "nobody said why."
    )
    change = ChampionChange(
        version=serving,
        backbone=champion.tags.get("backbone", "") if champion else "",
        reason=reason,
        how=IN_MLFLOW,
        by="somebody in MLflow",
    )
    ledger.append(PROMOTION_FINISHED, _record(ledger, change, recorded, model), {})
    return [reason]


def served(entries: Sequence[RecordedChange]) -> list[str]:
    """Return the versions one can go back through, the one that serves now last.

    Going back takes the later versions off, so that going back twice leads to the version
    before the one before, and not forth again.
    """
    way: list[str] = []
    for entry in entries:
        version = entry.change.version
        if entry.change.how == BY_ROLLBACK and version in way:
            del way[len(way) - way[::-1].index(version) :]
        elif version and way[-1:] != [version]:
            way.append(version)
    return way


def previous_version(entries: Sequence[RecordedChange], existing: Sequence[str]) -> str | None:
    """Return the version that a rollback leads to, or None if there is none.

    Args:
        entries: The history.
        existing: Versions that are still registered.
    """
    *before, now = served(entries) or [""]
    return next(
        (version for version in reversed(before) if version in existing and version != now), None
    )


def set_aside(entries: Sequence[RecordedChange]) -> dict[str, RecordedChange]:
    """Return the versions that people replaced since the rule last chose, and how each was."""
    found: dict[str, RecordedChange] = {}
    for entry in reversed(entries):
        if entry.change.how == BY_RULE:
            break
        if entry.change.previous:
            found.setdefault(entry.change.previous, entry)
    if entries:
        found.pop(entries[-1].change.version, None)
    return found


def _record(ledger: Ledger, change: ChampionChange, previous: str, model: str) -> str:
    change_id = uuid4().hex
    body = asdict(change)
    version = body.pop("version")
    ledger.append(
        PROMOTION,
        version,
        {**body, "previous": previous, "model": model, "change_id": change_id},
    )
    return change_id


def _move(tracking: Tracking, ledger: Ledger, version: str, change_id: str, model: str) -> None:
    tracking.set_alias(CHAMPION, version, model)
    challenger = tracking.alias(CHALLENGER, model)
    if challenger is not None and challenger.version == version:
        tracking.remove_alias(CHALLENGER, model)
    ledger.append(PROMOTION_FINISHED, change_id, {})


def _recorded(event: Mapping[str, Any], finished: set[str]) -> RecordedChange:
    """Read an event, also one that an older version of REDS wrote."""
    change_id = event.get("change_id", "")
    return RecordedChange(
        at=event["at"],
        change=ChampionChange(
            version=event["subject"],
            backbone=event.get("backbone", ""),
            reason=event["reason"],
            how=event.get("how", BY_RULE),
            by=event.get("by", "the rule"),
            previous=event.get("previous", ""),
            dataset_digest=event.get("dataset_digest", ""),
            metrics=event.get("metrics", {}),
        ),
        change_id=change_id,
        finished=not change_id or change_id in finished,
    )
