"""Posts of the town before they have ids: what the builder notes down and spoils.

Belongs here: the two records that ``builder`` and ``oddities`` share. How drafts become
posts is ``builder``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from reds_pipeline.demo.posts import Author, Picture


@dataclass(eq=False)
class Draft:
    """A post before it has an id; changed until the town is finished.

    Attributes:
        author: Who posts it.
        age: How long before the town's moment the instance takes it in.
        tags: Hashtags in the author's own spelling.
        files: Pictures with the names of their treatments.
        class_names: The classes in whose hashtag timelines it stands.
        fate: ``kept``, ``unrelated``, or the reason for which it must be dropped.
        visibility: ``public``, ``unlisted`` or ``private``.
        sensitive: The flag of the whole post.
        spoiler_text: Content warning.
        nsfw_attachment: The flag of each attachment.
        is_reply: Whether it answers another post.
        is_boost: Whether it passes on somebody else's post.
        claimed_earlier: By how much its author dates it before the instance took it in.
        kind: What the server takes its files for.
        whereabouts: Where its files are.
        is_in_feeds: Whether its class's hashtag timelines hand it out; ``None``: as its other
            fields say.
    """

    author: Author
    age: timedelta
    tags: tuple[str, ...]
    files: list[tuple[Picture, str]]
    class_names: tuple[str, ...] = ()
    fate: str = "unrelated"
    visibility: str = "public"
    sensitive: bool = False
    spoiler_text: str = ""
    nsfw_attachment: bool = False
    is_reply: bool = False
    is_boost: bool = False
    claimed_earlier: timedelta = field(default=timedelta(0))
    kind: Literal["image", "gifv", "video", "unknown"] = "image"
    whereabouts: Literal["stored", "proxied", "processing"] = "stored"
    is_in_feeds: bool | None = None


@dataclass(frozen=True)
class Corner:
    """The part of the town that posts one class: its authors and its clean posts."""

    class_name: str
    authors: Sequence[Author]
    originals: Sequence[Draft]

    def times(self, per_hundred: int) -> range:
        """Return so many rounds for a hundred clean posts, in proportion, at least one."""
        return range(max(1, round(per_hundred * len(self.originals) / 100)))
