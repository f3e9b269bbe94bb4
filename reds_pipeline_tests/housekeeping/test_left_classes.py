"""Forgetting a class that left, when nothing and nobody needs its pictures."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.housekeeping.left_classes import classes_to_forget, forget, size_of
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.storage.partitions import partition_lock
from reds_pipeline_tests.held_home import fill, sha_of

NOW, LONG_AGO, LATELY = "2026-11-22T00:00:00Z", "2026-08-01T00:00:00Z", "2026-11-01T00:00:00Z"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home without a data set and exports."""
    home = fill(tmp_path_factory.mktemp("held") / "home")
    home.table("curated_dataset").unlink()
    shutil.rmtree(home.root / "tables" / "exports")
    return home.root


@pytest.fixture
def home(filled: Path, tmp_path: Path) -> Home:
    shutil.copytree(filled, tmp_path / "home")
    return Home(tmp_path / "home")


def chosen(home: Home, since: str, used: Collection[str] | None = ()) -> list[str]:
    return classes_to_forget(home, {"sea shore": since}, 90.0, NOW, lambda: used)


def traces(home: Home, name: str) -> list[Path]:
    return sorted(path for path in home.root.glob(f"*/*/{name}*") if path.suffix != ".lock")


def test_a_class_that_left_long_ago_goes_with_all_its_tables(home: Home) -> None:
    assert chosen(home, LONG_AGO) == ["sea shore"]
    before = traces(home, "cat")
    assert len(traces(home, "sea")) == 6
    assert size_of(home, ["sea shore"]) > 6 * 512
    forget(home, ["sea shore"])
    assert traces(home, "sea") == []
    assert traces(home, "cat") == before
    assert chosen(home, LONG_AGO) == [], "there is nothing left to forget"


@pytest.mark.parametrize(
    ("since", "used"),
    [(LATELY, ()), ("", ()), (LONG_AGO, {sha_of(3)}), (LONG_AGO, None)],
    ids=[
        "it may come back",
        "nobody knows when",
        "a model has seen it",
        "a training is unreadable",
    ],
)
def test_a_class_stays_as_long_as_somebody_may_need_it(
    home: Home, since: str, used: Collection[str] | None
) -> None:
    assert chosen(home, since, used) == []


def test_what_an_export_holds_is_remembered(filled: Path, tmp_path: Path) -> None:
    """Its people have to be told when somebody takes a post back."""
    home = fill(tmp_path / "exported")
    home.table("curated_dataset").unlink()
    assert chosen(home, LONG_AGO) == []


def test_a_class_that_is_worked_on_stays(home: Home) -> None:
    lock = partition_lock(home, "images", "sea shore")
    with exclusive(lock, "fetching"), pytest.raises(RedsError, match="sea shore"):
        forget(home, ["sea shore"])
    assert len(traces(home, "sea")) == 6
