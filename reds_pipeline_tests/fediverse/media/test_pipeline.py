from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.fediverse.media.pipeline import MediaPipeline, Workers

Row = dict[str, Any]
PATIENCE = 20.0


def candidate(host: str, number: int = 0) -> Row:
    return {"host": host, "number": number}


def pipeline(
    fetch: Callable[[Row], bytes | Row],
    examine: Callable[[Row, bytes], Row] | None = None,
    *,
    connections: int = 2,
    workers: Workers | None = None,
) -> MediaPipeline:
    return MediaPipeline(
        fetch,
        examine or (lambda row, data: row | {"data": data}),
        lambda row: row["host"],
        lambda _host: connections,
        workers or Workers(4, 2),
    )


def results(running: MediaPipeline) -> list[Row]:
    finished = []
    while running.unfinished:
        finished.append(running.next_finished())
    return finished


@settings(max_examples=30, deadline=None)
@given(
    hosts=st.lists(st.sampled_from("abcd"), max_size=30),
    connections=st.integers(1, 3),
    fetching=st.integers(1, 5),
    examining=st.integers(1, 3),
)
def test_every_candidate_comes_out_once_whatever_the_limits(
    hosts: list[str], connections: int, fetching: int, examining: int
) -> None:
    def fetch(row: Row) -> bytes | Row:
        return row | {"data": None} if row["number"] % 3 == 0 else bytes([row["number"]])

    workers = Workers(fetching, examining)
    with pipeline(fetch, connections=connections, workers=workers) as running:
        for number, host in enumerate(hosts):
            running.add(candidate(host, number))
        found = results(running)
    assert sorted((row["number"], row["data"]) for row in found if row["data"]) == [
        (number, bytes([number])) for number in range(len(hosts)) if number % 3
    ]
    assert sorted(row["number"] for row in found) == list(range(len(hosts)))


def test_a_host_that_does_not_answer_holds_up_only_its_own_pictures() -> None:
    released = threading.Event()

    def fetch(row: Row) -> bytes | Row:
        if row["host"] == "slow":
            assert released.wait(PATIENCE)
        return b"x"

    with pipeline(fetch) as running:
        for number in range(10):
            running.add(candidate("slow", number))
        for number in range(10):
            running.add(candidate("quick", number))
        first = [running.next_finished()["host"] for _ in range(10)]
        released.set()
        rest = [row["host"] for row in results(running)]
    assert first == ["quick"] * 10
    assert rest == ["slow"] * 10


def test_hosts_take_turns_when_threads_are_scarce() -> None:
    order: list[str] = []

    def fetch(row: Row) -> bytes | Row:
        order.append(row["host"])
        return b"x"

    with pipeline(fetch, workers=Workers(1, 1)) as running:
        for host in "aaabbbccc":
            running.add(candidate(host))
        results(running)
    assert order == list("abcabcabc")


def test_no_host_is_asked_over_more_connections_than_allowed() -> None:
    lock = threading.Lock()
    present = {"a": 0, "b": 0}
    most = dict(present)
    meeting = threading.Barrier(4, timeout=PATIENCE)

    def fetch(row: Row) -> bytes | Row:
        host = row["host"]
        with lock:
            present[host] += 1
            most[host] = max(most[host], present[host])
        # Two of each host have to be here at once for anybody to go on.
        meeting.wait()
        with lock:
            present[host] -= 1
        return b"x"

    with pipeline(fetch, workers=Workers(8, 1)) as running:
        for host in "aaaabbbb":
            running.add(candidate(host))
        assert len(results(running)) == 8
    assert most == {"a": 2, "b": 2}


def test_fetching_goes_on_while_pictures_are_examined_but_not_without_bound() -> None:
    workers = Workers(2, 1)
    examined = threading.Event()
    asked = 0
    all_asked = threading.Event()

    def fetch(_row: Row) -> bytes | Row:
        nonlocal asked
        asked += 1
        if asked == workers.held:
            all_asked.set()
        return b"x"

    def examine(row: Row, _data: bytes) -> Row:
        # As many as memory holds are fetched although nothing is examined.
        assert all_asked.wait(PATIENCE)
        assert examined.wait(PATIENCE)
        return row

    with pipeline(fetch, examine, connections=8, workers=workers) as running:
        for number in range(20):
            running.add(candidate("a", number))
        threading.Timer(0.2, examined.set).start()
        running.next_finished()
        assert asked == workers.held
        results(running)
    assert asked == 20


@pytest.mark.parametrize("stage", ["fetch", "examine"])
def test_an_error_of_either_stage_ends_the_work(stage: str) -> None:
    asked: list[int] = []

    def fetch(row: Row) -> bytes | Row:
        asked.append(row["number"])
        if stage == "fetch":
            raise RuntimeError("a bug")
        return b"x"

    def examine(_row: Row, _data: bytes) -> Row:
        raise RuntimeError("a bug")

    with (
        pytest.raises(RuntimeError, match="a bug"),
        pipeline(fetch, examine, workers=Workers(1, 1)) as running,
    ):
        for number in range(50):
            running.add(candidate("a", number))
        results(running)
    assert len(asked) < 10
