"""SQL over the tables: an in-memory DuckDB that offers every Parquet table as a view by name.

What belongs here: opening the database. What does not: queries; they stand beside what asks
them. There is no ``.duckdb`` file on purpose: DuckDB lets one process write and locks out all
others, and here several processes work at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from reds_pipeline.storage.tables import read_rows


@contextmanager
def open_views(tables: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database with one view per table below ``tables``.

    A table in partitions is one view over all of them, with the partition's file name in the
    column ``partition``.

    Args:
        tables: The directory ``<home>/tables``.

    Yields:
        A connection that is closed afterwards, also after an error.

    Raises:
        RedsError: A table is damaged.
    """
    connection = duckdb.connect(":memory:")
    try:
        for path in sorted(tables.glob("*.parquet")):
            _create_view(connection, path.stem, f"read_parquet({_quoted(path)})", [path])
        for directory in sorted(path for path in tables.glob("*") if path.is_dir()):
            if partitions := sorted(directory.glob("[!.]*.parquet")):
                files = _quoted(directory / "[!.]*.parquet")
                _create_view(
                    connection,
                    directory.name,
                    f"(SELECT * EXCLUDE (filename), parse_filename(filename, true) AS partition "
                    f"FROM read_parquet({files}, filename = true, hive_partitioning = false))",
                    partitions,
                )
        yield connection
    finally:
        connection.close()


def _create_view(
    connection: duckdb.DuckDBPyConnection, name: str, source: str, files: Iterable[Path]
) -> None:
    identifier = '"' + name.replace('"', '""') + '"'
    try:
        connection.execute(f"CREATE VIEW {identifier} AS SELECT * FROM {source}")
    except duckdb.Error:
        # DuckDB does not always say which file; reading each one does, in our own words.
        for path in files:
            read_rows(path)
        raise


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
