"""A photo that somebody shows to REDS: read once, looked at in three ways, then forgotten.

What belongs here: what a photo may cost, and the path from its bytes to the squares that an
encoder sees. What does not: pictures that are collected (examine.py), the decode
(photo_decoding.py), where the looks are cut (photo_views.py) and how many photos may be read at
once (photo_memory.py). Nothing here touches a disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.decoding import decode_pixels, open_image
from reds_pipeline.imaging.examine import ImageLimits
from reds_pipeline.imaging.formats import HEIC, JPEG, PNG, WEBP
from reds_pipeline.imaging.jpeg_container import jpeg_scans
from reds_pipeline.imaging.metadata import CLEANED_IN_PLACE, as_png, strip_metadata
from reds_pipeline.imaging.photo_decoding import DecodedPhoto, decode_photo
from reds_pipeline.imaging.photo_header import PhotoHeader, photo_header
from reds_pipeline.imaging.photo_views import PhotoView, view_boxes
from reds_pipeline.imaging.resize import SIDE, crop_box, resized_box

_VIEWS: tuple[PhotoView, ...] = ("centre", "whole", "windows")
_EXTENSIONS = {JPEG: "jpg", PNG: "png", WEBP: "webp"}
_PREVIEW_LONGEST = 1024
_PREVIEW_QUALITY = 85
_STORED_QUALITY = 95
_MOST_STORED_PIXELS = ImageLimits().max_pixels
# A photo may outlive the room that it was read in (photo_memory), so it stays below 20 MB.
_MOST_KEPT_PIXELS = 2048 * 2048


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
        max_scanned_pixels: Pixels times scans of such a one. Encoders make about ten scans; 99
            million pixels in 90 scans are 400 kB of file and 20 seconds of decoding.
        max_memory: Bytes that reading it may take besides the file.
        min_side: Smallest width and height in pixels: that of the training, because nobody
            knows what tags of smaller ones are worth.
    """

    max_bytes: int = 20_000_000
    max_pixels: int = 50_000_000
    max_jpeg_pixels: int = 250_000_000
    max_buffered_pixels: int = 100_000_000
    max_scanned_pixels: int = 1_200_000_000
    max_memory: int = 768_000_000
    min_side: int = 32


USUAL_LIMITS = PhotoLimits()


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo in memory; safe to use from many threads.

    Besides the file it holds at most 22 MB. What was decoded into more than 4 million pixels is
    looked at in all three ways at once and then let go.

    Attributes:
        width: Of the upright original, in pixels.
        height: The same.
    """

    width: int
    height: int
    # JPEG, PNG and WebP are without metadata already.
    _file: bytes = field(repr=False)
    _header: PhotoHeader = field(repr=False)
    _side: int = field(repr=False)
    _kept: DecodedPhoto = field(repr=False)
    # Empty when the pixels that were decoded are kept.
    _looks: Mapping[PhotoView, NDArray[np.uint8]] = field(repr=False)

    @property
    def format(self) -> str:
        """What the file is: ``JPEG``, ``PNG``, ``WEBP``, ``GIF``, ``AVIF`` or ``HEIC``."""
        return self._header.format

    @property
    def is_cropped(self) -> bool:
        """Whether the rule of the training leaves out something of the sides."""
        return crop_box(self.width, self.height)[1]

    def square(self, side: int = SIDE) -> NDArray[np.uint8]:
        """Return what ``resize.square`` makes of the stored file, bit by bit (R-PRD-4).

        HEIC and JPEGs that are too large to be collected are not stored as they are; for the
        latter it is what it makes of the file itself.

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
            side: In pixels; another one than the photo was read for may cost a further decode.

        Returns:
            uint8 (n, side, side, 3) in RGB.
        """
        if side == self._side and view in self._looks:
            return self._looks[view].copy()
        # What a JPEG decoder leaves out depends on the side, and not a bit may differ.
        is_enough = not self._looks and (side == self._side or self.format != JPEG)
        return _looks(self._kept if is_enough else self._decoded(2 * side), view, side)

    def preview(self, longest: int = _PREVIEW_LONGEST) -> bytes:
        """Return a small picture of the photo to be shown.

        Args:
            longest: Pixels of the longer side; a smaller photo keeps its size.

        Returns:
            An upright JPEG that holds pixels and, where the photo has one, an RGB colour profile.
        """
        longest = min(longest, max(self.width, self.height))
        shrink = longest / max(self.width, self.height)
        decoded = self._kept
        if decoded.scale < shrink:
            decoded = self._decoded(max(1, round(shrink * min(self.width, self.height))))
        return decoded.as_jpeg(_PREVIEW_QUALITY, longest)

    def stored(self) -> tuple[bytes, str]:
        """Return the photo without metadata, as ``examine_image`` would store it.

        HEIC, which is not collected, becomes a JPEG. So does a JPEG of more pixels than are
        collected, reduced to what squares need. GIF, AVIF and large HEIC are decoded again.

        Returns:
            (file, extension without a dot).
        """
        if self.format == HEIC or self._header.pixels > _MOST_STORED_PIXELS:
            decoded = self._decoded(2 * self._side) if self._looks else self._kept
            return decoded.as_jpeg(_STORED_QUALITY), "jpg"
        if self.format in CLEANED_IN_PLACE:
            return self._file, _EXTENSIONS[self.format]
        image = open_image(self._file, self.format)
        decode_pixels(image)
        return as_png(image), "png"

    def _decoded(self, enough: int) -> DecodedPhoto:
        return decode_photo(self._file, self._header, enough)


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
        side: Of the squares that will be asked for, in pixels.

    Raises:
        ImageRejected: With a reason for which ``photo_sentences`` has words.
    """
    header = checked_header(data, limits, side=side)
    file = strip_metadata(data, header.format) if header.format in CLEANED_IN_PLACE else data
    if header.is_buffered and jpeg_scans(file) * header.pixels > limits.max_scanned_pixels:
        raise ImageRejected("too_many_pixels")
    decoded = decode_photo(file, header, 2 * side)
    looks: dict[PhotoView, NDArray[np.uint8]] = {}
    if decoded.pixels > _MOST_KEPT_PIXELS:
        looks = {view: _looks(decoded, view, side) for view in _VIEWS}
        decoded = decoded.reduced(_PREVIEW_LONGEST)
    return Photo(*decoded.upright_size, file, header, side, decoded, looks)


def _looks(decoded: DecodedPhoto, view: PhotoView, side: int) -> NDArray[np.uint8]:
    return np.stack(
        [
            resized_box(
                decoded.picture, box, decoded.size, decoded.scale, decoded.orientation, side=side
            )
            for box in view_boxes(view, *decoded.upright_size)
        ]
    )
