"""What the review gallery shows, from the tables."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.errors import RedsError
from reds_pipeline.review.gallery import Gallery, join_gallery, load_gallery, without_addresses
from reds_pipeline.storage.home import Home
from reds_pipeline_tests.imaging.rows import image_row
from reds_pipeline_tests.web.gallery_home import (
    CLASSES,
    GREY,
    LARGER_COPY,
    MIRRORED,
    OF_TWO_CLASSES,
    SENSITIVE,
    SMALLER_COPY,
    SUSPECT,
    make_gallery_home,
)

Row = dict[str, Any]
DUPLICATE_COLUMNS = ("keeper", "duplicate_kind", "duplicate_distance", "keeper_rule")


def clean_row(number: int, class_name: str = "cat", **changes: Any) -> Row:
    row = image_row(number, class_name=class_name, kept=True, drop_reason="", flags=[])
    row |= {"cluster": row["sha256"], **dict.fromkeys(DUPLICATE_COLUMNS)}
    return row | changes


def curated_row(clean: Row, **changes: Any) -> Row:
    return clean | {"collected_as": clean["class_name"], "decision": ""} | changes


def suspect_row(sha256: str, class_name: str = "cat", **changes: Any) -> Row:
    return {
        "sha256": sha256,
        "class_name": class_name,
        "class_probability": 0.1,
        "guess": "dog",
        "guess_probability": 0.8,
        "label_quality": 0.1,
        "is_suspect": True,
        "outlier_score": 0.1,
        "is_outlier": False,
        "reason": "label",
        "review_rank": 0,
        **changes,
    }


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    return load_gallery(make_gallery_home(tmp_path_factory.mktemp("gallery")))


def test_pictures_stand_in_an_order_that_decisions_do_not_change(gallery: Gallery) -> None:
    """People call them by their number."""
    assert gallery.classes == CLASSES
    assert [picture.collected_as for picture in gallery.pictures] == sorted(
        picture.collected_as for picture in gallery.pictures
    )
    numbers = [picture.alt for picture in gallery.pictures if picture.collected_as == "dog"]
    assert numbers[:2] == ["A dog, drawn, number 0", "A dog, drawn, number 1"]


def test_what_is_known_of_a_picture_comes_together(gallery: Gallery) -> None:
    cats = [picture for picture in gallery.pictures if picture.collected_as == "cat"]
    suspect, grey, sensitive = cats[SUSPECT], cats[GREY], cats[SENSITIVE]
    assert (suspect.rank, suspect.is_suspect, suspect.guess, suspect.guess_probability) == (
        *(0, True),
        *("dog", 0.93),
    )
    assert suspect.why == "In cat, but looks like dog (93% sure)."
    assert (grey.is_kept, grey.reason, grey.flags) == (False, "greyscale", ("greyscale",))
    assert [picture.is_blurred for picture in (suspect, sensitive)] == [False, True]


def test_duplicates_stand_together_with_the_one_that_should_stay(gallery: Gallery) -> None:
    cats = [picture for picture in gallery.pictures if picture.collected_as == "cat"]
    larger, smaller = cats[LARGER_COPY], cats[SMALLER_COPY]
    assert larger.group == smaller.group != ""
    assert (larger.is_keeper, larger.keeper_why) == (True, "larger")
    assert (smaller.is_keeper, smaller.keeper_why) == (False, "")
    # The verdict on a mirrored copy comes from the table of all classes.
    assert cats[MIRRORED].reason == "mirrored_duplicate"
    assert cats[SUSPECT].group == ""


@pytest.mark.req("R-SCR-6")
def test_a_content_of_two_classes_is_one_picture_with_the_question(gallery: Gallery) -> None:
    cats = [picture for picture in gallery.pictures if picture.collected_as == "cat"]
    dogs = [picture for picture in gallery.pictures if picture.collected_as == "dog"]
    assert cats[OF_TWO_CLASSES].why == "It and its copies are in cat and dog; say what it shows."
    assert cats[OF_TWO_CLASSES].sha256 not in {picture.sha256 for picture in dogs}


def test_nothing_shown_says_who_posted_or_where(gallery: Gallery) -> None:
    shown = repr([dataclasses.asdict(picture) for picture in gallery.pictures])
    for private in ("author-key", "post-cat", "media-cat", "pix.example", "http"):
        assert private not in shown


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("Tom by @ada@pix.example", "Tom by …"),
        ("photo: @ada, with care", "photo: …, with care"),
        ("see https://pix.example/p/ada/1 for more", "see … for more"),
        ("write to ada@pix.example", "write to …"),
        ("a cat @ home", "a cat @ home"),
    ],
)
def test_descriptions_lose_addresses_of_people(description: str, shown: str) -> None:
    assert without_addresses(description) == shown


@pytest.mark.parametrize(
    ("changes", "applied"),
    [
        ({}, ""),
        ({"decision": "keep"}, "cat"),
        ({"decision": "label", "class_name": "dog"}, "dog"),
        ({"decision": "discard", "kept": False, "drop_reason": "reviewed_out"}, "-"),
        ({"decision": "label", "kept": False, "drop_reason": "labelled_otherwise"}, "?"),
        # An older version knew of no decisions.
        ({"decision": None}, ""),
    ],
)
def test_what_the_data_set_was_told_by_people(changes: Row, applied: str) -> None:
    """So that the page can say which decisions it does not follow yet."""
    clean = clean_row(1)
    (picture,) = join_gallery([clean], [curated_row(clean, **changes)], []).pictures
    assert picture.applied == applied


@pytest.mark.req("R-SCR-6")
def test_a_copy_of_a_picture_that_was_moved_is_asked_about_with_both_classes() -> None:
    moved, left = clean_row(1), clean_row(2)
    left["cluster"] = moved["cluster"]
    curated = [
        curated_row(moved, class_name="dog", decision="label"),
        curated_row(left, kept=False, drop_reason="other_class_duplicate"),
    ]
    pictures = join_gallery([moved, left], curated, []).by_sha256
    assert pictures[left["sha256"]].why == (
        "It and its copies are in cat and dog; say what it shows."
    )


def test_several_posts_of_one_content_are_one_picture() -> None:
    kept = clean_row(2)
    repeated = clean_row(1, sha256=kept["sha256"], kept=False, drop_reason="exact_duplicate")
    (picture,) = join_gallery([repeated, kept], [], []).pictures
    assert (picture.is_kept, picture.group) == (True, "")


@given(
    st.lists(
        st.tuples(*(st.sampled_from(names) for names in (("x", "y", "z"), ("cat", "dog"), "123"))),
        unique_by=lambda each: each[:2],
    ),
    st.randoms(),
)
def test_each_content_is_shown_once_and_no_group_is_alone(
    posts: list[tuple[str, str, str]], chance: Random
) -> None:
    rows = [
        clean_row(number, class_name, sha256=sha256, cluster=cluster, keeper=chance.choice("xyz"))
        for number, (sha256, class_name, cluster) in enumerate(posts)
    ]
    gallery = join_gallery(rows, [], [])
    assert sorted(each.sha256 for each in gallery.pictures) == sorted({post[0] for post in posts})
    sizes = Counter(picture.group for picture in gallery.pictures if picture.group)
    assert 1 not in sizes.values()
    assert all(picture.group for picture in gallery.pictures if picture.is_keeper)
    chance.shuffle(rows)
    assert join_gallery(rows, [], []) == gallery


def test_without_a_data_set_the_verdicts_of_cleaning_stand() -> None:
    rows = [clean_row(1), clean_row(2, "dog", kept=False, drop_reason="greyscale")]
    gallery = join_gallery(rows, [], [])
    assert gallery.classes == ("cat", "dog")
    assert [picture.reason for picture in gallery.pictures] == ["", "greyscale"]


def test_classes_that_are_not_selected_any_more_are_not_shown() -> None:
    cat, dog = clean_row(1), clean_row(2, "dog")
    gallery = join_gallery([cat, dog], [curated_row(cat)], [])
    assert gallery.classes == ("cat",)
    assert [picture.sha256 for picture in gallery.pictures] == [cat["sha256"]]


def test_a_picture_that_was_moved_keeps_its_place_and_is_judged_in_its_new_class() -> None:
    cat, dog = clean_row(1), clean_row(2, "dog")
    curated = [curated_row(cat, class_name="dog", decision="label"), curated_row(dog)]
    suspects = [
        suspect_row(cat["sha256"], "cat", review_rank=5),
        suspect_row(cat["sha256"], "dog", guess="dog", is_suspect=False, reason=""),
    ]
    first = join_gallery([cat, dog], curated, suspects).pictures[0]
    assert (first.collected_as, first.class_name, first.rank) == ("cat", "dog", 0)
    assert (first.guess, first.guess_probability) == ("", None)


def test_tables_of_an_older_version_are_understood() -> None:
    """They name no media, no class of collection, and have rows of kept pictures only."""
    cat = clean_row(1, cluster=None)
    grey = clean_row(2, kept=False, drop_reason="greyscale", flags=None)
    verdict = curated_row(cat, kept=False, drop_reason="beyond_target")
    verdict |= {"collected_as": None, "media_key": None, "keeper": None}
    pictures = join_gallery([cat, grey], [verdict], []).pictures
    assert [picture.reason for picture in pictures] == ["beyond_target", "greyscale"]


def test_a_picture_that_was_withdrawn_is_not_shown() -> None:
    emptied = clean_row(1, sha256="", extension="", author_key="", created_at="")
    assert join_gallery([emptied], [], []).pictures == ()


def test_a_home_without_tables_has_an_empty_gallery(tmp_path: Path) -> None:
    gallery = load_gallery(Home(tmp_path))
    assert (gallery.classes, gallery.pictures) == ((), ())


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    path = home.table("curated_dataset")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a table")
    with pytest.raises(RedsError, match="curated_dataset"):
        load_gallery(home)
