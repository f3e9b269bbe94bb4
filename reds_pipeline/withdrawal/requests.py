"""What somebody wants withdrawn, as they say it, and what that covers of what we hold.

What belongs here: reading the address of a post, an account or a picture, and finding its
tombstones. What does not: recording them (``tombstones.py``) and erasing (``withdraw.py``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any
from urllib.parse import unquote, urlsplit

from reds_pipeline.errors import ImageRejected, RedsError
from reds_pipeline.fediverse.media.download import OUTDATED
from reds_pipeline.fediverse.posts import handle_key
from reds_pipeline.fediverse.recheck.permalinks import Permalink, read_permalink
from reds_pipeline.fediverse.web.addresses import host_name
from reds_pipeline.feedback.contributions import contributions
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.partitions import partitions
from reds_pipeline.storage.seals import Seal
from reds_pipeline.storage.tables import IMAGES, POSTS, SIMILAR_PAIRS, read_rows
from reds_pipeline.withdrawal.tombstones import Tombstones, picture_keys

Row = dict[str, Any]

# Segments after which an account's name stands, also in the address of a post.
_BEFORE_NAMES = frozenset({"users", "u", "p"})
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Journals whose records hold rows of the posts table.
POST_JOURNALS = ("posts", "sample", "recheck", "recheck_sample")


@dataclass(frozen=True)
class PostAddress:
    """A post: the host that names it so, and its id there."""

    host: str
    post_id: str


@dataclass(frozen=True)
class AccountAddress:
    """An account.

    Attributes:
        host: Its host as people write it.
        username: Its name there, "" where only the number is known.
        account_id: Its number there, "" where only the name is known. On hosts whose addresses
            of posts carry no names (Pleroma, Misskey) only this finds the posts we hold.
    """

    host: str
    username: str = ""
    account_id: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture by its contents.

    Attributes:
        sha256: Of the file as we store it, "" where unknown.
        perceptual_hash: 16 hexadecimal digits, "" to match by bytes alone.
        radius: Bits in which the look of a copy may differ, 0 to 15.
    """

    sha256: str = ""
    perceptual_hash: str = ""
    radius: int = 0


@dataclass(frozen=True)
class RecheckedPosts:
    """Posts that a re-check found gone or closed: ``post_key`` to the reason of the row."""

    reasons: Mapping[str, str] = field(default_factory=dict)


Subject = PostAddress | AccountAddress | Picture | RecheckedPosts
SUBJECT_NAMES: Mapping[type, str] = {
    PostAddress: "post",
    AccountAddress: "author",
    Picture: "image",
    RecheckedPosts: "recheck",
}


@dataclass(frozen=True)
class WithdrawalRequest:
    """What to withdraw, and for the record why.

    Attributes:
        subject: What to withdraw.
        why: The reason in words.
        asked_by: Who asked, in words that name nobody; both are kept for ever.
    """

    subject: Subject
    why: str = ""
    asked_by: str = ""


def post_address(text: str, host: str = "") -> PostAddress:
    """Return the post that an address or, with ``host``, an id names.

    Raises:
        RedsError: It names none.
    """
    if host and "/" not in text and text.strip():
        return PostAddress(_host_of(host), text.strip())
    permalink = read_permalink(text.strip())
    if permalink is None or not permalink.post_id or _is_profile(permalink.path):
        raise RedsError(
            f"{text} is not the address of a post; give one such as "
            "https://pix.example/p/mira/912345678901234567, or its id together with the host."
        )
    return PostAddress(permalink.host, permalink.post_id)


def account_address(text: str) -> AccountAddress:
    """Return the account that ``user@host`` or the address of a profile names.

    Raises:
        RedsError: It names none.
    """
    plain = text.strip()
    if "://" not in plain:
        name, _, host = plain.removeprefix("@").partition("@")
        if name and host and "/" not in plain:
            return AccountAddress(_host_of(host), username=name)
        raise _no_account(text)
    host = _host_of(plain)
    segments = [unquote(part) for part in urlsplit(plain).path.split("/") if part]
    if not segments:
        raise _no_account(text)
    if segments[:2] == ["ap", "users"] or segments[:3] == ["i", "web", "profile"]:
        return AccountAddress(host, account_id=segments[-1])
    named = [segment for segment in segments if segment.startswith("@")]
    if not named and segments[0] in _BEFORE_NAMES:
        named = segments[1:2]
    elif not named and len(segments) == 1:
        named = segments
    if not named:
        # A guess would refuse a stranger, and tell the one who asked that all is done.
        raise _no_account(text)
    name, _, home = named[0].removeprefix("@").partition("@")
    return AccountAddress(home.casefold() or host, username=name)


def picture(source: bytes | str, radius: int) -> Picture:
    """Return the picture in a file, or the one with a SHA-256 in hexadecimal.

    Args:
        source: Bytes of a file, examined as a download is, or a SHA-256 as ``images`` has it.
        radius: Bits in which the look of a copy may differ, 0 to 15; of no use for a SHA-256.

    Raises:
        RedsError: It is no picture, or no SHA-256.
    """
    if isinstance(source, str):
        if not _SHA256.fullmatch(source.strip().lower()):
            raise RedsError(
                f"{source} is not a SHA-256; give 64 hexadecimal digits, or a file with the "
                "picture."
            )
        return Picture(sha256=source.strip().lower())
    import hashlib

    from reds_pipeline.imaging.examine import examine_image

    try:
        examined = examine_image(source)
    except ImageRejected as refusal:
        raise RedsError(
            f"The file cannot be read as a picture ({refusal.reason}), so REDS cannot hold it; "
            "give the picture as it was posted, or its SHA-256."
        ) from refusal
    return Picture(
        sha256=hashlib.sha256(examined.data).hexdigest(),
        perceptual_hash=examined.perceptual_hash,
        radius=radius,
    )


