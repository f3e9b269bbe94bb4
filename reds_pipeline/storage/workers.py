"""Who works on a home, so that whoever has to wait can be told.

What belongs here: the lock that a whole run of the pipeline holds, with a note beside it of what
runs and since when. What does not: locks that are held for a moment and need no name
(``locks.py``), and what becomes of somebody who must not wait.

The lock is what counts. A process that was killed leaves its note behind, so a note says
something only while its lock is held.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from reds_pipeline.errors import RedsError
from reds_pipeline.storage import atomic
from reds_pipeline.storage.clock import utc_now

# Whoever looks who works holds the lock for an instant, in which nobody should be refused.
_SECONDS_OF_A_LOOK = 1.0
_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_BETWEEN_LINES = 60.0


@dataclass(frozen=True)
class Worker:
    """Somebody at work on a home.

    Attributes:
        work: What it is, as people know it, such as ``reds run`` in backquotes.
        since: When it began, ISO 8601 in UTC.
        process: Its process id, on its own machine.
        machine: The name of that machine; a container has one of its own.
    """

    work: str
    since: str
    process: int
    machine: str

    def sentence_part(self) -> str:
        """Return what works, since when and in which process."""
        began = datetime.fromisoformat(self.since).astimezone()
        today = datetime.now(UTC).astimezone().date()
        when = f"{began:%H:%M}" if began.date() == today else f"{began:%Y-%m-%d %H:%M}"
        elsewhere = "" if self.machine == socket.gethostname() else f" on {self.machine}"
        return f"{self.work}, which began at {when} (process {self.process}{elsewhere})"


class WorkerAtWork(RedsError):
    """Somebody else works on the home."""


@contextmanager
def at_work(
    lock: Path,
    work: str,
    *,
    patience_seconds: float | None = 0.0,
    waiting: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Be the one who works on a home; the system ends it when the process ends, however it ends.

    Args:
        lock: The lock file (``Home.lock``); the note stands beside it.
        work: What is done, as people know it.
        patience_seconds: How long to wait for somebody else; None waits without end.
        waiting: Called with a line at once and then every minute while that lasts.

    Raises:
        WorkerAtWork: Somebody else worked for all that time; the sentence says who, since when.
        RedsError: The home cannot be written.
    """
    note = _note_of(lock)
    with atomic.writing(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock)
        _acquire(held, lock, patience_seconds, waiting)
    try:
        me = Worker(work, utc_now(), os.getpid(), socket.gethostname())
        atomic.write_text(note, json.dumps(asdict(me), indent=2))
        yield
    finally:
        note.unlink(missing_ok=True)
        held.release()


def worker_at(lock: Path) -> Worker | None:
    """Return who holds a lock of ``at_work`` now, or None if nobody does.

    Nothing is written, so it can be asked about a home that can only be read.
    """
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _noted(lock)
    return None


def _acquire(
    held: FileLock,
    lock: Path,
    patience_seconds: float | None,
    waiting: Callable[[str], None] | None,
) -> None:
    patience = math.inf if patience_seconds is None else patience_seconds
    ends = time.monotonic() + patience
    # The first look is short, so that whoever has to wait hears of it at once.
    most = _SECONDS_OF_A_LOOK
    while True:
        left = max(ends - time.monotonic(), _SECONDS_OF_A_LOOK)
        try:
            held.acquire(timeout=min(left, most), poll_interval=_SECONDS_BETWEEN_LOOKS)
            return
        except Timeout as error:
            other = _noted(lock).sentence_part()
            if time.monotonic() >= ends:
                raise WorkerAtWork(
                    f"{lock.parent.parent} is being worked on by {other}."
                ) from error
            if waiting is not None:
                waiting(f"Waiting for {other}.")
        most = _SECONDS_BETWEEN_LINES


def _noted(lock: Path) -> Worker:
    """Return who wrote the note beside a lock that is held."""
    try:
        return Worker(**json.loads(_note_of(lock).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        # Taken an instant ago, and the note is not written yet; or by an older version of REDS.
        return Worker("another process", utc_now(), 0, socket.gethostname())


def _note_of(lock: Path) -> Path:
    return lock.with_suffix(".json")
