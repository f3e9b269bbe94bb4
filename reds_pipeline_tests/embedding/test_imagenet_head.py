"""The classifier a backbone was published with, read from its weights (R-IMP-8)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.embedding.encoder import EncoderSpec, load_encoder
from reds_pipeline.embedding.imagenet_head import NoImagenetHead, read_imagenet_head
from reds_pipeline_tests.embedding.networks import SMALL_NETWORK, write_weights


@pytest.mark.req("R-IMP-8")
def test_head_on_embeddings_answers_as_the_whole_network(
    weights_dir: Path, tensors: NDArray[np.uint8]
) -> None:
    """What REDS keeps of a picture is exactly what the published classifier takes."""
    import timm
    import torch
    from timm.data.config import resolve_model_data_config

    features = load_encoder(EncoderSpec(SMALL_NETWORK, weights_dir))(tensors[:4])
    head = read_imagenet_head(SMALL_NETWORK, weights_dir)
    model = timm.create_model(
        SMALL_NETWORK, checkpoint_path=str(weights_dir / f"{SMALL_NETWORK}.safetensors")
    ).eval()
    config = resolve_model_data_config(model)
    mean, std = (torch.tensor(config[part]).view(1, 3, 1, 1) for part in ("mean", "std"))
    pictures = torch.tensor(tensors[:4]).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        whole = model((pictures - mean) / std).numpy()
    np.testing.assert_allclose(features @ head.weights.T + head.bias, whole, atol=1e-4)
    assert len(head.names) == 1000
    assert head.names[281] == "n02123045"


def test_weights_without_their_head_say_so(tmp_path: Path) -> None:
    write_weights(tmp_path, SMALL_NETWORK, keep=lambda key: not key.startswith("classifier."))
    with pytest.raises(NoImagenetHead, match="without its ImageNet head"):
        read_imagenet_head(SMALL_NETWORK, tmp_path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tiny", "has learnt nothing"),
        ("levit_128s", "names no one head"),
        ("vit_small_patch14_dinov2", "has no head for ImageNet"),
        (SMALL_NETWORK, "No file of weights"),
    ],
)
def test_a_backbone_without_a_head_says_why(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(NoImagenetHead, match=reason):
        read_imagenet_head(name, tmp_path)
