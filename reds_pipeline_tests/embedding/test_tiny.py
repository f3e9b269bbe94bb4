from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reds_pipeline.embedding.tiny import TinyEncoder

PARTS = {"edges": slice(0, 441), "colours": slice(441, 1017), "texture": slice(1017, 2041)}


def _plain(red: int, green: int, blue: int) -> NDArray[np.uint8]:
    return np.full((1, 224, 224, 3), (red, green, blue), np.uint8)


def _stripes(turned: bool) -> NDArray[np.uint8]:
    wave = (np.arange(224) // 28 % 2 * 200).astype(np.uint8)
    grid = np.repeat(wave[:, None], 224, axis=1)
    picture = grid.T if turned else grid
    return np.repeat(picture[None, :, :, None], 3, axis=3)


def test_shape_type_and_range(tensors: NDArray[np.uint8]) -> None:
    features = TinyEncoder()(tensors)
    assert features.shape == (len(tensors), TinyEncoder.dimension)
    assert features.dtype == np.float32
    assert features.min() >= 0
    assert features.max() <= 1


def test_same_bits_on_every_machine(tensors: NDArray[np.uint8]) -> None:
    """The digest was taken once; another one means that the recipe's number must change too."""
    digest = hashlib.sha256(TinyEncoder()(tensors).tobytes()).hexdigest()
    assert digest == "59ed33adb4f3505c72f98752f191c061ea4b812c8ee50b75d30ea9b4b48aa609"


def test_no_neighbour_in_the_batch_matters(tensors: NDArray[np.uint8]) -> None:
    """More than one chunk at once gives what each picture gives alone."""
    many = np.concatenate([tensors, tensors])
    together = TinyEncoder()(many)
    alone = np.concatenate([TinyEncoder()(many[row : row + 1]) for row in (0, 39, 63, 64, 79)])
    assert np.array_equal(together[[0, 39, 63, 64, 79]], alone)


def test_nothing_in_gives_nothing_out() -> None:
    assert TinyEncoder()(np.empty((0, 224, 224, 3), np.uint8)).shape == (0, TinyEncoder.dimension)


@pytest.mark.parametrize(
    "images",
    [
        pytest.param(np.zeros((1, 224, 224, 3), np.float32), id="floats would be cut to integers"),
        pytest.param(np.zeros((1, 3, 224, 224), np.uint8), id="channels first"),
        pytest.param(np.zeros((224, 224, 3), np.uint8), id="one picture without a batch"),
    ],
)
def test_other_arrays_are_refused(images: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="uint8"):
        TinyEncoder()(images)


def test_each_part_sees_what_it_is_for() -> None:
    encoder = TinyEncoder()
    lying, standing = encoder(_stripes(turned=False))[0], encoder(_stripes(turned=True))[0]
    assert not np.allclose(lying[PARTS["edges"]], standing[PARTS["edges"]])
    assert np.allclose(lying[PARTS["colours"]], standing[PARTS["colours"]])
    red, green = encoder(_plain(200, 30, 30))[0], encoder(_plain(30, 200, 30))[0]
    assert np.allclose(red[PARTS["edges"]], 0)
    assert not np.allclose(red[PARTS["colours"]], green[PARTS["colours"]])


def test_an_edge_has_no_sign() -> None:
    """Dark on light is the same edge as light on dark."""
    encoder = TinyEncoder()
    stripes = _stripes(turned=False)
    there, back = encoder(stripes)[0], encoder(200 - stripes)[0]
    assert np.array_equal(there[PARTS["edges"]], back[PARTS["edges"]])


@given(st.integers(0, 2**32 - 1))
def test_every_histogram_adds_up(seed: int) -> None:
    """Squared, each histogram's shares add up to one: no pixel is lost or counted twice."""
    picture = np.random.default_rng(seed).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    squares = TinyEncoder()(picture)[0].astype(np.float64) ** 2
    assert squares[PARTS["edges"]].sum() == pytest.approx(1, abs=1e-5)
    assert squares[PARTS["colours"]].sum() == pytest.approx(4, abs=1e-5)
    assert squares[PARTS["texture"]].sum() == pytest.approx(4, abs=1e-5)
