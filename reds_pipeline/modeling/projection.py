"""Embeddings brought down to two numbers, to be looked at.

What belongs here: t-SNE and the choice of rows to show (R-EXP-10). What does not: drawing
(``figures``). The picture shows neighbours; distances between far clusters mean nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

PERPLEXITY = 30.0
COMPONENTS_BEFORE = 50
"""Principal components kept before t-SNE, as its authors advise: they lose noise and time."""
ITERATIONS = 500
"""Half of scikit-learn's usual number, from which the divergence fell by less than 3 %."""


def sample_rows(labels: Sequence[str], maximum: int, seed: int) -> NDArray[np.int64]:
    """Return at most ``maximum`` row numbers, ascending, each class with its share.

    Every class keeps one row at least, so ``maximum`` should not be below their number.
    """
    names = np.asarray(labels, dtype=str)
    if len(names) <= maximum:
        return np.arange(len(names))
    generator = np.random.default_rng(seed)
    chosen = []
    for name in np.unique(names):
        rows = np.flatnonzero(names == name)
        count = max(1, len(rows) * maximum // len(names))
        chosen.append(generator.choice(rows, count, replace=False))
    return np.sort(np.concatenate(chosen))


def tsne_points(features: NDArray[np.floating[Any]], seed: int) -> NDArray[np.float64]:
    """Return t-SNE coordinates (n, 2) of features (n, d), the same for the same seed.

    Raises:
        ValueError: There are fewer than four rows, too few for a picture.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    if len(features) < 4:
        raise ValueError("t-SNE needs four rows at least")
    components = min(COMPONENTS_BEFORE, *features.shape)
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    pca = PCA(components, svd_solver="covariance_eigh", random_state=seed)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, max_iter=ITERATIONS)
    # So few points keep no second thread busy: it would only wait, and count as processor time.
    with threadpool_limits(1):
        return np.asarray(tsne.fit_transform(pca.fit_transform(features)), np.float64)
