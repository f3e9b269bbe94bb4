"""Where MLflow says that its files are, and making it true after a home has moved.

What belongs here: the absolute addresses in MLflow's SQLite database. What does not: moving
files, or MLflow on a server, which has a place of its own for them. MLflow writes the address of
the files of a home into every experiment, run and model version; a home that was moved or copied
would go on reading, and erasing, what lies at the old place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

_PATIENCE_SECONDS = 30.0

# Where MLflow keeps addresses of files; versions of MLflow differ in which of these they have.
_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
# Our runs' tags and parameters hold no addresses; MLflow's own tag about traces does.
_TRACE_TAG = "mlflow.artifactLocation"


def files_elsewhere(database: Path, experiment: str, artifacts: Path) -> str:
    """Return where the files of an experiment are said to be, if that is not where they should be.

    Args:
        database: MLflow's SQLite database; one that is not there says nothing.
        experiment: Name of the experiment.
        artifacts: The directory in which this home keeps MLflow's files.

    Returns:
        The other directory; "" if all is well, if there is no such experiment yet, or if its
        files are not on this machine's disk at all (an object store, a server). Nothing either
        of a database that cannot be read: MLflow says best what is wrong with it.
    """
    if not database.exists():
        return ""
    try:
        with closing(_opened(database)) as connection:
            found = connection.execute(
                "SELECT artifact_location FROM experiments WHERE name = ?", (experiment,)
            ).fetchone()
    except sqlite3.Error:
        return ""
    place = _directory(found[0]) if found else None
    if place is None or artifacts.resolve() in {place, place.resolve()}:
        return ""
    return str(place)


def move_files(database: Path, experiment: str, artifacts: Path) -> int:
    """Let every address of an experiment's files lead to ``artifacts``, all of them or none.

    Nobody else may use the database meanwhile: MLflow remembers addresses that it has read.

    Args:
        database: MLflow's SQLite database, as it was copied or moved.
        experiment: Name of the experiment.
        artifacts: The directory in which its files are now.

    Returns:
        How many addresses changed; 0 if they were right already, if there is nothing of the
        experiment, or if its files are not on a disk.
    """
    old = files_elsewhere(database, experiment, artifacts)
    if not old:
        return 0
    before, after = Path(old), artifacts.resolve()
    # As addresses and, as older versions of MLflow wrote them, as plain paths.
    renamings = [(before.as_uri(), after.as_uri()), (str(before), str(after))]
    with closing(_opened(database)) as connection, connection:
        return sum(
            _rewrite(connection, place, old_start, new_start)
            for place in _places(connection)
            for old_start, new_start in renamings
        )


def _rewrite(
    connection: sqlite3.Connection, place: tuple[str, str, str], old: str, new: str
) -> int:
    """Replace the beginning of addresses that are ``old`` or lie below it."""
    table, column, condition = place
    # Compared by its length, because `_` and `%` in a path would mean other things to LIKE.
    changed = connection.execute(
        f"UPDATE {table} SET {column} = :new || substr({column}, :length + 1) "
        f"WHERE ({column} = :old OR substr({column}, 1, :length + 1) = :old || '/')" + condition,
        {"new": new, "old": old, "length": len(old)},
    )
    return changed.rowcount


def _places(connection: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """Yield table, column and a further condition of every address that this database has."""
    for table, column in _COLUMNS:
        if column in _columns(connection, table):
            yield table, column, ""
    if "value" in _columns(connection, "trace_tags"):
        yield "trace_tags", "value", f" AND key = '{_TRACE_TAG}'"


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def _directory(location: str) -> Path | None:
    """Return the directory of an address on this machine's disk, or None for another address."""
    if location.startswith("/"):
        return Path(location)
    parsed = urlsplit(location)
    return Path(unquote(parsed.path)) if parsed.scheme == "file" else None


def _opened(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{database.resolve().as_uri()}?mode=rw", timeout=_PATIENCE_SECONDS, uri=True
    )
