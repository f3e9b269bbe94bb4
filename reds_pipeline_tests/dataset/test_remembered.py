from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.dataset.remembered import (
    RememberedExport,
    exports_holding,
    forget,
    forget_export,
    remember,
    remembered_exports,
)
from reds_pipeline.storage.home import Home


def made(number: int, *pictures: str) -> RememberedExport:
    return RememberedExport(
        export_id=f"2026-11-2{number}-abcd",
        at=f"2026-11-2{number}T10:00:00Z",
        format="parquet",
        sharing="open",
        dataset_digest="d" * 64,
        directory=f"export-{number}",
        sha256s=frozenset(pictures),
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    remember(home, made(2, "b", "c"))
    remember(home, made(1, "a", "b"))
    return home


def test_what_was_remembered_comes_back_the_oldest_first(home: Home) -> None:
    assert remembered_exports(home) == [made(1, "a", "b"), made(2, "b", "c")]


@pytest.mark.parametrize(
    ("pictures", "numbers"),
    [(["a"], [1]), (["b"], [1, 2]), (["c", "x"], [2]), (["x"], []), ([], [])],
)
def test_a_withdrawal_learns_which_exports_hold_a_picture(
    home: Home, pictures: list[str], numbers: list[int]
) -> None:
    assert [one.directory for one in exports_holding(home, pictures)] == [
        f"export-{number}" for number in numbers
    ]


def test_a_withdrawn_picture_leaves_the_memory_and_is_counted_once(home: Home) -> None:
    """A withdrawal that was killed does its steps again."""
    assert forget(home, {"b", "x"}) == 2
    assert forget(home, {"b", "x"}) == 0
    assert [(one.sha256s, one.withdrawn) for one in remembered_exports(home)] == [
        (frozenset({"a"}), 1),
        (frozenset({"c"}), 1),
    ]
    assert exports_holding(home, {"b"}) == []


def test_a_dry_run_counts_and_changes_nothing(home: Home) -> None:
    assert forget(home, {"b"}, write=False) == 2
    assert remembered_exports(home) == [made(1, "a", "b"), made(2, "b", "c")]


def test_an_export_that_failed_is_not_remembered(home: Home) -> None:
    forget_export(home, made(1).export_id)
    forget_export(home, "never made")
    assert remembered_exports(home) == [made(2, "b", "c")]


def test_a_home_without_exports_has_none(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")
    assert remembered_exports(home) == []
    assert forget(home, {"a"}) == 0
