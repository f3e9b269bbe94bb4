"""The plain records of the demo town: who posts, what is attached, what a post says.

Belongs here: frozen dataclasses without behaviour beyond simple properties. How a town is made up
is ``town.builder``; how a record becomes the server's JSON is the flavour's ``entities``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Flavour = Literal["pixelfed", "mastodon"]
"""Whose manners an instance has, and whose ids and paths its town uses."""

SNOWFLAKE_EPOCH_MILLISECONDS: dict[Flavour, int] = {"pixelfed": 1_549_756_800_000, "mastodon": 0}
"""Zero of a flavour's post ids, in Unix milliseconds (fediverse.md 2.4 and 8)."""

SNOWFLAKE_TIME_SHIFT: dict[Flavour, int] = {"pixelfed": 22, "mastodon": 16}
"""Low bits of a flavour's ids that do not carry time (fediverse.md 2.4 and 8)."""

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def snowflake(moment: datetime, sequence: int = 0, flavour: Flavour = "pixelfed") -> str:
    """Return the id of something created at ``moment`` (aware, millisecond precision).

    Args:
        moment: When the server took the thing in.
        sequence: The low bits, not negative; those that a flavour has no room for are lost.
        flavour: Whose ids.
    """
    milliseconds = (moment - _UNIX_EPOCH) // timedelta(milliseconds=1)
    elapsed = milliseconds - SNOWFLAKE_EPOCH_MILLISECONDS[flavour]
    shift = SNOWFLAKE_TIME_SHIFT[flavour]
    return str((elapsed << shift) | (sequence & ((1 << shift) - 1)))


def snowflake_time(identifier: str, flavour: Flavour = "pixelfed") -> datetime:
    """Return when an id was given out; the inverse of ``snowflake``."""
    elapsed = int(identifier) >> SNOWFLAKE_TIME_SHIFT[flavour]
    return _UNIX_EPOCH + timedelta(milliseconds=elapsed + SNOWFLAKE_EPOCH_MILLISECONDS[flavour])


@dataclass(frozen=True)
class Author:
    """One invented account.

    Attributes:
        account_id: The id of the account on the instance, a decimal string.
        username: Handle without host.
        display_name: Shown name; may carry an opt-out word.
        note: Biography in HTML; may carry an opt-out word.
        created_at: When the account was opened.
        host: Host of a remote account, ``""`` for a local one.
        locked: The account is private now (its older public posts stay visible).
        indexable: What the ActivityPub actor says; Pixelfed's REST account does not carry it.
        suspended: The moderators closed the account; its posts leave every feed.
        discoverable: Mastodon's wish to be found, ``None`` where the author never chose.
        noindex: Mastodon's wish to stay out of search engines.
        limited: Mastodon's moderators hide the account from public feeds.
        memorial: The author has died and Mastodon says so.
        moved_to: Handle of the account that this one has moved to, ``""`` for none (Mastodon).
        bot: The account calls itself automated; Pixelfed never says so.
        fields: Names and values of the profile's table (Mastodon), in HTML.
        deleted: The author has left for good; posts are gone, the name stays taken.
    """

    account_id: str
    username: str
    display_name: str
    note: str
    created_at: datetime
    host: str = ""
    locked: bool = False
    indexable: bool = True
    suspended: bool = False
    discoverable: bool | None = True
    noindex: bool = False
    limited: bool = False
    memorial: bool = False
    moved_to: str = ""
    bot: bool = False
    fields: tuple[tuple[str, str], ...] = ()
    deleted: bool = False


@dataclass(frozen=True)
class Picture:
    """One picture of a picture source: the class it shows and its number there."""

    class_name: str
    number: int


@dataclass(frozen=True)
class Attachment:
    """One file of a post.

    Attributes:
        media_id: Id of the attachment, a decimal string.
        path: Path of the file on the instance, beginning with ``/storage/m/_v2/`` (Pixelfed) or
            ``/system/media_attachments/files/`` (Mastodon).
        picture: What the file shows.
        treatment: What happened to the picture before it was uploaded (a name of ``uploads``).
        mime: The label the server gives the file; ``image/jpg`` is one of its habits.
        description: Alternative text, ``None`` when the author wrote none.
        licence_id: Pixelfed's licence number, ``None`` for all rights reserved.
        size: Width and height in pixels, ``None`` when the server does not know them.
        is_nsfw: The flag of the single attachment.
        kind: What the server takes the file for: ``image``, ``gifv``, ``video`` or ``unknown``.
        whereabouts: ``stored`` on the instance; ``proxied``: known by a ``/media_proxy/`` address
            only; ``processing``: without an address yet (the last two on Mastodon only).
    """

    media_id: str
    path: str
    picture: Picture
    treatment: str
    mime: str
    description: str | None = None
    licence_id: int | None = None
    size: tuple[int, int] | None = None
    is_nsfw: bool = False
    kind: Literal["image", "gifv", "video", "unknown"] = "image"
    whereabouts: Literal["stored", "proxied", "processing"] = "stored"


@dataclass(frozen=True)
class Post:
    """One post as the instance holds it.

    Attributes:
        post_id: Snowflake, a decimal string; its time part is when the instance took the post in.
        author: Who posted.
        created_at: When the author says it was published; differs from the id for remote posts.
        caption: Plain text without the hashtags.
        tags: Hashtags in their original case, without ``#``.
        attachments: The files, in order.
        visibility: ``public``, ``unlisted`` or ``private``.
        sensitive: The flag of the whole post.
        spoiler_text: Content warning, ``""`` for none.
        in_reply_to: Id of the post replied to, ``None`` for a post of its own.
        reblog_of: The boosted post; the files of a boost are those of the boosted post.
        edited_at: When the author last changed it, ``None`` for never.
    """

    post_id: str
    author: Author
    created_at: datetime
    caption: str
    tags: tuple[str, ...]
    attachments: tuple[Attachment, ...]
    visibility: str = "public"
    sensitive: bool = False
    spoiler_text: str = ""
    in_reply_to: str | None = None
    reblog_of: Post | None = None
    edited_at: datetime | None = None

    @property
    def is_local(self) -> bool:
        """Whether the author lives on this instance."""
        return not self.author.host
