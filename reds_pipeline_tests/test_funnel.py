from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.funnel import (
    STAGES,
    ClassFunnel,
    class_funnels,
    count_funnel,
    funnel_problems,
)
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import (
    CLEAN_IMAGES,
    CURATED,
    IMAGES,
    POSTS,
    read_rows,
    write_rows,
)
from reds_pipeline_tests import curated_home

Row = dict[str, Any]
NAMES = ("cat", "dog", "bird")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return curated_home.fill(tmp_path)


def class_funnel(home: Home, class_name: str) -> ClassFunnel:
    return class_funnels(home, [class_name])[class_name]


def change(home: Home, table: Path, schema: Any, edit: Callable[[list[Row]], list[Row]]) -> None:
    write_rows(table, edit(read_rows(table, schema)), schema)


def test_each_reason_stands_at_its_stage(home: Home) -> None:
    cat = class_funnel(home, "cat")
    assert [stage.name for stage in cat.stages] == list(STAGES)
    assert [stage.dropped for stage in cat.stages] == [
        {"sensitive": 2},
        {"not_found": 1, "not_needed": 1},
        {"greyscale": 1, "near_duplicate": 1},
        {"relabelled": 1, "reviewed_out": 1},
        {},
    ]
    assert [stage.entered for stage in cat.stages] == [12, 10, 8, 6, 4]
    assert cat.as_dict()["seen"] == 12
    assert list(cat.dropped) == [
        "sensitive",
        "not_found",
        "not_needed",
        "greyscale",
        "near_duplicate",
        "relabelled",
        "reviewed_out",
    ]


def test_a_moved_picture_leaves_one_class_and_arrives_in_the_other(home: Home) -> None:
    funnels = class_funnels(home, curated_home.CLASSES)
    cat, dog = funnels["cat"], funnels["dog"]
    assert (cat.dropped["relabelled"], cat.received, cat.kept) == (1, 0, 4)
    assert (dog.received, dog.received_kept, dog.seen, dog.kept) == (1, 1, 13, 6)
    assert "relabelled" not in dog.dropped


def test_a_picture_that_a_person_keeps_counts_as_kept_although_a_rule_dropped_it(
    home: Home,
) -> None:
    def keep_the_grey_one(rows: list[Row]) -> list[Row]:
        grey = next(row for row in rows if row["drop_reason"] == "greyscale")
        grey |= {"kept": True, "drop_reason": "", "decision": "keep"}
        return rows

    change(home, home.table("curated_dataset"), CURATED, keep_the_grey_one)
    cat = class_funnel(home, "cat")
    assert "greyscale" not in cat.dropped
    assert cat.kept == 5
    assert funnel_problems(home, curated_home.CLASSES) == []


def test_a_label_that_is_no_class_is_a_reason_of_where_it_was_collected(home: Home) -> None:
    def call_it_a_fox(rows: list[Row]) -> list[Row]:
        rows[4] |= {"class_name": "fox", "kept": False, "drop_reason": "labelled_otherwise"}
        return rows

    change(home, home.table("curated_dataset"), CURATED, call_it_a_fox)
    assert class_funnel(home, "cat").dropped["labelled_otherwise"] == 1
    assert funnel_problems(home, curated_home.CLASSES) == []


def test_what_waits_for_the_next_stage_is_said(home: Home) -> None:
    change(home, home.table("clean_images", "cat"), CLEAN_IMAGES, lambda rows: rows[1:])
    home.table("curated_dataset").unlink()
    cat = class_funnel(home, "cat")
    assert (cat.dropped["not_cleaned_yet"], cat.dropped["not_curated_yet"]) == (1, 6)
    assert (cat.kept, cat.seen) == (0, 12)


def test_a_home_of_an_older_version_is_counted_too(home: Home) -> None:
    """Its data set held only what cleaning had kept, by content, under one class each."""

    def older(rows: list[Row]) -> list[Row]:
        return [
            row | {"media_key": None, "collected_as": None, "class_name": row["collected_as"]}
            for row in rows
            if row["drop_reason"] not in curated_home.BY_CLEANING
        ]

    change(home, home.table("curated_dataset"), CURATED, older)
    cat = class_funnel(home, "cat")
    assert (cat.kept, cat.dropped["greyscale"], cat.dropped["reviewed_out"]) == (5, 1, 1)
    assert funnel_problems(home, curated_home.CLASSES) == []


def test_pictures_that_went_with_their_post_are_counted_by_it(home: Home) -> None:
    def gone(rows: list[Row]) -> list[Row]:
        return [
            row | {"status": "rejected", "reason": "post_gated"}
            if row["reason"] == "not_found"
            else row
            for row in rows
        ]

    def gated(rows: list[Row]) -> list[Row]:
        rows[-1] |= {"status": "gated", "reason": "post_deleted", "media": None}
        return rows

    change(home, home.table("images", "cat"), IMAGES, gone)
    change(home, home.table("posts", "cat"), POSTS, gated)
    cat = class_funnel(home, "cat")
    assert cat.seen == 12
    assert cat.dropped["post_deleted"] == 1
    assert "not_found" not in cat.dropped
    assert funnel_problems(home, curated_home.CLASSES) == []


def test_a_home_that_holds_nothing_has_an_empty_funnel(tmp_path: Path) -> None:
    assert class_funnel(Home(tmp_path), "cat").as_dict() == {"seen": 0, "kept": 0, "dropped": {}}


