"""What a town holds beyond the ordinary: rare kinds of posts, files and accounts, on request.

Belongs here: the corpus of fediverse.md 8 that ``TownPlan`` switches on by counts, with the
intended fate of each post. The troubles that every town has are ``builder``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, Literal

from reds_pipeline.demo.hashtags import full_width
from reds_pipeline.demo.town.drafts import Corner, Draft
from reds_pipeline.demo.town.people import People
from reds_pipeline.demo.town.plan import TownPlan

Kind = Literal["image", "gifv", "video", "unknown"]
Whereabouts = Literal["stored", "proxied", "processing"]


class Oddities:
    """Posts the odd kinds of one town."""

    def __init__(
        self,
        plan: TownPlan,
        people: People,
        chance: Random,
        trouble: Callable[..., Draft],
    ) -> None:
        """Prepare.

        Args:
            plan: Posts of each kind for every class; kinds that its flavour does not know are
                left out.
            people: Makes authors.
            chance: Decides what is copied.
            trouble: ``trouble(corner, fate, treatment)`` posts a spare picture of a corner.
        """
        self._plan = plan
        self._people = people
        self._chance = chance
        self._trouble = trouble

    def post(self, corner: Corner) -> None:
        """Post all kinds for one class."""
        plan = self._plan
        self._files(corner, plan.videos, "film", kind="video")
        self._files(corner, plan.unknown_media, "unnamed", kind="unknown")
        for _ in range(plan.oversized_files):
            self._trouble(corner, "too_many_bytes", "oversized")
        for _ in range(plan.mislabelled_files):
            self._trouble(corner, "kept", "mislabelled")
        self._busy_author(corner)
        self._unicode_spellings(corner)
        self._relayed_copies(corner)
        if plan.flavour == "mastodon":
            self._known_to_mastodon_only(corner)

    def _known_to_mastodon_only(self, corner: Corner) -> None:
        plan = self._plan
        self._files(corner, plan.gifvs, "film", kind="gifv")
        self._files(corner, plan.proxied_media, whereabouts="proxied")
        self._files(corner, plan.unfinished_media, whereabouts="processing")
        refused = "account_not_indexable"
        self._authors(corner, plan.undiscoverable_authors, refused, discoverable=False)
        self._authors(corner, plan.noindex_authors, refused, noindex=True)
        table = (("AI", '<a href="/tags/noml">#<span>NoML</span></a>'),)
        self._authors(corner, plan.objecting_tables, "account_opted_out", fields=table)
        refused = "account_suspended"
        self._authors(corner, plan.moved_authors, refused, moved_to="elsewhere@faraway.example")
        self._authors(corner, plan.memorial_authors, refused, memorial=True)
        self._authors(corner, plan.limited_authors, refused, limited=True)
        for _ in range(plan.text_posts):
            self._trouble(corner, "no_image").files = []

    def _files(
        self,
        corner: Corner,
        count: int,
        treatment: str = "plain",
        *,
        kind: Kind = "image",
        whereabouts: Whereabouts = "stored",
    ) -> None:
        for _ in range(count):
            draft = self._trouble(corner, "no_image", treatment)
            draft.kind, draft.whereabouts = kind, whereabouts

    def _authors(self, corner: Corner, count: int, fate: str, **wishes: Any) -> None:
        for _ in range(count):
            author = replace(self._people.new_author(), **wishes)
            self._trouble(corner, fate).author = author

    def _busy_author(self, corner: Corner) -> None:
        """Let one author flood the hashtags with good pictures (fediverse.md 6, trap 12)."""
        if not self._plan.busy_author_posts:
            return
        author = self._people.new_author()
        for number in range(self._plan.busy_author_posts):
            draft = self._trouble(corner, "kept")
            draft.author = author
            draft.age = timedelta(days=20, minutes=11 * number)

    def _unicode_spellings(self, corner: Corner) -> None:
        """Post good pictures whose only class tag is written in full-width letters.

        Mastodon folds it to the plain spelling. Pixelfed keeps a row of its own for it, so that
        only who asks for that very spelling gets the post.
        """
        for _ in range(self._plan.unicode_spellings):
            draft = self._trouble(corner, "kept")
            draft.tags = (full_width(corner.class_name),)
            draft.is_in_feeds = self._plan.flavour == "mastodon"

    def _relayed_copies(self, corner: Corner) -> None:
        """Post clean pictures once more as a relay brings them: from another host, later."""
        single = [draft for draft in corner.originals if len(draft.files) == 1]
        copied = self._chance.sample(single, min(len(single), self._plan.relayed_copies))
        for original in copied:
            draft = self._trouble(corner, "remote_origin")
            draft.author = self._people.remote_author()
            draft.age = original.age * 0.9
            draft.files = [original.files[0]]
