"""The asset that decides on the classes, where sample and pictures are written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
import time_machine

from reds_pipeline.assets.classes import class_selection
from reds_pipeline.class_states import (
    class_changes,
    class_states,
    class_supply,
    left_classes,
)
from reds_pipeline.imaging.author_share import LEAST
from reds_pipeline.jobs import TO_COLLECT
from reds_pipeline.partitions import classes
from reds_pipeline.resources import Platform
from reds_pipeline.review.decisions import DecisionBook
from reds_pipeline.settings import load_settings
from reds_pipeline.stage_inputs import cleaned_pictures, learnt_classes, selected_classes
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.tables import (
    CLASS_SELECTION,
    CLEAN_IMAGES,
    POSTS,
    read_rows,
    write_rows,
)

START = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
SAMPLE = {"cat": 20, "dog": 18}


class Town:
    """A home whose weeks are told instead of collected."""

    def __init__(self, root: Path, **settings: object) -> None:
        chosen = {"class_count": 3, "class_patience": 2, "min_images_per_class": 8} | settings
        self.platform = Platform(load_settings(home=root, **chosen))
        self.home = self.platform.home
        # The key is made before anything is collected.
        self.home.keyed_hash("review", "")
        self.instance = dg.DagsterInstance.ephemeral()
        self._pictures: dict[str, list[dict[str, object]]] = {}

    def refresh(self, sample: dict[str, int]) -> dict[str, object]:
        """Choose classes from a sample of so many authors a tag; return the metadata."""
        rows = [
            {
                "post_key": f"{tag} {number}",
                "author_key": f"{tag} author {number}",
                "status": "kept",
                "tags": [tag],
            }
            for tag, authors in sample.items()
            for number in range(max(authors, 5))
        ]
        write_rows(self.home.table("sample_posts"), rows, POSTS)
        result = dg.materialize(
            [class_selection], instance=self.instance, resources={"platform": self.platform}
        )
        [event] = result.asset_materializations_for_node("class_selection")
        return {name: value.value for name, value in event.metadata.items()}

    def collect(self, new: dict[str, int]) -> None:
        """Let collections of some classes finish, each with so many new pictures."""
        for name, count in new.items():
            rows = self._pictures.setdefault(name, [])
            rows += [
                {
                    "sha256": f"{name} {len(rows) + number}",
                    "author_key": f"{name} {len(rows) + number}",
                    "kept": True,
                    "collected_at": utc_now(),
                }
                for number in range(count)
            ]
            write_rows(self.home.table("clean_images", name), rows, CLEAN_IMAGES)
            write_rows(self.home.table("posts", name), [], POSTS)
            self.instance.report_runless_asset_event(
                dg.AssetMaterialization("clean_images", partition=name)
            )

    @property
    def states(self) -> dict[str, str]:
        return {each.name: each.state for each in class_states(self.home)}

    @property
    def partitions(self) -> set[str]:
        assert classes.name is not None
        return set(self.instance.get_dynamic_partitions(classes.name))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=True) as travelling:
        yield travelling


def test_who_floods_a_class_that_is_collected_does_not_bring_it_in(
    tmp_path: Path, clock: time_machine.Traveller
) -> None:
    """Of thirty pictures by one person, as few count as the data set would take."""
    town = Town(tmp_path)
    town.collect({"fox": 6})
    rows = read_rows(town.home.table("clean_images", "fox"), CLEAN_IMAGES)
    flood = [
        rows[0] | {"sha256": f"flood {number}", "author_key": "one person"} for number in range(30)
    ]
    write_rows(town.home.table("clean_images", "fox"), [*rows, *flood], CLEAN_IMAGES)
    supply = class_supply(town.home, "fox", decisions(town), since="", collected=True)
    assert (supply.kept, supply.authors) == (6 + LEAST, 7)


def test_classes_come_go_and_come_back(tmp_path: Path, clock: time_machine.Traveller) -> None:
    town = Town(tmp_path)
    weeks = iter(range(1, 20))

    def week(sample: dict[str, int], **new: int) -> dict[str, object]:
        clock.move_to(START + next(weeks) * timedelta(days=7))
        shown = town.refresh(sample)
        clock.shift(timedelta(hours=1))
        town.collect(new)
        return shown

    town.refresh(SAMPLE | {"owl": 9})
    clock.shift(timedelta(hours=1))
    town.collect({"cat": 10, "dog": 10, "owl": 10})
    assert learnt_classes(town.home) == ["cat", "dog", "owl"]

    # Nothing new of owl, and nobody posts it.
    week(SAMPLE, cat=1, dog=1, owl=0)
    week(SAMPLE, cat=1, dog=1, owl=0)
    assert town.states == {"cat": "learning", "dog": "learning", "owl": "learning"}
    shown = week(SAMPLE | {"fox": 9}, cat=1, dog=1, fox=8)
    assert town.states["owl"] == "left"
    assert town.states["fox"] == "collecting"
    assert shown[TO_COLLECT] == selected_classes(town.home) == ["cat", "dog", "fox"]
    assert learnt_classes(town.home) == ["cat", "dog"]
    assert town.partitions == {"cat", "dog", "fox"}
    learnt = {row["sha256"].split()[0] for row in cleaned_pictures(town.home, decisions(town))}
    assert learnt == {"cat", "dog"}, "what is only collected is not learnt from"

    week(SAMPLE | {"fox": 9}, cat=1, dog=1, fox=1)
    assert learnt_classes(town.home) == ["cat", "dog", "fox"]
    told = [(event["subject"], event["change"]) for event in class_changes(town.platform.ledger)]
    assert told[3:] == [
        ("owl", "drying"),
        ("owl", "left"),
        ("fox", "entered"),
        ("fox", "learning"),
    ]
    assert all(event["reason"] for event in class_changes(town.platform.ledger))

    # Foxes are gone; owls are everywhere, and all their pictures are used again.
    week(SAMPLE | {"owl": 30}, cat=1, dog=1, fox=0)
    week(SAMPLE | {"owl": 30}, cat=1, dog=1, fox=0)
    week(SAMPLE | {"owl": 30}, cat=1, dog=1, owl=0)
    assert town.states == {"cat": "learning", "dog": "learning", "owl": "learning", "fox": "left"}
    assert town.partitions == {"cat", "dog", "owl"}
    assert [row for row in cleaned_pictures(town.home, decisions(town)) if "owl" in str(row)]

    notices = [event["body"] for event in town.platform.ledger.events("notice")]
    assert any("fox is collected from now on: " in body for body in notices)
    assert list(left_classes(town.home)) == ["fox"]
    town.home.table("posts", "fox").unlink()
    town.refresh(SAMPLE | {"owl": 30})
    assert "fox" not in town.states


def decisions(town: Town) -> DecisionBook:
    return town.platform.decisions


def test_a_refresh_that_is_repeated_tells_nothing_twice(
    tmp_path: Path, clock: time_machine.Traveller
) -> None:
    town = Town(tmp_path)
    town.refresh(SAMPLE | {"owl": 9})
    before = town.home.table("class_selection").read_bytes()
    events = class_changes(town.platform.ledger)
    # A kill between the ledger and the table, and the same refresh again.
    town.home.table("class_selection").unlink()
    town.refresh(SAMPLE | {"owl": 9})
    assert class_changes(town.platform.ledger) == events
    clock.shift(timedelta(minutes=5))
    town.refresh(SAMPLE | {"owl": 9})
    assert len(before) == len(town.home.table("class_selection").read_bytes())
    assert class_changes(town.platform.ledger) == events


def test_a_home_of_an_older_reds_goes_on_with_its_classes(tmp_path: Path) -> None:
    town = Town(tmp_path)
    columns = [field for field in CLASS_SELECTION if CLASS_SELECTION.names.index(field.name) < 8]
    rows = [
        {"lemma": "cat", "accepted": True, "reason": "x", "query_tags": ["cat"]},
        {"lemma": "love", "accepted": False, "reason": "abstract", "query_tags": ["love"]},
        {"lemma": "dog", "accepted": True, "reason": "x", "query_tags": ["dog"]},
    ]
    write_rows(town.home.table("class_selection"), rows, pa.schema(columns))
    assert learnt_classes(town.home) == selected_classes(town.home) == ["cat", "dog"]
    town.refresh({"owl": 9})
    assert town.states == {"cat": "learning", "dog": "learning", "owl": "collecting"}


def test_named_classes_are_learnt_at_once_and_others_leave(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.refresh(SAMPLE | {"owl": 9})
    named = Town(tmp_path, classes=("dog", "sunset"))
    named.instance = town.instance
    named.refresh({})
    assert learnt_classes(town.home) == ["dog", "sunset"]
    assert set(left_classes(town.home)) == {"cat", "owl"}
    assert named.partitions == {"dog", "sunset"}
    reasons = {row["lemma"]: row["reason"] for row in read_rows(town.home.table("class_selection"))}
    assert reasons["owl"] == "not among the classes that a person named"
