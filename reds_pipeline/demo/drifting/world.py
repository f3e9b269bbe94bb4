"""An instance that lives on: day by day people post, change their minds, and things go wrong.

Belongs here: carrying out a ``DriftPlan`` on a running instance, and knowing the truth about it.
Nothing here knows what REDS makes of it. The same plan, start and seed give the same posts with
the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from reds_pipeline.demo.drifting.people import Residents
from reds_pipeline.demo.drifting.plan import DriftPlan
from reds_pipeline.demo.drifting.style import (
    DriftingPictures,
    examination_picture,
    picture_of_week,
)
from reds_pipeline.demo.drifting.truth import Nature, Publication, Truth
from reds_pipeline.demo.hashtags import COMPANION_TAGS, GENERIC_TAGS, SUBJECT_TAGS, sprinkled
from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.pictures import SCENERY
from reds_pipeline.demo.posts import Attachment, Author, Picture, Post, snowflake
from reds_pipeline.demo.town.builder import TownBuilder
from reds_pipeline.demo.town.plan import TownPlan
from reds_pipeline.demo.town.town import Town
from reds_pipeline.demo.wiretap import Fault

DAYS = 7
_OPT_OUT = "Please leave my pictures to people. #nobot"
_BUSY = 6
# Streets can be seen: they would be a class of their own.
_UNRELATED_TAGS = {name: often for name, often in SUBJECT_TAGS.items() if name != "street"}
# Fates of the town's posts that no gate of consent stops.
_OPEN_FATES = {
    "animated",
    "exact_duplicate",
    "greyscale",
    "multi_class",
    "near_duplicate",
    "not_an_image",
    "too_many_pixels",
    "truncated",
}
_GONE = (
    "delete the post",
    "opt out",
    "close the account",
    "make it private",
    "mark it sensitive",
    "lock the account",
)


class DriftingWorld:
    """A town that goes on, and the instance that shows it.

    Attributes:
        plan: What happens when.
        town: As it was found.
        instance: The running instance; start it before the first day.
        truth: What was published since, and what became of it.
    """

    def __init__(self, plan: DriftPlan, start: datetime, seed: int = 0) -> None:
        """Build the town as it is at ``start``, an aware moment."""
        self.plan = plan
        self._chance = Random(f"drifting/{seed}")
        self._source = DriftingPictures(plan.classes, plan.first_pictures, plan.style_per_week)
        # A town's own flood and most of its unrelated posts would only cost time here.
        choices = TownPlan(seed=seed, now=start, unrelated_per_clean=0.5, flood_posts=4)
        self.town = Town(self._source, choices, TownBuilder(self._source, choices).build())
        self.instance = EmbeddedInstance(self.town)
        self.truth = Truth()
        for publication in _found(self.town):
            self.truth.add(publication)
        self._people = Residents(self.town, plan.all_classes, self._chance)
        self._numbers: dict[tuple[str, int], int] = {}
        self._sequence = 0

    def live_day(self, week: int, day: int, noon: datetime) -> None:
        """Let one day happen.

        Args:
            week: From 2; the first week only finds the town.
            day: 0 to 6.
            noon: Its aware moment; posts of the day are dated within the hours before.
        """
        if week == self.plan.outage_week and day == 0:
            self._go_down()
        if week == self.plan.outage_week + 1 and day == 0:
            self.instance.heal()
        for class_name in self.plan.all_classes:
            for _ in range(_share(self.plan.posts_of(class_name, week), day)):
                self._publish(class_name, week, noon, "clean")
        for _ in range(_share(self.plan.unrelated_posts, day)):
            self._publish("", week, noon, "unrelated")
        if day < len(self.plan.classes):
            self._hide(self.plan.classes[day], week, noon)
        if week == self.plan.flood_week and day == 2:
            self._flood(week, noon)
        if day < len(_GONE):
            for _ in range(self.plan.regrets):
                self._regret(_GONE[day], noon)

    def examination(self, class_name: str, week: int, count: int) -> list[bytes]:
        """Return files of new pictures of a class in the look of a week; nobody posts them."""
        return [
            self._source.read(examination_picture(class_name, week, number))
            for number in range(count)
        ]

    def files(self, publication: Publication) -> list[bytes]:
        """Return the files of a publication."""
        return [self.town.file(attachment) for attachment in publication.post.attachments]

    def _go_down(self) -> None:
        page = "<html><body><h1>We are moving to a new server</h1></body></html>"
        self.instance.spoil(Fault("/", 503, times=None, body=page, content_type="text/html"))

    def _publish(
        self,
        class_name: str,
        week: int,
        noon: datetime,
        nature: Nature,
        *,
        author: Author | None = None,
        tags: tuple[str, ...] = (),
        shows: str = "",
        **changes: Any,
    ) -> None:
        """Publish one post of one picture.

        Args:
            class_name: Whose hashtag it carries, "" for none.
            week: When.
            noon: At the latest.
            nature: What it is.
            author: Who posts it; somebody of the class by default.
            tags: Further hashtags.
            shows: What the picture shows; the class by default, scenery without one.
            **changes: Fields of ``Post``.
        """
        if author is None:
            author = self._people.poster(class_name) if class_name else self._people.newcomer()
        subject = shows or class_name or SCENERY
        self._sequence += 1
        at = noon - timedelta(minutes=self._chance.uniform(1, 600))
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        sprinkling = sprinkled(GENERIC_TAGS, self._chance)
        if class_name:
            own = (class_name, *sprinkled(COMPANION_TAGS.get(class_name, {}), self._chance))
        else:
            own = sprinkled(_UNRELATED_TAGS, self._chance)
        post = Post(
            post_id=snowflake(at, self._sequence),
            author=author,
            created_at=at,
            caption="Seen today",
            tags=tuple(dict.fromkeys((*own, *tags, *sprinkling))),
            attachments=(self._attachment(author, self._next_picture(subject, week)),),
        )
        post = replace(post, **changes)
        self.instance.put_post(post)
        self.truth.add(Publication(post, class_name, week, at, nature))

    def _next_picture(self, subject: str, week: int) -> Picture:
        number = self._numbers.get((subject, week), 0)
        self._numbers[subject, week] = number + 1
        return picture_of_week(subject, week, number)

    def _attachment(self, author: Author, picture: Picture) -> Attachment:
        digest = hashlib.sha256(f"drifting/{self._sequence}".encode()).hexdigest()
        return Attachment(
            media_id=str(8_000_000_000 + self._sequence),
            path=f"/storage/m/_v2/{author.account_id}/{digest[:15]}/{digest[15:43]}.jpg",
            picture=picture,
            treatment="plain",
            mime="image/jpeg",
            description=f"A {picture.class_name}",
        )

    def _hide(self, class_name: str, week: int, noon: datetime) -> None:
        """Publish what a gate of consent has to stop, one post of each kind."""
        opted_out = replace(self._people.newcomer(), note=_OPT_OUT)
        locked = replace(self._people.newcomer(), locked=True)
        for _ in range(self.plan.hidden_posts):
            publish: Callable[..., None] = self._publish
            publish(class_name, week, noon, "hidden", visibility="private")
            publish(class_name, week, noon, "hidden", sensitive=True)
            publish(class_name, week, noon, "hidden", spoiler_text="needles")
            publish(class_name, week, noon, "hidden", author=opted_out)
            publish(class_name, week, noon, "hidden", author=locked)

    def _flood(self, week: int, noon: datetime) -> None:
        """Let one author flood a hashtag with pictures of something else."""
        spammer, invented = self._people.newcomer(), (self.plan.invented_tag,)
        for _ in range(self.plan.flood_posts):
            self._publish(
                self.plan.flooded, week, noon, "flood", author=spammer, tags=invented, shows=SCENERY
            )

    def _regret(self, how: str, at: datetime) -> None:
        """Let somebody take a post back, or everything."""
        posts_of: dict[str, list[Publication]] = {}
        for each in self.truth.all():
            if each.nature != "hidden" and not each.taken_back_at:
                posts_of.setdefault(each.post.author.account_id, []).append(each)
        # Who has posted much would take half a class along; that is another story.
        candidates = [
            each
            for posts in posts_of.values()
            for each in posts
            if each.nature == "clean" and len(posts) <= _BUSY
        ]
        if not candidates:
            return
        chosen = self._chance.choice(candidates)
        author_id, post = chosen.post.author.account_id, chosen.post
        if how == "delete the post":
            self.instance.remove_post(post.post_id)
        elif how == "make it private":
            self.instance.put_post(replace(post, visibility="private"))
        elif how == "mark it sensitive":
            self.instance.put_post(replace(post, sensitive=True))
        else:
            wishes: dict[str, dict[str, Any]] = {
                "opt out": {"note": _OPT_OUT},
                "close the account": {"deleted": True},
                "lock the account": {"locked": True},
            }
            self.instance.edit_author(author_id, **wishes[how])
            self._people.leave(author_id)
            for each in posts_of[author_id]:
                self.truth.take_back(each.post.post_id, at, how)
        self.truth.take_back(post.post_id, at, how)


def _share(weekly: int, day: int) -> int:
    """Return how many of a week's posts a day brings."""
    return weekly * (day + 1) // DAYS - weekly * day // DAYS


def _found(town: Town) -> Iterator[Publication]:
    """Yield the posts that the town begins with."""
    fates = {truth.post_id: truth for truth in town.truth}
    for post in town.posts:
        if truth := fates.get(post.post_id):
            nature: Nature = "hidden"
            if truth.fate in {"kept", "unrelated"}:
                nature = "clean" if truth.fate == "kept" else "unrelated"
            elif truth.fate in _OPEN_FATES:
                nature = "troubled"
            class_name = truth.class_names[0] if truth.class_names else ""
            yield Publication(post, class_name, 0, post.created_at, nature)
