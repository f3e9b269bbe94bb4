"""Which of two pictures that show the same is kept, and why.

What belongs here: the total order among duplicates and the name of what decided. What does not:
finding duplicates (``duplicates.py``) and dropping them (``cleaning.py``, ``curation.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PERSON = "person"
SIZE = "size"
AGE = "age"
ALT_TEXT = "alt_text"
NAME = "name"

Rank = tuple[bool, int, str, bool, str]
"""What is compared, one entry a rule, less is better."""


def rank(row: Mapping[str, Any], chosen: bool) -> Rank:
    """Return the key by which the picture to keep comes first.

    One that a person chose, then the one of most pixels, then the oldest, then one whose author
    described it, then the smaller name: no two rows are equally good, so the order of rows
    changes nothing. R-SCR-7 keeps the earliest; issue 4 puts the size before it, because the
    earliest copy is often a thumbnail of what was posted in full later. Equal files have one
    size, so of them the earliest stays as before.

    Args:
        row: With ``width``, ``height``, ``created_at``, ``alt_text`` and ``media_key``.
        chosen: Whether a person decided that the picture is to be learnt from.
    """
    return (
        not chosen,
        -(row["width"] or 0) * (row["height"] or 0),
        row["created_at"] or "",
        not row["alt_text"],
        row["media_key"],
    )


def deciding_rule(kept: Rank, removed: Rank) -> str:
    """Return the first rule by which one picture comes before another.

    Args:
        kept: ``rank`` of the better one.
        removed: ``rank`` of the other.

    Returns:
        ``person``, ``size``, ``age``, ``alt_text`` or ``name``.
    """
    rules = (PERSON, SIZE, AGE, ALT_TEXT, NAME)
    pairs = zip(rules, kept, removed, strict=True)
    return next(rule for rule, one, other in pairs if rule == NAME or one != other)
