"""Small versions of stored pictures, made when a page asks for them.

What belongs here: making and remembering them. What does not: who may see them. They are kept in
memory only and only while their picture is stored, so that a withdrawal has nothing to erase
here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from io import BytesIO

from PIL import Image

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.decoding import bad_files_rejected, opaque_rgb, open_image
from reds_pipeline.imaging.formats import JPEG, sniff_format
from reds_pipeline.imaging.orientation import image_orientation, upright
from reds_pipeline.storage.images import ImageStore

SIDES = (128, 256, 512, 1024)
"""Sides that are made, in pixels; any other is answered by the next larger one."""

_KEPT_BYTES = 64_000_000
_QUALITY = 80
# A decoded picture may take 150 MB, and a page asks for dozens at once.
_DECODED_AT_ONCE = 3


class Thumbnails:
    """Thumbnails of the pictures in a store; safe to use from several threads.

    Args:
        store: The pictures.
        kept_bytes: How much memory those made before may take, in bytes; the ones not asked for
            the longest go first.
    """

    def __init__(self, store: ImageStore, kept_bytes: int = _KEPT_BYTES) -> None:
        self._store = store
        self._kept_bytes = kept_bytes
        self._made: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._decoding = threading.BoundedSemaphore(_DECODED_AT_ONCE)

    def thumbnail(self, sha256: str, extension: str, side: int) -> bytes | None:
        """Return a JPEG of the whole picture, upright, or None if it is not stored or broken.

        Args:
            sha256: The picture.
            extension: Of its file.
            side: Longest side in pixels; see ``SIDES``. A smaller picture stays as it is.
        """
        side = next((made for made in SIDES if made >= side), SIDES[-1])
        try:
            if not self._store.path(sha256, extension).exists():
                return None
            if (known := self._known(sha256, side)) is not None:
                return known
            with self._decoding:
                made = make_thumbnail(self._store.read(sha256, extension), side)
        except (FileNotFoundError, ImageRejected):
            return None
        self._keep(sha256, side, made)
        return made

    def _known(self, sha256: str, side: int) -> bytes | None:
        with self._lock:
            data = self._made.get((sha256, side))
            if data is not None:
                self._made.move_to_end((sha256, side))
            return data

    def _keep(self, sha256: str, side: int, data: bytes) -> None:
        with self._lock:
            if (sha256, side) in self._made:
                return
            self._made[sha256, side] = data
            self._size += len(data)
            while self._size > self._kept_bytes:
                _, oldest = self._made.popitem(last=False)
                self._size -= len(oldest)


def make_thumbnail(data: bytes, side: int) -> bytes:
    """Return a picture file as a JPEG of at most ``side`` pixels a side, upright, on white.

    Args:
        data: A stored picture.
        side: Longest side in pixels.

    Raises:
        ImageRejected: The file does not decode.
    """
    file_format = sniff_format(data)
    image = open_image(data, file_format)
    orientation = image_orientation(image)
    picture: Image.Image = image
    with bad_files_rejected():
        # The JPEG decoder leaves out what the reduction would throw away, unless asked for all.
        if file_format != JPEG:
            image.load()
            picture = opaque_rgb(image)
        picture.thumbnail((side, side), Image.Resampling.BICUBIC)
    file = BytesIO()
    upright(opaque_rgb(picture), orientation).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
