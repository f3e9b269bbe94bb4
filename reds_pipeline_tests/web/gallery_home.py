"""Homes with tables and pictures for the review gallery, without running the pipeline.

The small one holds one of everything that the gallery has to show; the large one shows how much
it can bear.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from reds_pipeline.demo.pictures import draw_picture
from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import (
    CLEAN_IMAGES,
    CURATED,
    LABEL_SUSPECTS,
    SIMILAR_PAIRS,
    write_rows,
)

Row = dict[str, Any]

CLASSES = ("cat", "dog", "flower")
FEWEST_PICTURES = 12
"""What ``make_gallery_home`` needs a class for everything that it plants."""

# Places within a class; the pictures after them are ordinary.
SUSPECT = 0
OUTLIER = 1
LARGER_COPY = 2
SMALLER_COPY = 3
GREY = 4
SENSITIVE = 5
UNDESCRIBED = 6
DARK = 7
MIRROR_KEEPER = 8
MIRRORED = 9
OF_TWO_CLASSES = 10
"""Of the first two classes only: one picture that was posted under both."""

_LONGER_SIDE = 240
_OLDEST = datetime(2026, 1, 1, tzinfo=UTC)
_NOT_EMPTY = {"keeper": "", "duplicate_kind": "", "keeper_rule": "", "duplicate_distance": None}


def make_gallery_home(root: Path, pictures_per_class: int = FEWEST_PICTURES) -> Home:
    """Make a home of three classes with drawn pictures, in about two seconds.

    Args:
        root: Where; made when it is not there.
        pictures_per_class: At least ``FEWEST_PICTURES``; the last one of each class is
            ``beyond_target``.
    """
    assert pictures_per_class >= FEWEST_PICTURES
    home = Home(root)
    rows_by_class: dict[str, list[Row]] = {}
    for class_name in CLASSES:
        rows = [_drawn(home, class_name, number) for number in range(pictures_per_class)]
        _plant_copies(home, rows)
        rows[GREY] |= _dropped("greyscale", flags=["greyscale"])
        rows[SENSITIVE] |= {"alt_text": f"A {class_name} and a lot of blood"}
        rows[UNDESCRIBED] |= {"alt_text": ""}
        rows[DARK] |= {"flags": ["dark"]}
        rows_by_class[class_name] = rows
    first, second = (rows_by_class[name] for name in CLASSES[:2])
    # The bytes are the first class's; each class has a post of its own that shows them.
    contents = ("sha256", "extension", "bytes", "width", "height", "cluster", "perceptual_hash")
    second[OF_TWO_CLASSES] |= {column: first[OF_TWO_CLASSES][column] for column in contents}
    curated = _curated(rows_by_class)
    for row in curated:
        if row["sha256"] == first[OF_TWO_CLASSES]["sha256"]:
            row |= {"kept": False, "drop_reason": "other_class_duplicate"}
    for class_name in CLASSES:
        last = rows_by_class[class_name][-1]["media_key"]
        for row in curated:
            if row["media_key"] == last:
                row |= {"kept": False, "drop_reason": "beyond_target"}
    # The mirrored copies fell when all classes were seen together, not when one was cleaned.
    mirrored = {rows[MIRRORED]["media_key"]: rows for rows in rows_by_class.values()}
    for row in curated:
        if row["media_key"] in mirrored:
            keeper = mirrored[row["media_key"]][MIRROR_KEEPER]
            row.update(_dropped("mirrored_duplicate") | _copy_of(keeper, "mirrored", 0.04, "age"))
    _write(home, rows_by_class, curated)
    pairs = []
    for rows in rows_by_class.values():
        one, other = sorted([rows[MIRROR_KEEPER]["sha256"], rows[MIRRORED]["sha256"]])
        found = {"similarity": 0.97, "alignment": 0.96, "kind": "mirrored", "is_copy": True}
        pairs.append({"one": one, "other": other, **found, "checked_by": "test"})
    write_rows(home.table("similar_pairs"), pairs, SIMILAR_PAIRS)
    return home


def make_large_gallery_home(root: Path, pictures: int = 10_000) -> Home:
    """Make a home of three classes with so many small pictures, in a few seconds.

    Some dozens of patterns are drawn; a comment in each file makes it one of its own.
    """
    home = Home(root)
    patterns = np.random.default_rng(4).integers(0, 256, (60, 3, 4, 3), dtype=np.uint8)
    files = [
        _jpeg(Image.fromarray(pattern).resize((64, 48), Image.Resampling.NEAREST))
        for pattern in patterns
    ]
    rows_by_class: dict[str, list[Row]] = {name: [] for name in CLASSES}
    for index in range(pictures):
        class_name = CLASSES[index % len(CLASSES)]
        data = _with_comment(files[index % len(files)], f"{index:08}")
        sha256 = hashlib.sha256(data).hexdigest()
        path = home.images.path(sha256, "jpg")
        # Not by the store: its care for power cuts would double the time that this takes.
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        rows = rows_by_class[class_name]
        rows.append(_row(class_name, len(rows), sha256, len(data), (64, 48)))
    _write(home, rows_by_class, _curated(rows_by_class))
    write_rows(home.table("similar_pairs"), [], SIMILAR_PAIRS)
    return home


def _drawn(home: Home, class_name: str, number: int) -> Row:
    picture = draw_picture(class_name, number)
    picture.thumbnail((_LONGER_SIDE, _LONGER_SIDE))
    return _stored(home, class_name, number, picture)


def _stored(home: Home, class_name: str, number: int, picture: Image.Image) -> Row:
    """Store a picture and return its row."""
    data = _jpeg(picture)
    return _row(class_name, number, home.images.put(data, "jpg"), len(data), picture.size)


def _jpeg(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def _with_comment(jpeg: bytes, comment: str) -> bytes:
    """Return the same picture in other bytes: a comment segment behind the start marker."""
    text = comment.encode()
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[2:]


def _row(class_name: str, number: int, sha256: str, size: int, shape: tuple[int, int]) -> Row:
    """Return a row of ``clean_images``, kept; lower numbers are older."""
    return {
        "media_key": f"media-{class_name}-{number:05}",
        "post_key": f"post-{class_name}-{number:05}",
        "author_key": f"author-key-{number % 7}",
        "created_at": as_text(_OLDEST + number * timedelta(minutes=37)),
        "tags": [class_name, "photography"],
        "position": 0,
        "album": False,
        "alt_text": f"A {class_name}, drawn, number {number}",
        "licence": "",
        "url": f"https://pix.example/storage/{class_name}/{number}.jpg",
        "collected_at": "2026-11-01T10:00:00Z",
        "status": "stored",
        "reason": "",
        "bytes": size,
        "width": shape[0],
        "height": shape[1],
        "sha256": sha256,
        "extension": "jpg",
        "perceptual_hash": sha256[:16],
        "colour_spread": 90.0,
        "class_name": class_name,
        "kept": True,
        "drop_reason": "",
        "cluster": sha256,
        "flags": [],
        **_NOT_EMPTY,
    }


def _plant_copies(home: Home, rows: list[Row]) -> None:
    """Make a smaller copy and a mirrored one, each in one cluster with its original."""
    for original, copy in ((LARGER_COPY, SMALLER_COPY), (MIRROR_KEEPER, MIRRORED)):
        path = home.images.path(rows[original]["sha256"], "jpg")
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        if copy == SMALLER_COPY:
            picture = picture.resize((picture.width * 2 // 3, picture.height * 2 // 3))
        else:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        rows[copy] = _stored(home, rows[copy]["class_name"], copy, picture)
        cluster = min(rows[original]["sha256"], rows[copy]["sha256"])
        rows[original]["cluster"] = rows[copy]["cluster"] = cluster
    rows[SMALLER_COPY] |= _dropped("near_duplicate")
    rows[SMALLER_COPY] |= _copy_of(rows[LARGER_COPY], "perceptual", 3.0, "size")


def _dropped(reason: str, **changes: Any) -> Row:
    return {"kept": False, "drop_reason": reason, **changes}


def _copy_of(keeper: Row, kind: str, distance: float, rule: str) -> Row:
    return {
        "keeper": keeper["sha256"],
        "duplicate_kind": kind,
        "duplicate_distance": distance,
        "keeper_rule": rule,
    }


def _curated(rows_by_class: dict[str, list[Row]]) -> list[Row]:
    columns = set(CURATED.names)
    return [
        {name: value for name, value in row.items() if name in columns}
        | {"collected_as": row["class_name"], "group": row["cluster"], "decision": ""}
        for rows in rows_by_class.values()
        for row in rows
    ]


def _write(home: Home, rows_by_class: dict[str, list[Row]], curated: list[Row]) -> None:
    for class_name, rows in rows_by_class.items():
        write_rows(home.table("clean_images", class_name), rows, CLEAN_IMAGES)
    write_rows(home.table("curated_dataset"), curated, CURATED)
    write_rows(home.table("label_suspects"), _suspects(curated), LABEL_SUSPECTS)


def _suspects(curated: list[Row]) -> list[Row]:
    """Give each kept picture its rank.

    Each class has one suspect label, one that is between two classes, and one outlier.
    """
    suspects: list[Row] = []
    places: dict[str, int] = {}
    for row in curated:
        class_name = row["class_name"]
        place = places[class_name] = places.get(class_name, -1) + 1
        if not row["kept"]:
            continue
        is_suspect, is_near, is_outlier = place == SUSPECT, place == DARK, place == OUTLIER
        other = CLASSES[(CLASSES.index(class_name) + 1) % len(CLASSES)]
        own_probability, probability = (
            (0.04, 0.93) if is_suspect else (0.4, 0.5) if is_near else (0.97, 0.97)
        )
        reasons = {SUSPECT: "label", DARK: "near_class", OUTLIER: "outlier"}
        suspects.append(
            {
                "sha256": row["sha256"],
                "class_name": class_name,
                "class_probability": own_probability,
                "guess": other if is_suspect or is_near else class_name,
                "guess_probability": probability,
                "label_quality": own_probability,
                "is_suspect": is_suspect,
                "outlier_score": 0.99 if is_outlier else 0.2,
                "is_outlier": is_outlier,
                "reason": reasons.get(place, ""),
            }
        )
    order = ("label", "near_class", "outlier", "")
    suspects.sort(key=lambda row: order.index(row["reason"]))
    for rank, row in enumerate(suspects):
        row["review_rank"] = rank
    return suspects
