"""A small home whose tables tell one story from posts to the data set, for reports about it.

Of each class two posts are gated, one picture is not needed, one is not found, one is grey, one is
a duplicate, one was thrown out by a person; and a picture of the first class was moved to the
second.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from reds_pipeline.imaging.resize import RESIZE_RULE
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import (
    CLASS_SELECTION,
    CLEAN_IMAGES,
    CURATED,
    IMAGES,
    POSTS,
    write_rows,
)

CLASSES = ("cat", "dog")
STORED = 8
BYTES_OF_A_FILE = 1000
MOVED = 7
# Of each class, by the number of the picture.
FATES = {0: "greyscale", 1: "near_duplicate", 2: "reviewed_out", 3: "", 4: "", 5: "", 6: "", 7: ""}
BY_CLEANING = {"greyscale", "near_duplicate"}

Row = dict[str, Any]


def fill(root: Path) -> Home:
    home = Home(root)
    # Made first: a home with posts and without its key is taken for damaged.
    assert home.keyed_hash("post", "any")
    selection = [
        {"lemma": name, "synset": f"{name}.n.01", "rank": rank, "posts": 9, "accepted": True}
        for rank, name in enumerate(CLASSES, start=1)
    ]
    write_rows(home.table("class_selection"), selection, CLASS_SELECTION)
    curated: list[Row] = []
    for name in CLASSES:
        write_rows(home.table("posts", name), posts_of(name), POSTS)
        write_rows(home.table("images", name), images_of(name), IMAGES)
        write_rows(home.table("clean_images", name), cleaned_of(name), CLEAN_IMAGES)
        curated += curated_of(name)
    write_rows(home.table("curated_dataset"), curated, CURATED)
    keys = [row["sha256"] for row in curated if row["kept"]]
    squares = np.random.default_rng(0).integers(5, 250, (len(keys), 224, 224, 3), dtype=np.uint8)
    home.tensors(RESIZE_RULE).append(keys, squares, {"cropped": [False] * len(keys)})
    return home


def posts_of(name: str) -> list[Row]:
    gated = [
        {"post_key": f"{name} gated {number}", "status": "gated", "reason": "sensitive"}
        for number in range(2)
    ]
    # One more attachment than was asked for.
    kept = [
        {
            "post_key": f"{name} post {number}",
            "status": "kept",
            "reason": "",
            "media": [{"media_id": str(number)}] * (2 if number == 0 else 1),
        }
        for number in range(STORED + 1)
    ]
    return [*gated, *kept]


def images_of(name: str) -> list[Row]:
    stored = [
        {
            "media_key": f"{name} {number}",
            "post_key": f"{name} post {number}",
            "status": "stored",
            "reason": "",
            "sha256": sha_of(name, number),
            "bytes": BYTES_OF_A_FILE,
        }
        for number in range(STORED)
    ]
    lost = {
        "media_key": f"{name} lost",
        "post_key": f"{name} post {STORED}",
        "status": "failed",
        "reason": "not_found",
        "sha256": "",
    }
    return [*stored, lost]


def cleaned_of(name: str) -> list[Row]:
    return [
        {
            **row,
            "class_name": name,
            "kept": FATES[number] not in BY_CLEANING,
            "drop_reason": FATES[number] if FATES[number] in BY_CLEANING else "",
        }
        for number, row in enumerate(images_of(name)[:STORED])
    ]


def curated_of(name: str) -> list[Row]:
    rows = []
    for number, row in enumerate(cleaned_of(name)):
        moved = name == CLASSES[0] and number == MOVED
        decision = {"reviewed_out": "discard"}.get(FATES[number], "label" if moved else "")
        rows.append(
            {
                "media_key": row["media_key"],
                "sha256": row["sha256"],
                "class_name": CLASSES[1] if moved else name,
                "collected_as": name,
                "created_at": f"2026-11-{number + 1:02}T00:00:00Z",
                "width": 640 + 100 * number,
                "height": 640,
                "decision": "keep" if number == STORED - 2 else decision,
                "kept": not FATES[number],
                "drop_reason": FATES[number],
            }
        )
    return rows


def sha_of(name: str, number: int) -> str:
    return hashlib.sha256(f"{name} {number}".encode()).hexdigest()
