"""Joining things that belong together into groups.

What belongs here: connected components, and clusters of near-duplicate images. What does not:
which image of a cluster stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.imaging.hashing import hamming_pairs, hashes_to_integers


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


def near_duplicate_clusters(
    sha256s: Sequence[str], perceptual_hashes: Sequence[str], radius: int
) -> list[str]:
    """Return the name of the near-duplicate cluster of each image.

    Images with the same bytes or with perceptual hashes within the radius belong together, also
    through others between them (connected components).

    Args:
        sha256s: One a image, repeated when images have the same bytes.
        perceptual_hashes: One a image; an empty one is near to nothing.
        radius: In bits.

    Returns:
        One name an image: the smallest SHA-256 of its cluster.
    """
    node_of_content = {sha256: node for node, sha256 in enumerate(dict.fromkeys(sha256s))}
    # One node for each different hash: many equal ones would otherwise make their square in pairs.
    hashes = sorted(set(perceptual_hashes) - {""})
    node_of_hash = {digits: len(node_of_content) + index for index, digits in enumerate(hashes)}
    carries = [
        (node_of_content[sha256], node_of_hash[digits])
        for sha256, digits in zip(sha256s, perceptual_hashes, strict=True)
        if digits
    ]
    near = hamming_pairs(hashes_to_integers(hashes), radius) + len(node_of_content)
    edges = np.concatenate([np.array(carries, dtype=np.int64).reshape(-1, 2), near])
    labels = connected_components(len(node_of_content) + len(hashes), edges)
    return smallest_names(labels[[node_of_content[sha256] for sha256 in sha256s]], sha256s)
