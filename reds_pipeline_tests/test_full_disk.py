"""A disk that is full is told in one sentence, whoever noticed it first."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from reds_pipeline.full_disk import full_disk_sentence
from reds_pipeline.housekeeping.disk_use import has_room
from reds_pipeline.settings import load_settings


def database_error(place: Path) -> Exception:
    """What SQLAlchemy makes of a SQLite database that may not grow."""
    engine = sa.create_engine(f"sqlite:///{place / 'small.db'}")
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("PRAGMA max_page_count = 3"))
            connection.execute(sa.text("CREATE TABLE said (words TEXT)"))
            connection.execute(sa.text("INSERT INTO said VALUES (:words)"), {"words": "x" * 50_000})
    except sa.exc.DBAPIError as error:
        return error
    finally:
        engine.dispose()
    raise AssertionError("the database grew")


def file_error(_place: Path) -> Exception:
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RuntimeError("a library's own words") from error
    except RuntimeError as error:
        return error


@pytest.mark.parametrize("made", [database_error, file_error])
def test_a_full_disk_is_recognised_behind_other_errors(made: object, tmp_path: Path) -> None:
    assert callable(made)
    sentence = full_disk_sentence(made(tmp_path), tmp_path)
    assert str(tmp_path) in sentence
    assert "`reds prune`" in sentence


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        PermissionError(errno.EACCES, "no"),
        sqlite3.OperationalError("disk I/O error"),
    ],
)
def test_other_errors_are_not_taken_for_it(error: Exception, tmp_path: Path) -> None:
    assert full_disk_sentence(error, tmp_path) == ""


def test_half_a_gigabyte_is_left_free_unless_less_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reds_pipeline.housekeeping.disk_use.free_disk", lambda _: 400_000_000)
    assert not has_room(tmp_path, load_settings(home=tmp_path))
    assert has_room(tmp_path, load_settings(home=tmp_path, free_disk_gb=0.3))
