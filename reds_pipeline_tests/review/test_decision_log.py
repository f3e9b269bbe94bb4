"""Recording decisions in batches and taking them back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.review.decision_log import DecisionLog, NewDecision
from reds_pipeline.review.decisions import (
    REVIEW_DECISION,
    Decision,
    effective_decisions,
)
from reds_pipeline.storage.keys import KeyedHash
from reds_pipeline.storage.ledger import Ledger

KEYED_HASH = KeyedHash(b"a key that is secret")
PICTURES = tuple(str(digit) * 64 for digit in range(4))
DISCARD = Decision("discard")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield made
    made.close()


def holding(ledger: Ledger) -> dict[str, Decision]:
    book = effective_decisions(ledger, KEYED_HASH)
    return {sha256: decision for sha256 in PICTURES if (decision := book.of(sha256))}


def about(sha256: str, decision: Decision | None = DISCARD) -> NewDecision:
    return NewDecision(sha256, decision, "cat")


decisions = st.sampled_from([None, DISCARD, Decision("keep", "cat"), Decision("label", "dog")])
batches = st.lists(st.builds(about, st.sampled_from(PICTURES), decisions), max_size=4)


@settings(max_examples=25)
@given(st.lists(st.one_of(st.just("undo"), batches), max_size=12))
def test_undo_walks_back_through_every_state_there_was(
    actions: list[str | list[NewDecision]],
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        ledger = Ledger(f"sqlite:///{directory}/ledger.sqlite")
        log = DecisionLog(ledger, KEYED_HASH)
        states: list[dict[str, Decision]] = [{}]
        for action in actions:
            if isinstance(action, str):
                assert (log.undo() is None) == (len(states) == 1)
                del states[max(1, len(states) - 1) :]
            else:
                after = dict(states[-1])
                for new in action:
                    after.pop(new.sha256, None)
                    if new.decision is not None:
                        after[new.sha256] = new.decision
                recorded = log.record(action, "person").recorded
                assert (recorded > 0) == (after != states[-1])
                if recorded:
                    states.append(after)
            assert holding(ledger) == states[-1]
        ledger.close()


def test_undo_outlives_the_process_that_decided(ledger: Ledger) -> None:
    """After a reload or a restart the page must not find that nothing can be undone."""
    log = DecisionLog(ledger, KEYED_HASH)
    log.record([about(PICTURES[0])], "person")
    log.record([about(PICTURES[1]), about(PICTURES[2])], "import")
    undone = DecisionLog(ledger, KEYED_HASH).undo()
    assert undone is not None
    assert set(undone.subjects) == {log.subject_of(sha256) for sha256 in PICTURES[1:3]}
    assert holding(ledger) == {PICTURES[0]: DISCARD}
    # And this one sees what the other did.
    assert log.undo() is not None
    assert log.undo() is None


def test_undo_keeps_where_a_decision_came_from(ledger: Ledger) -> None:
    log = DecisionLog(ledger, KEYED_HASH)
    log.record([about(PICTURES[0])], "import")
    log.record([about(PICTURES[0], Decision("keep", "cat"))], "person")
    log.undo()
    assert log.latest()[1][log.subject_of(PICTURES[0])].origin == "import"


def test_what_holds_already_is_not_recorded_again(ledger: Ledger) -> None:
    log = DecisionLog(ledger, KEYED_HASH)
    log.record([about(PICTURES[0])], "person")
    again = log.record([about(PICTURES[0]), about(PICTURES[1])], "person")
    assert (again.recorded, again.unchanged) == (1, 1)
    nothing = log.record([about(PICTURES[0])], "person")
    assert (nothing.batch, nothing.recorded, nothing.unchanged) == ("", 0, 1)
    assert len(ledger.events(REVIEW_DECISION)) == 2


def test_a_batch_that_is_sent_again_is_recorded_once(ledger: Ledger) -> None:
    """The answer to the first one may have been lost, and the person may have gone on since."""
    log = DecisionLog(ledger, KEYED_HASH)
    first = log.record([about(PICTURES[0])], "person", batch="f" * 32)
    log.record([about(PICTURES[0], Decision("keep", "cat"))], "person")
    assert log.record([about(PICTURES[0])], "person", batch="f" * 32) == first
    assert holding(ledger) == {PICTURES[0]: Decision("keep", "cat")}


def test_pages_that_decide_at_once_lose_nothing(ledger: Ledger) -> None:
    logs = [DecisionLog(ledger, KEYED_HASH) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        for number, sha256 in enumerate(PICTURES):
            pool.submit(logs[number % 2].record, [about(sha256)], "person")
    assert set(holding(ledger)) == set(PICTURES)
    for log in logs:
        assert len(log.latest()[1]) == len(PICTURES)
