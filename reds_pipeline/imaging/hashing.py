"""Perceptual hashes and the exact search for those that nearly agree.

What belongs here: 64-bit hashes of pictures and pairs of them within a Hamming radius. What does
not: what to do with duplicates (cleaning.py, curation.py) or groups of them (clusters.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Beyond this, agreement of two 64-bit hashes means nothing.
MAXIMUM_RADIUS = 15
HASH_BITS = 64
# Pixels a side that the hash is taken from, the library's 8 times 4.
_HASHED_SIDE = 32
_COSINES = 2 * np.cos(np.pi / _HASHED_SIDE * np.outer(np.arange(8), np.arange(_HASHED_SIDE) + 0.5))
"""The first 8 rows of the cosine transform (type II, not scaled), shape (8, 32)."""
_MIRRORING = np.array([1, -1] * 4)
# Coefficients go up to about a million, of which double precision rounds off less than this by far.
_CLEAR = 1e-4
# Bounds the memory of the search: about 60 MB for this many candidate pairs at a time.
_CANDIDATES_AT_A_TIME = 1 << 20
# Two bands of 32 bits would have more values than there ever are hashes.
_BAND_COUNTS = (3, 4, 5)
# What one step costs beside comparing one candidate, as measured with NumPy 2.4: finding where one
# value of a band begins, looking up one partner of one hash, and the calls for one mask however
# few hashes there are.
_VALUE_COST = 1.4
_LOOKUP_COST = 2.0
_MASK_COST = 10_000.0


def perceptual_hash(image: Image.Image) -> str:
    """Return the 64-bit DCT hash of a picture, equal to ``imagehash.phash``.

    The picture must be upright: hashes know nothing of EXIF, and turned copies do not agree.

    Args:
        image: Mode RGB or L.

    Returns:
        16 hexadecimal digits.
    """
    return str(imagehash.phash(image))


def perceptual_hashes(image: Image.Image) -> tuple[str, str]:
    """Return the hash of a picture and that of its mirror image, at little more than one's cost.

    A mirrored copy of any picture is found by comparing the one hash of it with the other hash of
    the picture. Nearly all of the cost is making the picture small. The mirror image has the same
    cosine transform with the signs of every other column changed, so that one transform gives both
    hashes. Where rounding could decide a bit (flat and symmetric pictures have many equal
    coefficients) the library itself is asked.

    Args:
        image: Upright, mode RGB or L.

    Returns:
        (``imagehash.phash`` of the picture, ``imagehash.phash`` of it mirrored left to right),
        16 hexadecimal digits each.
    """
    grey = image.convert("L")
    small = grey.resize((_HASHED_SIDE, _HASHED_SIDE), Image.Resampling.LANCZOS)
    coefficients = _COSINES @ np.asarray(small, np.float64) @ _COSINES.T
    upright, mirrored = _clear_hash(coefficients), _clear_hash(coefficients * _MIRRORING)
    return (
        upright or perceptual_hash(small),
        mirrored or perceptual_hash(small.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    )


def _clear_hash(coefficients: NDArray[np.float64]) -> str:
    """Return which coefficients are above their median, or nothing if that is not clear.

    Args:
        coefficients: Shape (8, 8).
    """
    half = HASH_BITS // 2
    ordered = np.sort(coefficients, axis=None)
    below, above = ordered[half - 1 : half + 1]
    if above - below < _CLEAR:
        return ""
    return np.packbits(coefficients > (below + above) / 2).tobytes().hex()


def hashes_to_integers(hashes: Sequence[str]) -> NDArray[np.uint64]:
    """Return hexadecimal hashes as an array of shape (n,) for ``hamming_pairs``."""
    return np.array([int(digits, 16) for digits in hashes], dtype=np.uint64)


def hamming_distance(one: str, other: str) -> int:
    """Return in how many bits two hexadecimal hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def hamming_pairs(hashes: NDArray[np.uint64], radius: int) -> NDArray[np.int64]:
    """Return all pairs of hashes that differ in at most ``radius`` bits; none is missed.

    Args:
        hashes: Shape (n,).
        radius: 0 to 15 bits.

    Returns:
        Shape (m, 2): positions i < j, sorted, each pair once.

    Raises:
        ValueError: The radius is out of range.
    """
    count = max(len(hashes), 1)
    parts = (
        part[:, 0].astype(np.int64) * count + part[:, 1] for part in near_parts(hashes, radius)
    )
    codes = np.sort(np.concatenate([np.empty(0, dtype=np.int64), *parts]))
    return np.stack(np.divmod(codes, count), axis=1)


