from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.imaging.cleaning import CleaningRules, clean_class
from reds_pipeline_tests.imaging.rows import image_row, look


def _fates(rows: list[dict[str, Any]], **options: Any) -> dict[str, str]:
    cleaned = clean_class("cat", rows, options.pop("classes_of_post", {}), CleaningRules(**options))
    assert all(row["kept"] is (row["drop_reason"] == "") for row in cleaned)
    return {row["media_key"]: row["drop_reason"] for row in cleaned}


def _copy_of(original: int, number: int, **changes: Any) -> dict[str, Any]:
    """Return a younger or older image with the same bytes."""
    copy = {"sha256": f"sha-{original:02}", "perceptual_hash": look(original)}
    return image_row(number, **{**copy, **changes})


def test_ordinary_images_stay_with_all_their_columns() -> None:
    row = image_row(3)
    assert clean_class("cat", [row], {}) == [
        {**row, "class_name": "cat", "kept": True, "drop_reason": "", "cluster": "sha-03"}
    ]


@pytest.mark.parametrize("status", ["rejected", "failed"])
def test_images_that_are_not_stored_are_passed_over(status: str) -> None:
    unstored = image_row(1, status=status, sha256="", perceptual_hash="", colour_spread=None)
    assert list(_fates([unstored, image_row(2)])) == ["media-02"]


@pytest.mark.req("R-SCR-6")
@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        pytest.param({"cat"}, "", id="only this class"),
        pytest.param({"cat", "dog"}, "multi_class", id="another one too"),
        pytest.param({"dog"}, "multi_class", id="only another one"),
        pytest.param(set(), "", id="none"),
    ],
)
def test_posts_that_name_another_class_are_dropped(classes: set[str], reason: str) -> None:
    fates = _fates([image_row(1)], classes_of_post={"post-01": classes, "post-02": {"bird"}})
    assert fates == {"media-01": reason}


@pytest.mark.req("R-SCR-5")
@pytest.mark.parametrize(
    ("spread", "tolerance", "reason"),
    [(0.0, 8, "greyscale"), (8.0, 8, "greyscale"), (8.5, 8, ""), (8.5, 9, "greyscale")],
)
def test_grey_images_are_dropped(spread: float, tolerance: float, reason: str) -> None:
    fates = _fates([image_row(1, colour_spread=spread)], greyscale_tolerance=tolerance)
    assert fates == {"media-01": reason}


@pytest.mark.req("R-SCR-7")
def test_of_equal_files_the_earliest_stays_whatever_the_order_of_rows() -> None:
    rows = [_copy_of(5, 9), image_row(5), _copy_of(5, 7)]
    assert _fates(rows) == {
        "media-05": "",
        "media-07": "exact_duplicate",
        "media-09": "exact_duplicate",
    }


@pytest.mark.req("R-SCR-7")
def test_of_files_posted_at_the_same_time_the_lower_key_stays() -> None:
    rows = [_copy_of(1, 8, created_at="2025-01-01T00:00:01Z"), image_row(1)]
    assert _fates(rows) == {"media-01": "", "media-08": "exact_duplicate"}


@pytest.mark.req("R-SCR-7")
@pytest.mark.parametrize(
    ("bits", "radius", "reason"),
    [(0, 0, "near_duplicate"), (8, 8, "near_duplicate"), (9, 8, ""), (1, 0, "")],
)
def test_near_duplicates_are_those_within_the_radius(bits: int, radius: int, reason: str) -> None:
    rows = [image_row(1), image_row(2, perceptual_hash=look(1, bits))]
    assert _fates(rows, perceptual_radius=radius) == {"media-01": "", "media-02": reason}


@pytest.mark.req("R-SCR-7")
def test_a_chain_of_near_duplicates_keeps_only_its_earliest() -> None:
    rows = [image_row(number, perceptual_hash=look(1, 6 * number)) for number in (1, 2, 3)]
    assert _fates(rows) == {
        "media-01": "",
        "media-02": "near_duplicate",
        "media-03": "near_duplicate",
    }


@pytest.mark.parametrize(
    ("earlier", "classes_of_post", "reason"),
    [
        pytest.param(
            _copy_of(5, 1, colour_spread=0.0, sha256="grey"), {}, "greyscale", id="grey twin"
        ),
        pytest.param(_copy_of(5, 1), {"post-01": {"cat", "dog"}}, "multi_class", id="two classes"),
    ],
)
def test_an_earlier_copy_that_is_dropped_anyway_does_not_take_the_later_one_with_it(
    earlier: dict[str, Any], classes_of_post: dict[str, set[str]], reason: str
) -> None:
    fates = _fates([earlier, image_row(5)], classes_of_post=classes_of_post)
    assert fates == {"media-01": reason, "media-05": ""}


def test_two_images_are_not_joined_through_a_dropped_one_but_share_its_cluster() -> None:
    between = image_row(2, perceptual_hash=look(1, 8), colour_spread=0.0)
    rows = [image_row(1), between, image_row(3, perceptual_hash=look(1, 16))]
    cleaned = clean_class("cat", rows, {})
    assert [row["drop_reason"] for row in cleaned] == ["", "greyscale", ""]
    assert {row["cluster"] for row in cleaned} == {"sha-01"}


def test_dropped_images_have_a_cluster_too() -> None:
    rows = [image_row(4), _copy_of(4, 6), image_row(7, colour_spread=0.0)]
    assert [row["cluster"] for row in clean_class("cat", rows, {})] == [
        "sha-04",
        "sha-04",
        "sha-07",
    ]


def test_of_several_reasons_the_first_in_the_stated_order_counts() -> None:
    grey_copy_of_two_classes = _copy_of(1, 2, colour_spread=0.0)
    grey_copy = _copy_of(1, 3, colour_spread=0.0)
    same_bytes = _copy_of(1, 4)
    fates = _fates(
        [image_row(1), grey_copy_of_two_classes, grey_copy, same_bytes],
        classes_of_post={"post-02": {"cat", "dog"}},
    )
    assert list(fates.values()) == ["", "multi_class", "greyscale", "exact_duplicate"]


def test_an_empty_class_stays_empty() -> None:
    assert clean_class("cat", [], {}) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 12), st.booleans(), st.booleans()), max_size=30
    ),
    st.randoms(),
)
def test_every_row_comes_out_once_and_the_order_of_rows_changes_nothing(
    drawn: list[tuple[int, int, bool, bool]], shuffler: random.Random
) -> None:
    rows = [
        image_row(
            number,
            sha256=f"sha-{content}-{bits}",
            perceptual_hash=look(content, bits),
            colour_spread=0.0 if grey else 90.0,
        )
        for number, (content, bits, grey, _both) in enumerate(drawn)
    ]
    classes = {f"post-{n:02}": {"cat", "dog"} for n, (_c, _b, _g, both) in enumerate(drawn) if both}
    cleaned = clean_class("cat", rows, classes)
    assert [row["media_key"] for row in cleaned] == [row["media_key"] for row in rows]
    kept = [row for row in cleaned if row["kept"]]
    assert len({row["sha256"] for row in kept}) == len(kept)
    eligible = {
        row["cluster"] for row in cleaned if row["drop_reason"] not in {"multi_class", "greyscale"}
    }
    assert {row["cluster"] for row in kept} == eligible, "no look disappears altogether"
    shuffler.shuffle(rows)
    assert clean_class("cat", rows, classes) == cleaned
