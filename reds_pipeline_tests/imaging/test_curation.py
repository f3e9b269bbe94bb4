from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reds_pipeline.imaging.cleaning import CleaningRules, clean_class
from reds_pipeline.imaging.curation import curate, dataset_digest
from reds_pipeline_tests.imaging.rows import image_row, look


def _curated(
    rows_by_class: Mapping[str, list[dict[str, Any]]], per_class: int = 100, radius: int = 8
) -> list[dict[str, Any]]:
    cleaned = {name: clean_class(name, rows, {}) for name, rows in rows_by_class.items()}
    return curate(cleaned, per_class, CleaningRules(perceptual_radius=radius))


def _fates(curated: list[dict[str, Any]]) -> dict[str, str]:
    assert all(row["kept"] is (row["drop_reason"] == "") for row in curated)
    return {f"{row['class_name']} {row['sha256']}": row["drop_reason"] for row in curated}


def test_a_row_has_the_columns_of_the_data_set() -> None:
    assert _curated({"cat": [image_row(1)]}) == [
        {
            "sha256": "sha-01",
            "extension": "jpg",
            "class_name": "cat",
            "author_key": "author-01",
            "cluster": "sha-01",
            "group": "sha-01",
            "created_at": "2025-01-01T00:00:01Z",
            "width": 640,
            "height": 480,
            "kept": True,
            "drop_reason": "",
        }
    ]


def test_images_that_cleaning_dropped_are_not_in_the_data_set() -> None:
    assert list(_fates(_curated({"cat": [image_row(1), image_row(2, colour_spread=0.0)]}))) == [
        "cat sha-01"
    ]


@pytest.mark.req("R-SCR-11")
def test_pictures_of_posts_that_nobody_has_seen_for_long_leave_their_place_to_others() -> None:
    rows = [image_row(number) for number in (1, 2, 3)]
    cleaned = {"cat": clean_class("cat", rows, {})}
    curated = curate(cleaned, 2, unconfirmed_posts={rows[0]["post_key"]})
    assert _fates(curated) == {"cat sha-01": "not_confirmed", "cat sha-02": "", "cat sha-03": ""}


@pytest.mark.req("R-SCR-6")
@pytest.mark.parametrize(
    ("in_dog", "reason"),
    [
        pytest.param(image_row(2, sha256="sha-01", perceptual_hash=look(1)), True, id="same bytes"),
        pytest.param(image_row(2, sha256="sha-01", perceptual_hash=""), True, id="no hash"),
        pytest.param(image_row(2, perceptual_hash=look(1)), True, id="same look"),
        pytest.param(image_row(2, perceptual_hash=look(1, 8)), True, id="at the radius"),
        pytest.param(image_row(2, perceptual_hash=look(1, 9)), False, id="beyond the radius"),
    ],
)
def test_both_classes_lose_an_image_that_they_share(in_dog: dict[str, Any], reason: bool) -> None:
    rows = {"cat": [image_row(1), image_row(3)], "dog": [in_dog, image_row(4)]}
    expected = "other_class_duplicate" if reason else ""
    assert _fates(_curated(rows)) == {
        "cat sha-01": expected,
        "cat sha-03": "",
        f"dog {in_dog['sha256']}": expected,
        "dog sha-04": "",
    }


def test_a_copy_under_another_class_counts_even_if_it_was_dropped_there() -> None:
    grey_copy = image_row(2, perceptual_hash=look(1), colour_spread=0.0)
    assert _fates(_curated({"cat": [image_row(1)], "dog": [grey_copy]})) == {
        "cat sha-01": "other_class_duplicate"
    }


@pytest.mark.req("R-SCR-10")
def test_the_first_ones_by_age_stay_and_the_rest_is_beyond_the_target() -> None:
    rows = {"cat": [image_row(4), image_row(2), image_row(9)], "dog": [image_row(30)]}
    assert _fates(_curated(rows, per_class=2)) == {
        "cat sha-02": "",
        "cat sha-04": "",
        "cat sha-09": "beyond_target",
        "dog sha-30": "",
    }


@pytest.mark.req("R-SCR-10")
def test_shared_images_do_not_use_up_the_target() -> None:
    rows = {
        "cat": [image_row(1), image_row(2), image_row(3)],
        "dog": [image_row(10, perceptual_hash=look(1))],
    }
    fates = _fates(_curated(rows, per_class=2))
    assert [fates[f"cat sha-0{number}"] for number in (1, 2, 3)] == [
        "other_class_duplicate",
        "",
        "",
    ]


@pytest.mark.req("R-EXP-2")
@pytest.mark.parametrize(
    ("rows", "groups"),
    [
        pytest.param([image_row(1), image_row(2)], [1, 2], id="strangers"),
        pytest.param(
            [image_row(1), image_row(2, author_key="author-01")], [1, 1], id="the same author"
        ),
        pytest.param(
            [image_row(1, author_key=""), image_row(2, author_key="")], [1, 2], id="unknown authors"
        ),
        pytest.param(
            [
                image_row(1),
                image_row(2, perceptual_hash=look(1, 8), colour_spread=0.0),
                image_row(3, perceptual_hash=look(1, 16)),
                image_row(4, author_key="author-03"),
            ],
            [1, 1, 1],
            id="by cluster and then by author",
        ),
    ],
)
def test_groups_join_authors_and_clusters(rows: list[dict[str, Any]], groups: list[int]) -> None:
    assert [row["group"] for row in _curated({"cat": rows})] == [f"sha-{n:02}" for n in groups]


def test_groups_reach_across_classes() -> None:
    rows = {"cat": [image_row(2, author_key="anna")], "dog": [image_row(1, author_key="anna")]}
    assert {row["group"] for row in _curated(rows)} == {"sha-01"}


def test_groups_reach_through_dropped_images_of_another_class() -> None:
    """Each is near to the next, 1 to 3 to 4 to 2; the two in between are in two classes."""
    rows = {
        "cat": [image_row(1), image_row(3, perceptual_hash=look(1, 8))],
        "dog": [
            image_row(4, perceptual_hash=look(1, 16)),
            image_row(2, perceptual_hash=look(1, 24)),
        ],
        "car": [image_row(5)],
    }
    cleaned = {name: clean_class(name, rows[name], {}, CleaningRules(0)) for name in rows}
    curated = {row["sha256"]: row for row in curate(cleaned, 100)}
    assert [name for name, row in curated.items() if row["kept"]] == ["sha-01", "sha-02", "sha-05"]
    assert curated["sha-01"]["cluster"] == curated["sha-02"]["cluster"] == "sha-01"
    assert curated["sha-01"]["group"] == curated["sha-02"]["group"] != curated["sha-05"]["group"]


def test_no_images_make_an_empty_data_set() -> None:
    assert _curated({"cat": [], "dog": []}) == []


def test_the_digest_depends_on_what_is_kept_and_on_nothing_else() -> None:
    rows = _curated({"cat": [image_row(1), image_row(2), image_row(3)]}, per_class=2)
    digest = dataset_digest(rows)
    assert len(digest) == 64
    assert dataset_digest(rows[::-1]) == digest
    assert dataset_digest(rows[:2]) == digest, "images beyond the target do not count"
    assert dataset_digest([{**row, "width": 1} for row in rows]) == digest
    for column in ("sha256", "class_name", "group"):
        assert dataset_digest([{**rows[0], column: "other"}, *rows[1:]]) != digest
