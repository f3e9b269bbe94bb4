from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import StatementError

from reds_pipeline.storage.ledger import Ledger


def test_events_come_back_in_order_and_by_kind(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'deep' / 'ledger.sqlite'}")
    ledger.append("promotion", "1", {"reason": "first"})
    ledger.append("run_failure", "retrain", {})
    ledger.append("promotion", "2", {"reason": "better"})
    events = ledger.events("promotion")
    assert [(event["subject"], event["reason"]) for event in events] == [
        ("1", "first"),
        ("2", "better"),
    ]
    assert all(event["at"].endswith("Z") for event in events)
    ledger.close()


def test_several_writers_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    ledgers = [Ledger(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for ledger in ledgers:
            for number in range(10):
                pool.submit(ledger.append, "vote", str(number), {})
    assert len(ledgers[0].events("vote")) == 40
    for ledger in ledgers:
        ledger.close()


def test_events_that_happened_together_are_all_there_or_none(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    ledger.append_many("vote", [("1", {"side": "left"}), ("2", {"side": "right"})])
    ledger.append_many("vote", [])
    with pytest.raises(StatementError):
        ledger.append_many("vote", [("3", {}), ("4", {"not JSON": object()})])
    events = ledger.events("vote")
    assert [(event["subject"], event["side"]) for event in events] == [
        ("1", "left"),
        ("2", "right"),
    ]
    assert len({event["at"] for event in events}) == 1
    ledger.close()


def test_a_reader_asks_only_for_what_is_new(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    ledger.append_many("vote", [("1", {}), ("2", {})])
    known, _ = ledger.events_after("vote", 0)[-1]
    ledger.append("promotion", "model", {})
    ledger.append("vote", "3", {})
    ((number, event),) = ledger.events_after("vote", known)
    assert (number, event["subject"]) == (known + 2, "3")
    assert ledger.events_after("vote", number) == []
    ledger.close()


def record_at_once(url: str, number: int) -> None:
    ledger = Ledger(url)
    ledger.append("start", f"service {number}", {})
    ledger.close()


def test_services_that_start_together_on_a_new_home_all_get_the_ledger(tmp_path: Path) -> None:
    # A ``multiprocessing.Pool`` ends its workers by a signal that pytest-xdist's children ignore.
    with ProcessPoolExecutor(6, multiprocessing.get_context("spawn")) as pool:
        for attempt in range(5):
            url = f"sqlite:///{tmp_path / str(attempt)}.sqlite"
            list(pool.map(record_at_once, [url] * 6, range(6)))
            assert len(Ledger(url).events("start")) == 6
