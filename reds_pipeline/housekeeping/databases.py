"""Giving back the space of what was deleted from databases.

What belongs here: having a database write its files anew. What does not: deleting from it. Until
then the bytes of deleted rows stay in the files, and the files keep their size.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa

from reds_pipeline.housekeeping.disk_use import free_disk

_PATIENCE_SECONDS = 10.0
_SQLITE, _POSTGRES = "sqlite:///", "postgresql"
# Of Dagster's tables in Postgres, those that whole runs are deleted from.
_TABLES = ("event_logs", "asset_check_executions", "asset_event_tags", "runs", "run_tags")


def databases(instance: dg.DagsterInstance, *addresses: str) -> list[str]:
    """Return the addresses of the databases that belong to a home, each once.

    Args:
        instance: Dagster's.
        *addresses: SQLAlchemy addresses of others, of which those of SQLite files count.
    """
    event_logs: Any = instance.event_log_storage
    runs: Any = instance.run_storage
    ticks: Any = instance.schedule_storage
    found = []
    # An instance in memory has no storage for ticks.
    for connect in (event_logs.index_connection, runs.connect, *([ticks.connect] if ticks else ())):
        with connect() as connection:
            found.append(connection.engine.url.render_as_string(hide_password=False))
    return [
        address
        for address in dict.fromkeys([*found, *addresses])
        if _is_file(address) or (address in found and address.startswith(_POSTGRES))
    ]


def slack(address: str) -> int:
    """Return the bytes of a SQLite database that hold nothing any more; 0 of any other."""
    if not _is_file(address):
        return 0
    with closing(sqlite3.connect(_path(address), timeout=_PATIENCE_SECONDS)) as connection:
        (pages,) = connection.execute("PRAGMA freelist_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)


def shrink(addresses: Collection[str]) -> Iterator[str]:
    """Have databases write their files anew, and yield a sentence of each that could not.

    SQLite keeps everybody else from writing meanwhile; where somebody is at work for long, it is
    left for the next time, because nothing is lost by waiting.
    """
    for address in addresses:
        if not _is_file(address):
            yield from _shrink_postgres(address)
            continue
        path = _path(address)
        try:
            if not slack(address):
                continue
            if free_disk(path) < 2 * path.stat().st_size:
                yield f"{path} could not be made smaller: that takes room for a copy of it."
                continue
            with closing(sqlite3.connect(path, timeout=_PATIENCE_SECONDS)) as connection:
                connection.execute("VACUUM")
                # What was deleted stands in the log of changes too, until that is emptied.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            yield f"{path} could not be made smaller ({error}); the next time will do."


def _shrink_postgres(address: str) -> Iterator[str]:
    engine = sa.create_engine(address)
    try:
        there = set(sa.inspect(engine).get_table_names())
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text(f"SET lock_timeout = '{_PATIENCE_SECONDS:g}s'"))
            for table in _TABLES:
                if table in there:
                    connection.execute(sa.text(f"VACUUM FULL {table}"))
    except sa.exc.DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        yield f"Dagster's tables could not be made smaller ({reason}); the next time will do."
    finally:
        engine.dispose()


def _is_file(address: str) -> bool:
    return address.startswith(_SQLITE) and _path(address).is_file()


def _path(address: str) -> Path:
    return Path(address.removeprefix(_SQLITE).partition("?")[0])
