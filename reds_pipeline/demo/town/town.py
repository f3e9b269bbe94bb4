"""The demo town: its posts, its files, and the truth about what ought to become of them.

Belongs here: what a finished town can be asked. How it is made is ``builder``; how it is
served is ``instance``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from reds_pipeline.demo.photos import PhotoFolder
from reds_pipeline.demo.picture_source import PictureSource
from reds_pipeline.demo.pictures import DrawnPictures
from reds_pipeline.demo.posts import Attachment, Flavour, Post, snowflake
from reds_pipeline.demo.town.builder import TownBuilder
from reds_pipeline.demo.town.plan import DEFAULT_NOW, BuiltTown, TownPlan
from reds_pipeline.demo.uploads import TREATMENTS

DEFAULT_IMAGES_PER_CLASS = 110
"""Clean pictures of each drawn class in the default town."""


class Town:
    """A finished town, never changed; a running instance holds its own list of posts.

    Attributes:
        class_names: The true classes.
        posts: Every post, oldest first.
        truth: What ought to become of every attachment, in the order of ``posts``.
        now: The moment the town is frozen at.
        flavour: Whose ids and paths it uses; an instance of the same flavour serves it.
    """

    def __init__(self, source: PictureSource, plan: TownPlan, built: BuiltTown) -> None:
        """Wrap what a ``TownBuilder`` made; most callers want ``Town.build``."""
        self._source = source
        self.class_names = tuple(source.class_names)
        self.posts = built.posts
        self.truth = built.truth
        self.now = plan.now
        self.flavour: Flavour = plan.flavour

    @classmethod
    def build(
        cls,
        *,
        images_per_class: int = DEFAULT_IMAGES_PER_CLASS,
        seed: int = 0,
        now: datetime = DEFAULT_NOW,
        photos: Path | None = None,
        plan: TownPlan | None = None,
        flavour: Flavour = "pixelfed",
    ) -> Town:
        """Build a town; the same arguments give the same ids and the same bytes.

        Args:
            images_per_class: Clean pictures of each drawn class; a folder of photographs gives
                all it has.
            seed: Decides who posts what and when.
            now: Aware moment at which the town is frozen.
            photos: A folder ``DIR/<class>/`` of photographs to serve in place of drawn pictures.
            plan: The finer choices; its seed, moment and flavour give way to the other
                arguments.
            flavour: Whose ids and paths.

        Raises:
            RedsError: The folder holds no photographs.
        """
        source: PictureSource = PhotoFolder(photos) if photos else DrawnPictures(images_per_class)
        chosen = replace(plan or TownPlan(), seed=seed, now=now, flavour=flavour)
        return cls(source, chosen, TownBuilder(source, chosen).build())

    def file(self, attachment: Attachment) -> bytes:
        """Return the bytes of an attachment's file; drawn afresh at every call."""
        original = self._source.read(attachment.picture)
        return TREATMENTS[attachment.treatment].apply(original)

    def expected_fates(self, class_name: str, *, visibility_leak: bool = True) -> Counter[str]:
        """Count the attachments that the class's hashtag timelines hand out, by intended fate.

        Args:
            class_name: One of ``class_names``.
            visibility_leak: Whether the instance hands out followers-only posts as Pixelfed 0.12.6
                does; Mastodon never does.
        """
        return Counter(
            truth.fate
            for truth in self.truth
            if truth.served
            and class_name in truth.class_names
            and (visibility_leak or truth.fate != "not_public")
        )

    def paths_with_fate(self, *fates: str) -> set[str]:
        """Return the file paths of all attachments with one of these intended fates."""
        return {truth.path for truth in self.truth if truth.fate in fates}

    def new_post(self, class_name: str, number: int = 0) -> Post:
        """Return a clean post that is not part of the town, ``number + 1`` minutes after ``now``.

        For tests that add posts to a running instance. Different numbers give different ids,
        pictures and files.
        """
        clean_id = next(
            truth.post_id
            for truth in self.truth
            if truth.fate == "kept" and truth.class_names == (class_name,)
        )
        template = next(post for post in self.posts if post.post_id == clean_id)
        moment = self.now + timedelta(minutes=number + 1)
        first = template.attachments[0]
        stem, _, _ = first.path.rpartition("/")
        post_id = snowflake(moment, number, self.flavour)
        attachment = replace(
            first,
            media_id=str(9_000_000_000 + int(post_id) % 1_000_000_000),
            path=f"{stem}/new-{class_name}-{number}.jpg",
            picture=self._source.spare_picture(class_name, 500 + number),
            treatment="plain",
            mime="image/jpeg",
            size=None,
        )
        return replace(
            template,
            post_id=post_id,
            created_at=moment,
            tags=(class_name,),
            attachments=(attachment,),
        )
