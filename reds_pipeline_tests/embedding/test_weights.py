from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from reds_pipeline.embedding.weights import file_digest, local_weights
from reds_pipeline_tests.embedding.model_hub import ModelHub
from reds_pipeline_tests.embedding.networks import OTHER_SIZE_NETWORK, write_weights

LOAD_TWICE = """
import json, sys
from reds_pipeline.embedding.encoder import EncoderSpec, load_encoder
spec = EncoderSpec(sys.argv[1])
first, second = load_encoder(spec), load_encoder(spec)
print(json.dumps([first.encoder_id, first.weights, second.encoder_id, second.weights]))
"""


def test_weights_come_from_the_hub_once(tmp_path: Path) -> None:
    """The hub is asked for safetensors only, and not at all when its file is here already."""
    import timm

    from reds_pipeline.embedding.timm_backbone import TimmEncoder

    directory = write_weights(tmp_path / "weights", OTHER_SIZE_NETWORK)
    config = timm.models.get_pretrained_cfg(OTHER_SIZE_NETWORK)
    assert config is not None
    hub_id = config.hf_hub_id
    path = f"/{hub_id}/resolve/main/model.safetensors"
    content = (directory / f"{OTHER_SIZE_NETWORK}.safetensors").read_bytes()
    with ModelHub(files={path: content}).running() as hub:
        # A process of its own, because the hub's client reads its address when it is imported.
        environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            [sys.executable, "-c", LOAD_TWICE, OTHER_SIZE_NETWORK],
            env={"PATH": "", "HF_HUB_DISABLE_TELEMETRY": "1", **environment},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    first_id, first_origin, second_id, second_origin = json.loads(done.stdout)
    assert first_id == second_id == TimmEncoder(OTHER_SIZE_NETWORK, directory).encoder_id
    assert first_origin == f"{hub_id} as timm publishes it on the model hub"
    assert second_origin.endswith("(already on this machine)")
    assert hub.requests.count(f"GET {path}") == 1
    assert all(".bin" not in request for request in hub.requests)


def test_a_local_file_is_found_by_its_name(tmp_path: Path) -> None:
    assert local_weights("vgg16", tmp_path) is None
    assert local_weights("vgg16", None) is None
    (tmp_path / "vgg16.safetensors").write_bytes(b"weights")
    found = local_weights("vgg16", tmp_path)
    assert found is not None
    assert not found.from_hub
    assert found.path == tmp_path / "vgg16.safetensors"


def test_digest_is_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert file_digest(tmp_path / "file").startswith("ba7816bf8f01cfea414140de5dae2223")
