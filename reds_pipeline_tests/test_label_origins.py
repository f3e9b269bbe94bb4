from __future__ import annotations

from typing import Any

import pytest

from reds_pipeline.label_origins import (
    AUTHOR,
    IN_WORDS,
    PERSON,
    SUGGESTED,
    UNPROMPTED,
    contributed_origin,
    label_origins,
)

GUESSES = {"a": "dog", "b": "cat"}


def row(sha256: str, class_name: str, decision: str) -> dict[str, Any]:
    return {"sha256": sha256, "class_name": class_name, "decision": decision}


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        (row("a", "cat", ""), AUTHOR),
        (row("a", "dog", ""), AUTHOR),
        (row("a", "cat", "keep"), PERSON),
        (row("b", "cat", "keep"), PERSON),
        (row("a", "dog", "label"), SUGGESTED),
        (row("b", "dog", "label"), PERSON),
        (row("unseen", "dog", "label"), PERSON),
    ],
    ids=[
        "nobody looked",
        "nobody looked, and a model agrees",
        "a person confirmed what a model doubts",
        "a person confirmed the author's label, which a model guesses too",
        "a person moved it to where a model saw it",
        "a person moved it elsewhere",
        "a person moved it, no model has seen it",
    ],
)
def test_where_a_label_comes_from(given: dict[str, Any], origin: str) -> None:
    origins = label_origins([given], GUESSES)
    assert {name: count for name, count in origins.counts.items() if count} == {origin: 1}


def test_shares_and_other_origins() -> None:
    rows = [row("a", "dog", "label"), row("b", "cat", ""), row("c", "cat", ""), row("d", "x", "")]
    origins = label_origins(rows, GUESSES)
    assert (origins.labels, origins.share(SUGGESTED), origins.share(PERSON)) == (4, 0.25, 0.0)
    fed_back = label_origins(
        rows, GUESSES, also=lambda each: SUGGESTED if each["sha256"] == "c" else None
    )
    assert fed_back.share(SUGGESTED) == 0.5
    assert label_origins([], {}).share(SUGGESTED) == 0.0
    assert set(origins.counts) == set(IN_WORDS)


@pytest.mark.req("R-IMP-6")
def test_a_contributed_photo_says_itself_where_its_label_comes_from() -> None:
    """Even one that an operator kept: what was suggested stays suggested."""
    rows = [
        row("a", "cat", ""),
        row("b", "cat", "") | {"origin": UNPROMPTED},
        row("c", "cat", "keep") | {"origin": SUGGESTED},
        row("d", "cat", "label") | {"origin": PERSON},
    ]
    origins = label_origins(rows, GUESSES, also=contributed_origin)
    assert dict(origins.counts) == dict.fromkeys((AUTHOR, PERSON, UNPROMPTED, SUGGESTED), 1)
