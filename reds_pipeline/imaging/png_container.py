"""PNG files as a list of chunks: their size, and a copy without metadata.

What belongs here: the chunk structure of the PNG specification (W3C, third edition) with its
animation chunks. What does not: decoding pixels. The compressed pixels are copied as they are.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.colour_profile import is_colour_profile
from reds_pipeline.imaging.orientation import UPRIGHT, exif_orientation, orientation_tiff

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_COLOUR_TYPE = 3
# Colour types with an alpha channel of their own may not carry a transparency chunk.
_ALPHA_COLOUR_TYPES = frozenset({4, 6})
# Chunks that say how colours are meant, with the one length each may have: a longer one would
# be a place to hide text.
_COLOUR_CHUNKS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4}
# The same bound that Pillow sets; no RGB or grey profile comes near it.
_MAXIMUM_PROFILE_BYTES = 1 << 20


def png_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels from the file header, decoding nothing.

    Raises:
        ImageRejected: ``truncated`` when the file ends before the header, ``undecodable`` when
            the header is not the first chunk.
    """
    if len(data) < 24:
        raise ImageRejected("truncated")
    if data[12:16] != b"IHDR":
        raise ImageRejected("undecodable")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def clean_png(data: bytes) -> bytes:
    """Return the PNG without metadata; the compressed pixels are not touched.

    Kept: header, palette, transparency, pixels, colour space (a valid ICC profile loses its
    name). EXIF is replaced by one that states only the orientation, and only when that is not
    upright. Text, times, sizes on paper, unknown chunks and all bytes behind the end are gone.

    Raises:
        ImageRejected: ``animated`` for an animated PNG of more than one picture, ``truncated``
            when the end chunk is missing, ``undecodable`` when a checksum is wrong.
    """
    colour_type = data[25] if len(data) > 25 else 0
    orientation = UPRIGHT
    header: list[bytes] = []
    picture: list[bytes] = []
    for kind, payload in _chunks(data):
        if kind == b"IHDR":
            header.append(_chunk_bytes(kind, payload))
        elif kind == b"eXIf":
            orientation = exif_orientation(payload)
        elif kind == b"iCCP":
            picture.append(_profile_chunk(payload))
        elif _is_animation(kind, payload):
            raise ImageRejected("animated")
        elif _is_kept(kind, payload, colour_type):
            picture.append(_chunk_bytes(kind, payload))
    if orientation != UPRIGHT:
        header.append(_chunk_bytes(b"eXIf", orientation_tiff(orientation)))
    return b"".join([_SIGNATURE, *header, *picture])


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, payload) up to and including the end chunk, with checksums verified."""
    position = len(_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise ImageRejected("truncated")
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        end = position + 8 + length
        if end + 4 > len(data):
            raise ImageRejected("truncated")
        payload = data[position + 8 : end]
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(payload, zlib.crc32(kind)) != checksum:
            raise ImageRejected("undecodable")
        yield kind, payload
        position = end + 4


def _chunk_bytes(kind: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(payload, zlib.crc32(kind))
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)


def _is_animation(kind: bytes, payload: bytes) -> bool:
    """Return whether a chunk shows that there is more than one picture.

    An animation of a single frame that is the picture itself is a still picture.
    """
    return kind == b"fdAT" or (kind == b"acTL" and payload[:4] > b"\x00\x00\x00\x01")


def _is_kept(kind: bytes, payload: bytes, colour_type: int) -> bool:
    if kind in _COLOUR_CHUNKS:
        return len(payload) == _COLOUR_CHUNKS[kind]
    if kind == b"PLTE":
        # In true-colour pictures a palette is only a suggestion that nobody follows.
        return colour_type == _PALETTE_COLOUR_TYPE and len(payload) <= 768
    if kind == b"tRNS":
        return colour_type not in _ALPHA_COLOUR_TYPES and len(payload) <= 256
    return kind in {b"IDAT", b"IEND"}


def _profile_chunk(payload: bytes) -> bytes:
    """Return the ICC profile under a name of ours, or nothing when it is not one."""
    _name, _separator, compressed = payload.partition(b"\x00")
    try:
        profile = zlib.decompressobj().decompress(compressed[1:], _MAXIMUM_PROFILE_BYTES)
    except zlib.error:
        return b""
    if not is_colour_profile(profile):
        return b""
    return _chunk_bytes(b"iCCP", b"icc\x00\x00" + zlib.compress(profile))
