"""Joining things that belong together into groups.

What belongs here: connected components, also of pairs that come in parts and would not fit into
memory at once. What does not: which pictures belong together (``duplicates.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Bounds the memory: so many pairs, 48 MB, are kept before they are reduced.
_PAIRS_KEPT = 1 << 21


class Components:
    """Connected components of a growing graph; memory grows with its nodes, not with its edges.

    Args:
        count: Number of nodes.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._edges: list[NDArray[np.int64]] = []
        self._kept = 0

    def add(self, edges: NDArray[np.int64]) -> None:
        """Take in pairs of nodes that belong together, shape (m, 2)."""
        self._edges.append(edges)
        self._kept += len(edges)
        if self._kept > _PAIRS_KEPT:
            self._edges = [spanning_edges(self.labels())]
            self._kept = 0

    def labels(self) -> NDArray[np.int64]:
        """Return the component number of each node, shape (count,)."""
        none = np.empty((0, 2), dtype=np.int64)
        return connected_components(self._count, np.concatenate([none, *self._edges]))


def connected_components(count: int, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the component number of each of ``count`` nodes.

    Args:
        count: Number of nodes.
        edges: Shape (m, 2): pairs of nodes that belong together.

    Returns:
        Shape (count,): equal numbers mean one component.
    """
    if not count:
        return np.empty(0, dtype=np.int64)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components as components

    graph = coo_array((np.ones(len(edges), dtype=bool), (edges[:, 0], edges[:, 1])), (count, count))
    _number, labels = components(graph, directed=False)
    return labels.astype(np.int64)


def spanning_edges(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one edge a node, shape (n, 2), that give these components again.

    Args:
        labels: Shape (n,): component numbers.
    """
    _labels, first, component = np.unique(labels, return_index=True, return_inverse=True)
    return np.stack([np.arange(len(labels)), first[component]], axis=1)


def smallest_names(labels: NDArray[np.int64], names: Sequence[str]) -> list[str]:
    """Return for each node the smallest name within its component.

    Args:
        labels: Shape (n,): component numbers.
        names: One name a node.
    """
    smallest: dict[int, str] = {}
    for label, name in zip(labels.tolist(), names, strict=True):
        smallest[label] = min(name, smallest.get(label, name))
    return [smallest[label] for label in labels.tolist()]
