"""What kind of town to build, and what building one yields.

Belongs here: the choices and the outcome, as plain records. Building is ``builder``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from reds_pipeline.demo.posts import Flavour, Post

DEFAULT_NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
"""The moment the demo town is frozen at; fixed, so that its ids are the same in every run."""


@dataclass(frozen=True)
class TownPlan:
    """What kind of town to build.

    Attributes:
        seed: Everything random follows from it.
        now: Aware moment at which the town is frozen; every time is counted back from it.
        unrelated_per_clean: Posts that show no class, per clean picture of the average class.
        flood_posts: Posts of one suspended account, all within one day: their rows are filtered
            out after the server's row window, which makes pages short in mid-stream.
        silent_opt_outs: Authors per class whose only sign is ``indexable: false`` of their
            ActivityPub actor, which a client of Pixelfed's REST interface alone cannot see.
        flavour: Whose ids, paths and kinds of posts.
        videos: Posts per class with a film (fate ``no_image``).
        unknown_media: Posts per class with a file of unknown type (``no_image``).
        oversized_files: Posts per class with a file above 20 MB (``too_many_bytes``).
        mislabelled_files: PNG files per class that call themselves JPEG (``kept``: the first bytes
            count).
        busy_author_posts: Good posts per class by one author, all within a day (``kept``).
        unicode_spellings: Good posts per class whose tag is in full-width letters (``kept``).
        relayed_copies: Clean pictures per class that another host's author posts as well
            (``remote_origin``, and an exact duplicate where that origin is allowed).
        gifvs: Posts per class with a soundless film made from a GIF (``no_image``; Mastodon).
        proxied_media: Posts per class with a ``/media_proxy/`` address (``no_image``; Mastodon).
        unfinished_media: Posts per class without an address yet (``no_image``; Mastodon).
        undiscoverable_authors: Authors per class with ``discoverable: false``
            (``account_not_indexable``; Mastodon).
        objecting_tables: Authors per class who object in the table of their profile
            (``account_opted_out``; Mastodon).
        noindex_authors: Authors per class with ``noindex: true`` (likewise; Mastodon).
        moved_authors: Authors per class who moved away (``account_suspended``; Mastodon).
        memorial_authors: Authors per class who died (``account_suspended``; Mastodon).
        limited_authors: Authors per class hidden from feeds (``account_suspended``; Mastodon).
        text_posts: Posts per class without any file (``no_image``, but no attachment to tell
            the truth about; Mastodon).
    """

    seed: int = 0
    now: datetime = DEFAULT_NOW
    unrelated_per_clean: float = 4.5
    flood_posts: int = 75
    silent_opt_outs: int = 0
    flavour: Flavour = "pixelfed"
    videos: int = 0
    unknown_media: int = 0
    oversized_files: int = 0
    mislabelled_files: int = 0
    busy_author_posts: int = 0
    unicode_spellings: int = 0
    relayed_copies: int = 0
    gifvs: int = 0
    proxied_media: int = 0
    unfinished_media: int = 0
    undiscoverable_authors: int = 0
    objecting_tables: int = 0
    noindex_authors: int = 0
    moved_authors: int = 0
    memorial_authors: int = 0
    limited_authors: int = 0
    text_posts: int = 0


@dataclass(frozen=True)
class AttachmentTruth:
    """What ought to become of one attachment.

    Attributes:
        post_id: The post.
        position: Index of the attachment in the post.
        path: Path of its file on the instance.
        class_names: The classes in whose hashtag timelines the post stands; ``()`` if none.
        fate: ``kept``, ``unrelated``, or the slug of the reason for which it must be dropped.
        served: Whether the class's hashtag timelines hand the post out at all (those of 0.12.6
            on Pixelfed).
    """

    post_id: str
    position: int
    path: str
    class_names: tuple[str, ...]
    fate: str
    served: bool


@dataclass(frozen=True)
class BuiltTown:
    """The outcome of building: posts, oldest first, and the truth about every attachment."""

    posts: tuple[Post, ...]
    truth: tuple[AttachmentTruth, ...]
