"""What a drifting instance knows about each picture: where it comes from and what may become of it.

Belongs here: plain records and questions about them. Who publishes and takes back is ``world``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from reds_pipeline.demo.posts import Post

Nature = Literal["clean", "troubled", "hidden", "flood", "unrelated"]
"""``troubled``: open to all, but nothing to learn from, such as a copy; ``hidden``: a gate of
consent must stop it; ``flood``: it shows nothing of its hashtag."""


@dataclass(frozen=True)
class Publication:
    """One post with its story.

    Attributes:
        post: As it was published.
        class_name: The class whose hashtag it carries; "" for none.
        week: When; 0 for what the town began with.
        at: When exactly.
        nature: What it is.
        taken_back_at: When nothing of it might be kept any more; None while it may be.
        how: How it was taken back.
    """

    post: Post
    class_name: str
    week: int
    at: datetime
    nature: Nature
    taken_back_at: datetime | None = None
    how: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of its files on the instance."""
        return tuple(attachment.path for attachment in self.post.attachments)


class Truth:
    """Everything that was ever published, oldest first."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._by_id: dict[str, Publication] = {}

    def add(self, publication: Publication) -> None:
        """Note a post that was just published."""
        self._by_id[publication.post.post_id] = publication

    def take_back(self, post_id: str, at: datetime, how: str) -> None:
        """Note that nothing of a post may be kept from now on."""
        held = self._by_id[post_id]
        if held.taken_back_at is None:
            self._by_id[post_id] = replace(held, taken_back_at=at, how=how)

    def of(self, post_id: str) -> Publication:
        """Return the story of one post.

        Raises:
            KeyError: It was never published.
        """
        return self._by_id[post_id]

    def all(self) -> tuple[Publication, ...]:
        """Return every publication, oldest first."""
        return tuple(self._by_id.values())

    def never_to_be_kept(self) -> tuple[Publication, ...]:
        """Return what was hidden from the beginning."""
        return tuple(each for each in self.all() if each.nature == "hidden")

    def taken_back(self, before: datetime | None = None) -> tuple[Publication, ...]:
        """Return what was taken back, by a moment if one is given."""
        return tuple(
            each
            for each in self.all()
            if each.taken_back_at and (before is None or each.taken_back_at < before)
        )

    def open_to_learning(self) -> tuple[Publication, ...]:
        """Return what stands in the feeds of a class and may be kept now."""
        return tuple(
            each
            for each in self.all()
            if each.nature in {"clean", "flood"} and not each.taken_back_at
        )
