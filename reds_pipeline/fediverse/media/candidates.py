"""The pictures of kept posts, in the order in which they are wanted.

What belongs here: that order. What does not: which of them are there already (``download.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from reds_pipeline.fediverse.posts import posted_at
from reds_pipeline.storage.keys import KeyedHash

Row = dict[str, Any]

_AUTHORS = 5


def candidates(post_rows: Iterable[Row], key: KeyedHash, places: int) -> Iterator[Row]:
    """Yield a row without outcome for each picture of each kept post, newest post first.

    Of one author a fifth of the places comes in that order and the rest after all others, or who
    floods a hashtag would keep everybody else's pictures from being fetched.

    Args:
        post_rows: Rows of the posts table.
        key: The pseudonym function of this installation.
        places: How many pictures are wanted.
    """
    kept = [row for row in post_rows if row["status"] == "kept"]
    kept.sort(key=lambda row: (posted_at(row), row["post_key"]), reverse=True)
    seen: set[str] = set()
    of_author: Counter[str] = Counter()
    too_many = []
    for post in kept:
        for position, medium in enumerate(post["media"]):
            media_key = key(medium["url"])
            if media_key in seen:
                continue
            seen.add(media_key)
            candidate = {
                "media_key": media_key,
                "post_key": post["post_key"],
                "author_key": post["author_key"],
                "created_at": post["created_at"],
                "tags": list(post["tags"]),
                "position": position,
                "album": len(post["media"]) > 1,
                "alt_text": medium["alt_text"],
                "licence": medium["licence"],
                "url": medium["url"],
            }
            of_author[post["author_key"]] += 1
            if of_author[post["author_key"]] > places // _AUTHORS:
                too_many.append(candidate)
            else:
                yield candidate
    yield from too_many
