"""Letting go of posts of which nothing is left: no picture, and no model that has seen one.

What belongs here: which posts those are, and what stays of them. What does not: pictures, which go
long before (``old_pictures.py``), and posts that were taken back (``withdrawal``).

A post is looked for at its host before every training, so each one that is remembered costs a
request a day. That has to be as long as a model could have learnt from it, because then its author
must be able to take it back from the model too. Afterwards nothing is left to take back: of the
post stays what stays of one that was never let in, its keyed hash and a reason, by which it is
recognised and never asked for again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from reds_pipeline.dataset.remembered import remembered_exports
from reds_pipeline.fediverse.media.download import OUTDATED, REJECTED
from reds_pipeline.fediverse.posts import posted_at
from reds_pipeline.fediverse.recheck.rows import gated_row
from reds_pipeline.housekeeping.free_partitions import free_partitions
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.keys import KeyedHash
from reds_pipeline.storage.partitions import partitions
from reds_pipeline.storage.tables import IMAGES, POSTS, read_rows, write_rows
from reds_pipeline.tracking import Tracking
from reds_pipeline.withdrawal.lineage import pictures_of_models

Row = Mapping[str, Any]

_NOTHING_LEFT: Row = {
    "author_key": "",
    "created_at": "",
    "tags": [],
    "alt_text": "",
    "licence": "",
    "url": "",
    "sha256": "",
    "extension": "",
    "perceptual_hash": "",
    "mirrored_hash": "",
}


@dataclass(frozen=True)
class OldPosts:
    """What was let go of or, in a dry run, would be.

    Attributes:
        posts: How many.
        busy: Classes that are being collected, or whose collection was cut short; posts that
            they hold are left for the next time.
    """

    posts: int = 0
    busy: tuple[str, ...] = ()


def outdated_posts(
    posts: Mapping[str, Sequence[Row]],
    images: Mapping[str, Sequence[Row]],
    key: KeyedHash,
    seen: Collection[str],
) -> set[str]:
    """Return the keys of the posts of which nothing is left.

    Those are as old as a picture of their class that is outdated, each of their pictures was
    asked for and is not here, and no model or export holds one.

    Args:
        posts: Rows of the table ``POSTS``, by class.
        images: Rows of the table ``IMAGES``, by class.
        key: The pseudonym function of the installation.
        seen: SHA-256 of the pictures that models or exports hold.
    """
    fates: dict[str, list[Row]] = defaultdict(list)
    for rows in images.values():
        for row in rows:
            fates[row["media_key"]].append(row)

    def is_settled(medium: Row) -> bool:
        of_medium = fates[key(medium["url"])]
        return bool(of_medium) and all(
            row["status"] == REJECTED and (not row["sha256"] or row["sha256"] not in seen)
            for row in of_medium
        )

    going, staying = set(), set()
    for name, rows in posts.items():
        horizon = max(
            (posted_at(row) for row in images.get(name, ()) if row["reason"] == OUTDATED),
            default="",
        )
        for row in rows:
            if row["status"] != "kept":
                continue
            is_old = bool(horizon) and posted_at(row) <= horizon
            if is_old and all(is_settled(medium) for medium in row["media"]):
                going.add(row["post_key"])
            else:
                staying.add(row["post_key"])
    return going - staying


def let_old_posts_go(home: Home, tracking: Tracking, *, dry_run: bool = False) -> OldPosts:
    """Reduce posts of which nothing is left to their keyed hash and a reason.

    To be called when old pictures and old models have gone. A kill in between is made good by the
    next call, which finishes what this one began.

    Args:
        home: What is kept.
        tracking: Where models stand.
        dry_run: Whether only to count.

    Raises:
        RedsError: A table is damaged, or the disk is full.
    """
    with ExitStack() as held:
        free, busy = free_partitions(home, ("posts", "images"), held)
        posts, images = (
            {part.stem: read_rows(part.table, schema) for part in partitions(home, table)}
            for table, schema in (("posts", POSTS), ("images", IMAGES))
        )
        if not any(row["reason"] == OUTDATED for rows in images.values() for row in rows):
            return OldPosts(busy=busy)
        of_models = pictures_of_models(tracking)
        if of_models is None:
            # What a model learnt from cannot be read, so any of them may be meant.
            return OldPosts(busy=busy)
        seen = of_models.union(*(export.sha256s for export in remembered_exports(home)))
        going = outdated_posts(posts, images, home.keyed_hash, seen)
        going -= {row["post_key"] for stem in busy for row in posts.get(stem, ())}
        if dry_run:
            return OldPosts(len(going), busy)
        now = utc_now()
        for stem in free:
            _write_posts(home, stem, posts.get(stem, []), going, now)
            gone = going | {
                row["post_key"] for row in posts.get(stem, ()) if row["reason"] == OUTDATED
            }
            _write_images(home, stem, images.get(stem, []), gone)
    return OldPosts(len(going), busy)


def _write_posts(
    home: Home, stem: str, rows: Sequence[dict[str, Any]], going: Collection[str], now: str
) -> None:
    left = [gated_row(row, OUTDATED, now) if row["post_key"] in going else row for row in rows]
    if left != rows:
        write_rows(home.root / "tables" / "posts" / f"{stem}.parquet", left, POSTS)


def _write_images(
    home: Home, stem: str, rows: Sequence[dict[str, Any]], gone: Collection[str]
) -> None:
    left = [{**row, **_NOTHING_LEFT} if row["post_key"] in gone else row for row in rows]
    if left != rows:
        write_rows(home.root / "tables" / "images" / f"{stem}.parquet", left, IMAGES)
