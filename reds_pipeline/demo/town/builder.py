"""How the demo town comes to be: people, posts, troubles, and the intended fate of each picture.

Belongs here: the construction of a town after a ``TownPlan``, deterministic for a seed. What a
finished town can be asked is ``town``; files are made later, from ``Attachment.treatment``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from reds_pipeline.demo.hashtags import (
    CAPTIONS,
    COMPANION_TAGS,
    GENERIC_TAGS,
    SUBJECT_TAGS,
    class_spellings,
    sprinkled,
)
from reds_pipeline.demo.picture_source import PictureSource
from reds_pipeline.demo.posts import Attachment, Author, Flavour, Picture, Post, snowflake
from reds_pipeline.demo.town.drafts import Corner, Draft
from reds_pipeline.demo.town.oddities import Oddities
from reds_pipeline.demo.town.people import OPT_OUT_PROFILES, People
from reds_pipeline.demo.town.plan import AttachmentTruth, BuiltTown, TownPlan
from reds_pipeline.demo.uploads import TREATMENTS

_MEDIA_MIMES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "bin": "application/octet-stream",
}


class TownBuilder:
    """Builds one town; use ``build`` once."""

    def __init__(self, source: PictureSource, plan: TownPlan) -> None:
        """Prepare a town of the pictures of ``source`` after ``plan``."""
        self._source = source
        self._plan = plan
        self._chance = Random(plan.seed)
        self._drafts: list[Draft] = []
        self._spares: dict[str, int] = {}
        self._people = People(self._chance, plan.now, plan.flavour)
        self._oddities = Oddities(plan, self._people, self._chance, trouble=self._trouble)

    def build(self) -> BuiltTown:
        """Return the finished town."""
        class_names = list(self._source.class_names)
        clean = {name: self._source.clean_pictures(name) for name in class_names}
        authors = self._people.class_authors({name: len(clean[name]) for name in class_names})
        for class_name in class_names:
            originals = self._post_clean(class_name, clean[class_name], authors[class_name])
            corner = Corner(class_name, authors[class_name], originals)
            self._post_hidden(corner)
            self._post_unwilling(corner)
            self._post_unusable(corner)
            self._post_two_classes(corner, class_names)
            self._post_duplicates(corner)
            self._oddities.post(corner)
        average = sum(len(pictures) for pictures in clean.values()) / len(class_names)
        self._post_unrelated(round(average * self._plan.unrelated_per_clean))
        self._post_flood(class_names[len(class_names) // 2])
        return self._finish()

    # -- posts ----------------------------------------------------------------------------------

    def _age(self) -> timedelta:
        """Return an age within the public horizon, or now and then beyond it."""
        oldest = 200 * 24 * 60 if self._chance.random() < 0.04 else 85 * 24 * 60
        return timedelta(minutes=self._chance.uniform(60, oldest))

    def _class_tags(self, class_name: str) -> tuple[str, ...]:
        return (
            class_spellings(class_name, self._chance)
            + sprinkled(COMPANION_TAGS.get(class_name, {}), self._chance)
            + sprinkled(GENERIC_TAGS, self._chance)
        )

    def _spare(self, class_name: str) -> Picture:
        index = self._spares.get(class_name, 0)
        self._spares[class_name] = index + 1
        return self._source.spare_picture(class_name, index)

    def _post_clean(
        self, class_name: str, pictures: Sequence[Picture], authors: Sequence[Author]
    ) -> list[Draft]:
        """Post every clean picture once, some of them in albums; return the posts."""
        remaining = list(pictures)
        self._chance.shuffle(remaining)
        posted: list[Draft] = []
        while remaining:
            album = self._chance.choice((2, 2, 3, 4)) if self._chance.random() < 0.12 else 1
            batch, remaining = remaining[:album], remaining[album:]
            first_round = len(posted) < len(authors)
            author = authors[len(posted)] if first_round else self._chance.choice(authors)
            posted.append(
                Draft(
                    author=author,
                    age=self._age(),
                    tags=self._class_tags(class_name),
                    files=[(picture, self._ordinary_treatment()) for picture in batch],
                    class_names=(class_name,),
                    fate="kept",
                )
            )
        self._drafts += posted
        return posted

    def _ordinary_treatment(self) -> str:
        """Choose how a clean picture is uploaded; photographs keep their own bytes."""
        treatments = ["plain", "located"]
        weights = [80, 8]
        if self._source.redraws:
            treatments += ["turned", "png", "webp"]
            weights += [5, 4, 3]
        return self._chance.choices(treatments, weights)[0]

    def _trouble(self, corner: Corner, fate: str, treatment: str = "plain") -> Draft:
        """Post a spare picture of the class by one of its authors; return the post to spoil it."""
        draft = Draft(
            author=self._chance.choice(corner.authors),
            age=self._age(),
            tags=self._class_tags(corner.class_name),
            files=[(self._spare(corner.class_name), treatment)],
            class_names=(corner.class_name,),
            fate=fate,
        )
        self._drafts.append(draft)
        return draft

    def _post_hidden(self, corner: Corner) -> None:
        """Post what the consent gates must stop because of the post."""
        for visibility in ("private", "unlisted"):
            for _ in corner.times(4):
                self._trouble(corner, "not_public").visibility = visibility
        for number in corner.times(5):
            draft = self._trouble(corner, "sensitive")
            draft.nsfw_attachment = number % 4 == 3
            draft.sensitive = not draft.nsfw_attachment
        for _ in corner.times(3):
            self._trouble(corner, "spoiler").spoiler_text = "needles and a vet"
        for _ in corner.times(2):
            self._trouble(corner, "reply").is_reply = True
            self._trouble(corner, "repost").is_boost = True

    def _post_unwilling(self, corner: Corner) -> None:
        """Post what the consent gates must stop because of the author."""
        locked = [replace(self._people.new_author(), locked=True) for _ in corner.times(2)]
        for _ in corner.times(5):
            self._trouble(corner, "account_locked").author = self._chance.choice(locked)
        opted_out = [self._people.opted_out_author(profile) for profile in OPT_OUT_PROFILES]
        for number in corner.times(5):
            author = opted_out[number % len(opted_out)]
            self._trouble(corner, "account_opted_out").author = author
        for _ in range(self._plan.silent_opt_outs):
            author = replace(self._people.new_author(), indexable=False)
            self._trouble(corner, "account_not_indexable").author = author
        for _ in corner.times(4):
            draft = self._trouble(corner, "remote_origin")
            draft.author = self._people.remote_author()
            draft.claimed_earlier = timedelta(hours=self._chance.randint(1, 90))

    def _post_unusable(self, corner: Corner) -> None:
        """Post files that no model should learn from."""
        for _ in corner.times(5):
            self._trouble(corner, "greyscale", "grey")
        for _ in corner.times(2):
            self._trouble(corner, "truncated", "cut_short")
            self._trouble(corner, "not_an_image", "web_page")
            self._trouble(corner, "animated", "moving")
        for _ in corner.times(1):
            self._trouble(corner, "too_many_pixels", "enormous")

    def _post_two_classes(self, corner: Corner, class_names: Sequence[str]) -> None:
        """Post pictures that carry the hashtags of two classes."""
        others = [name for name in class_names if name != corner.class_name]
        for _ in corner.times(4) if others else ():
            other = self._chance.choice(others)
            draft = self._trouble(corner, "multi_class")
            draft.tags += class_spellings(other, self._chance)
            draft.class_names += (other,)

    def _post_duplicates(self, corner: Corner) -> None:
        """Post later copies of clean pictures, half of them by somebody else."""
        single = [draft for draft in corner.originals if len(draft.files) == 1]
        exact, near = len(corner.times(5)), len(corner.times(6))
        chosen = self._chance.sample(single, min(len(single), exact + near))
        for number, original in enumerate(chosen):
            is_exact = number < exact
            draft = self._trouble(corner, "exact_duplicate" if is_exact else "near_duplicate")
            if number % 2:
                draft.author = original.author
            draft.age = original.age * self._chance.uniform(0.05, 0.95)
            picture, treatment = original.files[0]
            if not is_exact:
                treatment = self._chance.choice(("smaller", "recompressed"))
            draft.files = [(picture, treatment)]

    def _post_unrelated(self, count: int) -> None:
        authors = [self._people.new_author() for _ in range(max(10, count // 8))]
        for _ in range(count):
            self._drafts.append(
                Draft(
                    author=self._chance.choice(authors),
                    age=self._age(),
                    tags=sprinkled(SUBJECT_TAGS, self._chance)
                    + sprinkled(GENERIC_TAGS, self._chance),
                    files=[(self._spare("scenery"), "plain")],
                )
            )

    def _post_flood(self, class_name: str) -> None:
        spammer = replace(
            self._people.new_author(), suspended=True, note="Best prices! Click here!"
        )
        for number in range(self._plan.flood_posts):
            self._drafts.append(
                Draft(
                    author=spammer,
                    age=timedelta(days=30, minutes=19 * number),
                    tags=(class_name, "cheap", "sale"),
                    files=[(self._spare("scenery"), "plain")],
                    class_names=(class_name,),
                    fate="account_suspended",
                )
            )

    # -- finishing ------------------------------------------------------------------------------

    def _finish(self) -> BuiltTown:
        posts: list[Post] = []
        truth: list[AttachmentTruth] = []
        for number, draft in enumerate(
            sorted(self._drafts, key=lambda draft: -self._id_age(draft))
        ):
            post = self._finished_post(draft, number)
            posts.append(post)
            truth += [
                AttachmentTruth(
                    post.post_id,
                    position,
                    attachment.path,
                    draft.class_names,
                    draft.fate,
                    self._is_served(draft),
                )
                for position, attachment in enumerate(post.attachments)
            ]
        return BuiltTown(tuple(posts), tuple(truth))

    def _id_age(self, draft: Draft) -> timedelta:
        """Return how old the id is: Mastodon's tell publication, Pixelfed's arrival (3.3, 2.6)."""
        claimed = draft.claimed_earlier if self._plan.flavour == "mastodon" else timedelta(0)
        return draft.age + claimed

    def _is_served(self, draft: Draft) -> bool:
        if draft.is_in_feeds is not None:
            return draft.is_in_feeds
        if draft.author.suspended:
            return False
        if self._plan.flavour == "pixelfed":
            return draft.visibility != "unlisted"
        return draft.visibility == "public" and not (draft.author.limited or draft.is_boost)

    def _moment(self, age: timedelta) -> datetime:
        moment = self._plan.now - age
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def _finished_post(self, draft: Draft, number: int) -> Post:
        flavour = self._plan.flavour
        taken_in = self._moment(self._id_age(draft))
        post = Post(
            post_id=snowflake(taken_in, number, flavour),
            author=draft.author,
            created_at=self._moment(draft.age) - draft.claimed_earlier,
            caption=self._chance.choice(CAPTIONS),
            tags=tuple(dict.fromkeys(draft.tags)),
            attachments=tuple(
                self._attachment(draft, f"{number}-{position}", picture, treatment)
                for position, (picture, treatment) in enumerate(draft.files)
            ),
            visibility=draft.visibility,
            sensitive=draft.sensitive,
            spoiler_text=draft.spoiler_text,
        )
        if draft.is_reply:
            earlier = snowflake(taken_in - timedelta(minutes=7), 0, flavour)
            return replace(post, in_reply_to=earlier)
        if draft.is_boost:
            boosted_at = taken_in - timedelta(hours=5)
            boosted = replace(
                post,
                post_id=snowflake(boosted_at, number, flavour),
                author=self._people.remote_author(),
                created_at=boosted_at,
            )
            return replace(post, reblog_of=boosted)
        return post

    def _attachment(
        self, draft: Draft, label: str, picture: Picture, treatment_name: str
    ) -> Attachment:
        treatment = TREATMENTS[treatment_name]
        extension = treatment.extension or self._source.extension(picture)
        digest = hashlib.sha256(f"{self._plan.seed}/{label}".encode()).hexdigest()
        mime = _MEDIA_MIMES[extension]
        if mime == "image/jpeg" and self._chance.random() < 0.2:
            mime = "image/jpg"
        knows_size = treatment.keeps_size and self._chance.random() < 0.9
        described = self._chance.random() < 0.6
        subject = " and ".join(draft.class_names) or "view"
        return Attachment(
            media_id=str(50_000 + int(digest[:8], 16)),
            path=_path(self._plan.flavour, draft.author, digest, extension),
            picture=picture,
            treatment=treatment_name,
            mime=mime,
            description=f"A {subject}" if described else None,
            licence_id=self._chance.choice((None, None, None, 11, 12, 6)),
            size=self._source.size(picture) if knows_size else None,
            is_nsfw=draft.nsfw_attachment,
            kind=draft.kind,
            whereabouts=draft.whereabouts,
        )


def _path(flavour: Flavour, author: Author, digest: str, extension: str) -> str:
    """Return where a flavour stores a file (fediverse.md 4)."""
    if flavour == "pixelfed":
        return (
            f"/storage/m/_v2/{author.account_id}/{digest[:9]}-{digest[9:15]}/"
            f"{digest[15:27]}/{digest[27:43]}.{extension}"
        )
    folder = "cache/media_attachments" if author.host else "media_attachments"
    return (
        f"/system/{folder}/files/{digest[:3]}/{digest[3:6]}/{digest[6:9]}/original/"
        f"{digest[9:25]}.{extension}"
    )
