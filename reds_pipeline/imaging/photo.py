"""A photo that somebody shows to REDS: read once, looked at in three ways, then forgotten.

What belongs here: the path from the bytes of a photo of any kind to the squares that an encoder
sees. What does not: pictures that are collected (examine.py), where the looks are cut
(photo_views.py) and how many photos may be read at once (photo_memory.py). Nothing here touches
a disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.colour_profile import is_colour_profile
from reds_pipeline.imaging.decoding import (
    decode_pixels,
    decode_reduced,
    is_animated,
    opaque_rgb,
    open_image,
)
from reds_pipeline.imaging.examine import ImageLimits
from reds_pipeline.imaging.formats import AVIF, HEIC, JPEG, PNG, WEBP
from reds_pipeline.imaging.heic import decode_heic, open_heic
from reds_pipeline.imaging.metadata import CLEANED_IN_PLACE, as_png, strip_metadata
from reds_pipeline.imaging.orientation import image_orientation, upright, upright_size
from reds_pipeline.imaging.photo_header import PhotoHeader, photo_header
from reds_pipeline.imaging.photo_views import PhotoView, view_boxes
from reds_pipeline.imaging.resize import SIDE, crop_box, resized_box

_EXTENSIONS = {JPEG: "jpg", PNG: "png", WEBP: "webp"}
_PREVIEW_QUALITY = 85
_STORED_QUALITY = 95
# No profile of a camera or phone comes near it; anything larger is a place to hide things.
_MAXIMUM_PROFILE_BYTES = 64_000
_RGB_PROFILE = b"RGB "
_PROFILE_COLOURS = slice(16, 20)
# Their decoders keep the picture several times for as long as the opened file lives.
_KEPT_BY_DECODER = frozenset({WEBP, AVIF})
_MOST_STORED_PIXELS = ImageLimits().max_pixels


@dataclass(frozen=True)
class PhotoLimits:
    """What a photo may cost at most and must be at least.

    Attributes:
        max_bytes: Largest file, in bytes.
        max_pixels: Most pixels that are decoded: width times height, of a JPEG after the decoder
            has reduced it.
        max_jpeg_pixels: Largest JPEG, whose decoder may deliver an eighth of width and height.
        max_buffered_pixels: The same of one in several scans (progressive), each of which costs
            a pass over all of it.
        max_memory: Bytes that reading it may take besides the file.
        min_side: Smallest width and height in pixels: that of the training, because nobody
            knows what tags of smaller ones are worth.
    """

    max_bytes: int = 20_000_000
    max_pixels: int = 50_000_000
    max_jpeg_pixels: int = 250_000_000
    max_buffered_pixels: int = 100_000_000
    max_memory: int = 768_000_000
    min_side: int = 32


USUAL_LIMITS = PhotoLimits()


@dataclass(frozen=True, eq=False)
class _Decoded:
    """Pixels, and how they lie in the original.

    Attributes:
        picture: Mode RGB, as it is stored, possibly reduced.
        scale: Share of width and height that was kept.
        orientation: 1 to 8.
        profile: ICC profile of RGB colours, or empty.
        enough: Pixels that a side had to keep at least.
    """

    picture: Image.Image
    scale: float
    orientation: int
    profile: bytes
    enough: int


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo in memory; safe to use from many threads.

    Attributes:
        width: Of the upright original, in pixels.
        height: The same.
    """

    width: int
    height: int
    # JPEG, PNG and WebP are without metadata already.
    _file: bytes = field(repr=False)
    _header: PhotoHeader = field(repr=False)
    _decoded: _Decoded = field(repr=False)

    @property
    def format(self) -> str:
        """What the file is: ``JPEG``, ``PNG``, ``WEBP``, ``GIF``, ``AVIF`` or ``HEIC``."""
        return self._header.format

    @property
    def is_cropped(self) -> bool:
        """Whether the rule of the training leaves out something of the sides."""
        return crop_box(self.width, self.height)[1]

    def square(self, side: int = SIDE) -> NDArray[np.uint8]:
        """Return what ``resize.square`` makes of the same file, bit by bit (R-PRD-4).

        Args:
            side: In pixels.

        Returns:
            uint8 (side, side, 3) in RGB.
        """
        return self.squares("centre", side)[0]

    def whole(self, side: int = SIDE) -> NDArray[np.uint8]:
        """Return the whole photo squeezed into a square, uint8 (side, side, 3) in RGB."""
        return self.squares("whole", side)[0]

    def windows(self, side: int = SIDE) -> NDArray[np.uint8]:
        """Return window after window, uint8 (n, side, side, 3) in RGB; 1 to 23 of them."""
        return self.squares("windows", side)

    def squares(self, view: PhotoView, side: int = SIDE) -> NDArray[np.uint8]:
        """Return all looks of one way of looking (R-IMP-3).

        Args:
            view: The way; see ``photo_views.view_boxes``.
            side: In pixels.

        Returns:
            uint8 (n, side, side, 3) in RGB.
        """
        decoded = self._decoded
        if self.format == JPEG and decoded.enough != 2 * side:
            # What the decoder leaves out depends on the side, and not a bit may differ.
            decoded = _decode(self._file, self._header, 2 * side)
        size = self._header.width, self._header.height
        return np.stack(
            [
                resized_box(
                    decoded.picture, box, size, decoded.scale, decoded.orientation, side=side
                )
                for box in view_boxes(view, self.width, self.height)
            ]
        )

    def preview(self, longest: int = 1024) -> bytes:
        """Return a small picture of the photo to be shown.

        Args:
            longest: Pixels of the longer side; a smaller photo keeps its size.

        Returns:
            An upright JPEG that holds pixels and, where the photo has one, an RGB colour profile.
        """
        shrink = min(1.0, longest / max(self.width, self.height))
        width, height = max(1, round(shrink * self.width)), max(1, round(shrink * self.height))
        decoded = self._decoded
        if decoded.scale < shrink:
            decoded = _decode(self._file, self._header, min(width, height))
        box = (0, 0, self._header.width * decoded.scale, self._header.height * decoded.scale)
        small = decoded.picture.resize(
            upright_size((width, height), decoded.orientation), Image.Resampling.BICUBIC, box
        )
        return _jpeg(small, decoded, _PREVIEW_QUALITY)

    def stored(self) -> tuple[bytes, str]:
        """Return the photo without metadata, as ``examine_image`` would store it.

        HEIC, which is not collected, becomes a JPEG. So does a JPEG of more pixels than are
        collected, reduced to what squares need.

        Returns:
            (file, extension without a dot).
        """
        if self.format == HEIC or self._header.pixels > _MOST_STORED_PIXELS:
            return _jpeg(self._decoded.picture, self._decoded, _STORED_QUALITY), "jpg"
        if self.format in CLEANED_IN_PLACE:
            return self._file, _EXTENSIONS[self.format]
        image = open_image(self._file, self.format)
        decode_pixels(image)
        return as_png(image), "png"


