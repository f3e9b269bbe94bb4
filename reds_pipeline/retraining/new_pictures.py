"""Which pictures came after what a model learnt, and on which of them it can be tested fairly.

What belongs here: choosing rows. What does not: running the model (``standing_model``).

A fair test (R-EXP-3) has pictures of which the model learnt nothing: not themselves, no copy, none
of their author's; that were not its own test, by which it was chosen; and whose label is the
author's own, because a label that a model suggested agrees with models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reds_pipeline.fediverse.posts import posted_at

UNKNOWN_CLASS = "a class that it does not know"
KNOWN_AUTHOR = "an author or a copy that it has seen"
DECIDED = "a label that a person decided"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class NewPictures:
    """What came later.

    Attributes:
        rows: Every new picture of a class that the model knows.
        fair: Of these, those that it can be tested on.
        left_out: How many new pictures are not fair, by why.
    """

    rows: tuple[Row, ...]
    fair: tuple[Row, ...]
    left_out: Mapping[str, int]


def new_pictures(
    curated: Sequence[Row],
    contributed: Sequence[Row],
    images: Iterable[Row],
    *,
    learnt: frozenset[str],
    tested: frozenset[str],
    classes: Iterable[str],
) -> NewPictures:
    """Choose the pictures that were posted and collected after all that a model has seen.

    Pictures that came later from further down a timeline are older than what it learnt, and say
    nothing about the present.

    Args:
        curated: All rows of ``curated_dataset``, kept or not.
        contributed: All rows of ``contributed_dataset``.
        images: Rows of the images of all classes.
        learnt: SHA-256 of what the model learnt from.
        tested: SHA-256 of its own test.
        classes: Those that it knows.
    """
    seen = learnt | tested
    about: dict[str, list[Row]] = {}
    for row in images:
        if row["sha256"]:
            about.setdefault(row["sha256"], []).append(row)
    of_seen = [about[sha256] for sha256 in seen if sha256 in about]
    # Somebody may post a picture again that was learnt long ago; its first time counts.
    collected = max((_first(shown, _collected_at) for shown in of_seen), default="")
    posted = max((_first(shown, posted_at) for shown in of_seen), default="")
    authors = {row["author_key"] for shown in of_seen for row in shown if row["author_key"]}
    groups = {row["group"] for row in (*curated, *contributed) if row["sha256"] in seen}
    known = set(classes)
    rows, fair, left_out = [], [], Counter[str]()
    for row in curated:
        shown = about.get(row["sha256"], [])
        if not row["kept"] or row["sha256"] in seen or not shown:
            continue
        if _first(shown, _collected_at) <= collected or _first(shown, posted_at) <= posted:
            continue
        if row["class_name"] not in known:
            left_out[UNKNOWN_CLASS] += 1
            continue
        rows.append(row)
        if row["group"] in groups or row["author_key"] in authors:
            left_out[KNOWN_AUTHOR] += 1
        elif row["decision"] or row["class_name"] != row["collected_as"]:
            left_out[DECIDED] += 1
        else:
            fair.append(row)
    return NewPictures(tuple(rows), tuple(fair), dict(left_out))


def _first(shown: Sequence[Row], moment: Callable[[Row], str]) -> str:
    return min(map(moment, shown))


def _collected_at(image: Row) -> str:
    return image["collected_at"] or ""
