"""Which pictures of a class that has too many are learnt from: a window that moves with time.

What belongs here: the order in which the pictures of one class get its places (R-SCR-10), and how
old a picture counts as. What does not: every other reason to drop one (``curation.py``), and when
a picture that nothing needs any more leaves the disk (``housekeeping.old_pictures``).

The newest stay by default, or a class that is full would never learn anything new. Pictures that a
person put into the class keep their place twice as long, because that was work, but not for ever,
and they have at most half the places: a class of which every picture was reviewed moves too.
Pictures that are held out for the test have no precedence. They leave with the others, and new ones
take their place (``frozen_test.py``): a test that never aged would go on asking for what was posted
when the first model was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from reds_pipeline.fediverse.posts import posted_at

Keep = Literal["newest", "oldest"]

# How many times as long a picture that a person chose keeps its place.
_REACH = 2


@dataclass(frozen=True)
class Candidate:
    """A picture that a class could learn from.

    Attributes:
        recency: As ``recency`` gives it; no two are the same.
        chosen: Whether a person said that it shows the class.
    """

    recency: tuple[str, str]
    chosen: bool = False


def recency(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the key that sorts pictures from the oldest to the newest.

    Args:
        row: With ``created_at``, ``collected_at`` and ``media_key``.
    """
    return posted_at(row), row["media_key"]


def with_a_place(candidates: Sequence[Candidate], places: int, keep: Keep) -> set[int]:
    """Return the positions of the candidates that a class learns from.

    Args:
        candidates: Of one class, in any order.
        places: How many the class may keep.
        keep: Which ones; ``oldest`` goes by age alone and gives nobody precedence.
    """
    order = sorted(range(len(candidates)), key=lambda position: candidates[position].recency)
    if keep == "oldest":
        return set(order[:places])
    newest_first = order[::-1]
    reach = newest_first[: _REACH * places]
    chosen = (position for position in reach if candidates[position].chosen)
    taken = set(islice(chosen, places // 2))
    for position in newest_first:
        if len(taken) == places:
            break
        taken.add(position)
    return taken
