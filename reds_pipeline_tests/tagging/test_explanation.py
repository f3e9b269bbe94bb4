"""A heat map shows where the reasons are, whatever the encoder is made of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.embedding.encoder import Encoder
from reds_pipeline.embedding.timm_backbone import TimmEncoder
from reds_pipeline.embedding.tiny import TinyEncoder
from reds_pipeline.errors import RedsError
from reds_pipeline.modeling.bundle import Kind
from reds_pipeline.tagging.explanation import heat_map, heat_sentence, overlay
from reds_pipeline.tagging.grad_cam import grad_cam
from reds_pipeline.tagging.log_odds import log_odds, log_odds_module
from reds_pipeline_tests.embedding.networks import write_weights
from reds_pipeline_tests.tagging.planted import TAG, Planted, model_of_object, planted

NETWORKS = [
    pytest.param("test_resnet", id="convolutional"),
    pytest.param("test_efficientnet", id="depth-wise"),
    pytest.param("test_vit", id="ViT by its class token"),
    pytest.param("test_vit2", id="ViT by the mean of its tokens"),
    pytest.param("test_vit3", id="ViT by attention"),
    pytest.param("test_mambaout", id="channels last"),
]
PICTURES = 4

LoadEncoder = Callable[[str], TimmEncoder]


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def encoder_of(weights_dir: Path) -> LoadEncoder:
    """Return what gives a small network with random weights, each loaded once."""

    @cache
    def load(name: str) -> TimmEncoder:
        return TimmEncoder(name, write_weights(weights_dir, name))

    return load


def strongest(heat: NDArray[np.float32]) -> tuple[int, int]:
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    return int(row), int(column)


def pair_of(encoder: Encoder, seed: int = 0) -> Planted:
    return planted(encoder.input_size, seed)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_strongest_place_is_on_what_decided(name: str, encoder_of: LoadEncoder) -> None:
    """The pointing game (Zhang et al., ECCV 2016), with weights that nobody trained."""
    encoder = encoder_of(name)
    found = 0
    for seed in range(PICTURES):
        pair = pair_of(encoder, seed)
        heat = heat_map(encoder, model_of_object(encoder, pair), pair.picture, TAG)
        assert heat.shape == (encoder.input_size,) * 2
        assert heat.dtype == np.float32
        assert (heat.min() >= 0, heat.max()) == (True, 1)
        found += pair.is_on_object(*strongest(heat))
    assert found >= PICTURES - 1


def test_without_a_network_places_are_covered_instead() -> None:
    """The histograms of ``tiny`` have no map to look into."""
    encoder = TinyEncoder()
    pair = pair_of(encoder)
    heat = heat_map(encoder, model_of_object(encoder, pair), pair.picture, TAG)
    assert heat.shape == (encoder.input_size,) * 2
    assert pair.is_on_object(*strongest(heat))


@pytest.mark.parametrize("name", ["test_vit_relpos", "test_coatnet"])
def test_other_kinds_of_network_have_a_map_too(name: str, encoder_of: LoadEncoder) -> None:
    encoder = encoder_of(name)
    pair = pair_of(encoder)
    bundle = model_of_object(encoder, pair)
    relevance = grad_cam(encoder, bundle, pair.picture, 0)
    assert relevance is not None
    assert min(relevance.shape) > 1
    assert relevance.any()


def test_a_network_cut_in_two_gives_the_same_chance(encoder_of: LoadEncoder) -> None:
    """What is explained is what was answered: the module's log odds are the bundle's."""
    import torch

    encoder = encoder_of("test_resnet")
    pair = pair_of(encoder)
    embeddings = encoder(np.array([pair.empty, pair.picture]))
    for kind in ("tags", "classes"):
        bundle = model_of_object(encoder, pair, kind)
        for column in range(len(bundle.classes)):
            module = log_odds_module(bundle, column)
            with torch.no_grad():
                of_module = module(torch.from_numpy(embeddings)).numpy()
            ours = log_odds(bundle, embeddings, column)
            chances = bundle.predict(embeddings)[:, column]
            np.testing.assert_allclose(of_module, ours, atol=1e-4)
            np.testing.assert_allclose(1 / (1 + np.exp(-ours)), chances, atol=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_rest_of_a_cut_network_ends_where_the_whole_one_does(
    name: str, encoder_of: LoadEncoder
) -> None:
    """A cut that forgot a layer would explain another network."""
    import torch

    from reds_pipeline.tagging.grad_cam import cut_network

    encoder = encoder_of(name)
    pair = pair_of(encoder)
    with torch.no_grad():
        cut = cut_network(encoder, pair.picture)
        assert cut is not None
        finished = cut.finish(cut.map).numpy()
    np.testing.assert_allclose(finished, encoder(pair.picture[None]), rtol=1e-3, atol=1e-5)


def test_the_map_follows_the_head(encoder_of: LoadEncoder) -> None:
    """Another tag has another map; what speaks for the opposite does not speak for this."""
    encoder = encoder_of("test_resnet")
    pair = pair_of(encoder)
    bundle = model_of_object(encoder, pair, "classes")
    for_spot = heat_map(encoder, bundle, pair.picture, TAG)
    for_plain = heat_map(encoder, bundle, pair.picture, "plain")
    assert pair.is_on_object(*strongest(for_spot))
    assert not pair.is_on_object(*strongest(for_plain))
    assert for_plain[strongest(for_spot)] == 0


@pytest.mark.parametrize("kind", ["classes", "tags"])
def test_nothing_is_left_behind_in_the_encoder(kind: Kind, encoder_of: LoadEncoder) -> None:
    """Others go on using it meanwhile: same features, no gradients, no hooks."""
    encoder = encoder_of("test_vit")
    pair = pair_of(encoder)
    bundle = model_of_object(encoder, pair, kind)
    before = encoder(pair.picture[None])
    answers: list[NDArray[np.float32]] = []
    thread = threading.Thread(
        target=lambda: answers.extend(encoder(pair.picture[None]) for _ in range(20))
    )
    thread.start()
    first = heat_map(encoder, bundle, pair.picture, TAG)
    thread.join()
    assert all(np.array_equal(answer, before) for answer in answers)
    assert np.array_equal(heat_map(encoder, bundle, pair.picture, TAG), first)
    assert all(parameter.grad is None for parameter in encoder.network.parameters())
    assert not any(
        module._forward_hooks or module._backward_hooks for module in encoder.network.modules()
    )


def test_a_picture_that_says_nothing_has_no_warm_place(encoder_of: LoadEncoder) -> None:
    encoder = encoder_of("test_resnet")
    pair = pair_of(encoder)
    bundle = model_of_object(encoder, pair, "classes")
    bundle.weights[:] = 0
    heat = heat_map(encoder, bundle, pair.picture, "other")
    assert not heat.any()
    assert heat_sentence(heat, "Other").startswith("No part of the picture speaks for Other")


def test_an_unknown_tag_gets_a_sentence() -> None:
    encoder = TinyEncoder()
    pair = pair_of(encoder)
    with pytest.raises(RedsError, match="cannot say it"):
        heat_map(encoder, model_of_object(encoder, pair), pair.picture, "dog")


def test_another_models_encoder_is_refused(encoder_of: LoadEncoder) -> None:
    """Its features mean something else, so would the map."""
    encoder = TinyEncoder()
    pair = pair_of(encoder)
    other = encoder_of("test_resnet")
    with pytest.raises(RedsError, match="trained on embeddings"):
        heat_map(other, model_of_object(encoder, pair), pair_of(other).picture, TAG)


@pytest.mark.parametrize(
    "square",
    [
        pytest.param(np.zeros((224, 200, 3), np.uint8), id="shape"),
        pytest.param(np.zeros((224, 224, 3), np.float32), id="type"),
    ],
)
def test_another_kind_of_picture_is_a_mistake(square: NDArray[np.uint8]) -> None:
    encoder = TinyEncoder()
    with pytest.raises(ValueError, match="a heat map is of"):
        heat_map(encoder, model_of_object(encoder, pair_of(encoder)), square, TAG)


heats = arrays(np.float32, (7, 9), elements=st.floats(0, 1, width=32))


@given(heat=heats, height=st.integers(1, 60), width=st.integers(1, 60))
def test_an_overlay_is_a_jpeg_of_the_picture_and_nothing_more(
    heat: NDArray[np.float32], height: int, width: int
) -> None:
    """Any shape of picture, any shape of map; no metadata that could tell on anybody."""
    data = overlay(np.full((height, width, 3), 90, np.uint8), heat)
    with Image.open(BytesIO(data)) as shown:
        assert (shown.format, shown.size, shown.mode) == ("JPEG", (width, height), "RGB")
        assert not shown.getexif()
        assert set(shown.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_an_overlay_keeps_warm_places_and_dims_cold_ones() -> None:
    """Told by lightness and a line, not by colour alone (WCAG 1.4.1)."""
    heat = np.zeros((100, 100), np.float32)
    heat[20:60, 20:60] = 1
    picture = np.full((100, 100, 3), (60, 160, 90), np.uint8)
    before = picture.copy()
    with Image.open(BytesIO(overlay(picture, heat))) as shown:
        pixels = np.asarray(shown).astype(int)
    np.testing.assert_array_equal(picture, before)
    assert np.abs(pixels[40, 40] - picture[40, 40]).max() < 12
    cold = pixels[90, 90]
    assert cold.max() < 60
    assert cold.max() - cold.min() < 12
    border = pixels[40, 18:24].astype(int)
    assert (border[:, 0] - border[:, 2]).max() > 120


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        pytest.param(slice(0, 20), slice(0, 20), "The upper left part", id="corner"),
        pytest.param(slice(80, 100), slice(40, 60), "The lower part", id="edge"),
        pytest.param(slice(40, 60), slice(80, 100), "The right part", id="side"),
        pytest.param(slice(40, 60), slice(40, 60), "The middle", id="middle"),
        pytest.param(slice(0, 100), slice(0, 100), "Most of the picture", id="everywhere"),
    ],
)
def test_the_map_is_said_in_words_too(rows: slice, columns: slice, words: str) -> None:
    """For those who do not see it (WCAG 1.1.1)."""
    heat = np.zeros((100, 100), np.float32)
    heat[rows, columns] = 1
    sentence = heat_sentence(heat, "GoldenRetriever")
    assert sentence.startswith(words)
    assert "GoldenRetriever" in sentence
    assert sentence.endswith(".")


@given(heat=heats)
def test_every_map_has_a_sentence(heat: NDArray[np.float32]) -> None:
    assert heat_sentence(heat, "Cat").endswith(".")
