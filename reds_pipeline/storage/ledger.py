"""The ledger: what people and the pipeline decided, kept for ever in an append-only database.

What belongs here: adding an event and reading events back. What does not: what an event means;
the stage that writes it gives it a kind and a JSON body. The web page and the pipeline share it,
so it is a SQL database (SQLite with write-ahead logging, or Postgres by URL) and never updated
or deleted from.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_PATIENCE_SECONDS = 10
_SECONDS_BETWEEN_ATTEMPTS = 0.02
# Of Postgres' advisory locks, which are numbers: the one that whoever adds events holds.
_WRITERS_LOCK = 0x52454453

_METADATA = sa.MetaData()

_EVENTS = sa.Table(
    "events",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False, index=True),
    sa.Column("subject", sa.String(512), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)


class Ledger:
    """Append-only events in a SQL database.

    Args:
        url: A SQLAlchemy address; the table is made on first use.
    """

    def __init__(self, url: str) -> None:
        # A server may have restarted since a connection was used last.
        self._engine = sa.create_engine(with_driver(url), pool_pre_ping=True)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _use_write_ahead_log)
            if database := self._engine.url.database:
                Path(database).parent.mkdir(parents=True, exist_ok=True)
        self._create_table()

    def append(self, kind: str, subject: str, body: Mapping[str, Any]) -> None:
        """Record one event.

        Args:
            kind: What happened, such as ``promotion`` or ``host_approval``.
            subject: What it happened to, such as a model version or a host.
            body: Everything else, JSON-serialisable.
        """
        self.append_many(kind, [(subject, body)])

    def append_many(self, kind: str, events: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Record events of one kind that happened together: all of them, or none.

        Args:
            kind: What happened.
            events: (subject, body) of each, in their order; they share one time.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rows = [
            {"at": at, "kind": kind, "subject": subject, "body": dict(body)}
            for subject, body in events
        ]
        if rows:
            self._insert(rows)

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        with self._engine.begin() as connection:
            if self._engine.dialect.name == "postgresql":
                # It hands out numbers before rows can be seen: with two writers the higher number
                # may be seen first, and who reads on from there would never see the lower one.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITERS_LOCK)))
            connection.execute(_EVENTS.insert(), rows)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of one kind, oldest first, as ``{"at", "subject", **body}``."""
        return [event for _, event in self.events_after(kind, 0)]

    def events_after(
        self, kind: str, number: int, *, since: str = ""
    ) -> list[tuple[int, dict[str, Any]]]:
        """Return what was recorded since somebody looked last, so that they need not read it all.

        Args:
            kind: What happened.
            number: The number of the last event that is known already; 0 if none is.
            since: ISO 8601 time in UTC before which nothing is of interest.

        Returns:
            (number, event as ``events`` gives it), oldest first.
        """
        query = (
            sa.select(_EVENTS)
            .where(_EVENTS.c.kind == kind, _EVENTS.c.id > number, _EVENTS.c.at >= since)
            .order_by(_EVENTS.c.id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            (row["id"], {**row["body"], "at": row["at"], "subject": row["subject"]}) for row in rows
        ]

    def take_over(self, kind: str, events: Iterable[Mapping[str, Any]]) -> None:
        """Record events that another ledger recorded, with their own times: all, or none.

        Args:
            kind: What happened.
            events: As ``events`` of the other ledger returns them, in their order.
        """
        rows = [
            {
                "at": event["at"],
                "kind": kind,
                "subject": event["subject"],
                "body": {name: event[name] for name in event if name not in {"at", "subject"}},
            }
            for event in events
        ]
        if rows:
            self._insert(rows)

    def _create_table(self) -> None:
        try:
            _METADATA.create_all(self._engine, checkfirst=True)
        except sa.exc.DBAPIError:
            # Services start together: between looking and making, another one has made it.
            if not sa.inspect(self._engine).has_table(_EVENTS.name):
                raise

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()


def _use_write_ahead_log(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE_SECONDS * 1000}")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            # The one statement for which SQLite does not wait while others are at the new file.
            if time.monotonic() > deadline:
                raise
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS)


def with_driver(url: str) -> str:
    """Return an address of a database with the driver that REDS has for it."""
    # A bare postgresql:// means psycopg 3 to SQLAlchemy 2.1; Dagster brings psycopg2.
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)
