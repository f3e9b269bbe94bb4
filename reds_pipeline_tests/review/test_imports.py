"""Decisions that leave as files and come back."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.errors import RedsError
from reds_pipeline.review.csv_format import write_csv
from reds_pipeline.review.decisions import Decision, RecordedDecision
from reds_pipeline.review.gallery import GalleryPicture
from reds_pipeline.review.imported_decision import is_class_name
from reds_pipeline.review.imports import ImportedDecision, read_decision_file, read_decisions
from reds_pipeline.review.label_studio import (
    DISCARD_CHOICE,
    labelling_configuration,
    write_label_studio,
)

SHA = "ab" * 32


def picture(sha256: str = SHA, **changes: Any) -> GalleryPicture:
    facts: dict[str, Any] = {
        "sha256": sha256,
        "extension": "jpg",
        "class_name": "cat",
        "collected_as": "cat",
        "is_kept": True,
        "reason": "",
        "flags": (),
        "rank": 0,
        "is_suspect": True,
        "guess": "dog",
        "guess_probability": 0.93,
        "class_probability": 0.04,
        "is_outlier": False,
        "applied": "",
        "why": "In cat, but looks like dog.",
        "group": "",
        "is_keeper": False,
        "keeper_why": "",
        "author": 1,
        "width": 64,
        "height": 48,
        "bytes": 1000,
        "alt": "A cat",
        "posted": "2026-01-01",
        "is_blurred": False,
    }
    return GalleryPicture(**{**facts, **changes})


def recorded(decision: Decision, shown_as: str = "cat") -> RecordedDecision:
    return RecordedDecision(decision, shown_as, "2026-11-21T10:00:00.000Z", "person")


sha256s = st.integers(0, 2**256 - 1).map("{:064x}".format)
# What separates, quotes or disguises something in one of the forms, and what does not.
class_names = st.builds(
    "{}{}".format, st.characters(categories=["L", "Nd"]), st.text("aé ,;\"'=()<\\…", max_size=6)
).filter(is_class_name)
decisions = st.one_of(
    st.just(Decision("discard")),
    st.builds(Decision, st.just("keep"), class_names),
    st.builds(Decision, st.just("label"), class_names),
)


@pytest.mark.req("R-SCR-9")
@settings(max_examples=50)
@given(st.dictionaries(sha256s, st.tuples(decisions, class_names), max_size=4))
def test_csv_brings_back_what_it_took(decided: dict[str, tuple[Decision, str]]) -> None:
    text = write_csv(
        (sha256, recorded(decision, shown_as)) for sha256, (decision, shown_as) in decided.items()
    )
    assert read_decisions(text) == [
        ImportedDecision(sha256, decision) for sha256, (decision, _) in decided.items()
    ]


@settings(max_examples=50)
@given(st.dictionaries(sha256s, st.tuples(decisions, class_names), max_size=4))
def test_label_studio_brings_back_what_it_took(decided: dict[str, tuple[Decision, str]]) -> None:
    """Of keep and label it keeps the class; which of the two it was follows from that."""
    text = write_label_studio(
        [picture("f" * 64), *(picture(sha256) for sha256 in decided if sha256 != "f" * 64)],
        {sha256: recorded(decision, shown) for sha256, (decision, shown) in decided.items()},
    )
    returned = {each.sha256: each.decision for each in read_decisions(text)}
    assert {sha256: decision.label for sha256, decision in returned.items()} == {
        sha256: decision.label for sha256, (decision, _) in decided.items()
    }
    for sha256, decision in returned.items():
        original, shown_as = decided[sha256]
        assert (decision.verdict == "discard") == (original.verdict == "discard")
        assert (decision.verdict == "keep") == (decision.label == shown_as)


@given(st.one_of(st.text(), st.text().map(lambda text: f"sha256,verdict\n{text}")))
def test_any_text_is_either_decisions_or_a_sentence(text: str) -> None:
    try:
        found = read_decisions(text)
    except RedsError as error:
        assert str(error).endswith("nothing was changed.")
    else:
        assert all(isinstance(each, ImportedDecision) for each in found)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["data", "annotations", "sha256", "result", "type", "value", "choices", "from_name"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=50)
@given(st.lists(_json, max_size=3))
def test_any_json_is_either_decisions_or_a_sentence(tasks: list[Any]) -> None:
    try:
        read_decisions(json.dumps(tasks))
    except RedsError as error:
        assert str(error).endswith("nothing was changed.")


def test_a_file_from_a_spreadsheet_is_understood() -> None:
    """Spreadsheets write a mark in front, their own separator, and columns as people move them."""
    text = (
        f"\ufeffVerdict;note;SHA256;Label\r\ndiscard;ugly;{SHA.upper()};\r\n;later;{'c' * 64};\r\n"
    )
    assert read_decisions(text) == [ImportedDecision(SHA, Decision("discard"))]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "neither"),
        ("name,label\nx,cat\n", "neither"),
        (f"sha256,verdict\n{SHA},keep\nnonsense,keep\n", "line 3 does not name a picture"),
        (f"sha256,verdict\n{SHA},perhaps\n", "none of keep, discard, label"),
        (f"sha256,verdict,label\n{SHA},label,\n", "line 2 does not name a class"),
        (f"sha256,verdict,label\n{SHA},label,=1+1\n", "line 2 does not name a class"),
        ("[1, 2", "not JSON"),
        ('{"tasks": []}', "not a list of Label Studio tasks"),
        ('[{"image": "x.jpg", "label": "cat"}]', "not a list of Label Studio tasks"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(RedsError, match=complaint):
        read_decisions(text)


@pytest.mark.parametrize(
    "data", ["sha256,verdict".encode("utf-16"), gzip.compress(b"sha256", mtime=0)]
)
def test_a_file_that_is_not_text_in_utf_8_is_refused(data: bytes) -> None:
    with pytest.raises(RedsError, match="not text in UTF-8"):
        read_decision_file(data)


def exported_task(recorded_decision: RecordedDecision | None = None) -> dict[str, Any]:
    held = {SHA: recorded_decision} if recorded_decision else {}
    (task,) = json.loads(write_label_studio([picture()], held))
    return task


def test_a_guess_is_a_prediction_and_a_choice_an_annotation() -> None:
    task = exported_task(recorded(Decision("label", "flower")))
    (prediction,), (annotation,) = task["predictions"], task["annotations"]
    assert (prediction["score"], prediction["result"][0]["value"]) == (0.93, {"choices": ["dog"]})
    assert "origin" not in prediction["result"][0]
    assert annotation["result"][0]["value"] == {"choices": ["flower"]}
    assert annotation["result"][0]["origin"] == "manual"
    assert exported_task()["annotations"] == []


def test_an_address_lies_below_a_directory_that_label_studio_accepts_as_storage() -> None:
    """It refuses a storage that is its document root itself, so that one is the whole home."""
    assert exported_task()["data"]["image"] == (
        f"/data/local-files/?d=images/{SHA[:2]}/{SHA[2:4]}/{SHA}.jpg"
    )


def test_a_picture_that_no_model_judged_has_no_prediction() -> None:
    unjudged = picture(guess="", guess_probability=None, class_probability=None)
    (task,) = json.loads(write_label_studio([unjudged], {}))
    assert task["predictions"] == []


def test_choices_that_label_studio_calls_predictions_count_as_the_persons() -> None:
    """It leaves that origin on choices that a person changed (its issue 4046)."""
    task = exported_task(recorded(Decision("label", "flower")))
    task["annotations"][0]["result"][0]["origin"] = "prediction"
    assert read_decisions(json.dumps([task])) == [
        ImportedDecision(SHA, Decision("label", "flower"))
    ]


def test_the_latest_annotation_that_was_not_cancelled_counts() -> None:
    task = exported_task(recorded(Decision("label", "flower")))
    (first,) = task["annotations"]
    later = json.loads(json.dumps(first)) | {"created_at": "2026-11-22T10:00:00Z"}
    later["result"][0]["value"]["choices"] = [DISCARD_CHOICE]
    cancelled = first | {"created_at": "2026-11-23T10:00:00Z", "was_cancelled": True}
    task["annotations"] = [later, cancelled, first]
    assert read_decisions(json.dumps([task])) == [ImportedDecision(SHA, Decision("discard"))]
    task["annotations"] = [cancelled]
    assert read_decisions(json.dumps([task])) == []
    first["result"][0]["value"]["choices"] = ["cat", "dog"]
    task["annotations"] = [first]
    with pytest.raises(RedsError, match="task 1 has more than one choice"):
        read_decisions(json.dumps([task]))


def test_the_labelling_configuration_offers_every_class_and_discarding() -> None:
    configuration = labelling_configuration(["cat", 'a "dog"'])
    assert configuration.count("<Choice ") == 3
    assert "<Choice value='a \"dog\"'/>" in configuration
    assert DISCARD_CHOICE in configuration


def test_an_export_says_nothing_of_who_posted_or_where() -> None:
    text = write_label_studio([picture(author=17)], {SHA: recorded(Decision("discard"))})
    assert "author" not in text
    assert "http" not in text
