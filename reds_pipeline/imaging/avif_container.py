"""AVIF files as boxes: how many pixels their AV1 streams hold, whatever the boxes claim.

What belongs here: the boxes of ISO/IEC 14496-12 and 23008-12 that say where a picture lies. What
does not: the AV1 streams themselves (``av1_stream.py``) and decoding.

The size that an AVIF claims (box ``ispe``) is no promise: a decoder first makes frames of the size
that stands in their stream, and then scales them, tile by tile. So who bounds memory has to ask for
both, of every item.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.av1_stream import most_pixels

_AV1 = b"av01"
_STILL_BRAND = b"avif"
_ONCE = frozenset({b"iinf", b"iloc", b"idat", b"iprp"})
_IN_FILE = 0
_IN_BOX = 1
# Equal tiles of one picture may share their bytes; more than this is somebody keeping us busy.
_MOST_SHARING = 4


def avif_pixels(data: bytes) -> int:
    """Return the pixels that decoding all AV1 pictures of a file makes at most, decoding nothing.

    Tiles, layers, alpha and thumbnails count as well.

    Args:
        data: A file that ``formats.sniff_format`` calls AVIF.

    Raises:
        ImageRejected: ``animated`` when the decoder would play a track, ``undecodable`` when the
            boxes do not say where the picture is.
    """
    boxes = _boxes(_Reader(data, 0, len(data)))
    meta: _Reader | None = None
    for kind, content in boxes:
        if kind == b"moov" and data[8:12] != _STILL_BRAND:
            raise ImageRejected("animated")
        if kind == b"meta" and meta is None:
            meta = content
    if meta is None:
        raise ImageRejected("undecodable")
    return _pixels_of_items(data, meta)


def _pixels_of_items(data: bytes, meta: _Reader) -> int:
    meta.number(4)  # Version and flags.
    parts: dict[bytes, _Reader] = {}
    for kind, content in _boxes(meta):
        if kind in parts and kind in _ONCE:
            raise ImageRejected("undecodable")
        parts[kind] = content
    if b"iinf" not in parts or b"iloc" not in parts:
        raise ImageRejected("undecodable")
    wanted = _av1_items(parts[b"iinf"])
    claimed = _claimed_pixels(parts[b"iprp"]) if b"iprp" in parts else {}
    sources = {_IN_FILE: _Reader(data, 0, len(data))}
    if b"idat" in parts:
        sources[_IN_BOX] = parts[b"idat"]
    pixels = 0
    allowed = _MOST_SHARING * len(data)
    for item, places in _locations(parts[b"iloc"]):
        if item not in wanted:
            continue
        allowed -= sum(place.length for place in places)
        if allowed < 0:
            raise ImageRejected("undecodable")
        stream = b"".join(place.content(sources) for place in places)
        pixels += max(most_pixels(stream), claimed.get(item, 0))
    return pixels


def _av1_items(box: _Reader) -> frozenset[int]:
    """Return the ids of the items that are AV1 pictures, from the box ``iinf``."""
    box.number(2 if box.number(4) >> 24 == 0 else 4)  # How many, which the boxes say as well.
    seen: set[int] = set()
    wanted: set[int] = set()
    for kind, entry in _boxes(box):
        if kind != b"infe":
            continue
        version = entry.number(4) >> 24
        item = entry.number(4 if version > 2 else 2)
        entry.number(2)  # Protection.
        if item in seen:
            raise ImageRejected("undecodable")
        seen.add(item)
        if version >= 2 and entry.taken(4) == _AV1:
            wanted.add(item)
    return frozenset(wanted)


def _claimed_pixels(box: _Reader) -> dict[int, int]:
    """Return the largest size that each item claims, from the box ``iprp``."""
    properties: list[int] = []
    claimed: dict[int, int] = {}
    for kind, content in _boxes(box):
        if kind == b"ipco":
            for name, value in _boxes(content):
                value.number(4 if name == b"ispe" else 0)
                properties.append(value.number(4) * value.number(4) if name == b"ispe" else 0)
        elif kind == b"ipma":
            head = content.number(4)
            index_bytes = 2 if head & 1 else 1
            for _entry in range(content.number(4)):
                item = content.number(4 if head >> 24 else 2)
                for _association in range(content.number(1)):
                    # Its highest bit says whether readers have to understand the property.
                    index = content.number(index_bytes) & (0x7FFF if index_bytes == 2 else 0x7F)
                    if 0 < index <= len(properties):
                        claimed[item] = max(claimed.get(item, 0), properties[index - 1])
    return claimed


def _locations(box: _Reader) -> Iterator[tuple[int, list[_Place]]]:
    """Yield each item of the box ``iloc`` with the places where its bytes are."""
    version = box.number(4) >> 24
    sizes = box.number(2)
    offset_bytes, length_bytes = sizes >> 12, sizes >> 8 & 15
    base_bytes, index_bytes = sizes >> 4 & 15, sizes & 15
    if version not in (0, 1, 2) or {offset_bytes, length_bytes, base_bytes} - {0, 4, 8}:
        raise ImageRejected("undecodable")
    seen: set[int] = set()
    for _number in range(box.number(4 if version == 2 else 2)):
        item = box.number(4 if version == 2 else 2)
        source = box.number(2) & 15 if version else _IN_FILE
        box.number(2)  # Which other file, which decoders do not ask.
        base = box.number(base_bytes)
        places = []
        for _extent in range(box.number(2)):
            if version:
                box.number(index_bytes)
            start = base + box.number(offset_bytes)
            places.append(_Place(source, start, box.number(length_bytes)))
        if item in seen:
            raise ImageRejected("undecodable")
        seen.add(item)
        yield item, places


@dataclass(frozen=True)
class _Place:
    """Some bytes of an item: where ``start`` counts from, and how many there are."""

    source: int
    start: int
    length: int

    def content(self, sources: dict[int, _Reader]) -> bytes:
        source = sources.get(self.source)
        # No length means all that follows to some decoders, and nothing to others.
        if source is None or not self.length:
            raise ImageRejected("undecodable")
        return source.part(self.start, self.length)


class _Reader:
    """Reads numbers and boxes from a part of a file."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data = data
        self._start = self._position = start
        self._end = end

    @property
    def left(self) -> int:
        return self._end - self._position

    def taken(self, count: int) -> bytes:
        if count > self.left:
            raise ImageRejected("undecodable")
        self._position += count
        return self._data[self._position - count : self._position]

    def number(self, count: int) -> int:
        return int.from_bytes(self.taken(count), "big")

    def part(self, start: int, length: int) -> bytes:
        if start + length > self._end - self._start:
            raise ImageRejected("undecodable")
        return self._data[self._start + start : self._start + start + length]

    def inner(self, length: int) -> _Reader:
        if not 0 <= length <= self.left:
            raise ImageRejected("undecodable")
        self._position += length
        return _Reader(self._data, self._position - length, self._position)


def _boxes(reader: _Reader) -> Iterator[tuple[bytes, _Reader]]:
    while reader.left >= 8:
        size, kind = reader.number(4), reader.taken(4)
        head = 8
        if size == 1:
            size, head = reader.number(8), 16
        yield kind, reader.inner(reader.left if size == 0 else size - head)
