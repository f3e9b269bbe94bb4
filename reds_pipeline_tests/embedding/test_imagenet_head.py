"""The classifier a backbone was published with, read from its weights (R-IMP-8)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.embedding.encoder import EncoderSpec, load_encoder
from reds_pipeline.embedding.imagenet_head import NoImagenetHead, read_imagenet_head
from reds_pipeline.embedding.published import published_network
from reds_pipeline_tests.embedding.networks import SMALL_NETWORK, write_weights


@pytest.mark.req("R-IMP-8")
def test_head_on_embeddings_answers_as_the_whole_network(
    weights_dir: Path, tensors: NDArray[np.uint8], tmp_path: Path
) -> None:
    """What REDS keeps of a picture is exactly what the published classifier takes."""
    import timm
    import torch
    from timm.data.config import resolve_model_data_config

    features = load_encoder(EncoderSpec(SMALL_NETWORK, weights_dir))(tensors[:4])
    head = read_imagenet_head(SMALL_NETWORK, weights_dir, tmp_path)
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
        read_imagenet_head(SMALL_NETWORK, tmp_path, tmp_path)


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
        read_imagenet_head(name, tmp_path, tmp_path)


def test_a_head_that_was_read_before_needs_no_deep_learning(
    weights_dir: Path, tmp_path: Path
) -> None:
    """A retraining whose network is converted would import timm and torch for this alone."""
    known = read_imagenet_head(SMALL_NETWORK, weights_dir, tmp_path)
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from reds_pipeline.embedding.imagenet_head import read_imagenet_head\n"
        "head = read_imagenet_head(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))\n"
        "loaded = sorted({'timm', 'torch'} & set(sys.modules))\n"
        "print(json.dumps([loaded, head.names, head.weights.tolist()]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, SMALL_NETWORK, str(weights_dir), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(result.stdout) == [[], list(known.names), known.weights.tolist()]


@pytest.mark.parametrize("damage", ["{", "[]", "of another version of timm"])
def test_a_note_that_does_not_hold_is_made_again(damage: str, tmp_path: Path) -> None:
    known = published_network(SMALL_NETWORK, tmp_path)
    (note,) = tmp_path.glob("published_as_*.json")
    written = note.read_text()
    if damage.startswith("of another"):
        other = json.loads(written)
        other["made_with"]["timm"] = "0.1"
        other["network"]["classes"] = []
        damage = json.dumps(other)
    note.write_text(damage)
    assert published_network(SMALL_NETWORK, tmp_path) == known
    assert note.read_text() == written
