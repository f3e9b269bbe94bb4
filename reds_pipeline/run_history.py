"""Photographs in Dagster's run history, and taking them out again.

What belongs here: removing what a materialisation showed of people's pictures. What does not:
deciding which pictures have to go (``withdrawal``). An event log is written once and kept, so a
contact sheet in it would outlive the pictures that it shows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg
import sqlalchemy as sa

from reds_pipeline.contact_sheets import forget_sheets, noted_sheets
from reds_pipeline.storage.home import Home, file_name

# Assets whose metadata shows photographs: one a class, and one with examples of all classes.
SHEETS_OF_A_CLASS = dg.AssetKey("clean_images")
SHEETS_OF_ALL_CLASSES = dg.AssetKey("dataset_report")

_UNDER_WAY = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_AT_ONCE = 100
# Figures are PNG; only photographs are JPEG. Only the address is matched, because the description
# before it may hold anything, in the escapes of JSON.
_PHOTOGRAPHS = re.compile(r"\(data:image/jpeg;base64,[A-Za-z0-9+/=]+\)")
_ONE_CLEAR_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
_REPLACEMENT = f"({_ONE_CLEAR_PIXEL}) Removed, because a picture that it showed was withdrawn."
# Where events with photographs stand: the log itself, and the latest event of each asset.
_EVENTS = (
    sa.text(
        "SELECT id, event FROM event_logs "
        "WHERE run_id = :run_id AND event LIKE '%data:image/jpeg;base64,%'"
    ),
    sa.text("UPDATE event_logs SET event = :event WHERE id = :id"),
)
_LATEST = (
    sa.text(
        "SELECT id, last_materialization FROM asset_keys "
        "WHERE last_run_id = :run_id AND last_materialization LIKE '%data:image/jpeg;base64,%'"
    ),
    sa.text("UPDATE asset_keys SET last_materialization = :event WHERE id = :id"),
)


def remove_withdrawn_photographs(
    instance: dg.DagsterInstance, home: Home, own_run: str = ""
) -> int:
    """Take the contact sheets that withdrawals have noted out of the run history.

    A run that goes on meanwhile may yet show what it had read before the withdrawal; the notes
    stay until none does, so that whoever calls this next looks there again.

    Args:
        instance: Whose history it is.
        home: Where the notes are.
        own_run: The run that calls this, before it reads what it will show.

    Returns:
        How many events were changed.
    """
    stems = noted_sheets(home)
    if not stems:
        return 0
    under_way = instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY))
    changed = remove_photographs(instance, stems)
    if all(run.run_id == own_run for run in under_way):
        forget_sheets(home, stems)
    return changed


def remove_photographs(instance: dg.DagsterInstance, classes: Collection[str]) -> int:
    """Take the contact sheets of some classes out of the run history.

    The runs stay, with a sentence where the sheet was. The next materialisation shows a sheet
    again, without what has been withdrawn.

    Args:
        instance: Whose history it is, on SQLite or Postgres.
        classes: Classes, as their file names, whose sheets may show a withdrawn picture; sheets
            of all classes together go as well.

    Returns:
        How many events were changed.
    """
    if not classes:
        return 0
    # Of what was materialised, because a class that is no longer selected is no partition any more.
    names = instance.get_materialized_partitions(SHEETS_OF_A_CLASS)
    partitions = [name for name in names if file_name(name) in classes]
    # Both storages that REDS runs on are SQL; the base class does not say so.
    storage: Any = instance.event_log_storage
    changed = 0
    runs = set(_runs(instance, SHEETS_OF_ALL_CLASSES))
    if partitions:
        runs |= set(_runs(instance, SHEETS_OF_A_CLASS, partitions))
    for run_id in sorted(runs):
        # SQLite keeps a run's events in a file of their own and some of them in an index as well;
        # in Postgres both are one table, where the second pass finds nothing.
        with storage.run_connection(run_id) as connection:
            changed += _redacted(connection, run_id, _EVENTS)
        _forget_free_pages(connection.engine)
    with storage.index_connection() as connection:
        for run_id in sorted(runs):
            changed += _redacted(connection, run_id, _EVENTS, _LATEST)
    _forget_free_pages(connection.engine)
    return changed


def _runs(
    instance: dg.DagsterInstance, asset: dg.AssetKey, partitions: Collection[str] | None = None
) -> Iterator[str]:
    wanted = dg.AssetRecordsFilter(
        asset_key=asset, asset_partitions=None if partitions is None else sorted(partitions)
    )
    cursor = None
    while True:
        page = instance.fetch_materializations(wanted, limit=_AT_ONCE, cursor=cursor)
        for record in page.records:
            yield record.run_id
        if not page.has_more:
            return
        cursor = page.cursor


def _redacted(
    connection: sa.Connection, run_id: str, *places: tuple[sa.TextClause, sa.TextClause]
) -> int:
    """Overwrite the photographs of one run and return how many events showed any."""
    changed = 0
    for search, update in places:
        for number, event in connection.execute(search, {"run_id": run_id}).fetchall():
            text = _PHOTOGRAPHS.sub(_REPLACEMENT, event)
            if text != event:
                connection.execute(update, {"id": number, "event": text})
                changed += 1
    return changed


def _forget_free_pages(engine: sa.Engine) -> None:
    """Have the database write its files anew; what was overwritten stays readable until then."""
    anew = ["VACUUM"]
    if engine.dialect.name == "postgresql":
        # Older versions of rows stay in a table's files, which only this replaces.
        anew = ["VACUUM FULL event_logs", "VACUUM FULL asset_keys"]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in anew:
            connection.execute(sa.text(statement))
