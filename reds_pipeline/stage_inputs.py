"""What a stage reads of the stages before it.

What belongs here: reading tables into what an asset needs. What does not: writing them, or
summing them up for people (``status.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reds_pipeline.class_states import classes_in
from reds_pipeline.feedback.contributed_tables import (
    contributed_candidates,
    learnt_contributions,
)
from reds_pipeline.imaging.curation import BEYOND_TARGET
from reds_pipeline.imaging.scores import SCORES_VERSION
from reds_pipeline.lexicon.class_memory import COLLECTING, LEARNING
from reds_pipeline.review.decisions import DecisionBook
from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.home import Home, file_name
from reds_pipeline.storage.tables import CLEAN_IMAGES, CURATED, POSTS, read_rows
from reds_pipeline.storage.views import open_views

# What one decode says about a picture.
_DESCRIBING = ("perceptual_hash", "mirrored_hash", "colour_spread", "scores")


def selected_classes(home: Home) -> list[str]:
    """Return the classes to collect, in the order of the selection: learnt ones and newcomers."""
    return classes_in(home, LEARNING, COLLECTING)


def learnt_classes(home: Home) -> list[str]:
    """Return the classes that the data set is made of, in the order of the selection."""
    return classes_in(home, LEARNING)


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


def with_known_descriptions(
    home: Home, class_name: str, rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return rows of pictures with what an earlier cleaning found out about them.

    A home that an older version of REDS collected lacks descriptions in its images table, or has
    older ones; they are made once and kept in the table of cleaned pictures.

    Args:
        home: Where the tables are.
        class_name: The class of the rows.
        rows: Stored ones of the images table.
    """
    known = {
        row["sha256"]: {column: row[column] for column in _DESCRIBING}
        for row in read_rows(home.table("clean_images", class_name), CLEAN_IMAGES)
        if _is_described(row)
    }
    return [{**row, **({} if _is_described(row) else known.get(row["sha256"], {}))} for row in rows]


def _is_described(row: Mapping[str, Any]) -> bool:
    """Return whether a row says of its picture what the present version of REDS says."""
    return bool(row["scores"]) and row["scores"]["version"] == SCORES_VERSION


def cleaned_pictures(home: Home, decisions: DecisionBook) -> list[dict[str, Any]]:
    """Return one row for each picture of the learnt classes that may become part of a data set.

    These are the pictures that cleaning kept, and those that a person keeps whatever it found.

    Args:
        home: Where the tables are.
        decisions: What people decided.
    """
    rows = {}
    for name in learnt_classes(home):
        for row in read_rows(home.table("clean_images", name), CLEAN_IMAGES):
            decision = decisions.of(row["sha256"])
            if row["kept"] if decision is None else decision.label:
                rows[row["sha256"]] = row
    return [rows[sha256] for sha256 in sorted(rows)]


def learnable_pictures(home: Home, decisions: DecisionBook) -> list[dict[str, Any]]:
    """Return one row for each picture, of a post or contributed, that may be learnt from.

    Args:
        home: Where the tables are.
        decisions: What people decided.
    """
    rows = {row["sha256"]: row for row in contributed_candidates(home, decisions)}
    rows |= {row["sha256"]: row for row in cleaned_pictures(home, decisions)}
    return [rows[sha256] for sha256 in sorted(rows)]


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


def learnt_rows(home: Home) -> list[dict[str, Any]]:
    """Return the pictures of the data set and the contributed ones that only train.

    Whoever measures, exports or shows the data set asks for ``curated_rows`` alone.
    """
    return [*curated_rows(home), *learnt_contributions(home)]


def kept_pictures(home: Home) -> set[str]:
    """Return the SHA-256 of the pictures to learn from, as the data set has them now."""
    return {row["sha256"] for row in curated_rows(home)}


def reviewable_rows(home: Home) -> list[dict[str, Any]]:
    """Return the rows of the pictures that are learnt from or would be if there were fewer."""
    return sorted(
        (
            row
            for row in read_rows(home.table("curated_dataset"), CURATED)
            if row["kept"] or row["drop_reason"] == BEYOND_TARGET
        ),
        key=lambda row: row["sha256"],
    )


def trainings(home: Home, backbones: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the latest trainings of the configured backbones, one row per protocol."""
    return [row for name in backbones for row in read_rows(home.table("trainings", name))]