def test_tables_that_agree_have_no_problem(home: Home) -> None:
    assert funnel_problems(home, curated_home.CLASSES) == []


def drop_first(rows: list[Row]) -> list[Row]:
    return rows[1:]


def repeat_first(rows: list[Row]) -> list[Row]:
    return [*rows, rows[0]]


def keep_with_a_reason(rows: list[Row]) -> list[Row]:
    rows[0] |= {"kept": True, "drop_reason": "greyscale"}
    return rows


def drop_without_a_reason(rows: list[Row]) -> list[Row]:
    rows[5] |= {"kept": False, "drop_reason": ""}
    return rows


def keep_twice(rows: list[Row]) -> list[Row]:
    rows[4]["sha256"] = rows[3]["sha256"]
    return rows


def swap_one(rows: list[Row]) -> list[Row]:
    rows[4]["media_key"] = "a stranger"
    return rows


def move_to_a_stranger(rows: list[Row]) -> list[Row]:
    rows[4]["class_name"] = "fox"
    return rows


@pytest.mark.parametrize(
    ("table", "schema", "edit", "complaint"),
    [
        ("posts", POSTS, lambda rows: rows[:-1], "belong to no post"),
        ("posts", POSTS, lambda rows: rows[:-5], "count as not_needed"),
        ("clean_images", CLEAN_IMAGES, drop_first, "were not cleaned"),
        ("clean_images", CLEAN_IMAGES, repeat_first, "came out twice"),
        ("images", IMAGES, drop_first, "are not stored"),
        ("curated_dataset", CURATED, drop_first, "have no verdict"),
        ("curated_dataset", CURATED, repeat_first, "are in it twice"),
        ("curated_dataset", CURATED, swap_one, "were not cleaned"),
        ("curated_dataset", CURATED, keep_with_a_reason, "without a reason, or kept with one"),
        ("curated_dataset", CURATED, drop_without_a_reason, "without a reason, or kept with one"),
        ("curated_dataset", CURATED, keep_twice, "keeps one picture 2 times"),
        ("curated_dataset", CURATED, move_to_a_stranger, "classes that are not chosen"),
    ],
)
def test_every_kind_of_lost_or_doubled_picture_is_noticed(
    table: str, schema: Any, edit: Callable[[list[Row]], list[Row]], complaint: str, home: Home
) -> None:
    partition = None if table == "curated_dataset" else "cat"
    change(home, home.table(table, partition), schema, edit)
    problems = funnel_problems(home, curated_home.CLASSES)
    assert any(complaint in problem for problem in problems), problems


CLEAN_FATES = st.sampled_from(["", "greyscale", "near_duplicate"])
CURATED_FATES = st.sampled_from(["", "reviewed_out", "beyond_target", "exact_duplicate"])
PICTURES = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(["stored", "failed", "rejected", "not asked for"]),
        CLEAN_FATES,
        CURATED_FATES,
        st.sampled_from([None, *NAMES]),
        st.booleans(),
    ),
    max_size=40,
)


def tables_of(pictures: list[tuple[str, str, str, str, str | None, bool]]) -> dict[str, Any]:
    """Tables as the stages would write them for pictures with these fates."""
    tables: dict[str, Any] = {name: ([], [], []) for name in NAMES}
    curated = []
    for number, (name, status, by_cleaning, by_curation, label, keeps) in enumerate(pictures):
        posts, images, cleaned = tables[name]
        key = str(number)
        posts.append({"post_key": key, "status": "kept", "reason": "", "media": [{}]})
        if status == "not asked for":
            continue
        reason = "" if status == "stored" else "not_found"
        row = {"media_key": key, "post_key": key, "status": status, "reason": reason, "sha256": key}
        images.append(row)
        if status != "stored":
            continue
        cleaned.append(row | {"kept": not by_cleaning, "drop_reason": by_cleaning})
        carried_over = "" if keeps or label else by_cleaning
        reason = carried_over or by_curation
        curated.append(
            {
                "media_key": key,
                "sha256": key,
                "class_name": label or name,
                "collected_as": name,
                "kept": not reason,
                "drop_reason": reason,
            }
        )
    return tables | {"curated": curated}


@given(PICTURES)
def test_whatever_happens_the_sums_add_up(
    pictures: list[tuple[str, str, str, str, str | None, bool]],
) -> None:
    tables = tables_of(pictures)
    curated = tables.pop("curated")
    funnels = {}
    for name in NAMES:
        posts, images, cleaned = tables[name]
        funnels[name] = count_funnel(name, posts, images, cleaned, curated)
    for funnel in funnels.values():
        assert funnel.seen == funnel.kept + sum(funnel.dropped.values())
        for stage, following in zip(funnel.stages, funnel.stages[1:], strict=False):
            moved = funnel.received if following.name == "cleaned" else 0
            assert stage.passed + moved == following.entered
    moved = sum(funnel.dropped.get("relabelled", 0) for funnel in funnels.values())
    assert moved == sum(funnel.received for funnel in funnels.values())
    assert sum(funnel.seen for funnel in funnels.values()) - moved == len(pictures)
    kept = Counter(row["class_name"] for row in curated if row["kept"])
    assert {name: funnels[name].kept for name in NAMES} == {name: kept[name] for name in NAMES}


def test_the_json_shape_is_that_of_the_contract() -> None:
    funnel = ClassFunnel(stages=count_funnel("cat", [], [], [], []).stages)
    assert set(funnel.as_dict()) == {"seen", "kept", "dropped"}
