"""Recording decisions in batches, and taking the last batch back.

What belongs here: what is written into the ledger, and the memory that saves reading all of it
again for every click. What does not: what a decision means (``decisions.py``).

A batch is what a person did in one go, be it one picture or a thousand. Undoing it adds events
that put back what held before; nothing is ever removed from the ledger. What holds is therefore
always the latest event of a picture, for this module and for anybody else who reads the ledger.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reds_pipeline.review.decisions import (
    REVIEW_DECISION,
    UNDECIDED,
    Decision,
    RecordedDecision,
    decision_subject,
    recorded_decision,
)
from reds_pipeline.storage.ledger import Ledger

Origin = Literal["person", "import"]


@dataclass(frozen=True)
class NewDecision:
    """What is to be recorded about one picture.

    Attributes:
        sha256: The picture.
        decision: What was decided; None takes back whatever was decided before.
        shown_as: The class under which it was shown.
    """

    sha256: str
    decision: Decision | None
    shown_as: str


@dataclass(frozen=True)
class RecordedBatch:
    """What became of a batch.

    Attributes:
        batch: Its name; empty if there was nothing to record.
        recorded: Pictures about which something new was recorded.
        unchanged: Pictures about which the same had been decided before.
    """

    batch: str
    recorded: int
    unchanged: int


@dataclass(frozen=True)
class UndoneBatch:
    """What taking a batch back changed.

    Attributes:
        batch: The name of the batch of events that did it.
        subjects: Subjects of the pictures concerned.
    """

    batch: str
    subjects: tuple[str, ...]


@dataclass
class _Batch:
    """One batch: what held before it, and how many events it has."""

    before: dict[str, RecordedDecision | None] = field(default_factory=dict)
    size: int = 0


class DecisionLog:
    """The review decisions of one home; safe to use from several threads.

    Other processes may write too: every call first reads what they have added. On Postgres two
    that write at the very same moment may hide an event from each other until they start again;
    ``effective_decisions``, by which the data set is made, always reads all of them.

    Args:
        ledger: Where decisions are recorded.
        keyed_hash: ``Home.keyed_hash``.
    """

    def __init__(self, ledger: Ledger, keyed_hash: Callable[..., str]) -> None:
        self._ledger = ledger
        self._keyed_hash = keyed_hash
        self._lock = threading.Lock()
        self._read_up_to = 0
        self._latest: dict[str, RecordedDecision] = {}
        self._batches: dict[str, _Batch] = {}
        # Insertion order is the order in which they can be undone, last first.
        self._undoable: dict[str, None] = {}

    def subject_of(self, sha256: str) -> str:
        """Return the subject under which a picture's decisions are recorded."""
        return decision_subject(self._keyed_hash, sha256)

    def latest(self) -> tuple[int, Mapping[str, RecordedDecision]]:
        """Return (number of the last event, what holds after it, by subject)."""
        with self._lock:
            self._catch_up()
            return self._read_up_to, dict(self._latest)

    def record(
        self, decisions: Iterable[NewDecision], origin: Origin, batch: str = ""
    ) -> RecordedBatch:
        """Record what was decided in one go; what holds already is not recorded again.

        Args:
            decisions: Each picture once; of several about one picture the last counts.
            origin: Where they come from.
            batch: A name that the sender made up, by which a batch that is sent again because
                the answer was lost is recognised; one is made if it is empty.
        """
        with self._lock:
            self._catch_up()
            if batch in self._batches:
                return RecordedBatch(batch, self._batches[batch].size, 0)
            wanted = {self.subject_of(new.sha256): new for new in decisions}
            changes = {
                subject: new
                for subject, new in wanted.items()
                if new.decision != self._holding(subject)
            }
            if not changes:
                return RecordedBatch("", 0, len(wanted))
            batch = batch or secrets.token_hex(16)
            self._ledger.append_many(
                REVIEW_DECISION,
                [
                    (subject, {**_body(new.decision, new.shown_as, origin), "batch": batch})
                    for subject, new in changes.items()
                ],
            )
            self._catch_up()
        return RecordedBatch(batch, len(changes), len(wanted) - len(changes))

    def undo(self) -> UndoneBatch | None:
        """Put back what held before the latest batch that was not undone yet, if there is one."""
        with self._lock:
            self._catch_up()
            if not self._undoable:
                return None
            undone = next(reversed(self._undoable))
            before = self._batches[undone].before
            batch = secrets.token_hex(16)
            self._ledger.append_many(
                REVIEW_DECISION,
                [
                    (subject, {**_body_of_recorded(held), "batch": batch, "undoes": undone})
                    for subject, held in before.items()
                ],
            )
            self._catch_up()
        return UndoneBatch(batch, tuple(before))

    def _holding(self, subject: str) -> Decision | None:
        recorded = self._latest.get(subject)
        return recorded.decision if recorded is not None else None

    def _catch_up(self) -> None:
        for number, event in self._ledger.events_after(REVIEW_DECISION, self._read_up_to):
            self._take_in(event)
            self._read_up_to = number

    def _take_in(self, event: Mapping[str, Any]) -> None:
        subject, name = event["subject"], event["batch"]
        batch = self._batches.setdefault(name, _Batch())
        batch.before.setdefault(subject, self._latest.get(subject))
        batch.size += 1
        if "undoes" in event:
            self._undoable.pop(event["undoes"], None)
        else:
            self._undoable.setdefault(name)
        decision = recorded_decision(event)
        if decision is None:
            self._latest.pop(subject, None)
        else:
            self._latest[subject] = decision


def _body_of_recorded(held: RecordedDecision | None) -> dict[str, Any]:
    """Return the body of an event after which ``held`` holds again."""
    if held is None:
        return _body(None, "", "person")
    return _body(held.decision, held.shown_as, held.origin)


def _body(decision: Decision | None, shown_as: str, origin: str) -> dict[str, Any]:
    verdict, label = (decision.verdict, decision.label) if decision else (UNDECIDED, "")
    return {"verdict": verdict, "label": label, "shown_as": shown_as, "origin": origin}
