from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reds_pipeline.imaging.cleaning import CleaningRules, clean_class
from reds_pipeline.imaging.curation import curate, dataset_digest
from reds_pipeline.imaging.duplicates import CopyPairs, duplicate_groups
from reds_pipeline.imaging.picture_window import Keep
from reds_pipeline.review.decisions import Decision, DecisionBook
from reds_pipeline.storage.tables import CURATED, write_rows
from reds_pipeline_tests.imaging.rows import image_row, look


def _curated(
    rows_by_class: Mapping[str, list[dict[str, Any]]], per_class: int = 100, radius: int = 8
) -> list[dict[str, Any]]:
    cleaned = {name: clean_class(name, rows, {}) for name, rows in rows_by_class.items()}
    return curate(cleaned, per_class, CleaningRules(perceptual_radius=radius))


def _reviewed(
    rows_by_class: Mapping[str, list[dict[str, Any]]],
    decisions: Mapping[str, Decision],
    unconfirmed: Collection[str] = frozenset(),
    per_class: int = 100,
    similar: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    book = DecisionBook(decisions, str)
    cleaned = {
        name: clean_class(name, rows, {}, decisions=book) for name, rows in rows_by_class.items()
    }
    curated = curate(
        cleaned, per_class, unconfirmed_posts=unconfirmed, decisions=book, similar=similar
    )
    undecided = {name: clean_class(name, rows, {}) for name, rows in rows_by_class.items()}
    assert curated == curate(
        undecided, per_class, unconfirmed_posts=unconfirmed, decisions=book, similar=similar
    ), "a decision after cleaning gives the same as one before it"
    return curated


def _fates(curated: list[dict[str, Any]]) -> dict[str, str]:
    assert all(row["kept"] is (row["drop_reason"] == "") for row in curated)
    return {f"{row['class_name']} {row['sha256']}": row["drop_reason"] for row in curated}


def test_a_row_has_the_columns_of_the_data_set(tmp_path: Path) -> None:
    curated = _curated({"cat": [image_row(1)]})
    write_rows(tmp_path / "rows.parquet", curated, CURATED)
    assert set(curated[0]) == set(CURATED.names)
    assert curated == [
        {
            "media_key": "media-01",
            "sha256": "sha-01",
            "extension": "jpg",
            "class_name": "cat",
            "collected_as": "cat",
            "author_key": "author-01",
            "cluster": "sha-01",
            "group": "sha-01",
            "created_at": "2025-01-01T00:00:01Z",
            "width": 640,
            "height": 480,
            "flags": [],
            "decision": "",
            "keeper": "",
            "duplicate_kind": "",
            "duplicate_distance": None,
            "keeper_rule": "",
            "kept": True,
            "drop_reason": "",
        }
    ]


def test_every_cleaned_row_is_in_the_data_set_with_its_reason() -> None:
    rows = [
        image_row(1),
        image_row(2, colour_spread=0.0),
        image_row(3, perceptual_hash=look(1, 2)),
        image_row(4, sha256="sha-01", perceptual_hash=look(1)),
    ]
    assert [row["drop_reason"] for row in _curated({"cat": rows})] == [
        "",
        "greyscale",
        "near_duplicate",
        "exact_duplicate",
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
        "cat sha-01": "other_class_duplicate",
        "dog sha-02": "greyscale",
    }


@pytest.mark.req("R-SCR-10")
@pytest.mark.parametrize(("keep", "out"), [("newest", "sha-02"), ("oldest", "sha-09")])
def test_a_full_class_keeps_its_newest_or_its_oldest_pictures(keep: Keep, out: str) -> None:
    rows = {"cat": [image_row(4), image_row(2), image_row(9)], "dog": [image_row(30)]}
    cleaned = {name: clean_class(name, of_class, {}) for name, of_class in rows.items()}
    fates = _fates(curate(cleaned, 2, keep=keep))
    assert fates == dict.fromkeys(fates, "") | {f"cat {out}": "beyond_target"}


@pytest.mark.req("R-SCR-8", "R-SCR-10")
def test_what_a_person_put_into_a_class_has_at_most_half_its_places_once_it_is_old() -> None:
    rows = {"cat": [image_row(number) for number in range(1, 9)]}
    by_hand = {f"sha-0{number}": Decision("label", "cat") for number in (1, 4, 5, 6)}
    fates = _fates(_reviewed(rows, by_hand, per_class=4))
    assert [number for number in range(1, 9) if not fates[f"cat sha-0{number}"]] == [5, 6, 7, 8]


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
            [1, 1, 1, 1],
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
    """Each is near to the next, 1 to 3 to 4 to 2; a person chose those at the ends."""
    rows = {
        "cat": [image_row(1), image_row(3, perceptual_hash=look(1, 8))],
        "dog": [
            image_row(4, perceptual_hash=look(1, 16)),
            image_row(2, perceptual_hash=look(1, 24)),
        ],
        "car": [image_row(5)],
    }
    chosen = {"sha-01": Decision("keep", "cat"), "sha-02": Decision("keep", "dog")}
    curated = {row["sha256"]: row for row in _reviewed(rows, chosen)}
    assert [name for name, row in curated.items() if row["kept"]] == ["sha-01", "sha-02", "sha-05"]
    assert curated["sha-01"]["cluster"] == curated["sha-02"]["cluster"] == "sha-01"
    assert curated["sha-01"]["group"] == curated["sha-02"]["group"] != curated["sha-05"]["group"]


def _pair(one: int, other: int, kind: str, alignment: float = 0.9) -> dict[str, Any]:
    return {
        "one": f"sha-{one:02}",
        "other": f"sha-{other:02}",
        "similarity": 0.95,
        "alignment": alignment,
        "kind": kind,
        "is_copy": alignment >= 0.7,
        "checked_by": "test",
    }


@pytest.mark.req("R-SCR-7")
@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        pytest.param(_pair(1, 2, "cropped"), "cropped_duplicate", id="cropped"),
        pytest.param(_pair(1, 2, "mirrored"), "mirrored_duplicate", id="mirrored"),
        pytest.param(_pair(1, 2, "cropped", 0.5), "", id="compared, and no copy"),
        pytest.param(_pair(1, 7, "cropped"), "", id="the other one is not here any more"),
    ],
)
def test_what_alignment_found_is_a_duplicate(pair: dict[str, Any], reason: str) -> None:
    rows = {"cat": [image_row(1), image_row(2, width=320)]}
    first, second = curate({"cat": clean_class("cat", rows["cat"], {})}, 9, similar=[pair])
    assert (first["drop_reason"], second["drop_reason"]) == ("", reason)
    assert (first["cluster"] == second["cluster"]) is bool(reason)
    if reason:
        assert (second["keeper"], second["keeper_rule"]) == ("sha-01", "size")
    if reason == "cropped_duplicate":
        assert second["duplicate_distance"] == pytest.approx(0.1)


