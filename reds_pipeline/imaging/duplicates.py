"""Which pictures show the same, in what way, and which of them stays.

What belongs here: the four kinds of duplicates as groups, one coarser than the other, and the
one picture of each group that stays. What does not: searching (``hashing.py``,
``similarity.py``), the order of preference (``keep_best.py``), and rows that are dropped for
reasons of their own (``cleaning.py``, ``curation.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.imaging import keep_best
from reds_pipeline.imaging.alignment import MIRRORED
from reds_pipeline.imaging.clusters import Components, spanning_edges
from reds_pipeline.imaging.hashing import hamming_distance, hashes_to_integers, near_parts

EXACT = "exact"
PERCEPTUAL = "perceptual"
CROPPED = "cropped"
KINDS = (EXACT, PERCEPTUAL, MIRRORED, CROPPED)
"""From the closest to the loosest."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class DuplicateGroups:
    """Groups of rows that show the same, by the loosest kind that may join them.

    Attributes:
        by_kind: For each of ``KINDS`` the group number of each row, shape (n,). Groups of a kind
            are unions of groups of the kind before.
    """

    by_kind: Mapping[str, NDArray[np.int64]]

    @property
    def all_kinds(self) -> NDArray[np.int64]:
        """The group of each row when every kind joins."""
        return self.by_kind[KINDS[-1]]

    def kind(self, one: int, other: int) -> str:
        """Return the closest kind that joins two rows of one group."""
        return next(kind for kind in KINDS if self.by_kind[kind][one] == self.by_kind[kind][other])


@dataclass(frozen=True)
class Duplicate:
    """Why a picture is not needed.

    Attributes:
        keeper: SHA-256 of the picture that stays instead.
        kind: One of ``KINDS``.
        distance: 0 for equal files; differing bits of the hashes for ``perceptual`` and
            ``mirrored``, which may exceed the radius if others between them or alignment join
            them; one minus the correlation for ``cropped``, None if only others join them.
        rule: What decided between the two; see ``keep_best``.
    """

    keeper: str
    kind: str
    distance: float | None
    rule: str


