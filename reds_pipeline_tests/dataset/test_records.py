from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.dataset.collect_facts import curated_table
from reds_pipeline.dataset.records import NO_LICENCE, choose_records
from reds_pipeline.dataset.splits import split_dataset
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import IMAGES, read_rows, write_rows
from reds_pipeline_tests.dataset.dataset_home import CLASSES, make_dataset_home


@pytest.mark.parametrize(
    ("sharing", "pictures", "licences"),
    [
        ("free", 12, {"CC0"}),
        ("open", 36, {"CC0", "CC BY", "CC BY-SA"}),
        ("all", 48, {"CC0", "CC BY", "CC BY-SA", NO_LICENCE}),
    ],
)
@pytest.mark.req("R-SCR-11")
def test_only_licences_that_were_asked_for(
    home: Home, sharing: str, pictures: int, licences: set[str]
) -> None:
    rows = curated_table(home)
    choice = choose_records(home, rows, split_dataset(rows, 42), sharing)  # type: ignore[arg-type]
    assert len(choice.records) == pictures
    assert {record.description()["licence"] for record in choice.records} == licences
    assert choice.left_out == ({"licence": 48 - pictures} if pictures < 48 else {})
    assert choice.classes == CLASSES


def test_the_part_of_a_picture_does_not_depend_on_the_licences_asked_for(home: Home) -> None:
    """Otherwise a picture that tests one export would teach another."""
    rows = curated_table(home)
    split = split_dataset(rows, 42)
    everything = {one.sha256: one for one in choose_records(home, rows, split, "all").records}
    for record in choose_records(home, rows, split, "free").records:
        assert record == everything[record.sha256]


def test_classes_are_mixed_for_who_reads_in_order(home: Home) -> None:
    rows = curated_table(home)
    records = choose_records(home, rows, split_dataset(rows, 42), "all").records
    assert [record.sha256 for record in records] == sorted(record.sha256 for record in records)
    assert len({record.class_name for record in records[:12]}) == 3


def test_a_label_says_who_gave_it(home: Home) -> None:
    rows = curated_table(home)
    records = choose_records(home, rows, split_dataset(rows, 42), "all").records
    looked_at = {row["sha256"] for row in rows if row["decision"] in {"keep", "label"}}
    confirmed = {record.sha256 for record in records if record.label_origin == "person"}
    assert confirmed == looked_at
    assert len(looked_at) == 2


def test_a_file_that_two_people_posted_under_different_licences_stays(tmp_path: Path) -> None:
    home = make_dataset_home(tmp_path / "home")
    cats = read_rows(home.table("images", "cat"), IMAGES)
    again = cats[0] | {"media_key": "key of another", "licence": ""}
    write_rows(home.table("images", "shore"), [again], IMAGES)
    rows = curated_table(home)
    records = choose_records(home, rows, split_dataset(rows, 42), "open").records
    assert len(records) == 35
    assert cats[0]["licence"] == "CC0"
    assert cats[0]["sha256"] not in {record.sha256 for record in records}


def test_a_lost_file_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    home = make_dataset_home(tmp_path / "home")
    rows = curated_table(home)
    lost = rows[0]
    home.images.remove(lost["sha256"], lost["extension"])
    choice = choose_records(home, rows, split_dataset(rows, 42), "all")
    assert len(choice.records) == 47
    assert choice.left_out == {"file_lost": 1}


def test_a_picture_with_two_labels_is_a_broken_data_set(home: Home) -> None:
    rows = curated_table(home)
    twice = [*rows, rows[0] | {"class_name": "dog"}]
    with pytest.raises(ValueError, match="more than once"):
        choose_records(home, twice, split_dataset(rows, 42), "all")
