"""Features that can be learnt: clouds of points around one centre a class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def clouds(
    classes: int, each: int, dimension: int = 20, spread: float = 1.0, seed: int = 3
) -> tuple[NDArray[np.float32], list[str]]:
    """Return features (classes * each, dimension), of unequal scales, and their labels."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(classes, dimension))
    labels = np.repeat(np.arange(classes), each)
    points = centres[labels] + spread * generator.normal(size=(len(labels), dimension))
    scales = np.geomspace(0.01, 100, dimension)
    return (points * scales + 5).astype(np.float32), [f"class {label}" for label in labels]