class CopyPairs:
    """What alignment found to be copies.

    Args:
        rows: Of the table ``SIMILAR_PAIRS``.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows = {(row["one"], row["other"]): row for row in rows if row["is_copy"]}

    def edges(self, nodes: Mapping[str, int], mirrored: bool) -> NDArray[np.int64]:
        """Return the pairs of one kind as pairs of nodes, shape (m, 2).

        Args:
            nodes: By SHA-256; pairs of others are left out.
            mirrored: Whether those that are mirrored are asked for, or the others.
        """
        found = [
            (nodes[one], nodes[other])
            for (one, other), row in self._rows.items()
            if (row["kind"] == MIRRORED) is mirrored and one in nodes and other in nodes
        ]
        return np.array(found, dtype=np.int64).reshape(-1, 2)

    def distance(self, one: str, other: str) -> float | None:
        """Return one minus the correlation of two pictures, or None if they are no known pair."""
        row = self._rows.get((min(one, other), max(one, other)))
        return None if row is None else 1 - row["alignment"]


_NO_PAIRS = CopyPairs()


def duplicate_groups(
    rows: Sequence[Row], radius: int, copies: CopyPairs = _NO_PAIRS
) -> DuplicateGroups:
    """Group rows by what they show, also through others between them (connected components).

    ``exact``: the same bytes. ``perceptual``: also perceptual hashes within the radius.
    ``mirrored``: also a hash within the radius of the hash of a mirrored picture, and what
    alignment found to be mirrored. ``cropped``: also everything else that alignment found.

    Args:
        rows: With ``sha256``, ``perceptual_hash`` and ``mirrored_hash``; an empty or missing
            hash is near to nothing.
        radius: In bits.
        copies: Pairs that alignment found.
    """
    contents = {sha256: node for node, sha256 in enumerate(dict.fromkeys(map(_sha256, rows)))}
    upright = _carriers(rows, "perceptual_hash", contents)
    mirrored = _carriers(rows, "mirrored_hash", contents)
    # One node for each different hash: many equal ones would otherwise make their square in pairs.
    words = sorted(set(upright) | set(mirrored))
    first_word = len(contents)
    first_mirror = first_word + len(words)
    near = Components(first_mirror + len(words))
    flipped = Components(first_mirror + len(words))
    near.add(_carrying(words, upright, first_word))
    is_upright = np.array([word in upright for word in words], dtype=bool)
    is_mirror = np.array([word in mirrored for word in words], dtype=bool)
    met = is_upright & is_mirror
    into_nodes = np.array([first_word, first_mirror])
    flipped.add(np.flatnonzero(met)[:, None] + into_nodes)
    for part in near_parts(hashes_to_integers(words), radius):
        one, other = part[:, 0], part[:, 1]
        near.add(part[is_upright[one] & is_upright[other]] + first_word)
        for plain, mirror in ((one, other), (other, one)):
            crossing = is_upright[plain] & is_mirror[mirror]
            met[mirror[crossing]] = True
            flipped.add(np.stack([plain[crossing], mirror[crossing]], axis=1) + into_nodes)
    # Equal mirrored hashes alone join nobody: only those that some upright picture looks like.
    looked_like = {word: mirrored[word] for word in np.array(words)[met].tolist()}
    flipped.add(_carrying(words, looked_like, first_mirror))
    near_labels = near.labels()
    flipped.add(spanning_edges(near_labels))
    flipped.add(copies.edges(contents, mirrored=True))
    flipped_labels = flipped.labels()
    loosest = Components(first_mirror + len(words))
    loosest.add(spanning_edges(flipped_labels))
    loosest.add(copies.edges(contents, mirrored=False))
    nodes = np.array([contents[row["sha256"]] for row in rows], dtype=np.int64)
    labels = (np.arange(len(near_labels)), near_labels, flipped_labels, loosest.labels())
    return DuplicateGroups({kind: of[nodes] for kind, of in zip(KINDS, labels, strict=True)})


def find_duplicates(
    rows: Sequence[Row],
    radius: int,
    copies: CopyPairs = _NO_PAIRS,
    chosen: Callable[[Row], bool] = lambda _row: False,
) -> list[Duplicate | None]:
    """Say for each row which other picture makes it superfluous.

    Of each group one picture stays (``keep_best``), and besides it those that a person chose;
    of equal files one always.

    Args:
        rows: Of the images table, any order; only those that compete.
        radius: In bits.
        copies: Pairs that alignment found.
        chosen: Whether a person decided that the picture of a row is to be learnt from.

    Returns:
        One entry a row: None if it stays.
    """
    groups = duplicate_groups(rows, radius, copies)
    verdicts: list[Duplicate | None] = [None] * len(rows)
    staying = []
    for members in _members(groups.by_kind[EXACT], range(len(rows))):
        keeper = _best(rows, members, chosen)
        staying.append(keeper)
        for member in members:
            if member != keeper:
                verdicts[member] = _duplicate(rows[member], rows[keeper], EXACT, copies, chosen)
    for members in _members(groups.all_kinds, staying):
        keeper = _best(rows, members, chosen)
        for member in members:
            if member != keeper and not chosen(rows[member]):
                kind = groups.kind(member, keeper)
                verdicts[member] = _duplicate(rows[member], rows[keeper], kind, copies, chosen)
    return verdicts


def _sha256(row: Row) -> str:
    return str(row["sha256"])


def _carriers(rows: Sequence[Row], column: str, contents: Mapping[str, int]) -> dict[str, set[int]]:
    """Return the contents that carry each hash."""
    carriers: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row.get(column):
            carriers[row[column]].add(contents[row["sha256"]])
    return dict(carriers)


def _carrying(
    words: Sequence[str], carriers: Mapping[str, set[int]], first: int
) -> NDArray[np.int64]:
    """Return the edges between hashes, numbered from ``first``, and what carries them."""
    edges = [
        (first + number, content)
        for number, word in enumerate(words)
        for content in carriers.get(word, ())
    ]
    return np.array(edges, dtype=np.int64).reshape(-1, 2)


def _members(labels: NDArray[np.int64], positions: Iterable[int]) -> list[list[int]]:
    members: dict[int, list[int]] = defaultdict(list)
    for position in positions:
        members[int(labels[position])].append(position)
    return list(members.values())


def _best(rows: Sequence[Row], members: Sequence[int], chosen: Callable[[Row], bool]) -> int:
    return min(members, key=lambda member: keep_best.rank(rows[member], chosen(rows[member])))


def _duplicate(
    removed: Row, kept: Row, kind: str, copies: CopyPairs, chosen: Callable[[Row], bool]
) -> Duplicate:
    rule = keep_best.deciding_rule(
        keep_best.rank(kept, chosen(kept)), keep_best.rank(removed, chosen(removed))
    )
    return Duplicate(kept["sha256"], kind, _distance(removed, kept, kind, copies), rule)


def _distance(removed: Row, kept: Row, kind: str, copies: CopyPairs) -> float | None:
    if kind == EXACT:
        return 0.0
    bits: list[float] = []
    if kind == PERCEPTUAL:
        bits = _bits(removed, "perceptual_hash", kept, "perceptual_hash")
    elif kind == MIRRORED:
        bits = _bits(removed, "perceptual_hash", kept, "mirrored_hash")
        bits += _bits(removed, "mirrored_hash", kept, "perceptual_hash")
    return min(bits, default=copies.distance(removed["sha256"], kept["sha256"]))


def _bits(one: Row, column: str, other: Row, other_column: str) -> list[float]:
    digits, other_digits = one.get(column), other.get(other_column)
    return [float(hamming_distance(digits, other_digits))] if digits and other_digits else []
