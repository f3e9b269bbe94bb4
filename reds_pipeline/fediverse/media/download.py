"""Downloading the pictures of kept posts, each once, in any number of attempts.

What belongs here: which pictures are still missing, and one row per picture. What does not: which
are wanted first (``candidates.py``), how to fetch one (``fetcher.py``), how many at a time
(``pipeline.py``), what a good picture is (``imaging``, handed in as ``examine``). Only rows of kept
posts are looked at, so nothing of a gated post is ever asked for. Memory is the quarantine: bytes
stay there until ``examine`` has accepted and stripped them; then the file is moved into its place
as a whole, then its row is journaled. A kill in between costs one download and leaves no half file
and none that was not examined. The caller writes the rows to their table and then deletes the
journal.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from reds_pipeline.errors import ImageRejected
from reds_pipeline.fediverse.media.candidates import candidates
from reds_pipeline.fediverse.media.fetcher import MediaFailed, MediaFetcher, MediaRefused
from reds_pipeline.fediverse.media.pipeline import MediaPipeline, Workers
from reds_pipeline.fediverse.web.addresses import origin_of
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.images import ImageStore
from reds_pipeline.storage.journal import Journal
from reds_pipeline.storage.keys import KeyedHash

__all__ = ["WITHDRAWN", "Examine", "Examined", "MediaFetcher", "Workers", "download_images"]

Row = dict[str, Any]

STORED = "stored"
REJECTED = "rejected"
FAILED = "failed"
# The reason of a picture that somebody asked to be withdrawn.
WITHDRAWN = "withdrawn"
POST_GATED = "post_gated"
# The reason of a picture that was not asked for, because there was no room for it.
DISK_FULL = "disk_full"
# The reason of a picture that was stored and is older than any that is needed, and of a post of
# which nothing is left; they are never asked for again (``housekeeping``).
OUTDATED = "outdated"
# The columns that say who posted what and when, emptied.
_NOTHING_SAID: Row = {"author_key": "", "created_at": "", "tags": [], "alt_text": "", "url": ""}


class Examined(Protocol):
    """What ``examine`` returns: a sound picture without metadata."""

    @property
    def data(self) -> bytes:
        """The file to store."""

    @property
    def extension(self) -> str:
        """Its file name extension without a dot."""

    @property
    def width(self) -> int:
        """Width in pixels, as displayed."""

    @property
    def height(self) -> int:
        """Height in pixels, as displayed."""

    @property
    def perceptual_hash(self) -> str:
        """16 hexadecimal digits."""

    @property
    def mirrored_hash(self) -> str:
        """16 hexadecimal digits, of the mirror image."""

    @property
    def colour_spread(self) -> float:
        """How far the picture is from grey, 0 to 255."""

    @property
    def scores(self) -> Mapping[str, Any]:
        """The columns of ``storage.tables.SCORES``."""

    @property
    def square(self) -> NDArray[np.uint8]:
        """The picture as backbones see it, (224, 224, 3) in RGB."""

    @property
    def cropped(self) -> bool:
        """Whether the square leaves out something of the sides."""


Examine = Callable[[bytes], Examined]
KeepSquare = Callable[[str, NDArray[np.uint8], bool], None]


def download_images(
    post_rows: Sequence[Row],
    image_rows: Sequence[Row],
    *,
    fetch: MediaFetcher,
    examine: Examine,
    store: ImageStore,
    journal: Journal,
    key: KeyedHash,
    maximum: int,
    workers: Workers | None = None,
    withdrawn: frozenset[str] = frozenset(),
    keep_square: KeepSquare | None = None,
    has_room: Callable[[], bool] | None = None,
) -> list[Row]:
    """Fetch what is missing, as ``candidates`` orders it, until ``maximum`` pictures are stored.

    Args:
        post_rows: Rows of the posts table.
        image_rows: Rows of the images table that earlier runs left.
        fetch: Fetches one picture.
        examine: Judges bytes; raises ImageRejected. Any other error stops the run.
        store: Where good pictures go.
        journal: Where each finished attempt is recorded.
        key: The pseudonym function of this installation.
        maximum: Stored pictures to have among the first; rows of others stay beside them.
        workers: Threads, which bound the memory.
        withdrawn: Keys of what must not come back: ``media_key`` of addresses,
            ``key("image", sha256)`` of stored files, ``key("look", perceptual_hash)`` of pictures.
        keep_square: Takes the SHA-256, the square and whether it is cropped, of each picture that
            this call stored; called by several threads at a time.
        has_room: Says whether the disk has room for more; asked before each picture, of which
            none is fetched where it has not. Called by several threads at a time.

    Returns:
        The rows of the images table: earlier ones, updated, and new ones. A row whose post is
        gated by now keeps its keys and hash only, as ``rejected`` with reason ``post_gated``.
    """
    ban = _Ban(withdrawn, key)
    rows = {
        row["media_key"]: _as_found(row, store, ban) for row in (*image_rows, *journal.records())
    }
    wanted = {row["media_key"]: row for row in candidates(post_rows, key, maximum)}
    gated = {
        row["post_key"]
        for row in post_rows
        if row["status"] != "kept" and row["reason"] != OUTDATED
    }

    def journaled(row: Row) -> Row:
        journal.append(row)
        return row

    def fetched(candidate: Row) -> bytes | Row:
        if candidate["media_key"] in withdrawn:
            return journaled(_withdrawn(candidate))
        if has_room is not None and not has_room():
            return journaled(candidate | _no_picture(FAILED, DISK_FULL))
        try:
            return fetch(candidate["url"])
        except MediaRefused as refusal:
            return journaled(candidate | _no_picture(REJECTED, refusal.reason))
        except MediaFailed as failure:
            return journaled(candidate | _no_picture(FAILED, failure.reason))

    def examined(candidate: Row, data: bytes) -> Row:
        try:
            picture = examine(data)
        except ImageRejected as refusal:
            return journaled(candidate | _no_picture(REJECTED, refusal.reason))
        if ban.covers(picture):
            return journaled(_withdrawn(candidate))
        sha256 = store.put(picture.data, picture.extension)
        row = journaled(candidate | _stored(picture, sha256))
        if keep_square is not None:
            # After the row, by which a withdrawal finds whatever was made of the picture.
            keep_square(sha256, picture.square, picture.cropped)
        return row

    considered = iter(wanted.values())
    stored = 0
    with (
        _progress_bar(rows, wanted, maximum) as bar,
        MediaPipeline(
            fetched,
            examined,
            _host_of,
            lambda host: fetch.manners_towards(host).connections,
            workers or Workers(),
        ) as pipeline,
    ):
        while True:
            # What is under way may all turn out well, and no more than ``maximum`` is asked for.
            while stored + pipeline.unfinished < maximum:
                candidate = next(considered, None)
                if candidate is None:
                    break
                known = rows.get(candidate["media_key"])
                if known is None or known["status"] == FAILED or _was_gated(known):
                    pipeline.add(candidate)
                else:
                    stored += known["status"] == STORED
            if not pipeline.unfinished:
                break
            row = pipeline.next_finished()
            rows[row["media_key"]] = row
            stored += row["status"] == STORED
            bar.update()
    # Threads finish in any order; the table has one.
    ordered = [
        # Two posts may show one file, and the one that it came by may have been gated since.
        rows[media_key] | (candidate if _shown_by_another(rows[media_key], gated) else {})
        for media_key, candidate in wanted.items()
        if media_key in rows
    ]
    others = [row for media_key, row in rows.items() if media_key not in wanted]
    return ordered + [_post_gated(row) if row["post_key"] in gated else row for row in others]


@dataclass(frozen=True)
class _Ban:
    """What must not come back.

    Attributes:
        keys: As ``download_images`` takes them.
        key: The pseudonym function of this installation.
    """

    keys: frozenset[str]
    key: KeyedHash

    def covers(self, picture: Examined) -> bool:
        if not self.keys:
            return False
        sha256 = hashlib.sha256(picture.data).hexdigest()
        # The mirror image of a withdrawn picture shows the same.
        looks = {
            self.key("look", digits) for digits in (picture.perceptual_hash, picture.mirrored_hash)
        }
        return self.covers_file(sha256) or not looks.isdisjoint(self.keys)

    def covers_file(self, sha256: str) -> bool:
        return self.key("image", sha256) in self.keys

    def covers_row(self, row: Row) -> bool:
        return row["media_key"] in self.keys or (
            row["sha256"] != "" and self.covers_file(row["sha256"])
        )


def _as_found(row: Row, store: ImageStore, ban: _Ban) -> Row:
    """Return the row as it has to be read today.

    It is withdrawn where a kill left it in the journal, and failed where its picture has gone
    from the store.
    """
    if ban.keys and ban.covers_row(row):
        # The file's name stays until a withdrawal has found everything that was made of it.
        named = {"sha256": row["sha256"], "extension": row["extension"]}
        return _withdrawn(row) | named
    if row["status"] != STORED or store.path(row["sha256"], row["extension"]).exists():
        return row
    return row | _no_picture(FAILED, "file_lost")


def _stored(picture: Examined, sha256: str) -> Row:
    """Return the columns of the images table that describe a stored picture."""
    return {
        "collected_at": utc_now(),
        "status": STORED,
        "reason": "",
        "bytes": len(picture.data),
        "width": picture.width,
        "height": picture.height,
        "sha256": sha256,
        "extension": picture.extension,
        "perceptual_hash": picture.perceptual_hash,
        "mirrored_hash": picture.mirrored_hash,
        "colour_spread": picture.colour_spread,
        "scores": dict(picture.scores),
    }


def _no_picture(status: str, reason: str) -> Row:
    return {
        "collected_at": utc_now(),
        "status": status,
        "reason": reason,
        "bytes": None,
        "width": None,
        "height": None,
        "sha256": "",
        "extension": "",
        "perceptual_hash": "",
        "mirrored_hash": "",
        "colour_spread": None,
        "scores": None,
    }


def _was_gated(row: Row) -> bool:
    """Return whether a picture that is wanted now went when its post was gated once."""
    return row["reason"] == POST_GATED


def _shown_by_another(row: Row, gated: set[str]) -> bool:
    """Return whether the row speaks of a gated post although a kept one shows its picture."""
    return row["post_key"] in gated and row["reason"] != WITHDRAWN


def _post_gated(row: Row) -> Row:
    """Return the row of a picture whose post has been gated since.

    The hash stays so that the file can be found and erased; nothing the person wrote does.
    """
    return row | _NOTHING_SAID | {"status": REJECTED, "reason": POST_GATED}


def _withdrawn(row: Row) -> Row:
    """Return the row of a picture that must not come back, of which nothing is stored."""
    return row | _NOTHING_SAID | _no_picture(REJECTED, WITHDRAWN)


def _host_of(candidate: Row) -> str:
    """Return the origin that would be asked for the picture; "" where the address has none."""
    try:
        return origin_of(candidate["url"])
    except ValueError:
        return ""


def _progress_bar(rows: dict[str, Row], wanted: dict[str, Row], maximum: int) -> tqdm:
    missing = sum(
        media_key not in rows or rows[media_key]["status"] == FAILED for media_key in wanted
    )
    return tqdm(
        total=min(missing, maximum),
        desc="Fetching pictures",
        unit="picture",
        disable=None,
        file=sys.stderr,
        leave=False,
    )
