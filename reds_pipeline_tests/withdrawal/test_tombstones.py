from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.withdrawal.tombstones import (
    Tombstones,
    erased_key,
    erased_keys,
    picture_keys,
    record_erasure,
    record_withdrawal,
    recorded_tombstones,
    withdrawn_keys,
)
from reds_pipeline_tests.fediverse.makers import KEY


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield opened
    opened.close()


def record(ledger: Ledger, tombstones: Tombstones) -> None:
    record_withdrawal(ledger, tombstones, subject="post", why="asked for", asked_by="them")


def test_tombstones_come_back_as_one(ledger: Ledger) -> None:
    first = Tombstones(frozenset({"a"}), frozenset({"h"}), frozenset({"a"}), {"a": "first"})
    second = Tombstones(frozenset({"a", "b"}), reasons={"a": "second", "b": "post_deleted"})
    record(ledger, first)
    record(ledger, second)
    found = recorded_tombstones(ledger)
    assert found == first | second
    assert found.reasons == {"a": "first", "b": "post_deleted"}
    assert withdrawn_keys(ledger) == {"a", "b", "h"}


@pytest.mark.parametrize(
    ("new", "events"),
    [
        (Tombstones(frozenset({"a"})), 1),
        (Tombstones(), 1),
        (Tombstones(frozenset({"b"})), 2),
        (Tombstones(handles=frozenset({"a"})), 2),
        (Tombstones(frozenset({"a"}), addresses=frozenset({"a"})), 2),
    ],
    ids=["the same", "nothing", "another post", "a handle", "by address"],
)
def test_only_what_is_new_is_recorded(ledger: Ledger, new: Tombstones, events: int) -> None:
    record(ledger, Tombstones(frozenset({"a"})))
    record(ledger, new)
    assert len(ledger.events("withdrawal")) == events


def test_erasures_are_remembered_once_and_forbid_nothing(ledger: Ledger) -> None:
    record_erasure(ledger, KEY, ["x", "y"])
    record_erasure(ledger, KEY, ["y"])
    record_erasure(ledger, KEY, [])
    assert len(ledger.events("pictures_erased")) == 1
    assert erased_keys(ledger) == {erased_key(KEY, "x"), erased_key(KEY, "y")}
    assert withdrawn_keys(ledger) == frozenset()
    assert erased_key(KEY, "x") not in picture_keys(KEY, "x", "0f")


def test_a_picture_has_a_key_for_its_bytes_and_one_for_its_look() -> None:
    assert picture_keys(KEY, "x", "0f") == {KEY("image", "x"), KEY("look", "0f")}
    assert picture_keys(KEY, "x", "") == {KEY("image", "x")}
    assert picture_keys(KEY, "", "") == frozenset()
