"""Fetching and examining side by side, so that neither waits for the other.

What belongs here: who works on what at which moment. What does not: the work itself, which is
handed in. Fetching waits for hosts, examining is bound by processors: each has threads of its
own. Of every host only so many pictures are under way, so one that is slow or asks for a long
pause occupies its own few threads and the other hosts go on.

Memory: at most ``Workers.held`` downloads exist at a time, and ``Workers.examining`` of them are
decoded. Threads suffice: sockets and Pillow's decoder let go of Python's lock.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import TracebackType
from typing import Any

Row = dict[str, Any]

# Beyond this, threads wait for Python's lock rather than for a processor.
_MOST_EXAMINERS = 8


def _processors() -> int:
    return min(os.cpu_count() or 1, _MOST_EXAMINERS)


@dataclass(frozen=True)
class Workers:
    """How many pictures are worked on at a time.

    Attributes:
        fetching: Threads that wait for hosts, all hosts together.
        examining: Threads that decode; each needs the memory of one decoded picture.
    """

    fetching: int = 16
    examining: int = field(default_factory=_processors)

    @property
    def held(self) -> int:
        """Downloads that may be in memory: under way, examined, and one more per examiner."""
        return self.fetching + 2 * self.examining


class MediaPipeline:
    """Runs candidates through fetching and examining and hands out their finished rows.

    Used by one thread as a context manager; leaving it cancels what has not begun and waits for
    what has.

    Args:
        fetch: Returns the bytes of a candidate's picture, or its finished row where there are
            none to be had.
        examine: Returns the finished row of a candidate, given the bytes.
        host_of: Names the host that a candidate's picture comes from.
        connections_to: How many pictures of a host may be fetched at a time.
        workers: How many pictures are worked on at a time.

    Attributes:
        unfinished: Candidates added whose rows were not handed out yet.
    """

    def __init__(
        self,
        fetch: Callable[[Row], bytes | Row],
        examine: Callable[[Row, bytes], Row],
        host_of: Callable[[Row], str],
        connections_to: Callable[[str], int],
        workers: Workers,
    ) -> None:
        self._fetch = fetch
        self._examine = examine
        self._host_of = host_of
        self._connections_to = connections_to
        self._workers = workers
        # Hosts in the order of their turn, each with what waits for it.
        self._waiting: dict[str, deque[Row]] = {}
        self._connections: dict[str, int] = {}
        self._fetching: dict[Future[bytes | Row], Row] = {}
        self._examining: set[Future[Row]] = set()
        self._ended: SimpleQueue[Future[Any]] = SimpleQueue()
        self._fetchers = ThreadPoolExecutor(workers.fetching, thread_name_prefix="fetch")
        self._examiners = ThreadPoolExecutor(workers.examining, thread_name_prefix="examine")
        self.unfinished = 0

    def __enter__(self) -> MediaPipeline:
        """Return the pipeline itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cancel what has not begun and wait for what has."""
        self._fetchers.shutdown(wait=False, cancel_futures=True)
        self._examiners.shutdown(wait=True, cancel_futures=True)
        self._fetchers.shutdown(wait=True)

    def add(self, candidate: Row) -> None:
        """Queue a candidate; those of one host begin in the order in which they were added."""
        self._waiting.setdefault(self._host_of(candidate), deque()).append(candidate)
        self.unfinished += 1

    def next_finished(self) -> Row:
        """Return the next finished row, waiting for it.

        Raises:
            Exception: Whatever ``fetch`` or ``examine`` raised.
        """
        while True:
            self._begin_fetching()
            ended = self._ended.get()
            if ended in self._examining:
                self._examining.remove(ended)
                return self._finished(ended.result())
            candidate = self._fetching.pop(ended)
            self._connections[self._host_of(candidate)] -= 1
            fetched = ended.result()
            if not isinstance(fetched, bytes):
                return self._finished(fetched)
            examination = self._examiners.submit(self._examine, candidate, fetched)
            self._examining.add(examination)
            examination.add_done_callback(self._ended.put)

    def _finished(self, row: Row) -> Row:
        self.unfinished -= 1
        return row

    def _begin_fetching(self) -> None:
        """Start what free threads, memory and connections allow, one of each host in turn."""
        turns = deque(self._waiting)
        while turns:
            host = turns.popleft()
            if not self._may_fetch(host):
                continue
            # The host goes to the end of the queue of hosts, and leaves it with its last picture.
            waiting = self._waiting.pop(host)
            candidate = waiting.popleft()
            if waiting:
                self._waiting[host] = waiting
                turns.append(host)
            self._connections[host] = self._connections.get(host, 0) + 1
            download = self._fetchers.submit(self._fetch, candidate)
            self._fetching[download] = candidate
            download.add_done_callback(self._ended.put)

    def _may_fetch(self, host: str) -> bool:
        under_way = len(self._fetching)
        return (
            under_way < self._workers.fetching
            and under_way + len(self._examining) < self._workers.held
            and self._connections.get(host, 0) < self._connections_to(host)
        )
