"""A home with drawn pictures, embedded by the real ``tiny``, whose posts have several hashtags.

Of each picture the left half tells the class, and a yellow corner that it is ``sunny``. ``love`` is
written on pictures of any kind, so that no picture shows it.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.embedding.tiny import TINY
from reds_pipeline.embedding_runs import embed_pictures
from reds_pipeline.imaging.resize import RESIZE_RULE
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.tables import CURATED, IMAGES, write_rows

CLASSES = ("cat", "dog")
PICTURES, AUTHORS = 48, 24
SIDE = 224
_LEFT = {"cat": (190, 60, 50), "dog": (50, 80, 190)}

Row = dict[str, Any]


def fill(root: Path, database: Path, **settings: Any) -> Platform:
    """Make the home.

    Args:
        root: Where.
        database: An MLflow database with its tables, which take seconds to make.
        **settings: Written into the home, for commands as well.
    """
    root.mkdir(parents=True)
    shutil.copy(database, root / "mlflow.sqlite")
    write_settings(root, **settings)
    platform = Platform(load_settings(home=root))
    home = platform.home
    curated = [curated_row(name, number) for name in CLASSES for number in range(PICTURES)]
    write_rows(home.table("curated_dataset"), curated, CURATED)
    for name in CLASSES:
        rows = [image_row(name, number) for number in range(PICTURES)]
        write_rows(home.table("images", name), rows, IMAGES)
    squares = np.stack([square(name, n) for name in CLASSES for n in range(PICTURES)])
    keys = [row["sha256"] for row in curated]
    home.tensors(RESIZE_RULE).append(keys, squares, {"cropped": [False] * len(keys)})
    embed_pictures(platform, TINY, curated)
    return platform


def write_settings(root: Path, **settings: Any) -> None:
    """Write the settings of the home, with those that keep it small."""
    written = {"backbones": [TINY], "min_pictures_per_tag": 12, "svm_c": 1e-3, **settings}
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in written.items()]
    (root / "reds.toml").write_text("".join(lines))


def is_sunny(number: int) -> bool:
    return number % 3 == 0


def hashtags(name: str, number: int) -> list[str]:
    tags = [f"{name.capitalize()}s"]
    if is_sunny(number):
        tags.append("Sunny")
    if number * 7 % 11 < 4:
        tags.append("love")
    if number % 5 == 0:
        tags.append("election")
    return tags


def square(name: str, number: int) -> NDArray[np.uint8]:
    generator = np.random.default_rng([number, CLASSES.index(name)])
    pixels = generator.integers(0, 90, (SIDE, SIDE, 3))
    pixels[:, : SIDE // 2] += np.array(_LEFT[name]) // 2
    if is_sunny(number):
        pixels[: SIDE // 2, SIDE // 2 :] += np.array((120, 110, 0))
    return np.asarray(pixels, np.uint8)


def png(name: str, number: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(square(name, number)).save(file, "PNG")
    return file.getvalue()


def sha_of(name: str, number: int) -> str:
    return hashlib.sha256(f"{name} {number}".encode()).hexdigest()


def image_row(name: str, number: int) -> Row:
    return {
        "media_key": f"{name} {number}",
        "post_key": f"{name} post {number}",
        "tags": hashtags(name, number),
        "status": "stored",
        "reason": "",
        "sha256": sha_of(name, number),
        "extension": "png",
    }


def curated_row(name: str, number: int) -> Row:
    return {
        "media_key": f"{name} {number}",
        "sha256": sha_of(name, number),
        "extension": "png",
        "class_name": name,
        "collected_as": name,
        "group": f"author {number % AUTHORS}",
        "decision": "",
        "kept": True,
        "drop_reason": "",
    }
