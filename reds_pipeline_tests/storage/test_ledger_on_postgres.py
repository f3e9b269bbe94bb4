"""The ledger in Postgres, where several services write to it at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from reds_pipeline.storage.ledger import Ledger
from reds_pipeline_tests.postgres_on_loopback import SECONDS, postgres


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Yield the address of a new ledger in a server that is made as the compose file makes it."""
    with postgres() as port:
        yield f"postgresql://ledger:secret@127.0.0.1:{port}/ledger"


def test_services_that_start_together_make_one_table(url: str) -> None:
    with ThreadPoolExecutor(4) as services:
        ledgers = [*services.map(lambda _: Ledger(url), range(4))]
    for number, ledger in enumerate(ledgers):
        ledger.append("start", str(number), {})
    assert [event["subject"] for event in ledgers[0].events("start")] == ["0", "1", "2", "3"]
    for ledger in ledgers:
        ledger.close()


def test_events_appear_in_the_order_of_their_numbers(url: str) -> None:
    """Who reads on from the last number would never see a lower one that appears later.

    So a writer waits for one that has its number already; here it gives up instead of waiting.
    """
    first = Ledger(url)
    second = Ledger(f"{url}?options=-clock_timeout%3D100ms")
    inserted, commit = threading.Event(), threading.Event()

    def hold(_connection: sa.Connection) -> None:
        inserted.set()
        commit.wait(SECONDS)

    with ThreadPoolExecutor(1) as writer:
        sa.event.listen(first._engine, "commit", hold)
        writing = writer.submit(first.append, "order", "first", {})
        assert inserted.wait(SECONDS)
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            second.append("order", "second", {})
        assert second.events("order") == []
        commit.set()
        writing.result(SECONDS)
    second.append("order", "second", {})
    assert [event["subject"] for event in second.events("order")] == ["first", "second"]
    first.close()
    second.close()


def test_a_reader_misses_nothing_that_two_writers_add(url: str) -> None:
    """The page and the pipeline write at the same time; a third reads on from where it was."""
    written = 60
    ledgers = [Ledger(url) for _ in range(3)]

    def write(name: str, ledger: Ledger) -> None:
        for number in range(written):
            ledger.append("race", f"{name} {number}", {"number": number})

    seen: list[str] = []
    last = 0
    with ThreadPoolExecutor(2) as writers:
        tasks = [writers.submit(write, f"writer {n}", ledgers[n]) for n in range(2)]
        while True:
            ended = all(task.done() for task in tasks)
            for number, event in ledgers[2].events_after("race", last):
                seen.append(event["subject"])
                last = number
            if ended:
                break
        for task in tasks:
            task.result(SECONDS)
    assert len(seen) == len(set(seen)) == 2 * written
    for n in range(2):
        own = [subject for subject in seen if subject.startswith(f"writer {n} ")]
        assert own == [f"writer {n} {number}" for number in range(written)]
    for ledger in ledgers:
        ledger.close()


def test_a_restart_of_the_server_between_two_events_is_not_noticed(url: str) -> None:
    """The server ends idle connections when it restarts; the page does not restart with it."""
    ledger = Ledger(url)
    ledger.append("restart", "before", {})
    other = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
    with other.connect() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename = 'ledger' AND pid <> pg_backend_pid()"
            )
        )
    other.dispose()
    ledger.append("restart", "after", {})
    assert [event["subject"] for event in ledger.events("restart")] == ["before", "after"]
    ledger.close()