@pytest.mark.req("R-SCR-6")
def test_a_crop_in_another_class_puts_the_label_in_doubt() -> None:
    cleaned = {
        "cat": clean_class("cat", [image_row(1)], {}),
        "dog": clean_class("dog", [image_row(2)], {}),
    }
    curated = curate(cleaned, 9, similar=[_pair(1, 2, "cropped")])
    assert set(_fates(curated).values()) == {"other_class_duplicate"}


@pytest.mark.req("R-SCR-8")
@pytest.mark.parametrize(
    ("decision", "fates", "label"),
    [
        pytest.param(None, ["", "near_duplicate", ""], "cat", id="undecided"),
        pytest.param(
            Decision("discard"), ["reviewed_out", "reviewed_out", ""], "cat", id="and its copies"
        ),
        pytest.param(Decision("keep", "cat"), ["", "near_duplicate", ""], "cat", id="kept"),
        pytest.param(
            Decision("label", "dog"), ["", "other_class_duplicate", ""], "dog", id="moved"
        ),
        pytest.param(
            Decision("label", "horse"),
            ["labelled_otherwise", "other_class_duplicate", ""],
            "cat",
            id="of a class that is not selected",
        ),
    ],
)
def test_a_decision_holds_and_reaches_copies(
    decision: Decision | None, fates: list[str], label: str
) -> None:
    rows = {
        "cat": [image_row(1), image_row(2, perceptual_hash=look(1, 4)), image_row(3)],
        "dog": [],
    }
    curated = _reviewed(rows, {} if decision is None else {"sha-01": decision})
    by_name = {row["sha256"]: row for row in curated}
    assert [by_name[f"sha-0{number}"]["drop_reason"] for number in (1, 2, 3)] == fates
    decided = by_name["sha-01"]
    assert (decided["class_name"], decided["collected_as"]) == (label, "cat")
    assert decided["decision"] == ("" if decision is None else decision.verdict)


