"""One worker at a time where two would do each other harm.

What belongs here: holding a lock file. What does not: queues; Dagster's pools order the work,
and this is the last guard for a second process on the same home.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from reds_pipeline.errors import RedsError

# A withdrawal holds the lock of a table for the moment in which it rewrites the file.
WITHDRAWAL_SECONDS = 30.0


@contextmanager
def exclusive(path: Path, work: str, *, patience_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock file ``path``; the system frees it when the process ends, however it ends.

    Args:
        path: The lock file; made if needed, never removed.
        work: What the holder does, for the sentence, such as ``collecting cat``.
        patience_seconds: How long to wait for another holder; ``WITHDRAWAL_SECONDS`` for locks
            that a withdrawal takes, so that nobody's wish makes a stage fail.

    Raises:
        RedsError: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=patience_seconds)
    except Timeout as error:
        raise RedsError(
            f"Another process is already {work} in {path.parent}; wait until it has finished, "
            "or stop it, and try again."
        ) from error
    try:
        yield
    finally:
        lock.release()