def checked_header(
    data: bytes, limits: PhotoLimits = USUAL_LIMITS, *, side: int = SIDE
) -> PhotoHeader:
    """Read the header of a photo and refuse what it is enough to refuse for.

    Args:
        data: The file.
        limits: What is acceptable.
        side: Of the squares that will be asked for, in pixels.

    Raises:
        ImageRejected: ``empty``, ``too_many_bytes``, ``not_an_image``, ``unsupported_format``,
            ``heic_not_installed``, ``too_many_pixels``, ``too_small``, ``animated``,
            ``truncated`` or ``undecodable``.
    """
    if not data:
        raise ImageRejected("empty")
    if len(data) > limits.max_bytes:
        raise ImageRejected("too_many_bytes")
    header = photo_header(data)
    most = limits.max_jpeg_pixels if header.format == JPEG else limits.max_pixels
    if header.is_buffered:
        most = limits.max_buffered_pixels
    if (
        header.pixels > most
        or header.decoded_pixels(side) > limits.max_pixels
        or header.memory(side) > limits.max_memory
    ):
        raise ImageRejected("too_many_pixels")
    if min(header.width, header.height) < 1:
        raise ImageRejected("undecodable")
    if min(header.width, header.height) < limits.min_side:
        raise ImageRejected("too_small")
    return header


def read_photo(data: bytes, limits: PhotoLimits = USUAL_LIMITS, *, side: int = SIDE) -> Photo:
    """Read a photo file to its end; safe to call from many threads.

    It accepts what ``examine_image`` accepts for the training, and besides HEIC and JPEGs of more
    pixels. Cheap refusals come first, and pixels are decoded once, from a copy without metadata.

    Args:
        data: The file, of any kind that REDS takes.
        limits: What is acceptable.
        side: Of the squares that will be asked for, in pixels; those of another side cost a
            further decode of a JPEG.

    Returns:
        The photo, which holds its pixels until nobody holds it.

    Raises:
        ImageRejected: With a reason for which ``photo_sentences`` has words.
    """
    header = checked_header(data, limits, side=side)
    file = strip_metadata(data, header.format) if header.format in CLEANED_IN_PLACE else data
    decoded = _decode(file, header, 2 * side)
    width, height = upright_size((header.width, header.height), decoded.orientation)
    return Photo(width, height, file, header, decoded)


def _decode(file: bytes, header: PhotoHeader, enough: int) -> _Decoded:
    """Decode a file to its end into what leaves ``enough`` pixels a side."""
    if header.format == HEIC:
        image, scale = decode_heic(open_heic(file)), 1.0
        _require_size(image, header)
    else:
        opened = open_image(file, header.format)
        # No file may show one size to us and another to the decoder.
        _require_size(opened, header)
        if is_animated(opened):
            raise ImageRejected("animated")
        scale = decode_reduced(opened, enough)
        image = opened
    picture = opaque_rgb(image)
    if picture is image and header.format in _KEPT_BY_DECODER:
        picture = image.copy()
    orientation, profile = image_orientation(image), _rgb_profile(image)
    # A comment in it would be written into the next file.
    picture.info = {}
    return _Decoded(picture, scale, orientation, profile, enough)


def _require_size(image: Image.Image, header: PhotoHeader) -> None:
    if image.size != (header.width, header.height):
        raise ImageRejected("undecodable")


def _rgb_profile(image: Image.Image) -> bytes:
    """Return the colour profile if it fits the pixels after they became RGB, else nothing."""
    profile: bytes = image.info.get("icc_profile") or b""
    is_small = len(profile) <= _MAXIMUM_PROFILE_BYTES
    is_rgb = is_colour_profile(profile) and profile[_PROFILE_COLOURS] == _RGB_PROFILE
    return profile if is_small and is_rgb else b""


def _jpeg(picture: Image.Image, decoded: _Decoded, quality: int) -> bytes:
    """Write stored pixels upright, with their colour profile and nothing else."""
    file = BytesIO()
    turned = upright(picture, decoded.orientation)
    turned.save(file, "JPEG", quality=quality, icc_profile=decoded.profile or None)
    return file.getvalue()
