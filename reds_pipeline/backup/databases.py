"""Copies of SQLite databases that others are writing to.

What belongs here: the one way in which a database gets into a backup. What does not: which
databases there are.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from reds_pipeline.errors import RedsError

_PATIENCE_SECONDS = 60.0


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database as it stands at one moment, through SQLite itself.

    A database that another program uses is more than its file: what was written last stands in a
    log beside it, and pages of a write that goes on are in both.

    Args:
        source: The database; nothing in it changes.
        target: A file that does not exist yet.

    Raises:
        FileNotFoundError: It is not there, perhaps any more.
        OSError: The copy cannot be written.
        RedsError: It is damaged, or somebody else has been writing to it all the time.
    """
    try:
        with (
            closing(_opened(source, "rw")) as database,
            closing(_opened(target, "rwc")) as copy,
        ):
            # All at once: in steps, every write by somebody else would make it begin again.
            database.backup(copy)
            # Without a log of its own, so that the file alone is the database.
            copy.execute("PRAGMA journal_mode=DELETE")
            (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        if not source.exists():
            raise FileNotFoundError(source) from error
        # Nothing is wrong with the database: only the copy is written to.
        if error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error
        raise _damaged(source, str(error)) from error
    if verdict != "ok":
        raise _damaged(source, verdict)


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}", timeout=_PATIENCE_SECONDS, uri=True
    )


def _damaged(path: Path, why: str) -> RedsError:
    return RedsError(
        f"The database {path} cannot be copied ({why}); mend it, or put the last backup back in "
        "its place, before you make a new backup."
    )
