from __future__ import annotations

import pickle
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.embedding.encoder import EncoderSpec, load_encoder
from reds_pipeline.embedding.timm_backbone import TimmEncoder
from reds_pipeline.errors import RedsError
from reds_pipeline_tests.embedding.networks import (
    OTHER_SIZE_NETWORK,
    SMALL_NETWORK,
    write_weights,
)


@pytest.fixture(scope="module")
def encoder(weights_dir: Path) -> TimmEncoder:
    return TimmEncoder(SMALL_NETWORK, weights_dir)


def _by_timm_itself(name: str, weights_dir: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return features by the plain route: the whole network, PIL pictures, timm's transform."""
    import timm
    import torch
    from PIL import Image
    from timm.data.config import resolve_model_data_config
    from timm.data.transforms_factory import create_transform

    checkpoint = str(weights_dir / f"{name}.safetensors")
    model: Any = timm.create_model(name, checkpoint_path=checkpoint).eval()
    prepare: Any = create_transform(**resolve_model_data_config(model) | {"crop_pct": 1.0})
    with torch.inference_mode():
        batch = torch.stack([prepare(Image.fromarray(image)) for image in images])
        features: NDArray[np.float32] = model.forward_head(
            model.forward_features(batch), pre_logits=True
        ).numpy()
    return features


@pytest.mark.req("R-EXP-1")
def test_features_are_those_of_timm(
    encoder: TimmEncoder, weights_dir: Path, tensors: NDArray[np.uint8]
) -> None:
    """The head is off, and channels-last, batches and our arithmetic change nothing."""
    features = encoder(tensors)
    expected = _by_timm_itself(SMALL_NETWORK, weights_dir, tensors)
    assert features.dtype == np.float32
    assert features.shape == (40, encoder.dimension) == (40, 1280)
    assert np.abs(features - expected).max() < 1e-4 * np.abs(expected).max()


def test_preprocessing_is_taken_from_timm(encoder: TimmEncoder) -> None:
    assert encoder.input_size == 224
    assert "(0.485, 0.456, 0.406)" in encoder.preprocessing
    assert "squares" not in encoder.preprocessing


def test_other_input_sizes_take_squares_of_that_size_and_say_so(tmp_path: Path) -> None:
    other = TimmEncoder(OTHER_SIZE_NETWORK, write_weights(tmp_path, OTHER_SIZE_NETWORK))
    assert other.input_size == 160
    assert "squares of 160 pixels made from the originals" in other.preprocessing
    features = other(np.full((3, 160, 160, 3), 90, np.uint8))
    assert features.shape == (3, other.dimension)
    assert np.isfinite(features).all()
    with pytest.raises(ValueError, match="an encoder takes"):
        other(np.full((3, 224, 224, 3), 90, np.uint8))


def test_identity_follows_the_weights(encoder: TimmEncoder, tmp_path: Path) -> None:
    """Other values give another id; the same values in another file, without head, do not."""
    headless = write_weights(
        tmp_path / "headless", SMALL_NETWORK, keep=lambda key: not key.startswith("classifier")
    )
    redrawn = write_weights(tmp_path / "redrawn", SMALL_NETWORK, seed=2)
    assert TimmEncoder(SMALL_NETWORK, headless).encoder_id == encoder.encoder_id
    assert TimmEncoder(SMALL_NETWORK, redrawn).encoder_id != encoder.encoder_id
    assert re.fullmatch(rf"{SMALL_NETWORK}-[0-9a-f]{{12}}-[0-9a-f]{{12}}", encoder.encoder_id)


def test_origin_is_said(encoder: TimmEncoder, weights_dir: Path) -> None:
    assert str(weights_dir / f"{SMALL_NETWORK}.safetensors") in encoder.weights


def test_spec_travels_and_builds(weights_dir: Path, encoder: TimmEncoder) -> None:
    """A worker in another process needs the description only."""
    spec = pickle.loads(pickle.dumps(EncoderSpec(SMALL_NETWORK, weights_dir)))
    assert load_encoder(spec).encoder_id == encoder.encoder_id
    assert load_encoder(EncoderSpec("tiny")).name == "tiny"


def test_incomplete_weights_are_refused(tmp_path: Path) -> None:
    """timm alone would leave the missing layer random and say nothing."""
    partial = write_weights(tmp_path, SMALL_NETWORK, keep=lambda key: "conv_head" not in key)
    with pytest.raises(RedsError, match=r"no values for 1 .*conv_head\.weight"):
        TimmEncoder(SMALL_NETWORK, partial)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    other = write_weights(tmp_path, OTHER_SIZE_NETWORK)
    shutil.move(other / f"{OTHER_SIZE_NETWORK}.safetensors", other / f"{SMALL_NETWORK}.safetensors")
    with pytest.raises(RedsError, match="not those of the network"):
        TimmEncoder(SMALL_NETWORK, other)


def test_a_page_instead_of_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"{SMALL_NETWORK}.safetensors").write_text("<html>not found</html>")
    with pytest.raises(RedsError, match="not those of the network"):
        TimmEncoder(SMALL_NETWORK, tmp_path)


def test_damaged_numbers_are_refused(tmp_path: Path, weights_dir: Path) -> None:
    from safetensors.numpy import load_file, save_file

    name = f"{SMALL_NETWORK}.safetensors"
    state = load_file(weights_dir / name)
    state["conv_stem.weight"][:] = np.nan
    save_file(state, tmp_path / name)
    with pytest.raises(RedsError, match="not finite"):
        TimmEncoder(SMALL_NETWORK, tmp_path)


def test_unknown_names_get_a_hint() -> None:
    with pytest.raises(RedsError, match=r"mobilenetv2_10 is unknown.*mobilenetv2_100"):
        load_encoder(EncoderSpec("mobilenetv2_10"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param(SMALL_NETWORK, "publishes no safetensors file", id="none published"),
        pytest.param("vgg16", "hub does not answer", id="published but out of reach"),
    ],
)
def test_no_weights_names_both_remedies(
    name: str, reason: str, tmp_path: Path, no_hub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never random weights, never another encoder: an error that says what to do."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(RedsError) as caught:
        load_encoder(EncoderSpec(name, tmp_path))
    sentence = str(caught.value)
    assert reason in sentence
    assert "REDS_WEIGHTS_DIR" in sentence
    assert "reach the model hub" in sentence


@pytest.mark.parametrize(
    "images",
    [
        pytest.param(np.zeros((2, 224, 224, 3), np.float32), id="not bytes"),
        pytest.param(np.zeros((2, 160, 160, 3), np.uint8), id="not 224 pixels"),
    ],
)
def test_other_arrays_are_refused(encoder: TimmEncoder, images: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="an encoder takes"):
        encoder(images)


def test_no_pictures_give_no_features(encoder: TimmEncoder) -> None:
    assert encoder(np.empty((0, 224, 224, 3), np.uint8)).shape == (0, 1280)