@pytest.mark.req("R-SCR-8")
@pytest.mark.parametrize(
    ("rows", "unconfirmed", "fate"),
    [
        pytest.param({"cat": [image_row(1, colour_spread=0.0)]}, set(), "", id="a quality gate"),
        pytest.param(
            {"cat": [image_row(1)], "dog": [image_row(2, perceptual_hash=look(1))]},
            set(),
            "",
            id="a copy in another class",
        ),
        pytest.param(
            {"cat": [image_row(1, width=9), image_row(2, perceptual_hash=look(1))]},
            set(),
            "",
            id="a larger copy",
        ),
        pytest.param({"cat": [image_row(1)]}, {"post-01"}, "not_confirmed", id="but not consent"),
    ],
)
def test_what_a_person_kept_stays_whatever_a_rule_says(
    rows: dict[str, list[dict[str, Any]]], unconfirmed: set[str], fate: str
) -> None:
    curated = _reviewed(rows, {"sha-01": Decision("keep", "cat")}, unconfirmed)
    assert _fates(curated)["cat sha-01"] == fate


def test_equal_files_stay_one_even_if_a_person_moved_them_together() -> None:
    rows = {"cat": [image_row(1)], "dog": [image_row(2, sha256="sha-01", perceptual_hash=look(1))]}
    curated = _reviewed(rows, {"sha-01": Decision("label", "dog")})
    assert [(row["class_name"], row["collected_as"], row["drop_reason"]) for row in curated] == [
        ("dog", "cat", ""),
        ("dog", "dog", "exact_duplicate"),
    ]


def test_a_copy_takes_the_place_of_a_better_one_whose_post_is_not_confirmed() -> None:
    rows = {"cat": [image_row(1), image_row(2, perceptual_hash=look(1, 3))]}
    assert _fates(_reviewed(rows, {}, {"post-01"})) == {
        "cat sha-01": "not_confirmed",
        "cat sha-02": "",
    }


def test_rows_of_older_tables_are_curated_too() -> None:
    """They have no mirrored hash and no flags."""
    old = clean_class("cat", [image_row(1), image_row(2)], {})
    missing = ("mirrored_hash", "scores", "flags", "keeper")
    for row in old:
        row.update(dict.fromkeys(missing))
    assert [row["kept"] for row in curate({"cat": old}, 9)] == [True, True]


_DRAWN_ROW = st.tuples(
    st.sampled_from(["cat", "dog"]),
    st.integers(0, 5),
    st.sampled_from([0, 3, 8, 16]),
    st.booleans(),
    st.integers(0, 4),
    st.sampled_from([None, None, None, "discard", "keep", "label"]),
)


