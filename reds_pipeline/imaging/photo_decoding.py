"""Decoding a photo of any kind, once, into plain RGB pixels.

What belongs here: the one decode, and writing pixels as a JPEG without metadata. What does not:
what a photo may cost, and how it is looked at (photo.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO

from PIL import Image

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.colour_profile import is_colour_profile
from reds_pipeline.imaging.decoding import decode_reduced, is_animated, opaque_rgb, open_image
from reds_pipeline.imaging.formats import AVIF, HEIC, WEBP
from reds_pipeline.imaging.heic import decode_heic, open_heic
from reds_pipeline.imaging.metadata import CLEANED_IN_PLACE
from reds_pipeline.imaging.orientation import UPRIGHT, image_orientation, upright, upright_size
from reds_pipeline.imaging.photo_header import PhotoHeader

# No profile of a camera or phone comes near it; anything larger is a place to hide things.
_MAXIMUM_PROFILE_BYTES = 64_000
_RGB_PROFILE = b"RGB "
_PROFILE_COLOURS = slice(16, 20)
# Their decoders keep the picture several times for as long as the opened file lives.
_KEPT_BY_DECODER = frozenset({WEBP, AVIF})


@dataclass(frozen=True, eq=False)
class DecodedPhoto:
    """Pixels, and how they lie in the original.

    Attributes:
        picture: Mode RGB, as it is stored, possibly reduced; without any metadata.
        size: Stored (width, height) of the original, in pixels.
        scale: Share of them that the picture has.
        orientation: 1 to 8.
        profile: ICC profile of RGB colours, or empty.
    """

    picture: Image.Image
    size: tuple[int, int]
    scale: float
    orientation: int
    profile: bytes

    @property
    def pixels(self) -> int:
        """Of the picture as it is here: width times height."""
        return self.picture.width * self.picture.height

    def reduced(self, longest: int) -> DecodedPhoto:
        """Return a copy whose longer side has ``longest`` pixels or up to twice as many."""
        factor = max(1, max(self.picture.size) // longest)
        return replace(self, picture=self.picture.reduce(factor), scale=self.scale / factor)

    def as_jpeg(self, quality: int, longest: int | None = None) -> bytes:
        """Write the pixels upright, with their colour profile and nothing else.

        Args:
            quality: 0 to 95, as Pillow means it.
            longest: Pixels of the longer side, no more than there are; None for all.
        """
        picture = self.picture
        if longest is not None:
            shrink = longest / max(self.size)
            width, height = (max(1, round(shrink * side)) for side in self.size)
            right, bottom = (self.scale * side for side in self.size)
            box = (0, 0, right, bottom)
            picture = picture.resize((width, height), Image.Resampling.BICUBIC, box)
        file = BytesIO()
        turned = upright(picture, self.orientation)
        turned.save(file, "JPEG", quality=quality, icc_profile=self.profile or None)
        return file.getvalue()

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) of the original as people see it, in pixels."""
        return upright_size(self.size, self.orientation)


def decode_photo(file: bytes, header: PhotoHeader, enough: int) -> DecodedPhoto:
    """Decode a photo to its end.

    Args:
        file: The photo.
        header: What its header says.
        enough: Pixels a side that a JPEG keeps at least; see ``decoding.decode_reduced``.

    Raises:
        ImageRejected: ``animated``, ``truncated`` or ``undecodable``.
    """
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
    size = header.width, header.height
    orientation, profile = image_orientation(image), _rgb_profile(image)
    if header.format not in CLEANED_IN_PLACE:
        # The training sees what is stored, which are upright pixels for these; turning after
        # resizing would round otherwise.
        picture = upright(picture, orientation)
        size, orientation = upright_size(size, orientation), UPRIGHT
    # A comment in it would be written into the next file.
    picture.info = {}
    return DecodedPhoto(picture, size, scale, orientation, profile)


def _require_size(image: Image.Image, header: PhotoHeader) -> None:
    if image.size != (header.width, header.height):
        raise ImageRejected("undecodable")


def _rgb_profile(image: Image.Image) -> bytes:
    """Return the colour profile if it fits the pixels after they became RGB, else nothing."""
    profile: bytes = image.info.get("icc_profile") or b""
    is_small = len(profile) <= _MAXIMUM_PROFILE_BYTES
    is_rgb = is_colour_profile(profile) and profile[_PROFILE_COLOURS] == _RGB_PROFILE
    return profile if is_small and is_rgb else b""
