"""JPEG files as a list of segments: their size, and a copy without metadata.

What belongs here: the marker structure of ITU-T T.81 (JPEG), JFIF and Adobe segments. What does
not: decoding pixels. The compressed pixels are copied byte for byte.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.colour_profile import is_colour_profile
from reds_pipeline.imaging.orientation import UPRIGHT, exif_orientation, orientation_tiff

_START_OF_IMAGE = 0xD8
_END_OF_IMAGE = 0xD9
_START_OF_SCAN = 0xDA
_JFIF = 0xE0
_EXIF = 0xE1
_PROFILE = 0xE2
_ADOBE = 0xEE
# Frame headers, without the tables (C4, CC) and the reserved C8 that share their range.
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE_FRAMES = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
# What a decoder needs: frames, Huffman, arithmetic and quantisation tables, scans, line counts,
# restart intervals, hierarchical headers.
_PICTURE_MARKERS = (frozenset(range(0xC0, 0xD0)) - {0xC8}) | frozenset(range(0xDA, 0xE0))
_STANDALONE_MARKERS = frozenset({0x01, _START_OF_IMAGE, *range(0xD0, 0xD8)})

_PROFILE_PREFIX = b"ICC_PROFILE\x00"
_PROFILE_BYTES_PER_SEGMENT = 65_519
# A progressive picture has about ten scans. Each scan costs a pass over all pixels, so a small
# file with thousands of them is an attack on whoever decodes it.
MAXIMUM_SCANS = 100

_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
# Inside compressed pixels FF00 is an escaped FF and FFD0 to FFD7 are restart points. It begins with
# one fixed byte, because the search for that alone is 15 times as fast as for a run of them.
_MARKER_AFTER_PIXELS = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


@dataclass(frozen=True)
class _Segment:
    """One marker with what it holds; ``pixels`` is the compressed data after a scan header."""

    marker: int
    payload: bytes
    pixels: bytes = b""


@dataclass(frozen=True)
class JpegFrame:
    """What the headers of a JPEG say about its pixels.

    Attributes:
        width: Stored, in pixels.
        height: Stored, in pixels.
        samples_per_pixel: All colour components together: 3 without subsampling, 1.5 for the
            usual 4:2:0.
        is_buffered: Whether a decoder has to keep the coefficients of the whole picture, because
            they come in several scans (progressive or not interleaved).
    """

    width: int
    height: int
    samples_per_pixel: float
    is_buffered: bool


def jpeg_frame(data: bytes) -> JpegFrame:
    """Read the frame header and the first scan header, decoding nothing.

    Raises:
        ImageRejected: ``truncated`` when the file ends before the first scan does,
            ``undecodable`` when one of the headers is missing or broken.
    """
    header = b""
    for segment in _segments(data):
        if segment.marker in _FRAME_HEADERS:
            header = bytes([segment.marker]) + segment.payload
        if segment.marker == _START_OF_SCAN:
            return _frame(header, segment.payload)
    raise ImageRejected("undecodable")


def _frame(header: bytes, scan: bytes) -> JpegFrame:
    # Marker, precision, height, width, components, then (name, sampling, table) of each.
    components = header[6] if len(header) > 6 else 0
    sampling = [(byte >> 4, byte & 15) for byte in header[8 : 7 + 3 * components : 3]]
    if not components or len(sampling) < components or not scan or not all(map(all, sampling)):
        raise ImageRejected("undecodable")
    height, width = struct.unpack_from(">HH", header, 2)
    widest = max(across for across, _down in sampling)
    highest = max(down for _across, down in sampling)
    samples = sum(across * down for across, down in sampling) / (widest * highest)
    is_buffered = header[0] in _PROGRESSIVE_FRAMES or scan[0] < components
    return JpegFrame(width, height, samples, is_buffered)


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Return the stored (width, height) in pixels from the frame header, decoding nothing.

    Raises:
        ImageRejected: ``truncated`` when the file ends before the header, ``undecodable`` when
            it has none.
    """
    for segment in _segments(data):
        if segment.marker in _FRAME_HEADERS and len(segment.payload) >= 5:
            height, width = struct.unpack_from(">HH", segment.payload, 1)
            return width, height
        if segment.marker == _START_OF_SCAN:
            break
    raise ImageRejected("undecodable")


