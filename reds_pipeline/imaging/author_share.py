"""How much of a class one author may be.

What belongs here: which pictures of an author are too many. What does not: every other reason to
drop one (``curation.py``), and keeping an author on one side of a split.

Somebody who posts a hundred pictures under one hashtag on one day, out of enthusiasm or in order to
do harm, would otherwise decide what the hashtag means, the more so as the newest pictures stay. So
of one author a class takes at most a quarter of what it has of all others, which makes a fifth of
it, and in any case three.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

LEAST = 3
"""So many pictures of an author are never too many."""

_OF_OTHERS = 4


def beyond_share(authors: Sequence[str]) -> set[int]:
    """Return the positions of the pictures that are too many of one author.

    Args:
        authors: Keyed hash of the author of each picture of one class, in the order in which
            pictures are preferred; "" where it is not known, and those are never too many.
    """
    counts = Counter(authors)
    taken: dict[str, int] = defaultdict(int)
    beyond = set()
    for position, author in enumerate(authors):
        limit = max(LEAST, (len(authors) - counts[author]) // _OF_OTHERS)
        if author and taken[author] >= limit:
            beyond.add(position)
        taken[author] += 1
    return beyond
