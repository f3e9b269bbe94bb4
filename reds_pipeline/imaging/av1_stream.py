"""How large the frames of an AV1 stream can be, from its headers alone.

What belongs here: the units of a stream and the sequence header of the AV1 bitstream specification
(sections 5.3 to 5.5). What does not: the file around it (``avif_container.py``) and decoding.
"""

from __future__ import annotations

from collections.abc import Iterator

from reds_pipeline.errors import ImageRejected

_SEQUENCE_HEADER = 1
_FRAME_HEADER = 3
_FRAME = 6
# A still picture has three or four units; whoever sends many more wants to keep us busy.
_MOST_UNITS = 1_000
_LONGEST_LENGTH = 8
# Decoders allocate whole super blocks.
_BLOCK = 128


def most_pixels(stream: bytes) -> int:
    """Return the pixels of all frames of a stream together, at most.

    Args:
        stream: Units one behind the other, as an AVIF item or a temporal unit holds them.

    Raises:
        ImageRejected: ``undecodable`` when it is no such stream, or has far too many units.
    """
    frames = 0
    largest = 0
    for kind, payload in _units(stream):
        if kind == _SEQUENCE_HEADER:
            width, height = _largest_frame(payload)
            largest = max(largest, _padded(width) * _padded(height))
        elif kind in (_FRAME_HEADER, _FRAME):
            frames += 1
    return frames * largest


def _units(stream: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    for _number in range(_MOST_UNITS):
        if position >= len(stream):
            return
        head = stream[position]
        position += 2 if head & 0b100 else 1
        length = len(stream) - position
        if head & 0b10:
            length, position = _length(stream, position)
        if not 0 <= length <= len(stream) - position:
            raise ImageRejected("undecodable")
        yield head >> 3 & 0b1111, stream[position : position + length]
        position += length
    raise ImageRejected("undecodable")


def _length(stream: bytes, position: int) -> tuple[int, int]:
    """Read a number of 7 bits a byte, lowest first; return it and where it ends."""
    value = 0
    for number, byte in enumerate(stream[position : position + _LONGEST_LENGTH]):
        value |= (byte & 0x7F) << 7 * number
        if not byte & 0x80:
            return value, position + number + 1
    raise ImageRejected("undecodable")


def _largest_frame(header: bytes) -> tuple[int, int]:
    """Return the largest (width, height) in pixels that a frame of a sequence can have."""
    bits = _Bits(header)
    bits.skip(3 + 1)  # Profile, and whether it is a still picture.
    is_reduced = bits.read(1)
    if is_reduced:
        bits.skip(5)  # Level.
    else:
        _skip_timing_and_operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    if is_reduced:
        return width, height
    # Such a frame may state another size, which decoders only hold to the number of its bits.
    return 1 << width_bits, 1 << height_bits


def _skip_timing_and_operating_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits.read(1):  # Timing.
        bits.skip(32 + 32)
        if bits.read(1):
            bits.skip_exponential()
        if bits.read(1):  # Decoder model.
            delay_bits = bits.read(5) + 1
            bits.skip(32 + 5 + 5)
    has_delays = bits.read(1)
    for _point in range(bits.read(5) + 1):
        bits.skip(12)
        if bits.read(5) > 7:  # Only higher levels have a tier.
            bits.skip(1)
        if delay_bits and bits.read(1):
            bits.skip(2 * delay_bits + 1)
        if has_delays and bits.read(1):
            bits.skip(4)


class _Bits:
    """Reads numbers from bytes, highest bit first."""

    def __init__(self, data: bytes) -> None:
        # The longest header that is read comes to about 200 bytes.
        self._bits = "".join(f"{byte:08b}" for byte in data[:512])
        self._position = 0

    def read(self, count: int) -> int:
        number = self._bits[self._position : self._position + count]
        if len(number) < count:
            raise ImageRejected("undecodable")
        self._position += count
        return int(number, 2)

    def skip(self, count: int) -> None:
        self._position += count

    def skip_exponential(self) -> None:
        """Skip a number that begins with as many zeros as it has further bits."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        # From 32 zeros on the number is the largest, and nothing follows.
        if zeros < 32:
            self.skip(zeros)


def _padded(side: int) -> int:
    return -(-side // _BLOCK) * _BLOCK
