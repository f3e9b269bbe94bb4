"""Opening and decoding hostile image files with Pillow.

What belongs here: the one way in which REDS lets Pillow touch a file. What does not: limits on
sizes (examine.py) and what is done with the pixels.

Files are opened by the class of their format, never by ``Image.open``: that one guesses among all
formats and answers large pictures with a Python warning, which cannot be caught safely among
threads. The size is checked by the caller against its own limit instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.formats import AVIF, GIF, JPEG, PNG, WEBP

_OPENERS: dict[str, Callable[[BytesIO], ImageFile.ImageFile]] = {
    JPEG: JpegImagePlugin.JpegImageFile,
    PNG: PngImagePlugin.PngImageFile,
    WEBP: WebPImagePlugin.WebPImageFile,
    GIF: GifImagePlugin.GifImageFile,
    AVIF: AvifImagePlugin.AvifImageFile,
}
_WHITE = (255, 255, 255, 255)
_STRIP_PIXELS = 1_000_000


@contextmanager
def bad_files_rejected() -> Iterator[None]:
    """Turn whatever Pillow raises on a bad file into ``ImageRejected``.

    Its decoders raise almost any exception on hostile bytes, so almost any is taken here as the
    file's fault. A lack of memory is not: the sizes were checked before.
    """
    try:
        yield
    except (ImageRejected, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageRejected("too_many_pixels") from error
    except Exception as error:
        reason = "truncated" if "truncated" in str(error) else "undecodable"
        raise ImageRejected(reason) from error


def open_image(data: bytes, file_format: str) -> ImageFile.ImageFile:
    """Open a file of a known format without decoding its pixels.

    Args:
        data: The file.
        file_format: What ``formats.sniff_format`` said.

    Raises:
        ImageRejected: ``truncated`` or ``undecodable``.
    """
    with bad_files_rejected():
        return _OPENERS[file_format](BytesIO(data))


def decode_pixels(image: ImageFile.ImageFile) -> None:
    """Decode all pixels into memory, which is the only proof that a file is whole.

    Raises:
        ImageRejected: ``truncated`` or ``undecodable``.
    """
    with bad_files_rejected():
        image.load()


def decode_reduced(image: ImageFile.ImageFile, side: int) -> float:
    """Decode a file to its end, but make no more pixels of it than needed.

    A JPEG decoder can deliver a half, a quarter or an eighth of the size at a fraction of the
    cost. It reads every byte either way and is as strict about them. Other formats give all
    pixels.

    Args:
        image: Opened, not decoded; afterwards it has the reduced size, rounded up.
        side: Pixels that width and height keep at least, where the file has so many.

    Returns:
        The share of the original width and height that was made: 1, 1/2, 1/4 or 1/8.

    Raises:
        ImageRejected: ``truncated`` or ``undecodable``.
    """
    width = image.size[0]
    with bad_files_rejected():
        # Does nothing and says None for other formats than JPEG, and for JPEGs of odd structure.
        drafted = image.draft("RGB", (side, side))
        image.load()
    # The box that Pillow answers with ends where the picture really ends; sizes are rounded up.
    return drafted[1][2] / width if drafted else 1.0


def is_animated(image: ImageFile.ImageFile) -> bool:
    """Return whether there is more than one picture in an opened file.

    Raises:
        ImageRejected: The second picture is so broken that the question has no answer.
    """
    with bad_files_rejected():
        return bool(getattr(image, "is_animated", False))


def opaque_rgb(image: Image.Image) -> Image.Image:
    """Return the picture in RGB as it looks on white paper.

    Args:
        image: Any mode that Pillow decodes: palettes, grey of 1, 8 or 16 bits, alpha, CMYK.

    Returns:
        Mode RGB; the very same object when it is plain RGB already.
    """
    if not (image.mode.startswith("I;16") or image.has_transparency_data):
        return image if image.mode == "RGB" else image.convert("RGB")
    # Strip by strip, because the steps between would take four times the memory of the picture.
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // max(1, width))
    if rows >= height:
        return _on_white(image)
    opaque = Image.new("RGB", image.size)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        opaque.paste(_on_white(strip), (0, top))
    return opaque


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips at 255 instead of scaling and so turns these white.
        wide = np.asarray(image, dtype=np.uint32)
        image = Image.fromarray(((wide * 255 + 32_767) // 65_535).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    paper = Image.new("RGBA", layer.size, _WHITE)
    return Image.alpha_composite(paper, layer).convert("RGB")
