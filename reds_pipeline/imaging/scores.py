"""What one decode of a picture says about its quality, in figures that keep their meaning.

What belongs here: the figures, taken at fixed sizes so that they mean the same for a telephone's
picture and for its thumbnail. What does not: which figure is too low (quality.py), how colourful
the picture is (colour.py), and decoding. Keep ``SCORES_VERSION`` in step: rows of another version
are measured again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.imaging.sharpness import byte_distance, sharpness
from reds_pipeline.imaging.text_detection import text_share

# Change this whenever the same picture would get other figures.
SCORES_VERSION = "tone-blur-effect-strokes-v2"
# Pixels of the shorter side at least, after averaging whole squares of pixels, which takes a fifth
# of the time of any other scaling. Letters of a screenshot are still strokes at this size.
_STROKE_SIDE = 256
# Pixels of the shorter side, exactly: sharpness means something at one size only. Hardly a
# photograph is smaller, and what a backbone can see in its 224 shows here.
_TONE_SIDE = 160
# The longer side is at most this many times as long, which bounds the work for a panorama.
_LONGEST = 3
_SHADOWS_PERCENT = 5
_HIGHLIGHTS_PERCENT = 99
_OPAQUE_FROM = 128


def picture_scores(
    grey: Image.Image, *, mode: str, transparent_share: float = 0.0
) -> dict[str, Any]:
    """Measure a decoded picture.

    Args:
        grey: Mode L, upright, on white; decoded at 256 pixels or more on the shorter side if the
            picture has them.
        mode: Pillow's mode of the file before any conversion.
        transparent_share: From ``transparent_share``.

    Returns:
        The fields of ``storage.tables.SCORES``: ``version``; ``mode``; ``transparent_share`` (0 to
        1); ``brightness`` (mean luma, 0 to 255); ``shadows`` and ``highlights`` (the luma below
        which 5 and 99 of 100 pixels lie); ``sharpness`` (0 to 1, see ``sharpness.sharpness``);
        ``entropy`` (bits: how unlike each other the differences between neighbours are, 0 for one
        colour and about 1 at most for an even gradient); ``text_share`` (0 to 1, see
        ``text_detection.text_share``).
    """
    strokes = grey.reduce(max(1, min(grey.size) // _STROKE_SIDE))
    tones = _scaled_down(strokes, _TONE_SIDE)
    pixels = np.asarray(tones)
    counts = np.array(tones.histogram())
    shadows, highlights = np.searchsorted(
        np.cumsum(counts) * 100, np.array([_SHADOWS_PERCENT, _HIGHLIGHTS_PERCENT]) * counts.sum()
    )
    return {
        "version": SCORES_VERSION,
        "mode": mode,
        "transparent_share": transparent_share,
        "brightness": float(counts @ np.arange(len(counts)) / counts.sum()),
        "shadows": float(shadows),
        "highlights": float(highlights),
        "sharpness": sharpness(pixels),
        "entropy": difference_entropy(pixels),
        "text_share": text_share([np.asarray(size) for size in _stroke_sizes(strokes)]),
    }


def _stroke_sizes(strokes: Image.Image) -> list[Image.Image]:
    """Return the sizes at which writing is looked for.

    Half of a small picture is few tiles, in which spots of a dog's coat look like letters: of 845
    photographs reduced to 128 pixels, 6 were taken for writing there and none at full size.
    """
    return [strokes, strokes.reduce(2)] if min(strokes.size) >= _STROKE_SIDE else [strokes]


def transparent_share(image: Image.Image) -> float:
    """Return the share of pixels that are more transparent than not.

    Args:
        image: As decoded, of any mode, before it is put on white.

    Returns:
        0 to 1.
    """
    if not image.has_transparency_data:
        return 0.0
    # Alpha of palettes and of single transparent colours exists only after the conversion.
    layer = image if "A" in image.getbands() else image.convert("RGBA")
    counts = layer.getchannel("A").histogram()
    return sum(counts[:_OPAQUE_FROM]) / sum(counts)


def difference_entropy(grey: NDArray[np.uint8]) -> float:
    """Return the Shannon entropy of the differences between neighbouring pixels.

    Unlike the entropy of the brightness itself it is as low for a gradient as for one colour
    (Larkin, Reflections on Shannon Information, 2016, measures pictures by their gradients too).

    Args:
        grey: Shape (height, width), uint8.

    Returns:
        Bits, 0 to 8.
    """
    down, across = byte_distance(grey[1:], grey[:-1]), byte_distance(grey[:, 1:], grey[:, :-1])
    # Pillow counts bytes in half the time of numpy, which would widen them first.
    counts = np.array(_byte_counts(down)) + np.array(_byte_counts(across))
    shares = counts[counts > 0] / max(counts.sum(), 1)
    # 0.0 is added because minus nothing at all is the negative zero.
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def _byte_counts(values: NDArray[np.uint8]) -> list[int]:
    return Image.fromarray(values).histogram() if values.size else [0] * 256


def _scaled_down(image: Image.Image, shorter_side: int) -> Image.Image:
    """Return the picture with its shorter side at most so long; never enlarged."""
    width, height = image.size
    scale = min(
        1.0, shorter_side / min(width, height), _LONGEST * shorter_side / max(width, height)
    )
    if scale == 1.0:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return image.resize(size, Image.Resampling.BOX)
