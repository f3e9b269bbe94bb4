"""What a stage reads of the stages before it.

What belongs here: reading tables into what an asset needs. What does not: writing them, or
summing them up for people (``status.py``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.home import Home, file_name
from reds_pipeline.storage.tables import POSTS, read_rows
from reds_pipeline.storage.views import open_views


def selected_classes(home: Home) -> list[str]:
    """Return the classes of the present selection, in its order."""
    return [row["lemma"] for row in read_rows(home.table("class_selection")) if row["accepted"]]


def query_tags(home: Home, class_name: str) -> list[str]:
    """Return the hashtags to ask a host for when collecting a class, the most telling first.

    Case is folded: hosts ignore it, and which case is the most frequent changes from sample to
    sample, which must not make a timeline look like one never read before.
    """
    for row in read_rows(home.table("class_selection")):
        if row["lemma"] == class_name and row["query_tags"]:
            return list(dict.fromkeys(tag.casefold() for tag in row["query_tags"]))
    return [class_name]


def shared_pictures(home: Home, class_name: str) -> list[dict[str, Any]]:
    """Return what other classes already know about the pictures of this class's posts.

    A post that names two classes is collected for both; its pictures are fetched once.
    """
    with open_views(home.root / "tables") as tables:
        if not {"images", "posts"} <= {name for (name,) in tables.sql("SHOW TABLES").fetchall()}:
            return []
        rows = tables.sql(
            """
            SELECT * EXCLUDE (partition) FROM images
            WHERE partition <> $own AND post_key IN (
                SELECT post_key FROM posts WHERE partition = $own AND status = 'kept'
            )
            """,
            params={"own": file_name(class_name)},
        )
        return rows.to_arrow_table().to_pylist()


def unconfirmed_posts(home: Home, longest: timedelta) -> set[str]:
    """Return keys of kept posts that their host has not shown for longer than ``longest``."""
    since = as_text(datetime.now(UTC) - longest)
    return {
        row["post_key"]
        for path in home.root.glob("tables/posts/*.parquet")
        for row in read_rows(path, POSTS)
        if row["status"] == "kept" and (row["confirmed_at"] or row["collected_at"]) < since
    }


def curated_rows(home: Home) -> list[dict[str, Any]]:
    """Return the rows of the pictures to learn from, in a fixed order."""
    rows = [row for row in read_rows(home.table("curated_dataset")) if row["kept"]]
    return sorted(rows, key=lambda row: (row["class_name"], row["sha256"]))


def trainings(home: Home, backbones: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the latest trainings of the configured backbones, one row per protocol."""
    return [row for name in backbones for row in read_rows(home.table("trainings", name))]
