"""HEIC and HEIF photos, as iPhones take them, opened with pillow-heif where it is installed.

What belongs here: the one place that knows pillow-heif (extra ``heic``). What does not: limits
on sizes and what is done with the pixels. It is never registered with Pillow: what is collected
must not change with what is installed.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from PIL import Image

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.decoding import bad_files_rejected

if TYPE_CHECKING:
    from pillow_heif import HeifImage


def can_open_heic() -> bool:
    """Return whether the extra ``heic`` is installed."""
    return find_spec("pillow_heif") is not None


def open_heic(data: bytes) -> HeifImage:
    """Open the main picture of a HEIC file without decoding its pixels.

    Its ``size`` is that of the upright picture: turning is part of the format, and the EXIF
    orientation is to be ignored (ISO/IEC 23008-12).

    Args:
        data: A file that ``formats.sniff_photo_format`` calls HEIC.

    Raises:
        ImageRejected: ``heic_not_installed``, ``truncated`` or ``undecodable``.
    """
    if not can_open_heic():
        raise ImageRejected("heic_not_installed")
    from pillow_heif import open_heif

    with bad_files_rejected():
        pictures = open_heif(data)
        return pictures[pictures.primary_index]


def decode_heic(picture: HeifImage) -> Image.Image:
    """Decode the pixels; ``info`` of the result holds the colour profile and nothing else.

    Raises:
        ImageRejected: ``truncated`` or ``undecodable``.
    """
    with bad_files_rejected():
        image = picture.to_pillow()
    profile = image.info.get("icc_profile")
    image.info = {"icc_profile": profile} if profile else {}
    return image
