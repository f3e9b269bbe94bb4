"""Perceptual hashes and the exact search for those that nearly agree.

What belongs here: 64-bit hashes of pictures and pairs of them within a Hamming radius. What does
not: what to do with duplicates (cleaning.py, curation.py) or groups of them (clusters.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Beyond this, agreement of two 64-bit hashes means nothing.
MAXIMUM_RADIUS = 15
_BANDS = 4
_BAND_BITS = 16
_BAND_VALUES = 1 << _BAND_BITS
# Bounds the memory of the search: about 100 MB for this many candidate pairs at a time.
_CANDIDATES_AT_A_TIME = 1 << 21


def perceptual_hash(image: Image.Image) -> str:
    """Return the 64-bit DCT hash of a picture, equal to ``imagehash.phash``.

    The picture must be upright: hashes know nothing of EXIF, and turned copies do not agree.

    Args:
        image: Mode RGB or L.

    Returns:
        16 hexadecimal digits.
    """
    return str(imagehash.phash(image))


def hashes_to_integers(hashes: Sequence[str]) -> NDArray[np.uint64]:
    """Return hexadecimal hashes as an array of shape (n,) for ``hamming_pairs``."""
    return np.array([int(digits, 16) for digits in hashes], dtype=np.uint64)


def hamming_pairs(hashes: NDArray[np.uint64], radius: int) -> NDArray[np.int64]:
    """Return all pairs of hashes that differ in at most ``radius`` bits; none is missed.

    Multi-index hashing (Norouzi, Punjani and Fleet, 2012): the 64 bits are cut into four bands;
    two hashes within the radius must be closer still in at least one band, so only hashes that
    nearly agree in a band are compared. Time grows with the number of such candidates, far
    slower than with the square of n for spread-out hashes.

    Args:
        hashes: Shape (n,).
        radius: 0 to 15 bits.

    Returns:
        Shape (m, 2): positions i < j, sorted, each pair once.

    Raises:
        ValueError: The radius is out of range.
    """
    if not 0 <= radius <= MAXIMUM_RADIUS:
        raise ValueError(f"radius must be 0 to {MAXIMUM_RADIUS}, not {radius}")
    count = len(hashes)
    band_radii = _band_radii(radius)
    found = [np.empty(0, dtype=np.int64)]
    for band, band_radius in enumerate(band_radii):
        values = _band_values(hashes, band)
        order = np.argsort(values, kind="stable")
        # Side by side in memory, hashes of one band value are compared several times faster.
        ordered = hashes[order]
        for first, second in _band_candidates(values[order], band_radius):
            differences = ordered[first] ^ ordered[second]
            near = np.bitwise_count(differences) <= radius
            new = ~_found_before(differences[near], band_radii[:band])
            one, other = order[first[near][new]], order[second[near][new]]
            found.append(np.minimum(one, other) * count + np.maximum(one, other))
    codes = np.sort(np.concatenate(found))
    return np.stack(np.divmod(codes, max(count, 1)), axis=1)


def _band_radii(radius: int) -> list[int]:
    """Return the radius to search in each band, by the pigeonhole principle.

    If the first bands all differ by more than ``whole`` bits and the others by at least
    ``whole``, the sum already exceeds the radius. A negative radius means: skip the band.
    """
    whole, remainder = divmod(radius, _BANDS)
    return [whole if band <= remainder else whole - 1 for band in range(_BANDS)]


def _band_values(words: NDArray[np.uint64], band: int) -> NDArray[np.int64]:
    """Return the 16 bits of one band of each 64-bit word."""
    shifted = words >> np.uint64(band * _BAND_BITS)
    return (shifted & np.uint64(_BAND_VALUES - 1)).astype(np.int64)


def _found_before(differences: NDArray[np.uint64], earlier_radii: list[int]) -> NDArray[np.bool_]:
    """Return which pairs, given by their differing bits, an earlier band has found already."""
    before = np.zeros(len(differences), dtype=bool)
    for band, band_radius in enumerate(earlier_radii):
        before |= np.bitwise_count(_band_values(differences, band)) <= band_radius
    return before


def _band_candidates(
    ordered: NDArray[np.int64], band_radius: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield positions of pairs of band values that differ in at most ``band_radius`` bits.

    Args:
        ordered: Band values in ascending order.
        band_radius: In bits.
    """
    starts = np.searchsorted(ordered, np.arange(_BAND_VALUES + 1))
    positions = np.arange(len(ordered))
    for mask in _masks(band_radius):
        partners = ordered ^ mask
        if mask:
            # Each pair of band values is met from both sides; the smaller one asks.
            askers = positions[ordered < partners]
            begins = starts[partners[askers]]
        else:
            askers = positions
            begins = positions + 1
        yield from _expand(askers, begins, starts[partners[askers] + 1])


def _masks(band_radius: int) -> Iterator[int]:
    """Yield every 16-bit value with at most ``band_radius`` bits set."""
    for weight in range(band_radius + 1):
        for bits in combinations(range(_BAND_BITS), weight):
            yield sum(1 << bit for bit in bits)


def _expand(
    askers: NDArray[np.int64], begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield each asker beside every position of its range, a bounded number at a time."""
    lengths = ends - begins
    askers, begins, lengths = (each[lengths > 0] for each in (askers, begins, lengths))
    totals = np.cumsum(lengths)
    done = 0
    while done < len(askers):
        before = totals[done - 1] if done else 0
        # At least one asker, however long its range.
        upto = max(
            done + 1, int(np.searchsorted(totals, before + _CANDIDATES_AT_A_TIME, side="right"))
        )
        part = slice(done, upto)
        rows = np.repeat(askers[part], lengths[part])
        offsets = np.arange(len(rows)) - np.repeat(
            totals[part] - lengths[part] - before, lengths[part]
        )
        yield rows, np.repeat(begins[part], lengths[part]) + offsets
        done = upto
