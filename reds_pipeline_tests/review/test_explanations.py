"""The sentence that says why a picture is up for review."""

from __future__ import annotations

from typing import Any

import pytest

from reds_pipeline.imaging.quality import GATES
from reds_pipeline.review.explanations import why_reviewed


def suspect(reason: str, guess: str = "dog", probability: float | None = 0.93) -> dict[str, Any]:
    return {
        "reason": reason,
        "is_suspect": reason == "label",
        "guess": guess,
        "guess_probability": probability,
    }


def sentence_of(name: str) -> str:
    (sentence,) = (gate.sentence for gate in GATES if gate.name == name)
    return sentence


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, ""),
        ({"suspect": suspect("")}, ""),
        ({"suspect": suspect("label")}, "In cat, but looks like dog (93% sure)."),
        ({"suspect": suspect("label", probability=None)}, "In cat, but looks like dog."),
        # A person moved it to the class that was guessed.
        ({"suspect": suspect("label", guess="cat")}, ""),
        ({"suspect": suspect("near_class")}, "Between cat and dog."),
        ({"suspect": suspect("outlier")}, "Unlike the other pictures of cat."),
        ({"flags": ["dark", "blurry"]}, sentence_of("dark")),
        ({"flags": ["dark"], "suspect": suspect("")}, sentence_of("dark")),
        ({"drop_reason": "greyscale", "flags": ["greyscale"]}, sentence_of("greyscale")),
        ({"drop_reason": "near_duplicate"}, "A copy of another picture."),
        # A gate that came later than these words.
        ({"drop_reason": "watermark_heavy"}, "Found to be watermark heavy."),
        (
            {"drop_reason": "other_class_duplicate", "classes_of_copies": ["cat", "dog"]},
            "It and its copies are in cat and dog; say what it shows.",
        ),
        ({"drop_reason": "reviewed_out"}, "It looks like a picture that you discarded."),
        ({"drop_reason": "reviewed_out", "discarded": True}, "You discarded it."),
    ],
)
def test_a_person_reads_one_plain_sentence(facts: dict[str, Any], expected: str) -> None:
    ordinary: dict[str, Any] = {
        "class_name": "cat",
        "drop_reason": "",
        "flags": [],
        "classes_of_copies": ["cat"],
        "suspect": None,
    }
    assert why_reviewed(**{**ordinary, **facts}) == expected
