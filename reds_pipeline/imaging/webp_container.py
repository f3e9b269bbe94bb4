"""WebP files as a list of RIFF chunks: their size, and a copy without metadata.

What belongs here: the container of RFC 9649. What does not: decoding pixels. The compressed
pixels are copied as they are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.colour_profile import is_colour_profile
from reds_pipeline.imaging.orientation import UPRIGHT, exif_orientation, orientation_tiff

_PIXEL_CHUNKS = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_ANIMATION_CHUNKS = frozenset({b"ANIM", b"ANMF"})
# Bits of the first byte of the extended header.
_HAS_PROFILE = 0x20
_HAS_ALPHA = 0x10
_HAS_EXIF = 0x08
_HAS_ANIMATION = 0x02
_FOURTEEN_BITS = 0x3FFF


def webp_size(data: bytes) -> tuple[int, int]:
    """Return the stored (width, height) in pixels from the first chunk, decoding nothing.

    Pillow allocates the whole canvas on opening a WebP, so the size must be known before.

    Raises:
        ImageRejected: ``truncated`` when the file ends before the header, ``undecodable`` when
            the first chunk holds no size.
    """
    if len(data) < 30:
        raise ImageRejected("truncated")
    kind = data[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        return width, height
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & _FOURTEEN_BITS) + 1, (bits >> 14 & _FOURTEEN_BITS) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & _FOURTEEN_BITS, height & _FOURTEEN_BITS
    raise ImageRejected("undecodable")


def clean_webp(data: bytes) -> bytes:
    """Return the WebP without metadata; the compressed pixels are not touched.

    Kept: pixels, alpha, a valid ICC profile. EXIF is replaced by one that states only the
    orientation, and only when that is not upright. XMP, unknown chunks and all bytes behind the
    stated length are gone.

    Raises:
        ImageRejected: ``animated`` for the animated kind (even of one frame), ``truncated`` when
            the file is shorter than it says, ``undecodable`` when it holds no pixels.
    """
    canvas = b""
    alpha = 0
    orientation = UPRIGHT
    profile = b""
    pixels: list[bytes] = []
    for kind, payload in _chunks(data):
        if kind == b"VP8X" and len(payload) == 10:
            if payload[0] & _HAS_ANIMATION:
                raise ImageRejected("animated")
            canvas = payload[4:]
            alpha = payload[0] & _HAS_ALPHA
        elif kind in _ANIMATION_CHUNKS:
            raise ImageRejected("animated")
        elif kind == b"EXIF":
            orientation = exif_orientation(payload)
        elif kind == b"ICCP" and is_colour_profile(payload):
            profile = _chunk_bytes(kind, payload)
        elif kind in _PIXEL_CHUNKS:
            pixels.append(_chunk_bytes(kind, payload))
    if not pixels:
        raise ImageRejected("undecodable")
    if not canvas:
        # The simple kind: one chunk of pixels, and nowhere for a profile or EXIF to be valid.
        return _file_bytes(pixels)
    exif = b"" if orientation == UPRIGHT else _chunk_bytes(b"EXIF", orientation_tiff(orientation))
    flags = alpha | (_HAS_PROFILE if profile else 0) | (_HAS_EXIF if exif else 0)
    header = _chunk_bytes(b"VP8X", bytes([flags, 0, 0, 0]) + canvas)
    return _file_bytes([header, profile, *pixels, exif])


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, payload) within the length that the file states."""
    stated_end = int.from_bytes(data[4:8], "little") + 8
    if stated_end > len(data):
        raise ImageRejected("truncated")
    position = 12
    while position + 8 <= stated_end:
        kind, length = struct.unpack_from("<4sI", data, position)
        end = position + 8 + length
        if end > stated_end:
            raise ImageRejected("truncated")
        yield kind, data[position + 8 : end]
        position = end + length % 2


def _chunk_bytes(kind: bytes, payload: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(payload)) + payload + b"\x00" * (len(payload) % 2)


def _file_bytes(chunks: list[bytes]) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return struct.pack("<4sI", b"RIFF", len(body)) + body
