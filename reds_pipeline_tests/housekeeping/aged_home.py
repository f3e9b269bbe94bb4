"""A home whose posts are of one day each, so that some of its pictures are old."""

from __future__ import annotations

import os
from pathlib import Path

from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import (
    CLEAN_IMAGES,
    CURATED,
    IMAGES,
    POSTS,
    read_rows,
    write_rows,
)
from reds_pipeline_tests.held_home import CLASSES, fill, sha_of


def fill_aged(root: Path) -> Home:
    """Make a home as ``held_home.fill`` does, with days in the order of the posts' numbers.

    The data set holds picture 2; 3 is shown by a post of each class, 4 by one post of both.
    """
    home = fill(root, unfinished=False)
    for name in CLASSES:
        days = {
            row["post_key"]: f"2026-10-{row['post_id'][-2:]}T00:00:00Z"
            for row in read_rows(home.table("posts", name), POSTS)
        }
        for table, schema in (("posts", POSTS), ("images", IMAGES), ("clean_images", CLEAN_IMAGES)):
            rows = [
                row | {"created_at": days[row["post_key"]]}
                for row in read_rows(home.table(table, name), schema)
            ]
            write_rows(home.table(table, name), rows, schema)
    curated = [
        row | {"kept": True, "drop_reason": ""}
        if row["sha256"] == sha_of(2)
        else row | {"kept": False, "drop_reason": "beyond_target"}
        for row in read_rows(home.table("curated_dataset"), CURATED)
    ]
    write_rows(home.table("curated_dataset"), curated, CURATED)
    for path in home.images.files():
        os.utime(path, (0, 0))
    return home
