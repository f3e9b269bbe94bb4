"""OpenVINO on the processor: float32, shorter formats, and whole numbers by NNCF.

What belongs here: conversion, number formats and running by OpenVINO. What does not: any other
library. The converted network stays in the home, so that later runs load neither PyTorch nor the
network's own file.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.engines.engine import (
    BuildRequest,
    Engine,
    EngineUnavailable,
    Runner,
)
from reds_pipeline.embedding.engines.machine import processor_features
from reds_pipeline.embedding.engines.no_telemetry import forbid_telemetry, quiet
from reds_pipeline.embedding.engines.prepared_network import prepared_network

_NETWORK = "openvino"
_WHOLE_NUMBERS = "openvino-int8"
_FIRST_CONVOLUTIONS = 3
_CONVOLUTIONS = frozenset({"Convolution", "GroupConvolution"})
_BFLOAT16_FEATURES = frozenset({"avx512_bf16", "amx_bf16"})
_VARIANT_DIGITS = 8


def _lacks_library() -> str:
    return "" if find_spec("openvino") else "openvino not installed"


def _lacks_bfloat16() -> str:
    if processor_features().isdisjoint(_BFLOAT16_FEATURES):
        return "the processor has no bfloat16 arithmetic"
    return _lacks_library()


def _lacks_nncf() -> str:
    return _lacks_library() or ("" if find_spec("nncf") else "nncf not installed")


def _core() -> Any:
    forbid_telemetry()
    import openvino

    return openvino.Core()


def _keep(network: Any, directory: Path, name: str) -> None:
    """Write a converted network so that a kill leaves the whole of it or nothing."""
    import openvino

    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory) as temporary:
        openvino.save_model(network, Path(temporary) / f"{name}.xml", compress_to_fp16=False)
        # The description, which is what is looked for, goes first and comes last.
        (directory / f"{name}.xml").unlink(missing_ok=True)
        for suffix in (".bin", ".xml"):
            (Path(temporary) / f"{name}{suffix}").replace(directory / f"{name}{suffix}")


def _kept(core: Any, directory: Path, name: str) -> Any | None:
    """Return a network converted earlier, or None where there is none or it is damaged."""
    path = directory / f"{name}.xml"
    if not path.is_file():
        return None
    try:
        return core.read_model(path)
    except RuntimeError:
        return None


def _network(core: Any, request: BuildRequest) -> Any:
    """Return the network in float32, converted now or earlier."""
    if (kept := _kept(core, request.directory, _NETWORK)) is not None:
        return kept
    import openvino
    import torch

    encoder = request.encoder()
    side = encoder.input_size
    example = torch.zeros((2, side, side, 3), dtype=torch.uint8)
    try:
        with quiet(), torch.inference_mode():
            network = openvino.convert_model(
                prepared_network(encoder),
                example_input=example,
                input=[([-1, side, side, 3], openvino.Type.u8)],
            )
    except Exception as error:  # The converter raises anything.
        raise EngineUnavailable(
            f"the network cannot be converted to OpenVINO ({type(error).__name__})"
        ) from error
    _keep(network, request.directory, _NETWORK)
    return network


def _partly_float32(core: Any, network: Any) -> Any:
    """Return a network whose first convolutions stay float32 when the rest becomes bfloat16.

    Measured on MobileNetV2: rounding in the first few layers, which have few channels, makes most
    of the whole network's deviation. The marks go into the description because OpenVINO's
    interface for Python cannot set this attribute.
    """
    import openvino

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "network.xml"
        openvino.save_model(network, path, compress_to_fp16=False)
        description = ElementTree.parse(path)
        layers = list(description.iter("layer"))
        kinds = [layer.get("type") for layer in layers]
        convolutions = [place for place, kind in enumerate(kinds) if kind in _CONVOLUTIONS]
        if len(convolutions) < _FIRST_CONVOLUTIONS:
            raise EngineUnavailable("the network has no early convolutions to keep in float32")
        for layer in layers[: convolutions[_FIRST_CONVOLUTIONS - 1] + 1]:
            notes = layer.find("rt_info")
            if notes is None:
                notes = ElementTree.SubElement(layer, "rt_info")
            ElementTree.SubElement(notes, "attribute", {"name": "precise", "version": "0"})
        description.write(path)
        return core.read_model(path)


def _whole_numbers(core: Any, request: BuildRequest) -> Any:
    """Return the network in whole numbers whose ranges come from pictures of this home.

    It is kept, because ranges from other pictures would make another function of it.
    """
    if (kept := _kept(core, request.directory, _WHOLE_NUMBERS)) is not None:
        return kept
    network = _network(core, request)
    with quiet():
        import nncf

        pictures = nncf.Dataset([image[None] for image in request.calibration()])
        try:
            quantised = nncf.quantize(
                network, pictures, subset_size=len(request.calibration()), **_for_kind(network)
            )
        except Exception as error:  # The converter raises anything.
            raise EngineUnavailable(
                f"the network cannot be converted to whole numbers ({type(error).__name__})"
            ) from error
    _keep(quantised, request.directory, _WHOLE_NUMBERS)
    return quantised


def _for_kind(network: Any) -> dict[str, Any]:
    """Return NNCF's setting for transformers where the network is one."""
    import nncf

    kinds = {operation.get_type_name() for operation in network.get_ops()}
    is_transformer = bool(kinds & {"Softmax", "ScaledDotProductAttention"})
    return {"model_type": nncf.ModelType.TRANSFORMER} if is_transformer else {}


