"""The invented people of the town: names, biographies, and who posts which class.

Belongs here: making authors. What they post is ``builder``'s.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from reds_pipeline.demo.posts import Author, Flavour

FARAWAY_HOST = "faraway.example"
"""Host of the town's remote authors."""

OPT_OUT_PROFILES = (
    ("", "Harbour walks and slow film. Please leave my posts to people. #nobot"),
    ("", 'Painter. <a href="/discover/tags/noai">#<span>NoAI</span></a> thank you.'),
    (" #noml", "Mostly weekends."),
    ("", "Small garden, big sky. #NoIndex #noarchive"),
)
"""Suffix of the display name and biography of authors who object in words."""

_ORDINARY_NOTES = (
    "Coast photographer",
    "Tea, trains and long walks",
    "I build robots and take pictures of everything else",
    "Learning to see. He/him",
    "Weekend pictures from a small town",
    "",
)
_SYLLABLES = (
    *("mi", "ra", "lo", "te", "na", "ko", "su", "vel", "ri", "da"),
    *("jo", "fen", "ya", "bo", "li", "tam", "se", "no", "ka", "wen"),
)


class People:
    """Makes authors, each with a name of its own."""

    def __init__(self, chance: Random, now: datetime, flavour: Flavour) -> None:
        """Draw names from ``chance``; accounts are opened before ``now``."""
        self._chance = chance
        self._now = now
        self._flavour = flavour
        self._usernames: set[str] = set()

    def new_author(self) -> Author:
        """Return a local author without wishes."""
        username = ""
        while not username or username in self._usernames:
            username = "".join(self._chance.choices(_SYLLABLES, k=self._chance.choice((2, 3))))
        self._usernames.add(username)
        return Author(
            account_id=str(77_000 + len(self._usernames)),
            username=username,
            display_name=username.capitalize(),
            note=self._chance.choice(_ORDINARY_NOTES),
            created_at=self._now - timedelta(days=self._chance.randint(200, 1500)),
        )

    def opted_out_author(self, profile: tuple[str, str]) -> Author:
        """Return an author who objects in words; ``profile`` is one of ``OPT_OUT_PROFILES``.

        On Pixelfed, where the REST API does not show it, the ActivityPub actor objects as well;
        on Mastodon the flag would answer before the words are read.
        """
        name_suffix, note = profile
        author = self.new_author()
        return replace(
            author,
            display_name=author.display_name + name_suffix,
            note=note,
            indexable=self._flavour == "mastodon",
        )

    def remote_author(self) -> Author:
        """Return an author of another host."""
        return replace(self.new_author(), host=FARAWAY_HOST)

    def class_authors(self, sizes: dict[str, int]) -> dict[str, list[Author]]:
        """Give each class its authors; one in seven also posts the next class.

        Args:
            sizes: Clean pictures of each class.
        """
        authors = {
            name: [self.new_author() for _ in range(max(8, round(size / 4)))]
            for name, size in sizes.items()
        }
        names = list(authors)
        guests = {name: authors[name][: len(authors[name]) // 7] for name in names}
        if len(names) > 1:
            for position, name in enumerate(names):
                authors[name] = authors[name] + guests[names[position - 1]]
        return authors