def near_parts(hashes: NDArray[np.uint64], radius: int) -> Iterator[NDArray[np.int64]]:
    """Yield the pairs of ``hamming_pairs`` in parts and in no order, so that memory is bounded.

    Multi-index hashing (Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with
    Multi-Index Hashing", CVPR 2012): the 64 bits are cut into bands; two hashes within the radius
    must be closer still in at least one band, so only hashes that nearly agree in a band are
    compared. Few wide bands give few candidates but many lookups, many narrow ones the opposite;
    the number of bands is the one whose estimated cost is least for so many hashes. A thousand or
    fewer are compared all with all, which is least work then.

    Time grows with the number of candidates, which for spread-out hashes grows far slower than
    the square of n, and never beyond the square times the number of bands. Memory is that of n
    hashes and of a fixed number of candidates, whatever the hashes are, unless one hash has more
    neighbours than that.

    Args:
        hashes: Shape (n,).
        radius: 0 to 15 bits.

    Yields:
        Shape (m, 2): positions i < j, each pair once over all parts.

    Raises:
        ValueError: The radius is out of range.
    """
    if not 0 <= radius <= MAXIMUM_RADIUS:
        raise ValueError(f"radius must be 0 to {MAXIMUM_RADIUS}, not {radius}")
    bands = [band for band in _best_bands(len(hashes), radius) if band.radius >= 0]
    for number, band in enumerate(bands):
        values = band.of(hashes)
        order = np.argsort(values, kind="stable")
        # Side by side in memory, hashes of one band value are compared several times faster.
        ordered = hashes[order]
        for first, second in _band_candidates(values[order], band):
            differences = ordered[first] ^ ordered[second]
            near = np.flatnonzero(np.bitwise_count(differences) <= radius)
            new = near[~_found_before(differences[near], bands[:number])]
            if len(new):
                one, other = order[first[new]], order[second[new]]
                yield np.stack([np.minimum(one, other), np.maximum(one, other)], axis=1)


@dataclass(frozen=True)
class _Band:
    """Some neighbouring bits of each hash and how closely they must agree.

    Attributes:
        shift: Number of bits below them.
        bits: How many there are.
        radius: In bits; negative means that the band need not be searched.
    """

    shift: int
    bits: int
    radius: int

    def of(self, words: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the value of this band in each word."""
        return ((words >> np.uint64(self.shift)) & np.uint64((1 << self.bits) - 1)).astype(np.int64)

    def masks(self) -> Iterator[int]:
        """Yield every value of this band with at most ``radius`` bits set."""
        for weight in range(self.radius + 1):
            for places in combinations(range(self.bits), weight):
                yield sum(1 << place for place in places)

    @property
    def mask_count(self) -> int:
        """How many values ``masks`` yields."""
        return sum(math.comb(self.bits, weight) for weight in range(self.radius + 1))


# A band of no bits, in which all hashes agree.
_ALL_PAIRS = [_Band(0, 0, 0)]


def _best_bands(count: int, radius: int) -> list[_Band]:
    """Return the division into bands whose search is estimated to cost least."""
    divisions = [_ALL_PAIRS, *(_bands(number, radius) for number in _BAND_COUNTS)]
    return min(divisions, key=lambda bands: sum(_cost(band, count) for band in bands))


def _bands(number: int, radius: int) -> list[_Band]:
    """Cut the bits into bands and the radius into theirs, by the pigeonhole principle.

    If the first bands all differ by more than ``whole`` bits and the others by at least
    ``whole``, the sum already exceeds the radius.
    """
    whole, remainder = divmod(radius, number)
    narrow, wider = divmod(HASH_BITS, number)
    bands = []
    shift = 0
    for index in range(number):
        bits = narrow + (index < wider)
        bands.append(_Band(shift, bits, whole if index <= remainder else whole - 1))
        shift += bits
    return bands


def _cost(band: _Band, count: int) -> float:
    candidates = count * count / 2 / (1 << band.bits)
    searching = band.mask_count * (_MASK_COST + count / 2 * _LOOKUP_COST + candidates)
    return searching + (1 << band.bits) * _VALUE_COST


def _found_before(differences: NDArray[np.uint64], earlier: Sequence[_Band]) -> NDArray[np.bool_]:
    """Return which pairs, given by their differing bits, an earlier band has found already."""
    before = np.zeros(len(differences), dtype=bool)
    for band in earlier:
        before |= np.bitwise_count(band.of(differences)) <= band.radius
    return before


def _band_candidates(
    ordered: NDArray[np.int64], band: _Band
) -> Iterator[tuple[NDArray[np.integer], NDArray[np.integer]]]:
    """Yield positions of pairs of band values that differ in at most the band's radius.

    Args:
        ordered: Band values in ascending order.
        band: Which one.
    """
    starts = np.searchsorted(ordered, np.arange((1 << band.bits) + 1)).astype(np.int32)
    positions = np.arange(len(ordered), dtype=np.int32)
    for mask in band.masks():
        if mask:
            # Each pair of band values is met from both sides; the smaller one asks.
            askers = positions[(ordered & (1 << (mask.bit_length() - 1))) == 0]
            partners = ordered[askers] ^ mask
            begins = starts[partners]
        else:
            askers = positions
            partners = ordered
            begins = positions + 1
        yield from _expand(askers, begins, starts[partners + 1])


def _expand(
    askers: NDArray[np.int32], begins: NDArray[np.int32], ends: NDArray[np.int32]
) -> Iterator[tuple[NDArray[np.integer], NDArray[np.integer]]]:
    """Yield each asker beside every position of its range, a bounded number at a time."""
    asking = np.flatnonzero(ends > begins)
    askers, begins = askers[asking], begins[asking]
    lengths = ends[asking] - begins
    totals = np.cumsum(lengths, dtype=np.int64)
    done = 0
    while done < len(askers):
        before = totals[done - 1] if done else 0
        # At least one asker, however long its range.
        upto = max(
            done + 1, int(np.searchsorted(totals, before + _CANDIDATES_AT_A_TIME, side="right"))
        )
        part = slice(done, upto)
        rows = np.repeat(askers[part], lengths[part])
        # What has to be added to the number of a candidate to give its position.
        shifts = begins[part] - (totals[part] - lengths[part] - before)
        yield rows, np.arange(len(rows)) + np.repeat(shifts, lengths[part])
        done = upto
