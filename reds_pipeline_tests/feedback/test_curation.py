"""Which contributed photos are learnt from, and that none changes what posts make (R-IMP-6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from reds_pipeline.feedback.curation import (
    BEYOND_SHARE,
    TIES_GROUPS,
    WAITS_FOR_REVIEW,
    FeedbackRules,
    judge_contributed,
)
from reds_pipeline.feedback.labels import NO_CLASS, PERSON, SUGGESTED, UNPROMPTED
from reds_pipeline.imaging.cleaning import EXACT_DUPLICATE, NEAR_DUPLICATE, NO_DECISIONS
from reds_pipeline.imaging.curation import (
    LABELLED_OTHERWISE,
    OTHER_CLASS_DUPLICATE,
    REVIEWED_OUT,
)
from reds_pipeline.imaging.duplicates import CopyPairs
from reds_pipeline.review.decisions import DISCARD, KEEP, LABEL, Decision, DecisionBook
from reds_pipeline_tests.imaging.rows import image_row, look

Row = dict[str, Any]

pytestmark = pytest.mark.req("R-IMP-6")

UNREVIEWED = FeedbackRules(needs_review=False, share=0.9)
REVIEWED = FeedbackRules(needs_review=True, share=0.9)


def post(number: int, class_name: str = "cat", **changes: Any) -> Row:
    """Return a row of the data set, with what cleaning knows about it."""
    row = image_row(number)
    facts = {"group": row["sha256"], "decision": "", "kept": True, "drop_reason": ""}
    return row | {"class_name": class_name, "collected_as": class_name} | facts | changes


def photo(number: int, class_name: str = "cat", **changes: Any) -> Row:
    """Return a row of ``contributed_images``; numbers of posts are those below 30."""
    row: Row = {
        "contribution_id": f"given-{number:02}",
        "sha256": f"photo-{number:02}",
        "extension": "jpg",
        "class_name": class_name,
        "origin": UNPROMPTED,
        "created_at": f"2026-01-01T00:00:{number:02}Z",
        "width": 640,
        "height": 480,
        "flags": [],
        "kept": True,
        "drop_reason": "",
        "perceptual_hash": look(number),
        "mirrored_hash": look(number + 64),
    }
    return row | changes


def judge(
    photos: Sequence[Row],
    posts: Sequence[Row] = (),
    rules: FeedbackRules = UNREVIEWED,
    decisions: DecisionBook = NO_DECISIONS,
    similar: Sequence[Row] = (),
) -> list[Row]:
    others = [post(number, "cat" if number % 2 else "dog") for number in range(20, 30)]
    dataset = [*others, *posts]
    before = [dict(row) for row in dataset]
    rows = judge_contributed(
        photos,
        dataset,
        dataset,
        decisions,
        classes=("cat", "dog"),
        copies=CopyPairs(similar),
        rules=rules,
    )
    assert dataset == before, "no contribution changes what posts make"
    return rows


def reasons(rows: Sequence[Row]) -> list[str]:
    return [row["drop_reason"] for row in rows]


def decided(**decisions: Decision) -> DecisionBook:
    return DecisionBook({name.replace("_", "-"): one for name, one in decisions.items()}, str)


def test_an_ordinary_photo_is_learnt_from_in_a_group_of_its_own() -> None:
    [row] = judge([photo(31, origin=SUGGESTED)])
    assert (row["kept"], row["group"], row["class_name"]) == (True, "photo-31", "cat")
    assert (row["origin"], row["sample_weight"]) == (SUGGESTED, 0.5)


def test_a_photo_waits_until_an_operator_has_kept_it() -> None:
    photos = [photo(31), photo(32), photo(33)]
    book = decided(photo_32=Decision(KEEP, "cat"), photo_33=Decision(DISCARD))
    rows = judge(photos, rules=REVIEWED, decisions=book)
    assert reasons(rows) == [WAITS_FOR_REVIEW, "", REVIEWED_OUT]


def test_who_confirms_a_suggestion_has_seen_it() -> None:
    """The label stays a suggested one; only a label of the operator's own is a person's."""
    photos = [photo(31, origin=SUGGESTED), photo(32, origin=SUGGESTED)]
    book = decided(photo_31=Decision(KEEP, "cat"), photo_32=Decision(LABEL, "dog"))
    rows = judge(photos, rules=REVIEWED, decisions=book)
    assert [(row["class_name"], row["origin"]) for row in rows] == [
        ("cat", SUGGESTED),
        ("dog", PERSON),
    ]


def test_an_operator_may_say_what_no_tag_said() -> None:
    unnamed = photo(31, "", origin="", kept=False, drop_reason=NO_CLASS)
    [row] = judge([unnamed])
    assert row["drop_reason"] == NO_CLASS
    [row] = judge([unnamed], decisions=decided(photo_31=Decision(LABEL, "dog")))
    assert (row["kept"], row["class_name"], row["origin"]) == (True, "dog", PERSON)
    [row] = judge([unnamed], decisions=decided(photo_31=Decision(LABEL, "horse")))
    assert row["drop_reason"] == LABELLED_OTHERWISE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "sha-05"}, EXACT_DUPLICATE),
        ({"perceptual_hash": look(5, 3)}, NEAR_DUPLICATE),
        ({"perceptual_hash": look(5, 3), "width": 6400, "height": 4800}, NEAR_DUPLICATE),
    ],
    ids=["the same bytes", "nearly the same", "nearly the same and larger"],
)
def test_a_copy_of_a_posts_picture_goes_and_the_post_stays(
    changes: dict[str, Any], reason: str
) -> None:
    """However much better it is: it might be a test picture that somebody sends back."""
    [row] = judge([photo(31, **changes)], [post(5)])
    assert (row["drop_reason"], row["keeper"]) == (reason, "sha-05")


def test_a_crop_that_no_hash_finds_is_a_copy_as_well() -> None:
    pair = {
        "one": "photo-31",
        "other": "sha-05",
        "kind": "cropped",
        "is_copy": True,
        "alignment": 0.99,
    }
    [row] = judge([photo(31)], [post(5)], similar=[pair])
    assert row["drop_reason"] == "cropped_duplicate"


def test_a_copy_under_another_name_puts_nothing_in_doubt_but_itself() -> None:
    book = decided(photo_31=Decision(KEEP, "cat"))
    copy = photo(31, perceptual_hash=look(5))
    for decisions in (NO_DECISIONS, book):
        [row] = judge([copy], [post(5, "dog")], decisions=decisions)
        assert row["drop_reason"] == OTHER_CLASS_DUPLICATE


def test_a_copy_of_what_was_thrown_out_is_thrown_out() -> None:
    gone = post(5, kept=False, drop_reason=REVIEWED_OUT, decision="discard")
    [row] = judge([photo(31, perceptual_hash=look(5, 2))], [gone])
    assert row["drop_reason"] == REVIEWED_OUT


def test_a_copy_of_a_dropped_picture_joins_the_group_of_its_author() -> None:
    """Another picture of that author may be in the test."""
    dropped = post(5, kept=False, drop_reason="beyond_target", group="the author's group")
    [row] = judge([photo(31, perceptual_hash=look(5, 2))], [dropped])
    assert (row["kept"], row["group"]) == (True, "the author's group")


def test_what_ties_two_authors_together_is_safe_on_no_side() -> None:
    dropped = [
        post(5, kept=False, drop_reason="beyond_target", perceptual_hash=look(5, 0)),
        post(6, kept=False, drop_reason="beyond_target", perceptual_hash=look(5, 12)),
    ]
    [row] = judge([photo(31, perceptual_hash=look(5, 6))], dropped)
    assert row["drop_reason"] == TIES_GROUPS


def test_of_copies_among_photos_the_most_trusted_stays() -> None:
    photos = [
        photo(31, origin=SUGGESTED),
        photo(32, perceptual_hash=look(31, 2)),
        photo(33, perceptual_hash=look(31, 3)),
    ]
    rows = judge(photos)
    assert reasons(rows) == [NEAR_DUPLICATE, "", NEAR_DUPLICATE]
    assert {row["keeper"] for row in rows} == {"", "photo-32"}
    assert {row["group"] for row in rows} == {"photo-31"}


def test_copies_that_people_call_differently_teach_nothing() -> None:
    photos = [photo(31), photo(32, "dog", perceptual_hash=look(31, 2))]
    assert reasons(judge(photos)) == [OTHER_CLASS_DUPLICATE, OTHER_CLASS_DUPLICATE]
    book = decided(photo_32=Decision(KEEP, "dog"))
    assert reasons(judge(photos, decisions=book)) == [OTHER_CLASS_DUPLICATE, ""]


def test_the_same_file_given_twice_is_learnt_once() -> None:
    """Even after an operator has kept it: the decision is about both."""
    photos = [photo(31), photo(31, contribution_id="given-99")]
    book = decided(photo_31=Decision(KEEP, "cat"))
    for decisions in (NO_DECISIONS, book):
        assert reasons(judge(photos, decisions=decisions)) == ["", EXACT_DUPLICATE]


def test_a_class_takes_the_best_up_to_its_share() -> None:
    """Five pictures of posts and a share of 0.4 leave room for three."""
    photos = [
        photo(31, origin=SUGGESTED),
        photo(32, origin=SUGGESTED),
        photo(33),
        photo(34, origin=SUGGESTED),
        photo(35, "dog", origin=SUGGESTED),
    ]
    rules = FeedbackRules(needs_review=False, share=0.4)
    book = decided(photo_34=Decision(KEEP, "cat"))
    rows = judge(photos, rules=rules, decisions=book)
    assert reasons(rows) == ["", BEYOND_SHARE, "", "", ""]


def test_what_is_learnt_from_does_not_change_with_every_photo_that_comes_in() -> None:
    rules = FeedbackRules(needs_review=False, share=0.4)
    photos = [photo(number) for number in range(31, 40)]
    rows = judge(photos, rules=rules)
    assert [row["contribution_id"] for row in rows if row["kept"]] == [
        "given-31",
        "given-32",
        "given-33",
    ]


def test_a_class_that_is_not_selected_any_more_is_not_learnt() -> None:
    assert reasons(judge([photo(31, "horse")])) == [LABELLED_OTHERWISE]


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_not_learnt_from_any_more_keeps_the_group_of_its_copies(*, kept: bool) -> None:
    """An older model may have learnt it, and must not be tested with that author's pictures."""
    author = post(5, kept=kept, drop_reason="" if kept else "beyond_target", group="the author's")
    photos = [photo(31, perceptual_hash=look(5, 2)), photo(32)]
    rows = judge(
        photos, [author], decisions=decided(photo_31=Decision(DISCARD), photo_32=Decision(DISCARD))
    )
    assert reasons(rows) == [REVIEWED_OUT, REVIEWED_OUT]
    assert [row["group"] for row in rows] == ["the author's", "photo-32"]


def test_what_waits_ties_nothing_together() -> None:
    """Somebody's upload that nobody has looked at takes no other photo out of the training."""
    dropped = [
        post(5, kept=False, drop_reason="beyond_target", perceptual_hash=look(5, 0)),
        post(6, kept=False, drop_reason="beyond_target", perceptual_hash=look(5, 12)),
    ]
    photos = [
        photo(31, perceptual_hash=look(5, 6)),
        photo(32, perceptual_hash=look(5, 0)),
    ]
    rows = judge(photos, dropped, REVIEWED, decided(photo_32=Decision(KEEP, "cat")))
    assert reasons(rows) == [WAITS_FOR_REVIEW, ""]
