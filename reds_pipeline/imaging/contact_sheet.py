"""Many small pictures on one sheet, small enough to live in Dagster's event log.

What belongs here: drawing the sheet. What does not: choosing the pictures, and showing the sheet
as metadata (``assets/common.py``). Five a row, as in the source report's review (R-SCR-9).
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_BACKGROUND = (255, 255, 255)
_INK = (40, 40, 40)
_GAP = 6
_SMALLEST_FONT = 12
# Letters grow with the pictures, so that large ones do not stand over small print.
_PIXELS_OF_A_LETTER = 13
_QUALITIES = (85, 75, 65, 55)
_SHRINK = 0.8
_SMALLEST_SIDE = 8


def contact_sheet(
    tensors: NDArray[np.uint8],
    captions: Sequence[str] | None = None,
    *,
    columns: int = 5,
    thumbnail_side: int = 128,
    max_bytes: int = 74_000,
) -> bytes:
    """Draw pictures in rows on a white sheet.

    The sheet gives up quality first and then size until it fits into ``max_bytes``.

    Args:
        tensors: Shape (n, height, width, 3), RGB, such as ``square_224`` gives; n may be 0.
        captions: One line under each picture, cut to its width.
        columns: Pictures a row.
        thumbnail_side: Side of a picture on the sheet, in pixels, before any shrinking.
        max_bytes: Largest size of the file; by default its ``data:`` form stays under 100 kB.

    Returns:
        A JPEG file.

    Raises:
        ValueError: Captions and pictures differ in number, or so many pictures cannot fit.
    """
    if captions is not None and len(captions) != len(tensors):
        raise ValueError(f"{len(captions)} captions for {len(tensors)} pictures")
    side = thumbnail_side
    while side >= _SMALLEST_SIDE:
        sheet = _draw(tensors, captions, columns, side)
        for quality in _QUALITIES:
            file = BytesIO()
            sheet.save(file, "JPEG", quality=quality, optimize=True)
            if file.tell() <= max_bytes:
                return file.getvalue()
        side = int(side * _SHRINK)
    raise ValueError(f"{len(tensors)} pictures do not fit on a sheet of {max_bytes} bytes")


def _draw(
    tensors: NDArray[np.uint8], captions: Sequence[str] | None, columns: int, side: int
) -> Image.Image:
    columns = max(1, min(columns, len(tensors)))
    rows = max(1, -(-len(tensors) // columns))
    cell_width = side + _GAP
    cell_height = side + _GAP + (_caption_height(side) if captions else 0)
    sheet = Image.new("RGB", (columns * cell_width + _GAP, rows * cell_height + _GAP), _BACKGROUND)
    for index, pixels in enumerate(tensors):
        left = _GAP + index % columns * cell_width
        top = _GAP + index // columns * cell_height
        sheet.paste(Image.fromarray(pixels).resize((side, side)), (left, top))
        if captions:
            sheet.paste(_caption(captions[index], side), (left, top + side + 2))
    return sheet


def _caption(text: str, width: int) -> Image.Image:
    """Return one line of text on a strip of its own, so that long ones do not run on."""
    strip = Image.new("RGB", (width, _caption_height(width) - 2), _BACKGROUND)
    first_line = text.splitlines()[0] if text else ""
    font = ImageFont.load_default(_font_size(width))
    ImageDraw.Draw(strip).text((0, 0), first_line, fill=_INK, font=font)
    return strip


def _font_size(side: int) -> int:
    return max(_SMALLEST_FONT, side // _PIXELS_OF_A_LETTER)


def _caption_height(side: int) -> int:
    return _font_size(side) * 3 // 2
