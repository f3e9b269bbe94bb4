"""Pictures with and without an object, and a model that is about nothing but that object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.embedding.encoder import Encoder
from reds_pipeline.imaging.resize import resize_rule
from reds_pipeline.modeling.bundle import Kind, ModelBundle, Provenance

TAG = "spot"


@dataclass(frozen=True, eq=False)
class Planted:
    """One picture, twice.

    Attributes:
        empty: uint8 (side, side, 3), soft colours.
        picture: The same with an object on it.
        top: First row of the object.
        left: First column.
        size: Its side in pixels.
    """

    empty: NDArray[np.uint8]
    picture: NDArray[np.uint8]
    top: int
    left: int
    size: int

    def is_on_object(self, row: int, column: int) -> bool:
        """Say whether a place lies on the object, or as near as a coarse map can tell."""
        near = self.size / 2
        return (
            self.top - near <= row < self.top + self.size + near
            and self.left - near <= column < self.left + self.size + near
        )


def planted(side: int, seed: int) -> Planted:
    """Return a picture with a chequered object of a quarter of its side somewhere."""
    generator = np.random.default_rng(seed)
    coarse = Image.fromarray(generator.integers(90, 160, (6, 6, 3), dtype=np.uint8))
    empty = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
    size = side // 4
    top, left = (int(place) for place in generator.integers(0, side - size, 2))
    rows, columns = np.mgrid[:size, :size]
    is_even = ((rows // 4 + columns // 4) % 2).astype(bool)
    picture = empty.copy()
    picture[top : top + size, left : left + size] = np.where(
        is_even[:, :, None], [255, 255, 0], [200, 0, 120]
    )
    return Planted(empty, picture, top, left, size)


def model_of_object(encoder: Encoder, pair: Planted, kind: Kind = "tags") -> ModelBundle:
    """Return a model that says ``spot`` for what the object adds to a picture's features.

    A model of classes has ``plain``, which is the opposite, and ``other``, which is about nothing.
    """
    empty, full = encoder(np.array([pair.empty, pair.picture])).astype(np.float64)
    direction = full - empty
    weights = direction[None] / np.linalg.norm(direction)
    names: tuple[str, ...] = (TAG,)
    if kind == "classes":
        weights = np.concatenate([weights, -weights, 0 * weights])
        names = (TAG, "plain", "other")
    count = len(names)
    return ModelBundle(
        kind=kind,
        classes=names,
        mean=empty,
        scale=np.ones(len(empty)),
        weights=weights,
        intercept=np.zeros(count),
        slope=np.full(count, 0.5),
        offset=np.full(count, 0.25),
        thresholds=np.full(count, 0.5),
        provenance=Provenance(
            encoder.name,
            encoder.encoder_id,
            resize_rule(encoder.input_size),
            "0" * 64,
            "2026-11-21T12:00:00.000Z",
            {},
        ),
    )
