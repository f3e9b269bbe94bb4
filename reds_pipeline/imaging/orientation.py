"""The EXIF orientation of a picture: reading it, writing it, applying it.

What belongs here: everything that knows what the numbers 1 to 8 mean. What does not: other EXIF
fields, which REDS never reads. The eight values are those of the EXIF 2.3 standard, tag 0x0112.

The tag is read here rather than with Pillow, because Pillow parses the whole EXIF block and
answers damaged ones with Python warnings, which cannot be silenced safely among threads.
"""

from __future__ import annotations

import struct

from PIL import Image

UPRIGHT = 1
_ORIENTATION_TAG = 0x0112
_SHORT = 3
_EXIF_PREFIX = b"Exif\x00\x00"
_ENTRY_BYTES = 12

# The transposition that turns the stored pixels upright.
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def exif_orientation(exif: bytes) -> int:
    """Return the orientation that an EXIF block states.

    Args:
        exif: The block, with or without the leading ``Exif`` marker; may be empty or damaged.

    Returns:
        1 to 8; 1 (upright) when nothing valid is stated.
    """
    tiff = exif.removeprefix(_EXIF_PREFIX)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
        for number in range(entries):
            start = directory + 2 + number * _ENTRY_BYTES
            tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, start)
            if (tag, kind, count) == (_ORIENTATION_TAG, _SHORT, 1):
                return value if value in _TRANSPOSITIONS else UPRIGHT
    except struct.error:
        # Cut short or pointing outside itself: viewers then show the pixels as they are stored.
        return UPRIGHT
    return UPRIGHT


def orientation_tiff(orientation: int) -> bytes:
    """Return the smallest EXIF block (26 bytes, without the marker) that states an orientation."""
    header = struct.pack(">2sHI", b"MM", 42, 8)
    directory = struct.pack(">HHHIHHI", 1, _ORIENTATION_TAG, _SHORT, 1, orientation, 0, 0)
    return header + directory


def image_orientation(image: Image.Image) -> int:
    """Return the orientation (1 to 8) of an image that Pillow has opened."""
    return exif_orientation(image.info.get("exif", b""))


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return the image as people see it; the very same object when it is upright already."""
    transposition = _TRANSPOSITIONS.get(orientation)
    return image if transposition is None else image.transpose(transposition)


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return (width, height) as people see them, given the stored ones in pixels."""
    width, height = size
    return (height, width) if orientation >= 5 else (width, height)


def stored_box(
    box: tuple[int, int, int, int], stored_size: tuple[int, int], orientation: int
) -> tuple[int, int, int, int]:
    """Return where a box of the upright picture lies in the stored pixels.

    Args:
        box: (left, top, right, bottom) in upright pixels.
        stored_size: (width, height) of the stored pixels.
        orientation: 1 to 8.

    Returns:
        (left, top, right, bottom) in stored pixels.
    """
    left, top, right, bottom = box
    width, height = stored_size
    if orientation >= 5:
        # The stored axes are exchanged; what remains is one of the four cases without exchange.
        left, top, right, bottom = top, left, bottom, right
    if orientation in {2, 3, 7, 8}:
        left, right = width - right, width - left
    if orientation in {3, 4, 6, 7}:
        top, bottom = height - bottom, height - top
    return left, top, right, bottom
