"""PyTorch's own ways to run a network: on the processor and on a CUDA device.

What belongs here: the reference as an engine, shorter number formats, compilation, the
accelerator. What does not: other libraries.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.engines.engine import (
    REFERENCE,
    BuildRequest,
    Engine,
    EngineUnavailable,
    Runner,
    in_batches,
)
from reds_pipeline.embedding.engines.machine import accelerator_name, processor_features
from reds_pipeline.embedding.engines.prepared_network import prepared_network

if TYPE_CHECKING:
    import torch

_BFLOAT16_FEATURES = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
_COMPILERS = ("c++", "g++", "clang++")


@dataclass(frozen=True)
class _Placing:
    """Where and how PyTorch runs a network.

    Attributes:
        device: As torch names it.
        bfloat16: Whether the network is converted to bfloat16.
        compiled: Whether it goes through ``torch.compile``.
    """

    device: str = "cpu"
    bfloat16: bool = False
    compiled: bool = False

    def build(self, request: BuildRequest) -> Runner:
        """Return the network so placed."""
        import torch

        encoder = request.encoder()
        if self.device == "cuda":
            # TF32 would round what is called float32 here to ten bits.
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False
        module: Any = prepared_network(encoder)
        if self.bfloat16:
            module.network = _in_bfloat16(module.network)
        if self.device != "cpu":
            module = copy.deepcopy(module).to(self.device)
        network = torch.compile(module) if self.compiled else module

        def forward(images: NDArray[np.uint8]) -> NDArray[np.float32]:
            with torch.inference_mode():
                batch = torch.tensor(images).to(self.device)
                features: NDArray[np.float32] = network(batch).float().cpu().numpy()
            return features

        run = in_batches(forward, request.dimension)
        if not self.compiled:
            return run

        def of_one_size(images: NDArray[np.uint8], batch: int) -> NDArray[np.float32]:
            # Another number of pictures would be compiled anew, for longer than it is used.
            wanted = -(-len(images) // batch) * batch
            padding = np.zeros((wanted - len(images), *images.shape[1:]), np.uint8)
            return run(np.concatenate([images, padding]), batch)[: len(images)]

        try:
            of_one_size(np.zeros((1, encoder.input_size, encoder.input_size, 3), np.uint8), 16)
        except Exception as error:  # The compiler behind it raises anything.
            raise EngineUnavailable(f"compiling it failed ({type(error).__name__})") from error
        return of_one_size


def _in_bfloat16(network: torch.nn.Module) -> torch.nn.Module:
    """Return a copy whose weights and arithmetic are bfloat16, fed with float32."""
    import torch

    shortened = copy.deepcopy(network).to(torch.bfloat16)
    shortened.register_forward_pre_hook(lambda _module, inputs: (inputs[0].bfloat16(),))
    return shortened


def _reference(request: BuildRequest) -> Runner:
    return in_batches(request.encoder(), request.dimension)


def _lacks_bfloat16() -> str:
    if processor_features().isdisjoint(_BFLOAT16_FEATURES):
        return "the processor has no bfloat16 arithmetic"
    return ""


def _lacks_compiler() -> str:
    if not any(shutil.which(name) for name in _COMPILERS):
        return "there is no C++ compiler"
    return ""


def _lacks_cuda() -> str:
    if not accelerator_name():
        return "there is no CUDA device"
    import torch

    return "" if torch.cuda.is_available() else "this PyTorch cannot use the CUDA device"


def _placed(
    name: str, summary: str, setup_seconds: float, lacking: Callable[[], str], placing: _Placing
) -> Engine:
    on_processor = placing.device == "cpu"
    sizes = (16,) if on_processor else (64,)
    return Engine(
        name=name,
        library="torch",
        summary=summary,
        setup_seconds=setup_seconds,
        batches=sizes,
        lacking=lacking,
        build=placing.build,
        on_processor=on_processor,
    )


TORCH_ENGINES = (
    Engine(
        name=REFERENCE,
        library="torch",
        summary="eager float32, channels last: the reference",
        setup_seconds=0.0,
        # Measured on MobileNetV2 and ViT-B/16: more at once leave the cache, fewer gain nothing.
        batches=(8,),
        lacking=str,
        build=_reference,
        is_reference=True,
    ),
    _placed("cuda", "float32 on the GPU, TF32 off", 5.0, _lacks_cuda, _Placing("cuda")),
    _placed(
        "cuda-bf16",
        "bfloat16 on the GPU",
        5.0,
        _lacks_cuda,
        _Placing("cuda", bfloat16=True),
    ),
    _placed(
        "cuda-compiled",
        "bfloat16 on the GPU, compiled",
        60.0,
        lambda: _lacks_cuda() or _lacks_compiler(),
        _Placing("cuda", bfloat16=True, compiled=True),
    ),
    _placed("pytorch-bf16", "eager bfloat16", 1.0, _lacks_bfloat16, _Placing(bfloat16=True)),
    _placed(
        "pytorch-compiled",
        "float32 compiled to C++",
        120.0,
        _lacks_compiler,
        _Placing(compiled=True),
    ),
)
