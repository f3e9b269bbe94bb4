"""How much of a class one author may be.

What belongs here: which pictures of an author are too many. What does not: every other reason to
drop one (``curation.py``), and keeping an author on one side of a split.

Somebody who posts a hundred pictures under one hashtag on one day, out of enthusiasm or in order to
do harm, would otherwise decide what the hashtag means, the more so as the newest pictures stay. So
no author is more than a fifth of what a class keeps, except that five pictures are never too many.
What is too much itself is not counted, or two who post a hundred each would make room for each
other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

LEAST = 5
"""So many pictures of an author are never too many."""

_AUTHORS = 5


def beyond_share(authors: Sequence[str], places: int) -> set[int]:
    """Return the positions of the pictures that are too many of one author.

    Args:
        authors: Keyed hash of the author of each picture of one class, in the order in which
            pictures are preferred; "" where it is not known, and those are never too many.
        places: How many pictures the class may keep; a flood of new ones would otherwise get
            them all, however many older ones there are.
    """
    limit = min(_limit(authors), max(LEAST, places // _AUTHORS))
    taken: Counter[str] = Counter()
    beyond = set()
    for position, author in enumerate(authors):
        taken[author] += 1
        if author and taken[author] > limit:
            beyond.add(position)
    return beyond


def _limit(authors: Sequence[str]) -> int:
    """Return the largest number that is a fifth of what stays if nobody has more."""
    counts = Counter(authors)
    unknown = counts.pop("", 0)
    limit = max(counts.values(), default=0)
    while limit > LEAST:
        if _AUTHORS * limit <= unknown + sum(min(count, limit) for count in counts.values()):
            break
        limit -= 1
    return limit
