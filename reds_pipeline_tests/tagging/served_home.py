"""A home with champions of classes and of hashtags, and photos that they know; made in seconds.

The models are the real ``tiny`` with heads that tell drawn photos apart by their colours: reddish
ones are cats, bluish ones dogs, greenish ones birds, and a bright one is ``sunny``. All versions of
a model say the same, each with chances of its own, so that an answer tells which version gave it.
"""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.embedding.tiny import TINY, TinyEncoder
from reds_pipeline.imaging.resize import RESIZE_RULE
from reds_pipeline.modeling.bundle import Kind, ModelBundle, Provenance, save_bundle
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.tracking import (
    BUNDLE_DIRECTORY,
    CHAMPION,
    HASHTAG_MODEL,
    MODEL_ARTIFACT,
    REGISTERED_MODEL,
)

CLASSES = ("bird", "cat", "dog")
HASHTAGS = ("Cats", "dog", "fluffy tail", "sunny")
"""``dog`` is a class too; ``Cats`` is another spelling of no class."""

TRAINED_AT = "2026-11-21T12:00:00Z"
_COLOURS = {"bird": (60, 150, 60), "cat": (160, 60, 60), "dog": (60, 70, 160)}
_SHOWS = {"cat": ("Cats", "fluffy tail"), "dog": ("dog", "fluffy tail"), "bird": ()}
_MODEL_OF_KIND: dict[Kind, str] = {"classes": REGISTERED_MODEL, "tags": HASHTAG_MODEL}
_EXAMPLES = 8


@dataclass
class ServedHome:
    """The home.

    Attributes:
        platform: The installation.
    """

    platform: Platform

    def add_version(self, kind: Kind = "classes", *, of: ModelBundle | None = None) -> str:
        """Register one more version of a model and return its number; it does not serve yet."""
        name = _MODEL_OF_KIND[kind]
        tracking = self.platform.tracking
        number = len(tracking.versions(name)) + 1
        with tracking.training(f"{name} {number}", f"{name} {number}", params={}, tags={}) as run:
            local = self.platform.home.root / "logged" / f"{name}-{number}"
            save_bundle(of or bundle(kind, number), local / BUNDLE_DIRECTORY)
            (local / "MLmodel").write_text("flavors: {}\n")
            run.log_directory(local, MODEL_ARTIFACT)
        shutil.rmtree(local)
        return tracking.register(run.run_id, {}, name).version

    def promote(self, version: str, kind: Kind = "classes") -> None:
        """Let a version serve."""
        self.platform.tracking.set_alias(CHAMPION, version, _MODEL_OF_KIND[kind])

    def damage(self, version: str, kind: Kind = "classes") -> None:
        """Put something else in the place of a version's numbers."""
        registered = self.platform.tracking.version(version, _MODEL_OF_KIND[kind])
        assert registered is not None
        files = self.platform.home.artifacts / registered.run_id / "artifacts" / MODEL_ARTIFACT
        (files / BUNDLE_DIRECTORY / "model.safetensors").write_bytes(b"something else")


def make_served_home(
    root: Path,
    *,
    versions: int = 1,
    hashtags: bool = True,
    database: Path | None = None,
    **settings: Any,
) -> ServedHome:
    """Make the home; the first version of each model serves.

    Args:
        root: Where.
        versions: Of the model of classes; 0 makes a home without a model.
        hashtags: Whether there is a model of hashtags.
        database: An MLflow database with its tables, which take seconds to make; the fixture
            ``mlflow_database`` gives one.
        **settings: Written into the home, for commands as well.
    """
    root.mkdir(parents=True, exist_ok=True)
    written = {"backbones": [TINY], "model_check_seconds": 0.1, **settings}
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in written.items()]
    (root / "reds.toml").write_text("".join(lines))
    if database is not None:
        shutil.copy(database, root / "mlflow.sqlite")
    home = ServedHome(Platform(load_settings(home=root)))
    for _ in range(versions):
        home.add_version()
    if versions:
        home.promote("1")
    if versions and hashtags:
        home.add_version("tags")
        home.promote("1", "tags")
    return home


def drawn_photo(
    name: str,
    number: int = 0,
    *,
    size: tuple[int, int] = (320, 240),
    is_sunny: bool = False,
    file_format: str = "JPEG",
) -> bytes:
    """Return a photo file of one of `CLASSES`.

    Args:
        name: The class.
        number: Other numbers give other photos.
        size: Width and height in pixels.
        is_sunny: Whether it is bright at the top.
        file_format: As Pillow names it.
    """
    file = io.BytesIO()
    Image.fromarray(_pixels(name, number, size, is_sunny=is_sunny)).save(file, file_format)
    return file.getvalue()


@cache
def bundle(kind: Kind, version: int = 1) -> ModelBundle:
    """Return the model of a version; the same bits every time."""
    names, features, targets = _examples()
    known = CLASSES if kind == "classes" else HASHTAGS
    wanted = np.array([[1.0 if tag in shown else -1.0 for tag in known] for shown in targets])
    if kind == "classes":
        wanted = np.array([[1.0 if tag == name else -1.0 for tag in known] for name in names])
    mean = features.mean(axis=0)
    centred = features - mean
    # Ridge regression in its dual form, because there are fewer examples than features.
    gram = centred @ centred.T + np.eye(len(centred))
    weights = (centred.T @ np.linalg.solve(gram, wanted - wanted.mean(axis=0))).T
    return ModelBundle(
        kind=kind,
        classes=known,
        mean=mean,
        scale=np.ones(features.shape[1]),
        weights=np.ascontiguousarray(weights),
        intercept=wanted.mean(axis=0),
        slope=np.full(len(known), 3.0 + 0.1 * version),
        offset=np.zeros(len(known)),
        thresholds=np.full(len(known), 0.6 if kind == "classes" else 0.4),
        provenance=Provenance(
            encoder_name=TINY,
            encoder_id=TinyEncoder.encoder_id,
            resize_rule=RESIZE_RULE,
            dataset_digest="0" * 64,
            trained_at=TRAINED_AT,
            metrics={"cv_mean": 0.9},
        ),
    )


def nonsense_bundle(kind: Kind = "classes") -> ModelBundle:
    """Return a model that was trained on embeddings of another encoder."""
    good = bundle(kind)
    return replace(good, provenance=replace(good.provenance, encoder_id="tiny-older"))


@cache
def _examples() -> tuple[list[str], NDArray[np.float64], list[tuple[str, ...]]]:
    names, squares, targets = [], [], []
    for name in CLASSES:
        for number in range(_EXAMPLES):
            is_sunny = number % 2 == 0
            names.append(name)
            squares.append(_pixels(name, 1000 + number, (224, 224), is_sunny=is_sunny))
            targets.append((*_SHOWS[name], *(("sunny",) if is_sunny else ())))
    return names, TinyEncoder()(np.stack(squares)).astype(np.float64), targets


def _pixels(name: str, number: int, size: tuple[int, int], *, is_sunny: bool) -> NDArray[np.uint8]:
    width, height = size
    generator = np.random.default_rng([number, CLASSES.index(name)])
    grain = generator.integers(0, 60, (height, width, 1))
    pixels = np.array(_COLOURS[name]) + grain
    if is_sunny:
        pixels[: height // 2] += np.array((90, 80, 0))
    return np.asarray(np.clip(pixels, 0, 255), np.uint8)
