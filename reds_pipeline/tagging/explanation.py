"""Why a model gives a tag: where in the photo its reasons lie.

What belongs here: choosing how to look into an encoder, and showing and saying what was found.
What does not: the two ways of looking (``grad_cam.py``, ``occlusion.py``), and keeping a photo.

A heat map answers what in this picture made the tag likelier than everything else the model could
have said (``log_odds.py``). It does not say that the tag is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.errors import RedsError
from reds_pipeline.tagging.log_odds import column_of

if TYPE_CHECKING:
    from reds_pipeline.embedding.encoder import Encoder
    from reds_pipeline.modeling.bundle import ModelBundle

JPEG_QUALITY = 88

# How bright a place without any reasons stays; dark enough to stand back, bright enough to be
# recognised.
_DIMMEST = 0.28
_OUTLINE_HEAT = 0.5
_OUTLINE_COLOUR = (255, 196, 0)
_OUTLINE_SHARE_OF_SIDE = 1 / 130
_THINNEST_OUTLINE = 2
# What counts as warm, and from which share of the picture on it is everywhere.
_WARM = 0.5
_EVERYWHERE = 0.5
_ROWS = ("upper", "", "lower")
_COLUMNS = ("left", "", "right")


def heat_map(
    encoder: Encoder, bundle: ModelBundle, square: NDArray[np.uint8], tag: str
) -> NDArray[np.float32]:
    """Return which places of a picture speak for a tag.

    Args:
        encoder: The encoder of the model. A ``TimmEncoder`` is looked into; of any other one,
            places of the picture are covered one after the other, which takes it some 170
            pictures.
        bundle: The model; its head decides, so its head explains.
        square: uint8 (side, side, 3), as the encoder takes it.
        tag: One that the model can say.

    Returns:
        float32 (side, side), 0 (nothing here speaks for it) to 1 (the strongest place); all
        zeros where nothing in the picture speaks for the tag.

    Raises:
        RedsError: The model cannot say the tag, or was trained on another encoder.
        ValueError: The picture has another type or size than the encoder takes.
    """
    from reds_pipeline.embedding.timm_backbone import TimmEncoder
    from reds_pipeline.tagging.grad_cam import grad_cam
    from reds_pipeline.tagging.occlusion import occlusion

    side = encoder.input_size
    if square.dtype != np.uint8 or square.shape != (side, side, 3):
        raise ValueError(f"a heat map is of uint8 ({side}, {side}, 3), not {square.shape}")
    bundle.require_encoder(encoder.encoder_id)
    column = column_of(bundle, tag)
    relevance = None
    if isinstance(encoder, TimmEncoder):
        relevance = grad_cam(encoder, bundle, square, column)
    if relevance is None:
        relevance = occlusion(encoder, bundle, square, column)
    return _heat(relevance, side)


def overlay(picture: NDArray[np.uint8], heat: NDArray[np.float32]) -> bytes:
    """Return a picture with the warm places of a heat map shown on it, as a JPEG.

    Cold places are grey and dark, warm ones as they are, and a line runs around the warmest: so
    it can be read without telling colours apart.

    Args:
        picture: uint8 (height, width, 3): the square, or a larger picture of the same part.
        heat: float32 (h, w), 0 to 1; scaled to the picture.

    Returns:
        A JPEG file without metadata.
    """
    from io import BytesIO

    from PIL import Image

    height, width = picture.shape[:2]
    scaled = np.clip(_resized(heat, (height, width)), 0, 1)[:, :, None]
    grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    shown = scaled * picture + (1 - scaled) * _DIMMEST * grey[:, :, None]
    shown[_outline(scaled[:, :, 0] >= _OUTLINE_HEAT, min(height, width))] = _OUTLINE_COLOUR
    file = BytesIO()
    marked = Image.fromarray(np.rint(shown).astype(np.uint8))
    # Colours at full resolution, else the line would bleed into what it surrounds.
    marked.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return file.getvalue()


def heat_sentence(heat: NDArray[np.float32], tag: str) -> str:
    """Return one sentence that says what a heat map shows, for those who do not see it.

    Args:
        heat: float32 (h, w), 0 to 1.
        tag: As people read it.
    """
    if not heat.any():
        return f"No part of the picture speaks for {tag} more than for the other tags."
    warm = heat >= _WARM * heat.max()
    share = warm.mean()
    if share >= _EVERYWHERE:
        return f"Most of the picture speaks for {tag}, no part much more than the others."
    rows, columns = np.nonzero(warm)
    weights = heat[warm]
    row = np.average(rows, weights=weights) / len(heat)
    column = np.average(columns, weights=weights) / heat.shape[1]
    place = " ".join(filter(None, (_ROWS[int(row * 3)], _COLUMNS[int(column * 3)])))
    part = f"{place} part" if place else "middle"
    return (
        f"The {part} of the picture speaks most for {tag}; the marked area is "
        f"{max(round(share * 100), 1)} % of it."
    )


def _heat(relevance: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return relevance of any size as a heat map: nothing below zero, the strongest place 1."""
    if not np.isfinite(relevance).all():
        raise RedsError(
            "No heat map can be shown because the model's network gives numbers that are not "
            "finite for this picture; choose another photo."
        )
    warm = np.maximum(_resized(relevance, (side, side)), 0)
    strongest = warm.max()
    # The tags that a picture says nothing for differ from zero by rounding alone.
    if strongest <= np.finfo(np.float32).eps:
        return np.zeros((side, side), np.float32)
    heat: NDArray[np.float32] = (warm / strongest).astype(np.float32)
    return heat


def _resized(values: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return an array at another size (height, width), smoothly."""
    from PIL import Image

    height, width = shape
    picture = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def _outline(inside: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Return the border of an area, drawn within it."""
    from PIL import Image, ImageFilter

    thickness = max(round(side * _OUTLINE_SHARE_OF_SIDE), _THINNEST_OUTLINE)
    # What touches the edge of the picture has its line there too.
    padded = np.pad(inside, thickness)
    area = Image.fromarray(padded.astype(np.uint8) * 255)
    core = np.asarray(area.filter(ImageFilter.MinFilter(2 * thickness + 1))) > 0
    line = padded & ~core
    return line[thickness:-thickness, thickness:-thickness]
