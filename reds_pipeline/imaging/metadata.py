"""Removing everything from an image file that is not the picture.

What belongs here: the entry point for all formats. What does not: the structure of each format
(``*_container.py``). Photographs say where, when, with which camera and by whom they were taken;
REDS never stores that (design.md, people; fediverse.md section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from PIL import Image

from reds_pipeline.imaging.colour_profile import is_colour_profile
from reds_pipeline.imaging.decoding import bad_files_rejected, decode_pixels, open_image
from reds_pipeline.imaging.formats import JPEG, PNG, WEBP
from reds_pipeline.imaging.jpeg_container import clean_jpeg
from reds_pipeline.imaging.orientation import image_orientation, upright
from reds_pipeline.imaging.png_container import clean_png
from reds_pipeline.imaging.webp_container import clean_webp

_CLEANERS: dict[str, Callable[[bytes], bytes]] = {
    JPEG: clean_jpeg,
    PNG: clean_png,
    WEBP: clean_webp,
}
# Formats whose files are cleaned without decoding; the others are written anew.
CLEANED_IN_PLACE = frozenset(_CLEANERS)


def strip_metadata(data: bytes, file_format: str) -> bytes:
    """Return the file without metadata and with exactly the same pixels.

    JPEG, PNG and WebP keep their compressed pixels byte for byte. Other formats are written anew
    as PNG, upright and without loss. A valid ICC colour profile stays in every case, because the
    colours depend on it.

    Args:
        data: The file.
        file_format: What ``formats.sniff_format`` said.

    Returns:
        The clean file, of the same format or PNG.

    Raises:
        ImageRejected: ``animated``, ``truncated`` or ``undecodable``.
    """
    cleaner = _CLEANERS.get(file_format)
    if cleaner is not None:
        return cleaner(data)
    image = open_image(data, file_format)
    decode_pixels(image)
    return as_png(image)


def as_png(image: Image.Image) -> bytes:
    """Return a decoded image as an upright PNG that holds nothing but pixels and colour profile.

    Raises:
        ImageRejected: ``undecodable`` when the pixels have no PNG form.
    """
    profile = image.info.get("icc_profile") or b""
    # Palettes are written out: a pixel may name a colour that its palette does not hold, and
    # every decoder shows that differently.
    full = image.convert("RGBA" if image.has_transparency_data else "RGB")
    bare = upright(full, image_orientation(image))
    bare.info = {}
    file = BytesIO()
    with bad_files_rejected():
        bare.save(file, "PNG", icc_profile=profile if is_colour_profile(profile) else None)
    return file.getvalue()
