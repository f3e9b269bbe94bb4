"""How the demo town comes to be: people, posts, troubles, and the intended fate of each picture.

Belongs here: the plan of a town and its construction, deterministic for a seed. What a finished
town can be asked is ``town``; files are made later, on request, from ``Attachment.treatment``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
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
from reds_pipeline.demo.posts import Attachment, Author, Picture, Post, snowflake
from reds_pipeline.demo.uploads import TREATMENTS

DEFAULT_NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
"""The moment the demo town is frozen at; fixed, so that its ids are the same in every run."""

_MEDIA_MIMES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
}
_OPT_OUT_PROFILES = (
    ("", "Harbour walks and slow film. Please leave my posts to people. #nobot"),
    ("", 'Painter. <a href="/discover/tags/noai">#<span>NoAI</span></a> thank you.'),
    (" #noml", "Mostly weekends."),
    ("", "Small garden, big sky. #NoIndex #noarchive"),
)
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
            ActivityPub actor, which a client of the REST interface alone cannot see.
    """

    seed: int = 0
    now: datetime = DEFAULT_NOW
    unrelated_per_clean: float = 4.5
    flood_posts: int = 75
    silent_opt_outs: int = 0


@dataclass(frozen=True)
class AttachmentTruth:
    """What ought to become of one attachment.

    Attributes:
        post_id: The post.
        position: Index of the attachment in the post.
        path: Path of its file on the instance.
        class_names: The classes in whose hashtag timelines the post stands; ``()`` if none.
        fate: ``kept``, ``unrelated``, or the slug of the reason for which it must be dropped.
        served: Whether a hashtag timeline of 0.12.6 hands the post out at all.
    """

    post_id: str
    position: int
    path: str
    class_names: tuple[str, ...]
    fate: str
    served: bool


@dataclass(eq=False)
class _Draft:
    """A post before it has an id."""

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


@dataclass(frozen=True)
class _Corner:
    """The part of the town that posts one class: its authors and its clean posts."""

    class_name: str
    authors: Sequence[Author]
    originals: Sequence[_Draft]

    def times(self, per_hundred: int) -> range:
        """Return so many rounds for a hundred clean posts, in proportion, at least one."""
        return range(max(1, round(per_hundred * len(self.originals) / 100)))


@dataclass(frozen=True)
class BuiltTown:
    """The outcome of building: posts, oldest first, and the truth about every attachment."""

    posts: tuple[Post, ...]
    truth: tuple[AttachmentTruth, ...]