def _whole_numbers_variant(directory: Path) -> str:
    """Return digits of the kept network's digest, so that another one gets another store."""
    digest = hashlib.sha256()
    for suffix in (".xml", ".bin"):
        path = directory / f"{_WHOLE_NUMBERS}{suffix}"
        if not path.is_file():
            return ""
        digest.update(path.read_bytes())
    return digest.hexdigest()[:_VARIANT_DIGITS]


def _runner(core: Any, network: Any, request: BuildRequest, precision: str) -> Runner:
    import openvino

    # One stream a core: no core waits for another within a layer.
    compiled = core.compile_model(
        network,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": request.threads,
            "NUM_STREAMS": request.threads,
        },
    )
    queue = openvino.AsyncInferQueue(compiled, request.threads)

    def run(images: NDArray[np.uint8], batch: int) -> NDArray[np.float32]:
        features = np.empty((len(images), request.dimension), np.float32)

        def take(finished: Any, start: int) -> None:
            features[start : start + batch] = finished.get_output_tensor(0).data

        queue.set_callback(take)
        for start in range(0, len(images), batch):
            part = np.ascontiguousarray(images[start : start + batch])
            queue.start_async([part], start)
        queue.wait_all()
        return features

    return run


def _build(precision: str, prepare: Callable[[Any, BuildRequest], Any]) -> Callable[..., Runner]:
    def build(request: BuildRequest) -> Runner:
        core = _core()
        return _runner(core, prepare(core, request), request, precision)

    return build


def _partly(core: Any, request: BuildRequest) -> Any:
    return _partly_float32(core, _network(core, request))


OPENVINO_ENGINES = (
    Engine(
        name="openvino",
        library="openvino",
        summary="OpenVINO, float32",
        setup_seconds=3.0,
        batches=(2, 8),
        lacking=_lacks_library,
        build=_build("f32", _network),
    ),
    Engine(
        name="openvino-bf16",
        library="openvino",
        summary="OpenVINO, bfloat16",
        setup_seconds=3.0,
        batches=(2, 8),
        lacking=_lacks_bfloat16,
        build=_build("bf16", _network),
    ),
    Engine(
        name="openvino-mixed",
        library="openvino",
        summary=f"OpenVINO, bfloat16 after the first {_FIRST_CONVOLUTIONS} convolutions",
        setup_seconds=3.0,
        batches=(2, 8),
        lacking=_lacks_bfloat16,
        build=_build("bf16", _partly),
    ),
    Engine(
        name="openvino-int8",
        library="openvino",
        summary="OpenVINO, whole numbers by NNCF, ranges from pictures of this home",
        setup_seconds=45.0,
        batches=(2, 8),
        lacking=_lacks_nncf,
        build=_build("f32", _whole_numbers),
        variant=_whole_numbers_variant,
    ),
)