def tombstones_for(home: Home, subject: Subject) -> Tombstones:
    """Return the tombstones of everything that a request covers, held by us or not."""
    if isinstance(subject, RecheckedPosts):
        return Tombstones(keys=frozenset(subject.reasons), reasons=subject.reasons)
    if isinstance(subject, Picture):
        return _of_picture(home, subject)
    if isinstance(subject, PostAddress):
        return _of_post(home, subject)
    return _of_account(home, subject)


def held_posts(home: Home) -> Iterator[Row]:
    """Yield every row of a post that is kept, in tables and in journals of work in progress."""
    tables = [home.table("sample_posts"), *(part.table for part in partitions(home, "posts"))]
    for path in tables:
        yield from (row for row in read_rows(path, POSTS) if row["status"] == "kept")
    for name in POST_JOURNALS:
        for part in partitions(home, name):
            for record in part.journal.records():
                yield from (row for row in post_rows_in(record) if row["status"] == "kept")


def post_rows_in(record: Mapping[str, Any]) -> list[Row]:
    """Return the rows of posts that a journal's record carries."""
    rows = record.get("rows") or [record.get("row")]
    return [row for row in rows if row]


def opened_permalink(seal: Seal, row: Row) -> Permalink | None:
    """Return the address under the seal of a row, or None where there is none to read."""
    try:
        return read_permalink(seal.opened(row["permalink"])) if row["permalink"] else None
    except ValueError:
        return None


def _is_profile(path: str) -> bool:
    """Say whether a path leads to an account; taken for a post it would withdraw nothing."""
    *before, last = [unquote(part) for part in path.split("/") if part]
    return not before or last.startswith("@") or before[-1] in {"users", "u", "profile"}


def _of_post(home: Home, post: PostAddress) -> Tombstones:
    address = home.keyed_hash(post.host, post.post_id)
    keys = {address}
    for row in held_posts(home):
        permalink = opened_permalink(home.seal, row)
        if permalink and permalink.post_id == post.post_id and post.host in permalink.hosts:
            keys.add(row["post_key"])
    return Tombstones(keys=frozenset(keys), addresses=frozenset({address}))


def _of_account(home: Home, account: AccountAddress) -> Tombstones:
    handles, keys = set(), set()
    if account.username:
        handles.add(handle_key(home.keyed_hash, account.username, account.host))
    if account.account_id:
        keys.add(home.keyed_hash(account.host, account.account_id))
    for row in held_posts(home) if handles else ():
        permalink = opened_permalink(home.seal, row)
        if permalink and handles & permalink.handle_keys(home.keyed_hash):
            keys.add(row["author_key"])
            # The same account by the other writing of its host, with or without a port.
            handles |= permalink.handle_keys(home.keyed_hash)
    return Tombstones(keys=frozenset(keys), handles=frozenset(handles))


def _of_picture(home: Home, wanted: Picture) -> Tombstones:
    held = list(_held_pictures(home))
    covered = {row["sha256"] for row in held if _looks_like(row, wanted)} | {wanted.sha256}
    if wanted.perceptual_hash:
        covered |= _copies_of(home, covered)
    keys = set(picture_keys(home.keyed_hash, wanted.sha256, wanted.perceptual_hash))
    for row in held:
        if row["sha256"] in covered:
            keys.add(row["media_key"])
            keys |= picture_keys(home.keyed_hash, row["sha256"], "")
            # Only of what is looked for by its look: one flat grey resembles any other.
            if wanted.perceptual_hash:
                keys |= picture_keys(home.keyed_hash, "", row["perceptual_hash"])
    return Tombstones(keys=frozenset(keys))


def _copies_of(home: Home, sha256s: Collection[str]) -> set[str]:
    """Return the pictures that were found to be cut out of one of some pictures, or the reverse."""
    return {
        copy
        for row in read_rows(home.table("similar_pairs"), SIMILAR_PAIRS)
        if row["is_copy"]
        for known, copy in permutations((row["one"], row["other"]))
        if known in sha256s
    }


def _held_pictures(home: Home) -> Iterator[Row]:
    for part in partitions(home, "images"):
        for row in (*read_rows(part.table, IMAGES), *part.journal.records()):
            # Of an outdated one the file is gone, and models that learnt from it are not.
            if row["status"] == "stored" or row["reason"] == OUTDATED:
                yield row
    for photo in contributions(home):
        yield {**vars(photo), "media_key": photo.id}


def _looks_like(row: Row, wanted: Picture) -> bool:
    """Say whether a picture, or its mirror image, looks like the one that is wanted."""
    return any(
        (int(digits, 16) ^ int(wanted.perceptual_hash, 16)).bit_count() <= wanted.radius
        for digits in (row["perceptual_hash"], row.get("mirrored_hash"))
        if digits and wanted.perceptual_hash
    )


def _host_of(text: str) -> str:
    try:
        return host_name(text if "://" in text else f"https://{text}").casefold()
    except ValueError as error:
        raise RedsError(
            f"{text} does not name a host because {error}; give a name such as pix.example."
        ) from error


def _no_account(text: str) -> RedsError:
    return RedsError(
        f"{text} does not name an account; give mira@pix.example or the address of the profile."
    )
