"""Networks small enough for a test, with random weights: real code, no download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

SMALL_NETWORK = "mobilenetv2_035"
"""Takes 224 pixels; timm publishes no weights for it, so only a file can serve."""

OTHER_SIZE_NETWORK = "test_efficientnet"
"""Takes 160 pixels; made by timm for tests."""


def write_weights(
    directory: Path, name: str, seed: int = 1, keep: Callable[[str], bool] = lambda _key: True
) -> Path:
    """Write ``<name>.safetensors``, classifier and all, and return the directory."""
    import timm
    import torch
    from safetensors.torch import save_file

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = timm.create_model(name, pretrained=False)
    state = {key: value.contiguous() for key, value in model.state_dict().items() if keep(key)}
    directory.mkdir(parents=True, exist_ok=True)
    save_file(state, str(directory / f"{name}.safetensors"))
    return directory
