"""Decisions of people about single pictures, as everything else reads them.

What belongs here: what a decision is, its event in the ledger, and which one holds. What does
not: recording and taking back (``decision_log.py``), and what follows for the data set
(``imaging``).

A decision is about content: the event names the keyed hash of the picture's SHA-256, so that it
holds for the same bytes wherever they turn up again, and so that a ledger from which nothing is
ever deleted does not name a picture that was withdrawn since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from reds_pipeline.storage.ledger import Ledger

REVIEW_DECISION = "review_decision"

Verdict = Literal["keep", "discard", "label"]
KEEP: Verdict = "keep"
DISCARD: Verdict = "discard"
LABEL: Verdict = "label"
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
UNDECIDED = "undecided"
"""What an event says that takes a decision back without putting another in its place."""


@dataclass(frozen=True)
class Decision:
    """What a person decided about a picture.

    Attributes:
        verdict: ``keep`` (it shows what it was collected for), ``discard`` (it is not to be
            learnt from), or ``label`` (it shows something else).
        label: The class the person put it in: for ``keep`` the one it was shown under; empty for
            ``discard``.
    """

    verdict: Verdict
    label: str = ""


@dataclass(frozen=True)
class RecordedDecision:
    """A decision with what the ledger knows about it.

    Attributes:
        decision: What was decided.
        shown_as: The class under which the person saw the picture.
        at: When, ISO-8601 in UTC.
        origin: ``person`` (in the gallery) or ``import`` (from a file).
    """

    decision: Decision
    shown_as: str
    at: str
    origin: str


class DecisionBook:
    """The decisions that hold now, by what is in a picture.

    Args:
        decisions: By the subject of their events.
        subject_of: What gives the subject of a SHA-256; see ``decision_subject``.
    """

    def __init__(self, decisions: Mapping[str, Decision], subject_of: Callable[[str], str]) -> None:
        self._decisions = decisions
        self._subject_of = subject_of

    def __len__(self) -> int:
        """Return how many pictures have a decision."""
        return len(self._decisions)

    def of(self, sha256: str) -> Decision | None:
        """Return what was decided about a picture, if anything was."""
        # An empty book is the usual one; nothing has to be hashed for it.
        return self._decisions.get(self._subject_of(sha256)) if self._decisions else None


def decision_subject(keyed_hash: Callable[..., str], sha256: str) -> str:
    """Return what events about a picture carry as their subject.

    Args:
        keyed_hash: ``Home.keyed_hash``.
        sha256: Of the stored file, in hexadecimal.
    """
    return keyed_hash("review", sha256)


def recorded_decision(event: Mapping[str, Any]) -> RecordedDecision | None:
    """Return the decision that an event of the ledger states; None if it takes one back.

    A verdict that a newer version of REDS may have written counts as none.
    """
    for verdict in VERDICTS:
        if event["verdict"] == verdict:
            return RecordedDecision(
                Decision(verdict, event["label"]), event["shown_as"], event["at"], event["origin"]
            )
    return None


def latest_decisions(events: Iterable[Mapping[str, Any]]) -> dict[str, RecordedDecision]:
    """Return what holds after all events: for each subject its latest one.

    Args:
        events: Of the kind ``review_decision``, oldest first.
    """
    latest: dict[str, RecordedDecision] = {}
    for event in events:
        decision = recorded_decision(event)
        if decision is None:
            latest.pop(event["subject"], None)
        else:
            latest[event["subject"]] = decision
    return latest


def effective_decisions(ledger: Ledger, keyed_hash: Callable[..., str]) -> DecisionBook:
    """Return the decisions that hold now.

    Args:
        ledger: Where they are recorded.
        keyed_hash: ``Home.keyed_hash`` of the home that shares the ledger.
    """
    latest = latest_decisions(ledger.events(REVIEW_DECISION))
    return DecisionBook(
        {subject: recorded.decision for subject, recorded in latest.items()},
        lambda sha256: decision_subject(keyed_hash, sha256),
    )
