from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reds_pipeline.modeling.figures import confusion_figure, fold_accuracy_figure, tsne_figure

CLASSES = ["bird", "car", "cat"]
SHARES = np.array([[0.9, 0.1, 0.0], [0.0, 1.0, 0.0], [0.25, 0.0, 0.75]])
POINTS = np.random.default_rng(0).normal(size=(60, 2))


def _confusion(shares: np.ndarray = SHARES) -> bytes:
    return confusion_figure(shares, CLASSES, "mean of 5 folds")


def _tsne(labels: list[str] | None = None) -> bytes:
    return tsne_figure(POINTS, labels or CLASSES * 20, "t-SNE")


def _folds(last: float = 0.95) -> bytes:
    return fold_accuracy_figure(
        {"tiny": [0.7, 0.75], "vit_base_patch16_224": [0.94, last]}, "folds"
    )


FIGURES = [_confusion, _tsne, _folds]


@pytest.mark.parametrize("draw", FIGURES)
def test_a_picture_of_a_readable_size(draw: Callable[[], bytes]) -> None:
    with Image.open(BytesIO(draw())) as image:
        assert image.format == "PNG"
        assert 400 <= image.width <= 1500
        assert 400 <= image.height <= 1500
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 20


@pytest.mark.parametrize("draw", FIGURES)
def test_the_same_numbers_give_the_same_bytes(draw: Callable[[], bytes]) -> None:
    """An artifact that changes with nothing new would look like a new result."""
    assert draw() == draw()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(_confusion(), _confusion(SHARES[::-1]), id="confusion"),
        pytest.param(_tsne(), _tsne(["cat", "bird", "car"] * 20), id="t-SNE"),
        pytest.param(_folds(), _folds(0.99), id="folds"),
    ],
)
def test_other_numbers_give_another_picture(one: bytes, other: bytes) -> None:
    assert one != other


@pytest.mark.req("R-EXP-6")
def test_the_diagonal_is_darker_than_the_rest() -> None:
    with Image.open(BytesIO(confusion_figure(np.eye(2), ["a", "b"], ""))) as image:
        grey = np.asarray(image.convert("L")).astype(int)
    dark = grey < 80
    assert dark.mean() > 0.1


def test_more_classes_than_colours_are_drawn() -> None:
    """Colours and shapes repeat at different lengths, so their pairs stay different."""
    names = [f"class {number:02d}" for number in range(30)]
    with Image.open(BytesIO(tsne_figure(POINTS, names * 2, "many"))) as image:
        assert image.height > 400


def test_pyplot_is_never_imported() -> None:
    """It would pick a window system and keep every figure alive."""
    program = """
import sys
from reds_pipeline.modeling.figures import fold_accuracy_figure
fold_accuracy_figure({"tiny": [0.7, 0.75]}, "folds")
sys.exit("imported pyplot" if "matplotlib.pyplot" in sys.modules else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
