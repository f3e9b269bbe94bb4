from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.feedback.answers import Answer, FeedbackForm
from reds_pipeline.feedback.events import events_of, latest_forms, said_tags
from reds_pipeline.feedback.typed_tags import typed_tags
from reds_pipeline_tests.feedback.makers import KNOWN, recommended


def answer(*own_tags: str) -> Answer:
    shown = recommended("cat", "golden retriever", "beach")
    return Answer("a" * 32, "2026-11-21T12:00:00Z", shown.suggestions, True, "centre", own_tags, "")


@pytest.mark.req("R-IMP-6")
@pytest.mark.parametrize(
    ("own", "form", "tags", "rejected"),
    [
        ((), FeedbackForm(("cat",), ("beach",)), [("cat", "accepted", 1)], ("beach",)),
        (
            ("Cat",),
            FeedbackForm(("cat",)),
            [("cat", "unprompted", 1)],
            (),
        ),
        (
            ("Sunset", "Flauschi"),
            FeedbackForm(("cat",), added=("Beach", "Zoo")),
            [
                *(("sunset", "unprompted", 0), ("Flauschi", "unprompted", 0)),
                *(("cat", "accepted", 1), ("beach", "accepted", 3), ("Zoo", "added", 0)),
            ],
            (),
        ),
        (
            ("Cat",),
            FeedbackForm(none_of_these=True),
            [("cat", "unprompted", 1)],
            ("golden retriever", "beach"),
        ),
        (
            (),
            FeedbackForm(added=("Beach",), none_of_these=True),
            [("beach", "added", 3)],
            ("cat", "golden retriever"),
        ),
    ],
    ids=["accepted and rejected", "named before", "all ways", "none, but mine", "none, but typed"],
)
def test_where_each_word_comes_from_is_told(
    own: tuple[str, ...],
    form: FeedbackForm,
    tags: list[tuple[str, str, int]],
    rejected: tuple[str, ...],
) -> None:
    said = said_tags(answer(*own), form, KNOWN)
    assert [(tag.tag, tag.how, tag.rank) for tag in said.tags] == tags
    assert said.rejected == rejected


@pytest.mark.req("R-IMP-6")
def test_an_event_holds_place_chance_model_and_version_of_what_was_shown() -> None:
    shown, accepted, rejected = events_of(
        answer(), FeedbackForm(("golden retriever",), ("cat",)), KNOWN
    )
    assert [each["tag"] for each in shown["suggestions"]] == ["cat", "golden retriever", "beach"]
    assert accepted == {
        "event": "accept",
        "tag": "golden retriever",
        "rank": 2,
        "probability": 0.4,
        "likelihood": "maybe",
        "model": "reds-tagger",
        "version": "3",
        "prompted": True,
    }
    assert (rejected["event"], rejected["tag"], rejected["rank"]) == ("reject", "cat", 1)


def test_a_tag_that_was_named_before_and_accepted_after_is_recorded_as_both() -> None:
    events = events_of(answer("Cat"), FeedbackForm(("cat",)), KNOWN)
    assert [(each["event"], each.get("prompted")) for each in events[1:]] == [
        ("unprompted", None),
        ("accept", False),
    ]


@given(own=st.text(max_size=80), added=st.text(max_size=80), none=st.booleans())
def test_no_text_that_a_model_does_not_know_gets_into_the_ledger(
    own: str, added: str, none: bool
) -> None:
    """What people type may name somebody, and the ledger never forgets."""
    form = FeedbackForm(added=typed_tags(added), none_of_these=none)
    events = events_of(answer(*typed_tags(own)), form, KNOWN)
    tags = {each["tag"] for each in events if "tag" in each}
    assert tags <= {*KNOWN, "other"}
    json.dumps(events)


def event(subject: str, form: str, name: str) -> dict[str, Any]:
    return {"subject": subject, "form": form, "event": name, "at": ""}


def test_of_each_answer_the_last_form_counts() -> None:
    events = [
        event("a", "1", "shown"),
        event("a", "1", "accept"),
        event("b", "2", "shown"),
        event("a", "3", "shown"),
        event("a", "3", "reject"),
    ]
    latest = latest_forms(events)
    assert [each["event"] for each in latest["a"]] == ["shown", "reject"]
    assert [each["event"] for each in latest["b"]] == ["shown"]
