"""Pictures whose embeddings are so alike that it is worth laying them over one another.

What belongs here: the exact search for neighbours by cosine, in blocks, and the loop that has
new pairs compared. What does not: the comparison (``alignment.py``) and what follows from it
(``duplicates.py``). A perceptual hash loses a picture when a tenth of each side is cut off, and
at once when it is mirrored; embeddings do not, but they also bring together pictures that only
show the same thing, so each candidate is verified.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.imaging.alignment import (
    ALIGNMENT_VERSION,
    AlignablePicture,
    align_pictures,
)

# Bounds the memory of the search: so many cosines, 64 MB, at a time.
_COSINES_AT_A_TIME = 1 << 24
# Bounds the memory of the comparison: prepared pictures of about 1 MB each.
_PICTURES_AT_A_TIME = 256


@dataclass(frozen=True)
class NeighbourRules:
    """Which pictures are candidates for being copies of one another.

    The numbers hold for any encoder, because the nearest pictures are candidates whatever its
    cosines are like. Among 845 photographs and 120 planted copies of each kind, every crop up to
    40 % of each side and every mirrored copy was a candidate with MobileNetV2, and with ``tiny``
    every crop and 94 % of the mirrored ones, most of which their hashes give away as well.

    Attributes:
        neighbours: So many nearest pictures of each are candidates ...
        floor: ... if their cosine is at least this.
        close_neighbours: So many nearest pictures of each are candidates ...
        close: ... if their cosine is at least this; several copies of one picture would
            otherwise hide one another.
    """

    neighbours: int = 5
    floor: float = 0.5
    close_neighbours: int = 20
    close: float = 0.85


_DEFAULT_RULES = NeighbourRules()


def similar_pairs(
    embeddings: NDArray[np.float32], rules: NeighbourRules = _DEFAULT_RULES
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the pairs of pictures that are candidates for being copies.

    The search is exact: every cosine is computed. Time grows with n squared times d (10,000
    pictures of 1,280 numbers are 0.3 Tflop); memory stays bounded, and there are never more than
    ``close_neighbours`` pairs for each picture.

    Args:
        embeddings: float32, shape (n, d).
        rules: What makes a candidate.

    Returns:
        (positions i < j, shape (m, 2), sorted, each pair once; their cosines, shape (m,)).
    """
    count = len(embeddings)
    if count < 2:
        return np.empty((0, 2), np.int64), np.empty(0, np.float32)
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    directions = embeddings / np.maximum(lengths, np.finfo(np.float32).tiny)
    wanted = min(max(rules.neighbours, rules.close_neighbours), count - 1)
    least = np.where(np.arange(wanted) < rules.neighbours, rules.floor, rules.close)
    codes, cosines = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    block = max(1, _COSINES_AT_A_TIME // count)
    for start in range(0, count, block):
        found = directions[start : start + block] @ directions.T
        rows = np.arange(len(found))[:, None]
        found[rows[:, 0], start + rows[:, 0]] = -np.inf
        nearest = np.argpartition(-found, wanted - 1, axis=1)[:, :wanted]
        nearest = np.take_along_axis(
            nearest, np.argsort(-found[rows, nearest], axis=1, kind="stable"), axis=1
        )
        cosine = found[rows, nearest]
        row, rank = np.nonzero(cosine >= least)
        one, other = row + start, nearest[row, rank]
        codes.append(np.minimum(one, other) * count + np.maximum(one, other))
        cosines.append(cosine[row, rank])
    unique, first = np.unique(np.concatenate(codes), return_index=True)
    return np.stack(np.divmod(unique, count), axis=1), np.concatenate(cosines)[first]


def find_similar_pairs(
    keys: Sequence[str],
    embeddings: NDArray[np.float32],
    read_tensors: Callable[[Sequence[str]], NDArray[np.uint8]],
    known: Iterable[Mapping[str, Any]] = (),
    *,
    rules: NeighbourRules = _DEFAULT_RULES,
    workers: int | None = None,
) -> list[dict[str, Any]]:
    """Find the copies among pictures: parts of one another and mirror images.

    Only pairs that were not compared before are compared, so the cost follows what is new.

    Args:
        keys: SHA-256 of each picture, each once.
        embeddings: float32 (n, d), a row a key, all by one encoder.
        read_tensors: Gives uint8 (m, 224, 224, 3) of m keys.
        known: Rows of the table of an earlier call. Those of pictures that are not among the
            keys any more are left out, and those of another version of the comparison are
            compared again if they still are candidates.
        rules: What makes a candidate.
        workers: Threads; most of the work runs outside Python's lock, so one a core.

    Returns:
        Rows of the table ``SIMILAR_PAIRS``, sorted by ``one`` and ``other``: all that is known
        about pairs of these keys, those that are no copies too.
    """
    present = set(keys)
    rows = {
        (row["one"], row["other"]): dict(row)
        for row in known
        if row["checked_by"] == ALIGNMENT_VERSION and {row["one"], row["other"]} <= present
    }
    pairs, cosines = similar_pairs(embeddings, rules)
    new: dict[tuple[str, str], float] = {}
    for (first, second), cosine in zip(pairs.tolist(), cosines.tolist(), strict=True):
        one, other = sorted((keys[first], keys[second]))
        if (one, other) not in rows:
            new[one, other] = cosine
    prepared: dict[str, AlignablePicture] = {}
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for batch in _batches(_side_by_side(sorted(new))):
            needed = {key for pair in batch for key in pair}
            missing = sorted(needed - prepared.keys())
            added = dict(
                zip(missing, pool.map(AlignablePicture, read_tensors(missing)), strict=True)
            )
            prepared = {key: prepared[key] for key in needed & prepared.keys()} | added
            mirrored = {other for _, other in batch}
            list(pool.map(lambda key, pictures=prepared: pictures[key].mirrored, sorted(mirrored)))
            alignments = pool.map(
                lambda pair, pictures=prepared: align_pictures(*(pictures[key] for key in pair)),
                batch,
            )
            for (one, other), alignment in zip(batch, alignments, strict=True):
                rows[one, other] = {
                    "one": one,
                    "other": other,
                    "similarity": new[one, other],
                    "alignment": alignment.score,
                    "difference": alignment.difference,
                    "kind": alignment.kind,
                    "is_copy": alignment.is_copy,
                    "checked_by": ALIGNMENT_VERSION,
                }
    return [rows[pair] for pair in sorted(rows)]


def _side_by_side(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return pairs in an order in which those of one picture are near one another.

    Preparing a picture takes four times as long as comparing two, so each should be prepared
    once, and only so many fit into memory. Reverse Cuthill-McKee numbers neighbours alike; among
    770 photographs each is then prepared once, and 3.5 times in the order of names.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    if not pairs:
        return []
    names, places = np.unique(np.asarray(pairs), return_inverse=True)
    one, other = places.reshape(-1, 2).T
    ones = np.ones(len(one), np.int8)
    ties = coo_array((ones, (one, other)), shape=(len(names), len(names))).tocsr()
    number = np.argsort(reverse_cuthill_mckee((ties + ties.T).tocsr(), symmetric_mode=True))
    lower, higher = np.minimum(number[one], number[other]), np.maximum(number[one], number[other])
    return [pairs[place] for place in np.lexsort((higher, lower))]


def _batches(pairs: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield pairs in order, as many at a time as name a bounded number of pictures."""
    batch: list[tuple[str, str]] = []
    named: set[str] = set()
    for pair in pairs:
        if batch and len(named | set(pair)) > _PICTURES_AT_A_TIME:
            yield batch
            batch, named = [], set()
        batch.append(pair)
        named |= set(pair)
    if batch:
        yield batch