class TownBuilder:
    """Builds one town; use ``build`` once."""

    def __init__(self, source: PictureSource, plan: TownPlan) -> None:
        """Prepare a town of the pictures of ``source`` after ``plan``."""
        self._source = source
        self._plan = plan
        self._chance = Random(plan.seed)
        self._drafts: list[_Draft] = []
        self._spares: dict[str, int] = {}
        self._usernames: set[str] = set()

    def build(self) -> BuiltTown:
        """Return the finished town."""
        class_names = list(self._source.class_names)
        clean = {name: self._source.clean_pictures(name) for name in class_names}
        authors = self._class_authors({name: len(clean[name]) for name in class_names})
        for class_name in class_names:
            originals = self._post_clean(class_name, clean[class_name], authors[class_name])
            corner = _Corner(class_name, authors[class_name], originals)
            self._post_hidden(corner)
            self._post_unwilling(corner)
            self._post_unusable(corner)
            self._post_two_classes(corner, class_names)
            self._post_duplicates(corner)
        average = sum(len(pictures) for pictures in clean.values()) / len(class_names)
        self._post_unrelated(round(average * self._plan.unrelated_per_clean))
        self._post_flood(class_names[len(class_names) // 2])
        return self._finish()

    # -- people ---------------------------------------------------------------------------------

    def _new_author(self) -> Author:
        username = ""
        while not username or username in self._usernames:
            username = "".join(self._chance.choices(_SYLLABLES, k=self._chance.choice((2, 3))))
        self._usernames.add(username)
        return Author(
            account_id=str(77_000 + len(self._usernames)),
            username=username,
            display_name=username.capitalize(),
            note=self._chance.choice(_ORDINARY_NOTES),
            created_at=self._plan.now - timedelta(days=self._chance.randint(200, 1500)),
        )

    def _opted_out_author(self, profile: tuple[str, str]) -> Author:
        name_suffix, note = profile
        author = self._new_author()
        shown_name = author.display_name + name_suffix
        return replace(author, display_name=shown_name, note=note, indexable=False)

    def _remote_author(self) -> Author:
        return replace(self._new_author(), host="faraway.example")

    def _class_authors(self, sizes: dict[str, int]) -> dict[str, list[Author]]:
        """Give each class its authors; one in seven also posts the next class."""
        authors = {
            name: [self._new_author() for _ in range(max(8, round(size / 4)))]
            for name, size in sizes.items()
        }
        names = list(authors)
        guests = {name: authors[name][: len(authors[name]) // 7] for name in names}
        if len(names) > 1:
            for position, name in enumerate(names):
                authors[name] = authors[name] + guests[names[position - 1]]
        return authors

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
    ) -> list[_Draft]:
        """Post every clean picture once, some of them in albums; return the posts."""
        remaining = list(pictures)
        self._chance.shuffle(remaining)
        posted: list[_Draft] = []
        while remaining:
            album = self._chance.choice((2, 2, 3, 4)) if self._chance.random() < 0.12 else 1
            batch, remaining = remaining[:album], remaining[album:]
            first_round = len(posted) < len(authors)
            author = authors[len(posted)] if first_round else self._chance.choice(authors)
            posted.append(
                _Draft(
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

    def _trouble(self, corner: _Corner, fate: str, treatment: str = "plain") -> _Draft:
        """Post a spare picture of the class by one of its authors; return the post to spoil it."""
        draft = _Draft(
            author=self._chance.choice(corner.authors),
            age=self._age(),
            tags=self._class_tags(corner.class_name),
            files=[(self._spare(corner.class_name), treatment)],
            class_names=(corner.class_name,),
            fate=fate,
        )
        self._drafts.append(draft)
        return draft

    def _post_hidden(self, corner: _Corner) -> None:
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

    def _post_unwilling(self, corner: _Corner) -> None:
        """Post what the consent gates must stop because of the author."""
        locked = [replace(self._new_author(), locked=True) for _ in corner.times(2)]
        for _ in corner.times(5):
            self._trouble(corner, "account_locked").author = self._chance.choice(locked)
        opted_out = [self._opted_out_author(profile) for profile in _OPT_OUT_PROFILES]
        for number in corner.times(5):
            author = opted_out[number % len(opted_out)]
            self._trouble(corner, "account_opted_out").author = author
        for _ in range(self._plan.silent_opt_outs):
            author = replace(self._new_author(), indexable=False)
            self._trouble(corner, "account_not_indexable").author = author
        for _ in corner.times(4):
            draft = self._trouble(corner, "remote_origin")
            draft.author = self._remote_author()
            draft.claimed_earlier = timedelta(hours=self._chance.randint(1, 90))

    def _post_unusable(self, corner: _Corner) -> None:
        """Post files that no model should learn from."""
        for _ in corner.times(5):
            self._trouble(corner, "greyscale", "grey")
        for _ in corner.times(2):
            self._trouble(corner, "truncated", "cut_short")
            self._trouble(corner, "not_an_image", "web_page")
            self._trouble(corner, "animated", "moving")
        for _ in corner.times(1):
            self._trouble(corner, "too_many_pixels", "enormous")

    def _post_two_classes(self, corner: _Corner, class_names: Sequence[str]) -> None:
        """Post pictures that carry the hashtags of two classes."""
        others = [name for name in class_names if name != corner.class_name]
        for _ in corner.times(4) if others else ():
            other = self._chance.choice(others)
            draft = self._trouble(corner, "multi_class")
            draft.tags += class_spellings(other, self._chance)
            draft.class_names += (other,)

    def _post_duplicates(self, corner: _Corner) -> None:
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
        authors = [self._new_author() for _ in range(max(10, count // 8))]
        for _ in range(count):
            self._drafts.append(
                _Draft(
                    author=self._chance.choice(authors),
                    age=self._age(),
                    tags=sprinkled(SUBJECT_TAGS, self._chance)
                    + sprinkled(GENERIC_TAGS, self._chance),
                    files=[(self._spare("scenery"), "plain")],
                )
            )

    def _post_flood(self, class_name: str) -> None:
        spammer = replace(self._new_author(), suspended=True, note="Best prices! Click here!")
        for number in range(self._plan.flood_posts):
            self._drafts.append(
                _Draft(
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
        for number, draft in enumerate(sorted(self._drafts, key=lambda draft: -draft.age)):
            post = self._finished_post(draft, number)
            posts.append(post)
            served = draft.visibility != "unlisted" and not draft.author.suspended
            truth += [
                AttachmentTruth(
                    post.post_id, position, attachment.path, draft.class_names, draft.fate, served
                )
                for position, attachment in enumerate(post.attachments)
            ]
        return BuiltTown(tuple(posts), tuple(truth))

    def _finished_post(self, draft: _Draft, number: int) -> Post:
        taken_in = self._plan.now - draft.age
        taken_in = taken_in.replace(microsecond=taken_in.microsecond // 1000 * 1000)
        post = Post(
            post_id=snowflake(taken_in, sequence=number),
            author=draft.author,
            created_at=taken_in - draft.claimed_earlier,
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
            return replace(post, in_reply_to=snowflake(taken_in - timedelta(minutes=7)))
        if draft.is_boost:
            boosted_at = taken_in - timedelta(hours=5)
            boosted = replace(
                post,
                post_id=snowflake(boosted_at, sequence=number),
                author=self._remote_author(),
                created_at=boosted_at,
            )
            return replace(post, reblog_of=boosted)
        return post

    def _attachment(
        self, draft: _Draft, label: str, picture: Picture, treatment_name: str
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
            path=(
                f"/storage/m/_v2/{draft.author.account_id}/{digest[:9]}-{digest[9:15]}/"
                f"{digest[15:27]}/{digest[27:43]}.{extension}"
            ),
            picture=picture,
            treatment=treatment_name,
            mime=mime,
            description=f"A {subject}" if described else None,
            licence_id=self._chance.choice((None, None, None, 11, 12, 6)),
            size=self._source.size(picture) if knows_size else None,
            is_nsfw=draft.nsfw_attachment,
        )
