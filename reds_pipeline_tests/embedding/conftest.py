"""Makers shared by the tests: tensors with something on them, and weights nobody trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline_tests.embedding.networks import SMALL_NETWORK, write_weights


@pytest.fixture(scope="session")
def tensors() -> NDArray[np.uint8]:
    """Return 40 tensors (224, 224, 3) of coarse random colours with a little noise."""
    generator = np.random.default_rng(7)
    coarse = generator.integers(0, 244, (40, 7, 7, 3), dtype=np.uint8)
    pictures = coarse.repeat(32, axis=1).repeat(32, axis=2)
    return pictures + generator.integers(0, 12, pictures.shape, dtype=np.uint8)


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the small network's weights, drawn at random."""
    return write_weights(tmp_path_factory.mktemp("weights"), SMALL_NETWORK)


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the hub's own client at a port of this machine on which nothing listens."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
