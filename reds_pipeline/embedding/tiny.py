"""The encoder that needs no weights: histograms of edges, colours and texture.

What belongs here: features that NumPy alone computes, the same bits on every machine. What does
not: anything learnt. It is for tests, and for a demonstration on a machine that can reach no
weights; it knows shapes and colours, not animals, so expect little of it on photographs: on the
845 photographs of five classes that the project is measured on, 0.74 in grouped cross-validation
where MobileNetV2 reaches 0.99 and guessing 0.21.

Three histograms side by side, each on a small grid so that some of the layout stays:

* edges: 9 unsigned directions weighted by contrast on 7 by 7 cells (after Dalal and Triggs,
  "Histograms of oriented gradients for human detection", CVPR 2005);
* colours: 4 lightnesses by 6 by 6 opponent colours on 2 by 2 cells;
* texture: local binary patterns on 2 by 2 cells (after Ojala, Pietikainen and Maenpaa, PAMI
  24(7), 2002).

Everything is counted in whole numbers. The only real arithmetic is one division and one square
root a feature, which IEEE 754 rounds exactly, so no processor or library can differ. The square
root (the Hellinger map) makes a linear model compare histograms as histograms.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.weights import WeightsFile

TINY = "tiny"
RECIPE = "1"
"""Counted up when the features change, so that embeddings under the old id are not used."""

TENSOR_SIDE = 224
HALF_SIDE = TENSOR_SIDE // 2
CHUNK = 64
"""Pictures worked on at once; the whole numbers of one take about 2 MB."""

EDGE_GRID = 7
EDGE_DIRECTIONS = 9
COLOUR_GRID = 2
LIGHTNESS_LEVELS = 4
OPPONENT_EDGES = np.array([96, 116, 124, 132, 148])
"""Limits between the six steps of an opponent colour, whose grey is 127: finer near grey."""
OPPONENT_LEVELS = len(OPPONENT_EDGES) + 1
TEXTURE_GRID = 2
TEXTURE_PATTERNS = 256

# Directions k * 20 degrees as whole-number vectors. Written as numbers rather than computed,
# because the last bit of a cosine differs between mathematics libraries.
SECTOR_COSINES = (16384, 15396, 12551, 8192, 2845, -2845, -8192, -12551, -15396)
SECTOR_SINES = (0, 5604, 10531, 14189, 16135, 16135, 14189, 10531, 5604)

NEIGHBOURS = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))

Integers = NDArray[np.int64]


class TinyEncoder:
    """Histograms as an encoder; see the module.

    Attributes:
        encoder_id: Fixed by the recipe.
        name: ``"tiny"``.
        dimension: 2,041.
        input_size: 224.
        weights: Says in plain words that there are none.
        preprocessing: What happens to a tensor first, in plain words.
        weights_file: None.
    """

    name = TINY
    dimension = (
        EDGE_GRID**2 * EDGE_DIRECTIONS
        + COLOUR_GRID**2 * LIGHTNESS_LEVELS * OPPONENT_LEVELS**2
        + TEXTURE_GRID**2 * TEXTURE_PATTERNS
    )
    input_size = TENSOR_SIDE
    weights = "no weights: histograms of edges, colours and texture, nothing learnt"
    preprocessing = f"halved to {HALF_SIDE} pixels by averaging"
    weights_file: WeightsFile | None = None
    encoder_id = f"{TINY}-{hashlib.sha256(f'tiny {RECIPE}'.encode()).hexdigest()[:12]}"

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 features (n, 2041) of uint8 RGB pictures (n, 224, 224, 3).

        Raises:
            ValueError: ``images`` has another shape or type.
        """
        if images.dtype != np.uint8 or images.shape[1:] != (TENSOR_SIDE, TENSOR_SIDE, 3):
            raise ValueError(
                f"an encoder takes uint8 (n, {TENSOR_SIDE}, {TENSOR_SIDE}, 3), "
                f"not {images.dtype} {images.shape}"
            )
        features = np.empty((len(images), self.dimension), np.float32)
        for start in range(0, len(images), CHUNK):
            part = slice(start, start + CHUNK)
            halved = _halve(images[part])
            grey = (77 * halved[..., 0] + 150 * halved[..., 1] + 29 * halved[..., 2]) >> 8
            histograms = (_edges(grey), _colours(halved), _texture(grey))
            features[part] = np.concatenate(histograms, axis=1)
        return features


