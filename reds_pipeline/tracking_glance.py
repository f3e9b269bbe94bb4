"""A glance at MLflow that costs no import of it: does it answer, and which version serves.

What belongs here: that one question, for whoever only looks. What does not: anything that is
trained, registered or changed (``tracking.py``). Importing MLflow takes seconds, and a server that
is down takes its client longer still.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import requests
import sqlalchemy as sa

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.ledger import with_driver

_SECONDS = 3
_QUERY = "SELECT version FROM registered_model_aliases WHERE name = :name AND alias = :alias"
_LONGEST_REASON = 160


def serving_version(uri: str, model: str, alias: str) -> str:
    """Return which version of a registered model has an alias now; "" if none has.

    Args:
        uri: Address of MLflow: ``sqlite:///...``, ``postgresql...`` or ``http(s)://...``.
        model: The registered model.
        alias: The alias.

    Raises:
        RedsError: MLflow does not answer, or its database is no such.
    """
    try:
        if uri.startswith("sqlite:///"):
            return _in_file(Path(uri.removeprefix("sqlite:///")), model, alias)
        if uri.startswith("http"):
            return _of_server(uri, model, alias)
        return _in_database(uri, model, alias)
    except (sqlite3.Error, sa.exc.SQLAlchemyError, requests.RequestException, ValueError) as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        raise RedsError(
            f"MLflow cannot be reached ({reason}); start it, or correct REDS_TRACKING_URI."
        ) from error


def _in_file(path: Path, model: str, alias: str) -> str:
    if not path.exists():
        return ""
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
        has = database.execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'registered_model_aliases'"
        ).fetchone()
        row = database.execute(_QUERY, {"name": model, "alias": alias}).fetchone() if has else None
    return str(row[0]) if row else ""


def _in_database(uri: str, model: str, alias: str) -> str:
    engine = sa.create_engine(with_driver(uri), connect_args={"connect_timeout": _SECONDS})
    try:
        with engine.connect() as connection:
            row = connection.execute(sa.text(_QUERY), {"name": model, "alias": alias}).first()
    finally:
        engine.dispose()
    return str(row[0]) if row else ""


def _of_server(uri: str, model: str, alias: str) -> str:
    answer = requests.get(
        f"{uri.rstrip('/')}/api/2.0/mlflow/registered-models/alias",
        params={"name": model, "alias": alias},
        timeout=_SECONDS,
    )
    if answer.status_code == requests.codes.not_found:
        return ""
    answer.raise_for_status()
    return str(answer.json()["model_version"]["version"])
