from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.imaging.cleaning import CleaningRules, clean_class
from reds_pipeline.review.decisions import Decision, DecisionBook
from reds_pipeline.storage.tables import CLEAN_IMAGES, write_rows
from reds_pipeline_tests.imaging.rows import image_row, look


def _fates(rows: list[dict[str, Any]], **options: Any) -> dict[str, str]:
    cleaned = clean_class("cat", rows, options.pop("classes_of_post", {}), CleaningRules(**options))
    assert all(row["kept"] is (row["drop_reason"] == "") for row in cleaned)
    return {row["media_key"]: row["drop_reason"] for row in cleaned}


def _copy_of(original: int, number: int, **changes: Any) -> dict[str, Any]:
    """Return a younger or older image with the same bytes."""
    copy = {"sha256": f"sha-{original:02}", "perceptual_hash": look(original)}
    return image_row(number, **{**copy, **changes})


def test_ordinary_images_stay_with_all_their_columns(tmp_path: Path) -> None:
    row = image_row(3)
    assert clean_class("cat", [row], {}) == [
        {
            **row,
            "class_name": "cat",
            "kept": True,
            "drop_reason": "",
            "cluster": "sha-03",
            "flags": [],
            "keeper": "",
            "duplicate_kind": "",
            "duplicate_distance": None,
            "keeper_rule": "",
        }
    ]
    write_rows(tmp_path / "rows.parquet", clean_class("cat", [row], {}), CLEAN_IMAGES)


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
    ("options", "reason"),
    [
        pytest.param({}, "greyscale", id="as usual"),
        pytest.param({"dropping_gates": frozenset({"tiny"})}, "tiny", id="another gate drops"),
        pytest.param({"dropping_gates": frozenset()}, "", id="gates only flag"),
        pytest.param({"gate_thresholds": {"greyscale": -1.0, "tiny": 1}}, "", id="thresholds"),
    ],
)
def test_the_first_quality_gate_that_drops_gives_the_reason_and_all_that_hit_are_flagged(
    options: dict[str, Any], reason: str
) -> None:
    row = image_row(1, colour_spread=0.0, width=64, height=64)
    (cleaned,) = clean_class("cat", [row], {}, CleaningRules(**options))
    assert cleaned["drop_reason"] == reason
    assert cleaned["flags"] == ([] if "gate_thresholds" in options else ["greyscale", "tiny"])


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
@pytest.mark.parametrize(
    ("hashes", "reason"),
    [
        pytest.param((look(9, 8), look(9)), "mirrored_duplicate", id="its mirrored hash is near"),
        pytest.param((look(9, 9), look(9)), "", id="its mirrored hash is not near"),
        pytest.param((look(8), None), "", id="nothing is known of its mirror image"),
    ],
)
def test_a_picture_that_looks_like_the_mirror_image_of_another_is_a_duplicate(
    hashes: tuple[str, str | None], reason: str
) -> None:
    rows = [
        image_row(1, mirrored_hash=look(9)),
        image_row(2, perceptual_hash=hashes[0], mirrored_hash=hashes[1]),
    ]
    if hashes[1] is not None:
        rows[1]["mirrored_hash"] = look(7)
    assert _fates(rows) == {"media-01": "", "media-02": reason}


def test_pictures_whose_mirror_images_alone_look_alike_are_not_joined() -> None:
    rows = [image_row(1, mirrored_hash=look(9)), image_row(2, mirrored_hash=look(9))]
    assert _fates(rows) == {"media-01": "", "media-02": ""}


@pytest.mark.req("R-SCR-7")
def test_a_removed_picture_names_what_stayed_how_alike_they_are_and_what_decided() -> None:
    rows = [
        image_row(1),
        image_row(2, perceptual_hash=look(1, 5), width=1280, height=960),
        _copy_of(1, 3),
    ]
    by_key = {row["media_key"]: row for row in clean_class("cat", rows, {})}
    told = ("drop_reason", "keeper", "duplicate_kind", "duplicate_distance", "keeper_rule")
    assert [by_key["media-01"][column] for column in told] == [
        "near_duplicate",
        "sha-02",
        "perceptual",
        5.0,
        "size",
    ]
    assert by_key["media-02"]["kept"]
    assert [by_key["media-03"][column] for column in told] == [
        "exact_duplicate",
        "sha-01",
        "exact",
        0.0,
        "age",
    ]


@pytest.mark.parametrize(
    ("decision", "fates"),
    [
        pytest.param(None, ["", "near_duplicate", "exact_duplicate"], id="undecided"),
        pytest.param(
            Decision("keep", "cat"), ["near_duplicate", "", "exact_duplicate"], id="kept here"
        ),
        pytest.param(Decision("label", "dog"), ["", "", ""], id="it is something else"),
        pytest.param(Decision("discard"), ["", "", ""], id="discarded"),
    ],
)
def test_what_a_person_decided_comes_before_size_and_age(
    decision: Decision | None, fates: list[str]
) -> None:
    """Discarded and relabelled pictures wait for curation and push nothing out meanwhile."""
    copy = {"sha256": "small", "perceptual_hash": look(1, 3), "width": 320, "height": 240}
    rows = [image_row(1), image_row(2, **copy), image_row(3, **copy)]
    book = DecisionBook({} if decision is None else {"small": decision}, str)
    cleaned = clean_class("cat", rows, {}, decisions=book)
    assert [row["drop_reason"] for row in cleaned] == fates


def test_a_person_overrules_gates_and_the_rule_of_one_class() -> None:
    rows = [image_row(1, colour_spread=0.0), image_row(2)]
    both = {"post-02": {"cat", "dog"}}
    keep = DecisionBook({row["sha256"]: Decision("keep", "cat") for row in rows}, str)
    assert [row["drop_reason"] for row in clean_class("cat", rows, both)] == [
        "greyscale",
        "multi_class",
    ]
    assert all(row["kept"] for row in clean_class("cat", rows, both, decisions=keep))


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