def _halve(images: NDArray[np.uint8]) -> Integers:
    """Average each 2 by 2 pixels, which also takes out most of what JPEG put in."""
    blocks = images.reshape(len(images), HALF_SIDE, 2, HALF_SIDE, 2, 3)
    return blocks.sum(axis=(2, 4), dtype=np.int64) // 4


def _edges(grey: Integers) -> NDArray[np.float64]:
    across = np.zeros_like(grey)
    down = np.zeros_like(grey)
    across[:, :, 1:-1] = grey[:, :, 2:] - grey[:, :, :-2]
    down[:, 1:-1, :] = grey[:, 2:, :] - grey[:, :-2, :]
    # An edge has no sign: turn every gradient into the half-plane of 0 to 180 degrees.
    turned = (down < 0) | ((down == 0) & (across < 0))
    sign = np.where(turned, -1, 1)
    across, down = across * sign, down * sign
    direction = np.zeros_like(grey)
    for cosine, sine in zip(SECTOR_COSINES[1:], SECTOR_SINES[1:], strict=True):
        # The cross product says on which side of the sector's first ray the gradient lies.
        direction += cosine * down - sine * across >= 0
    contrast = np.rint(np.sqrt(across * across + down * down)).astype(np.int64)
    counts = _count(direction, EDGE_GRID, EDGE_DIRECTIONS, contrast)
    return _hellinger(counts.reshape(len(grey), -1))


def _colours(halved: Integers) -> NDArray[np.float64]:
    red, green, blue = halved[..., 0], halved[..., 1], halved[..., 2]
    lightness = ((red + green + blue) // 3) * LIGHTNESS_LEVELS >> 8
    red_green = np.searchsorted(OPPONENT_EDGES, (red - green + 255) // 2)
    yellow_blue = np.searchsorted(OPPONENT_EDGES, (red + green - 2 * blue + 510) // 4)
    colour = (lightness * OPPONENT_LEVELS + red_green) * OPPONENT_LEVELS + yellow_blue
    counts = _count(colour, COLOUR_GRID, LIGHTNESS_LEVELS * OPPONENT_LEVELS**2)
    return _hellinger(counts).reshape(len(halved), -1)


def _texture(grey: Integers) -> NDArray[np.float64]:
    centre = grey[:, 1:-1, 1:-1]
    _, height, width = centre.shape
    pattern = np.zeros_like(centre)
    for bit, (top, left) in enumerate(NEIGHBOURS):
        neighbour = grey[:, top : top + height, left : left + width]
        pattern |= (neighbour >= centre).astype(np.int64) << bit
    counts = _count(pattern, TEXTURE_GRID, TEXTURE_PATTERNS)
    return _hellinger(counts).reshape(len(grey), -1)


def _count(values: Integers, grid: int, bins: int, weights: Integers | None = None) -> Integers:
    """Return histograms (n, grid * grid, bins) of values (n, side, side), by cell."""
    pictures, side, _ = values.shape
    band = np.arange(side) * grid // side
    cell = band[:, None] * grid + band[None, :]
    picture = np.arange(pictures)[:, None, None] * grid * grid
    place = ((picture + cell) * bins + values).ravel()
    # Sums of whole numbers below 2 to the 53rd are exact in bincount's float64 too.
    counts = np.bincount(
        place,
        weights=None if weights is None else weights.ravel(),
        minlength=pictures * grid * grid * bins,
    )
    return counts.astype(np.int64).reshape(pictures, grid * grid, bins)


def _hellinger(counts: Integers) -> NDArray[np.float64]:
    """Return the square roots of the shares along the last axis; an empty histogram is zeros."""
    totals = np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    shares: NDArray[np.float64] = np.sqrt(counts / totals)
    return shares
