"""Which posts stand under a hashtag: the look-up of Pixelfed's hashtag table.

Belongs here: names, collations and bans (fediverse.md 2.4 and 2.5). Which of the posts a page shows
is ``feeds``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from reds_pipeline.demo.posts import Post

Collation = Literal["mysql", "postgresql"]
"""How names are compared. ``mysql``: without regard to case and accents. ``postgresql``: by
``ILIKE``, so that ``_`` and ``%`` are wildcards, and the spellings of remote posts have rows of
their own, of which only the first that matches is found."""


@dataclass(frozen=True)
class HashtagRow:
    """A row of the hashtag table.

    Attributes:
        name: The spelling that came first.
        posts: The posts that stand under it, newest first.
    """

    name: str
    posts: tuple[Post, ...]


@lru_cache(maxsize=65_536)
def _without_accents(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name.casefold())
    letters = (letter for letter in decomposed if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", "".join(letters))


def _equal(asked: str) -> Callable[[str], bool]:
    """Return a test that compares as MySQL's collation does."""
    wanted = _without_accents(asked)
    return lambda name: _without_accents(name) == wanted


def _like(pattern: str) -> Callable[[str], bool]:
    """Return a test that compares as ``ILIKE`` does."""
    wildcards = {"_": ".", "%": ".*"}
    expression = "".join(wildcards.get(letter) or re.escape(letter) for letter in pattern)
    compiled = re.compile(expression, re.IGNORECASE | re.DOTALL)
    return lambda name: compiled.fullmatch(name) is not None


def newest_first(posts: Iterable[Post]) -> list[Post]:
    """Return posts by id, descending: the order of every feed."""
    return sorted(posts, key=lambda post: int(post.post_id), reverse=True)


def find_hashtag(
    posts: Sequence[Post], asked: str, collation: Collation = "mysql"
) -> HashtagRow | None:
    """Return the first row that matches a name, ``None`` if there is none.

    Args:
        posts: All posts of the instance, any order.
        asked: The name in the request, without ``#``.
        collation: How the database compares names.
    """
    matches = _equal(asked) if collation == "mysql" else _like(asked)
    uses = [(name, post) for post in posts for name in post.tags if matches(name)]
    if not uses:
        return None
    first_name, first_post = min(uses, key=lambda use: int(use[1].post_id))
    if collation == "postgresql":
        row = _row(first_name, first_post)
        uses = [(name, post) for name, post in uses if _row(name, post) == row]
    unique = {post.post_id: post for _, post in uses}
    return HashtagRow(first_name, tuple(newest_first(unique.values())))


def _row(name: str, post: Post) -> str:
    """Return the key of the row that a use of a hashtag goes to (PostgreSQL)."""
    return name.casefold() if post.is_local else name


def is_banned(name: str, banned: Iterable[str]) -> bool:
    """Return whether the moderators took the hashtag away."""
    return name.casefold() in {word.casefold() for word in banned}
