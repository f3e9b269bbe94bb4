"""The plain records of the demo town: who posts, what is attached, what a post says.

Belongs here: frozen dataclasses without behaviour beyond simple properties. How a town is made up
is ``town_builder``; how a record becomes the server's JSON is ``entities``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SNOWFLAKE_EPOCH_MILLISECONDS = 1_549_756_800_000
"""Zero of Pixelfed's post ids, in Unix milliseconds (fediverse.md 2.4)."""

SNOWFLAKE_TIME_SHIFT = 22
"""Low bits of a Pixelfed id that do not carry time (fediverse.md 2.4)."""

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def snowflake(moment: datetime, sequence: int = 0) -> str:
    """Return the Pixelfed id of something created at ``moment`` (aware, millisecond precision).

    Args:
        moment: When the server took the thing in.
        sequence: The low bits, ``0 <= sequence < 2**22``.
    """
    milliseconds = (moment - _UNIX_EPOCH) // timedelta(milliseconds=1)
    elapsed = milliseconds - SNOWFLAKE_EPOCH_MILLISECONDS
    return str((elapsed << SNOWFLAKE_TIME_SHIFT) | sequence)


def snowflake_time(identifier: str) -> datetime:
    """Return when a Pixelfed id was given out; the inverse of ``snowflake``."""
    elapsed = int(identifier) >> SNOWFLAKE_TIME_SHIFT
    return _UNIX_EPOCH + timedelta(milliseconds=elapsed + SNOWFLAKE_EPOCH_MILLISECONDS)


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


@dataclass(frozen=True)
class Picture:
    """One picture of a picture source: the class it shows and its number there.

    ``mirrored`` asks for the left-right mirrored version, a perceptually different picture: a
    folder of photographs has no spare ones for posts that must not resemble the clean ones.
    """

    class_name: str
    number: int
    mirrored: bool = False


@dataclass(frozen=True)
class Attachment:
    """One file of a post.

    Attributes:
        media_id: Id of the attachment, a decimal string.
        path: Path of the file on the instance, beginning with ``/storage/m/_v2/``.
        picture: What the file shows.
        treatment: What happened to the picture before it was uploaded (a name of ``uploads``).
        mime: The label the server gives the file; ``image/jpg`` is one of its habits.
        description: Alternative text, ``None`` when the author wrote none.
        licence_id: Pixelfed's licence number, ``None`` for all rights reserved.
        size: Width and height in pixels, ``None`` when the server does not know them.
        is_nsfw: The flag of the single attachment.
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

    @property
    def is_local(self) -> bool:
        """Whether the author lives on this instance."""
        return not self.author.host
