from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from reds_pipeline.modeling.moments import block_moments


# One weighted row, whose mean is rounded and therefore not that row.
@example(1, 81, 0.0, True)
@given(st.integers(1, 60), st.integers(0, 100), st.sampled_from([0.0, 1.0, 1e4]), st.booleans())
def test_unions_of_blocks_have_the_moments_of_their_rows(
    rows: int, seed: int, centre: float, is_weighted: bool
) -> None:
    generator = np.random.default_rng(seed)
    features = (generator.normal(size=(rows, 3)) + centre).astype(np.float32)
    features[:, 1] = 0.1
    block_of = generator.integers(0, 4, rows)
    names = np.unique(block_of)
    members = generator.random((3, len(names))) < 0.5
    members[:, 0] = True
    weights = generator.uniform(0.2, 2, rows) if is_weighted else None
    blocks = [np.flatnonzero(block_of == name) for name in names]
    moments = block_moments(features, blocks, weights)
    unions = moments.of(members)
    for number, member in enumerate(members):
        chosen = np.isin(block_of, names[member])
        inside = features[chosen].astype(np.float64)
        ours = np.where(unions.scale[number] > 0, unions.scale[number], 1)
        if weights is None:
            scaler = StandardScaler().fit(inside)
            assert np.allclose(unions.mean[number], scaler.mean_, rtol=1e-12)
            assert np.allclose(ours, scaler.scale_, rtol=1e-6)
        else:
            # scikit-learn's weighted variance of a constant may come out below 0.
            mean = np.average(inside, axis=0, weights=weights[chosen])
            variance = np.average((inside - mean) ** 2, axis=0, weights=weights[chosen])
            spread = variance > 1e-20 * mean**2
            assert np.allclose(unions.mean[number], mean, rtol=1e-12)
            assert np.allclose(ours, np.where(spread, np.sqrt(variance), 1), rtol=1e-6)


def test_a_constant_feature_has_no_spread_at_all() -> None:
    """0.1 has no exact sum; what rounding leaves must not be blown up to a spread of one."""
    features = np.full((1000, 2), 0.1, np.float32)
    moments = block_moments(features, [np.arange(300), np.arange(300, 1000)])
    assert (moments.of(np.ones((1, 2), bool)).scale == 0).all()


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        block_moments(np.array([[1.0, np.inf]]), [np.array([0])])
