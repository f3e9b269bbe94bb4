"""The people of a drifting instance: who posts which class, and who arrives later.

Belongs here: authors. What they post and regret is ``world``'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

from reds_pipeline.demo.posts import Author
from reds_pipeline.demo.town.people import People
from reds_pipeline.demo.town.town import Town

# Above every account of a town and of its visitors.
_FIRST_ACCOUNT = 300_000
_SHARE_OF_NEWCOMERS = 0.35
_FEWEST = 7


class Residents:
    """Who posts what; authors who left are no longer drawn."""

    def __init__(self, town: Town, classes: Iterable[str], chance: Random) -> None:
        """Begin with the authors whose pictures the town's classes keep."""
        self._people = People(chance, town.now, town.flavour)
        self._chance = chance
        self._arrived = 0
        by_post = {post.post_id: post.author for post in town.posts}
        self._of_class: dict[str, dict[str, Author]] = {name: {} for name in classes}
        for truth in town.truth:
            if truth.fate == "kept" and len(truth.class_names) == 1:
                author = by_post[truth.post_id]
                self._of_class[truth.class_names[0]][author.account_id] = author
        for authors in self._of_class.values():
            while len(authors) < _FEWEST:
                author = self.newcomer()
                authors[author.account_id] = author

    def newcomer(self) -> Author:
        """Return somebody who has never posted."""
        self._arrived += 1
        author = self._people.new_author()
        return replace(
            author,
            account_id=str(_FIRST_ACCOUNT + self._arrived),
            username=f"{author.username}{self._arrived}",
        )

    def poster(self, class_name: str) -> Author:
        """Return who posts next in a class: mostly somebody known, now and then a new person."""
        authors = self._of_class[class_name]
        if not authors or self._chance.random() < _SHARE_OF_NEWCOMERS:
            author = self.newcomer()
            authors[author.account_id] = author
            return author
        return authors[self._chance.choice(sorted(authors))]

    def leave(self, account_id: str) -> None:
        """Take somebody out of every class."""
        for authors in self._of_class.values():
            authors.pop(account_id, None)