@pytest.mark.req("R-SCR-7")
@pytest.mark.req("R-EXP-2")
@settings(max_examples=40)
@example(
    # Only through a grey picture between them the first and the last are near.
    [("cat", 1, bits, bits == 8, number, None) for number, bits in enumerate((0, 8, 16))],
    [],
    6,
    random.Random(0),
)
@given(
    st.lists(_DRAWN_ROW, max_size=24),
    st.lists(st.tuples(st.integers(0, 23), st.integers(0, 23), st.booleans()), max_size=6),
    st.integers(0, 6),
    st.randoms(),
)
def test_every_row_comes_out_once_and_no_copy_straddles_a_split(
    drawn: list[tuple[str, int, int, bool, int, str | None]],
    drawn_pairs: list[tuple[int, int, bool]],
    per_class: int,
    shuffler: random.Random,
) -> None:
    """Whatever is drawn, and in whatever order the rows come."""
    rows: dict[str, list[dict[str, Any]]] = {"cat": [], "dog": []}
    decisions: dict[str, Decision] = {}
    for number, (class_name, content, bits, grey, author, verdict) in enumerate(drawn):
        sha256 = f"sha-{content}-{bits}"
        rows[class_name].append(
            image_row(
                number,
                sha256=sha256,
                author_key=f"author-{author}",
                perceptual_hash=look(content, bits),
                mirrored_hash=look((content + 1) % 6, bits) if content % 2 else look(content + 64),
                colour_spread=0.0 if grey else 90.0,
                width=600 + 100 * (number % 2),
            )
        )
        if verdict is not None:
            label = {"discard": "", "keep": class_name, "label": "dog"}[verdict]
            decisions[sha256] = Decision(verdict, label)  # type: ignore[arg-type]
    names = sorted({row["sha256"] for of_class in rows.values() for row in of_class})
    pairs = [
        _pair(0, 0, "mirrored" if mirrored else "cropped")
        | {"one": names[one % len(names)], "other": names[other % len(names)]}
        for one, other, mirrored in drawn_pairs
        if names
    ]
    curated = _reviewed(rows, decisions, per_class=per_class, similar=pairs)

    given_rows = sorted((name, row["media_key"]) for name in rows for row in rows[name])
    assert sorted((row["collected_as"], row["media_key"]) for row in curated) == given_rows
    assert all(row["kept"] is (row["drop_reason"] == "") for row in curated)
    kept = [row for row in curated if row["kept"]]
    assert all(Counter(row["class_name"] for row in kept)[name] <= per_class for name in rows)
    assert max(Counter(row["sha256"] for row in kept).values(), default=0) <= 1
    # What a rule of its own or a person dropped stands between no two others.
    competing = [row for row in curated if row["drop_reason"] not in {"greyscale", "reviewed_out"}]
    by_key = {row["media_key"]: row for of_class in rows.values() for row in of_class}
    groups_of_copies = duplicate_groups(
        [by_key[row["media_key"]] for row in competing], 8, CopyPairs(pairs)
    ).all_kinds.tolist()
    stays = {True: Counter[int](), False: Counter[int]()}
    for row, copies in zip(competing, groups_of_copies, strict=True):
        stays[bool(row["decision"])][copies] += row["kept"]
    assert max(stays[False].values(), default=0) <= 1, "one of each group of copies"
    assert not +stays[True] & +stays[False], "none beside those that people chose"
    for column in ("cluster", "author_key", "sha256"):
        groups: dict[str, set[str]] = {}
        for row in curated:
            groups.setdefault(row[column], set()).add(row["group"])
        assert all(len(of_column) == 1 for of_column in groups.values())
    for row in curated:
        assert bool(row["keeper"]) is row["drop_reason"].endswith(
            ("exact_duplicate", "near_duplicate", "mirrored_duplicate", "cropped_duplicate")
        )
    for of_class in rows.values():
        shuffler.shuffle(of_class)
    shuffler.shuffle(pairs)
    assert _reviewed(rows, decisions, per_class=per_class, similar=pairs) == curated


def test_no_images_make_an_empty_data_set() -> None:
    assert _curated({"cat": [], "dog": []}) == []


def test_the_digest_depends_on_what_is_kept_and_on_nothing_else() -> None:
    rows = _curated({"cat": [image_row(1), image_row(2), image_row(3)]}, per_class=2)
    digest = dataset_digest(rows)
    assert len(digest) == 64
    assert dataset_digest(rows[::-1]) == digest
    assert dataset_digest(rows[1:]) == digest, "images beyond the target do not count"
    assert dataset_digest([{**row, "width": 1} for row in rows]) == digest
    for column in ("sha256", "class_name", "group"):
        assert dataset_digest([*rows[:-1], {**rows[-1], column: "other"}]) != digest
