from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.imaging.duplicates import CopyPairs, duplicate_groups, find_duplicates
from reds_pipeline_tests.imaging.rows import image_row, look


def _grouped(rows: list[dict[str, Any]], kind: str, copies: CopyPairs | None = None) -> list[int]:
    """Return the group of each row, named by the first row of it."""
    labels = duplicate_groups(rows, 8, copies or CopyPairs()).by_kind[kind].tolist()
    return [labels.index(label) for label in labels]


@pytest.mark.req("R-SCR-7")
@pytest.mark.parametrize(
    ("bits", "groups"),
    [
        pytest.param((0, 8), [0, 0], id="at the radius"),
        pytest.param((0, 9), [0, 1], id="beyond it"),
        pytest.param((0, 16, 8), [0, 0, 0], id="the ends of a chain"),
    ],
)
def test_hashes_within_the_radius_join(bits: tuple[int, ...], groups: list[int]) -> None:
    rows = [image_row(number, perceptual_hash=look(1, of)) for number, of in enumerate(bits)]
    assert _grouped(rows, "perceptual") == groups
    assert _grouped(rows, "exact") == list(range(len(rows)))


@pytest.mark.parametrize(
    ("sha256s", "groups"),
    [pytest.param(("a", "a"), [0, 0], id="equal"), pytest.param(("a", "b"), [0, 1], id="others")],
)
def test_without_hashes_only_equal_files_join(sha256s: tuple[str, str], groups: list[int]) -> None:
    rows = [
        image_row(number, sha256=sha256, perceptual_hash="", mirrored_hash=None)
        for number, sha256 in enumerate(sha256s)
    ]
    assert _grouped(rows, "exact") == _grouped(rows, "cropped") == groups


@pytest.mark.req("R-SCR-7")
def test_each_kind_joins_what_the_kind_before_leaves_apart() -> None:
    rows = [
        image_row(0),
        image_row(1, sha256="sha-00", perceptual_hash=look(0), mirrored_hash=look(64)),
        image_row(2, perceptual_hash=look(0, 3)),
        image_row(3, perceptual_hash=look(64)),
        image_row(4),
        image_row(5),
    ]
    copy = {"one": "sha-03", "other": "sha-04", "alignment": 0.9, "is_copy": True}
    copies = CopyPairs([copy | {"kind": "cropped"}])
    assert _grouped(rows, "exact", copies) == [0, 0, 2, 3, 4, 5]
    assert _grouped(rows, "perceptual", copies) == [0, 0, 0, 3, 4, 5]
    assert _grouped(rows, "mirrored", copies) == [0, 0, 0, 0, 4, 5]
    assert _grouped(rows, "cropped", copies) == [0, 0, 0, 0, 0, 5]
    assert [found and found.kind for found in find_duplicates(rows, 8, copies)] == [
        None,
        "exact",
        "perceptual",
        "mirrored",
        "cropped",
        None,
    ]


def test_a_symmetric_picture_is_no_duplicate_of_itself() -> None:
    rows = [image_row(1, mirrored_hash=look(1)), image_row(2)]
    assert find_duplicates(rows, 8) == [None, None]


def test_all_that_a_person_chose_stay_and_the_best_of_them_is_the_keeper_of_the_rest() -> None:
    rows = [image_row(number, perceptual_hash=look(1, number)) for number in range(4)]
    found = find_duplicates(rows, 8, chosen=lambda row: row["sha256"] in {"sha-02", "sha-03"})
    assert [duplicate and (duplicate.keeper, duplicate.rule) for duplicate in found] == [
        ("sha-02", "person"),
        ("sha-02", "person"),
        None,
        None,
    ]
    assert [duplicate and duplicate.distance for duplicate in found[:2]] == [2.0, 1.0]


def test_pictures_joined_only_through_others_have_no_distance_of_their_own() -> None:
    pairs = [("sha-00", "sha-01"), ("sha-01", "sha-02")]
    copies = CopyPairs(
        {"one": one, "other": other, "alignment": 0.8, "is_copy": True, "kind": "cropped"}
        for one, other in pairs
    )
    found = find_duplicates([image_row(number) for number in range(3)], 8, copies)
    assert [duplicate and duplicate.distance for duplicate in found] == [
        None,
        pytest.approx(0.2),
        None,
    ]
    assert found[2] is not None


@given(st.lists(st.tuples(st.integers(0, 1023), st.integers(0, 1023)), max_size=20))
def test_hash_groups_are_those_of_comparing_all_with_all(drawn: list[tuple[int, int]]) -> None:
    rows = [
        image_row(number, perceptual_hash=f"{own:016x}", mirrored_hash=f"{mirrored << 32:016x}")
        for number, (own, mirrored) in enumerate(drawn)
    ]
    groups = duplicate_groups(rows, 2)
    near, flipped = groups.by_kind["perceptual"], groups.by_kind["mirrored"]
    for one, (own, _) in enumerate(drawn):
        for other, (other_own, mirrored) in enumerate(drawn):
            if (own ^ other_own).bit_count() <= 2:
                assert near[one] == near[other]
            if one != other and (own ^ (mirrored << 32)).bit_count() <= 2:
                assert flipped[one] == flipped[other]
    assert len(set(near.tolist())) >= len(set(flipped.tolist()))
