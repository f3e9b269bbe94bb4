"""Downloading the pictures of kept posts, each once, in any number of attempts.

What belongs here: which pictures are still missing, fetching them side by side, and one row per
picture. What does not: how to fetch one (``fetcher.py``), what a good picture is (``imaging``,
handed in as ``examine``). Only rows of kept posts are looked at, so nothing of a gated post is
ever asked for. Bytes stay in memory until ``examine`` has accepted and stripped them; then the
file is stored, then its row is journaled, so a kill in between costs one download and leaves no
half file. The caller writes the rows to their table and then deletes the journal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from typing import Any, Protocol

from tqdm import tqdm

from reds_pipeline.errors import ImageRejected
from reds_pipeline.fediverse.fetcher import MediaFailed, MediaFetcher, MediaRefused
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.images import ImageStore
from reds_pipeline.storage.journal import Journal
from reds_pipeline.storage.keys import KeyedHash

__all__ = ["Examine", "Examined", "MediaFetcher", "download_images"]

Row = dict[str, Any]

STORED = "stored"
REJECTED = "rejected"
FAILED = "failed"


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
    def colour_spread(self) -> float:
        """How far the picture is from grey, 0 to 255."""


Examine = Callable[[bytes], Examined]


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
    workers: int = 8,
) -> list[Row]:
    """Fetch what is missing, newest posts first, until ``maximum`` pictures are stored.

    Args:
        post_rows: Rows of the posts table.
        image_rows: Rows of the images table that earlier runs left.
        fetch: Fetches one picture.
        examine: Judges bytes; raises ImageRejected. Any other error stops the run.
        store: Where good pictures go.
        journal: Where each finished attempt is recorded.
        key: The pseudonym function of this installation.
        maximum: Stored pictures to have among the newest; older rows stay beside them.
        workers: Threads; each holds at most one picture in memory.

    Returns:
        The rows of the images table: earlier ones, updated, and new ones. A row whose post is
        gated by now keeps its keys and hash only, as ``rejected`` with reason ``post_gated``.
    """
    rows = {row["media_key"]: _as_found(row, store) for row in (*image_rows, *journal.records())}
    wanted = {row["media_key"]: row for row in _candidates(post_rows, key)}
    gated = {row["post_key"] for row in post_rows if row["status"] != "kept"}

    def attempt(candidate: Row) -> Row:
        row = candidate | _outcome(candidate["url"], fetch, examine, store)
        journal.append(row)
        return row

    considered = iter(wanted.values())
    stored = 0
    with _progress_bar(rows, wanted, maximum) as bar:
        while batch := list(islice(considered, maximum - stored)):
            missing = []
            for candidate in batch:
                known = rows.get(candidate["media_key"])
                if known is None or known["status"] == FAILED:
                    missing.append(candidate)
                stored += known is not None and known["status"] == STORED
            for row in _side_by_side(attempt, missing, workers):
                rows[row["media_key"]] = row
                stored += row["status"] == STORED
                bar.update()
    # Threads finish in any order; the table has one.
    ordered = [
        # Two posts may show one file, and the one that it came by may have been gated since.
        rows[media_key] | (candidate if rows[media_key]["post_key"] in gated else {})
        for media_key, candidate in wanted.items()
        if media_key in rows
    ]
    others = [row for media_key, row in rows.items() if media_key not in wanted]
    return ordered + [_withdrawn(row) if row["post_key"] in gated else row for row in others]


def _as_found(row: Row, store: ImageStore) -> Row:
    """Return the row, as failed where its picture has gone from the store."""
    if row["status"] != STORED or store.path(row["sha256"], row["extension"]).exists():
        return row
    return row | _no_picture(FAILED, "file_lost")


def _candidates(post_rows: Iterable[Row], key: KeyedHash) -> Iterator[Row]:
    """Yield a row without outcome for each picture of each kept post, newest post first."""
    kept = [row for row in post_rows if row["status"] == "kept"]
    kept.sort(key=lambda row: (row["created_at"], row["post_key"]), reverse=True)
    seen: set[str] = set()
    for post in kept:
        for position, medium in enumerate(post["media"]):
            media_key = key(medium["url"])
            if media_key in seen:
                continue
            seen.add(media_key)
            yield {
                "media_key": media_key,
                "post_key": post["post_key"],
                "author_key": post["author_key"],
                "created_at": post["created_at"],
                "tags": list(post["tags"]),
                "position": position,
                "album": len(post["media"]) > 1,
                "alt_text": medium["alt_text"],
                "licence": medium["licence"],
                "url": medium["url"],
            }


def _outcome(url: str, fetch: MediaFetcher, examine: Examine, store: ImageStore) -> Row:
    """Return the columns of the images table that say what became of one attempt."""
    try:
        examined = examine(fetch(url))
    except (MediaRefused, ImageRejected) as refusal:
        return _no_picture(REJECTED, refusal.reason)
    except MediaFailed as failure:
        return _no_picture(FAILED, failure.reason)
    return {
        "collected_at": utc_now(),
        "status": STORED,
        "reason": "",
        "bytes": len(examined.data),
        "width": examined.width,
        "height": examined.height,
        "sha256": store.put(examined.data, examined.extension),
        "extension": examined.extension,
        "perceptual_hash": examined.perceptual_hash,
        "colour_spread": examined.colour_spread,
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
        "colour_spread": None,
    }


def _withdrawn(row: Row) -> Row:
    """Return the row of a picture whose post has been gated since.

    The hash stays so that the file can be found and erased; nothing the person wrote does.
    """
    emptied = {"author_key": "", "created_at": "", "tags": [], "alt_text": "", "url": ""}
    return row | emptied | {"status": REJECTED, "reason": "post_gated"}


def _side_by_side(work: Callable[[Row], Row], items: Sequence[Row], workers: int) -> Iterator[Row]:
    """Yield results as they come; the first error cancels what has not begun."""
    if not items:
        return
    pool = ThreadPoolExecutor(max_workers=min(workers, len(items)), thread_name_prefix="media")
    try:
        for future in as_completed([pool.submit(work, item) for item in items]):
            yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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
