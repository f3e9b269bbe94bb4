"""What a decision is in the ledger, and which one holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reds_pipeline.review.decision_log import DecisionLog, NewDecision
from reds_pipeline.review.decisions import (
    REVIEW_DECISION,
    Decision,
    decision_subject,
    effective_decisions,
)
from reds_pipeline.storage.keys import KeyedHash
from reds_pipeline.storage.ledger import Ledger

ONE, OTHER = "1" * 64, "2" * 64
KEYED_HASH = KeyedHash(b"a key that is secret")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield made
    made.close()


@pytest.mark.req("R-SCR-8")
def test_the_latest_decision_about_a_content_holds(ledger: Ledger) -> None:
    log = DecisionLog(ledger, KEYED_HASH)
    log.record([NewDecision(ONE, Decision("discard"), "cat")], "person")
    log.record([NewDecision(ONE, Decision("label", "dog"), "cat")], "person")
    log.record([NewDecision(OTHER, Decision("keep", "cat"), "cat")], "person")
    log.record([NewDecision(OTHER, None, "cat")], "person")
    book = effective_decisions(ledger, KEYED_HASH)
    assert (book.of(ONE), book.of(OTHER), len(book)) == (Decision("label", "dog"), None, 1)


def test_a_ledger_that_never_forgets_does_not_name_a_picture(ledger: Ledger) -> None:
    """A withdrawn picture must not be recognisable by whoever has its file and the ledger."""
    DecisionLog(ledger, KEYED_HASH).record([NewDecision(ONE, Decision("discard"), "cat")], "person")
    assert ONE not in json.dumps(ledger.events(REVIEW_DECISION))


def test_a_verdict_of_a_newer_version_counts_as_none(ledger: Ledger) -> None:
    body = {"label": "", "shown_as": "cat", "batch": "b", "origin": "person"}
    subject = decision_subject(KEYED_HASH, ONE)
    ledger.append(REVIEW_DECISION, subject, {**body, "verdict": "discard"})
    ledger.append(REVIEW_DECISION, subject, {**body, "verdict": "enlarge"})
    assert effective_decisions(ledger, KEYED_HASH).of(ONE) is None


def test_decisions_of_another_home_say_nothing_here(ledger: Ledger) -> None:
    DecisionLog(ledger, KEYED_HASH).record([NewDecision(ONE, Decision("discard"), "cat")], "person")
    assert effective_decisions(ledger, KeyedHash(b"the key of another home")).of(ONE) is None