def jpeg_scans(data: bytes) -> int:
    """Return the scans of a JPEG, each of which costs its decoder a pass over all pixels.

    Raises:
        ImageRejected: ``truncated`` or ``undecodable``.
    """
    return sum(segment.marker == _START_OF_SCAN for segment in _segments(data))


def clean_jpeg(data: bytes) -> bytes:
    """Return the JPEG without metadata; the compressed pixels are not touched.

    Kept: the tables, frames and scans, the JFIF density (not its thumbnail), the Adobe colour
    transform, a valid ICC profile. EXIF is replaced by one that states only the orientation,
    and only when that is not upright. Comments, XMP, IPTC, maker segments, further pictures and
    all bytes behind the end-of-image marker are gone.

    Raises:
        ImageRejected: ``truncated`` when there is no end-of-image marker, ``undecodable`` when
            the structure is broken or holds an absurd number of scans.
    """
    density = b""
    exif = b""
    profile_parts: dict[int, bytes] = {}
    picture: list[bytes] = []
    scans = 0
    for segment in _segments(data):
        payload = segment.payload
        if segment.marker in _PICTURE_MARKERS:
            scans += segment.marker == _START_OF_SCAN
            picture += [_segment_bytes(segment.marker, payload), segment.pixels]
        elif segment.marker == _ADOBE and payload[:5] == b"Adobe" and len(payload) >= 12:
            picture.append(_segment_bytes(_ADOBE, payload[:12]))
        elif segment.marker == _JFIF and payload[:5] == b"JFIF\x00" and len(payload) >= 14:
            # The last two bytes say that no thumbnail follows.
            density = _segment_bytes(_JFIF, payload[:12] + b"\x00\x00")
        elif segment.marker == _EXIF and payload[:6] == b"Exif\x00\x00":
            # Viewers follow the first such block.
            exif = exif or payload
        elif segment.marker == _PROFILE and payload.startswith(_PROFILE_PREFIX):
            numbered = payload[len(_PROFILE_PREFIX) :]
            profile_parts[numbered[0] if numbered else 0] = numbered[2:]
    if scans > MAXIMUM_SCANS:
        raise ImageRejected("undecodable")
    profile = b"".join(profile_parts[number] for number in sorted(profile_parts))
    return b"".join(
        [
            b"\xff\xd8",
            density,
            _orientation_segment(exif_orientation(exif)),
            *_profile_segments(profile),
            *picture,
            b"\xff\xd9",
        ]
    )


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield the segments between start and end of image, skipping what lies between segments.

    Decoders skip such stray bytes too, so leaving them out changes no pixel.
    """
    position = 2
    while True:
        found = _MARKER.search(data, position)
        if found is None:
            raise ImageRejected("truncated")
        marker = found[1][0]
        position = found.end()
        if marker == _END_OF_IMAGE:
            return
        if marker in _STANDALONE_MARKERS:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        end = position + length
        if end > len(data) or position + 2 > len(data):
            raise ImageRejected("truncated")
        if length < 2:
            raise ImageRejected("undecodable")
        payload = data[position + 2 : end]
        position = end
        if marker == _START_OF_SCAN:
            after = _MARKER_AFTER_PIXELS.search(data, end)
            if after is None:
                raise ImageRejected("truncated")
            position = after.start()
            while position > end and data[position - 1] == 0xFF:
                # Fill bytes before a marker belong to neither.
                position -= 1
        yield _Segment(marker, payload, data[end:position])


def _segment_bytes(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _orientation_segment(orientation: int) -> bytes:
    if orientation == UPRIGHT:
        return b""
    return _segment_bytes(_EXIF, b"Exif\x00\x00" + orientation_tiff(orientation))


def _profile_segments(profile: bytes) -> list[bytes]:
    if not is_colour_profile(profile):
        return []
    parts = [
        profile[start : start + _PROFILE_BYTES_PER_SEGMENT]
        for start in range(0, len(profile), _PROFILE_BYTES_PER_SEGMENT)
    ]
    return [
        _segment_bytes(_PROFILE, _PROFILE_PREFIX + bytes([number, len(parts)]) + part)
        for number, part in enumerate(parts, start=1)
    ]
