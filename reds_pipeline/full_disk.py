"""Errors that mean that the disk is full, whoever noticed it first.

What belongs here: recognising them, for there are many: files say it plainly, and a database in
the words of its own. What does not: stopping before (``housekeeping.disk_use``).
"""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from reds_pipeline.housekeeping.disk_use import free_disk

# A database that cannot make room for its journal says no more than that writing failed.
_FULL, _PERHAPS_FULL = "database or disk is full", ("disk I/O error", "unable to open database")
_NEXT_TO_NOTHING = 1_000_000
"""Bytes."""

ADVICE = (
    "The disk is full where REDS keeps everything ({place}); `reds prune` says what may go. Make "
    "room and run again: nothing that was finished is lost."
)


def full_disk_sentence(error: BaseException, place: Path) -> str:
    """Return what to do if an error means that the disk is full, or nothing.

    Args:
        error: What was raised; what it came from counts as well.
        place: ``REDS_HOME``.
    """
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if _says_full(cause, place):
            return ADVICE.format(place=place)
        cause = cause.__cause__ or cause.__context__
    return ""


def _says_full(error: BaseException, place: Path) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if not isinstance(error, sqlite3.Error):
        return False
    text = str(error)
    is_likely = any(words in text for words in _PERHAPS_FULL)
    return _FULL in text or (is_likely and free_disk(place) < _NEXT_TO_NOTHING)
