"""ONNX Runtime: the network as an ONNX graph, in float32 or with whole-number products.

What belongs here: export, conversion and running by ONNX Runtime on the processor. What does
not: any other library. ONNX Runtime's packages for Linux report nothing to anybody; where they
could (Windows), its switch for that is off before anything is run.
"""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.engines.engine import (
    BuildRequest,
    Engine,
    EngineUnavailable,
    Runner,
    in_batches,
)
from reds_pipeline.embedding.engines.no_telemetry import quiet
from reds_pipeline.embedding.engines.prepared_network import prepared_network

_GRAPH = "network.onnx"
_PRODUCTS = ("MatMul", "Gemm")


def _lacks_library() -> str:
    missing = [name for name in ("onnxruntime", "onnx", "onnxscript") if find_spec(name) is None]
    return f"{', '.join(missing)} not installed" if missing else ""


def _export(request: BuildRequest, path: Path) -> None:
    """Write the network with its preprocessing as an ONNX graph that takes any batch.

    Raises:
        EngineUnavailable: This network cannot be written so.
    """
    import torch

    encoder = request.encoder()
    example = torch.zeros((2, encoder.input_size, encoder.input_size, 3), dtype=torch.uint8)
    try:
        with quiet(), torch.inference_mode():
            torch.onnx.export(
                prepared_network(encoder),
                (example,),
                str(path),
                input_names=["images"],
                output_names=["features"],
                dynamic_shapes={"images": {0: torch.export.Dim("batch", min=1)}},
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # The exporter raises anything.
        raise EngineUnavailable(
            f"the network cannot be exported to ONNX ({type(error).__name__})"
        ) from error


def _session(request: BuildRequest, path: Path) -> Runner:
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = request.threads
    options.inter_op_num_threads = 1
    # Waiting threads that spin take processor time from whoever else is at work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session: Any = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )

    def forward(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        features: NDArray[np.float32] = session.run(None, {"images": images})[0]
        return features

    return in_batches(forward, request.dimension)


def _build_float32(request: BuildRequest) -> Runner:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / _GRAPH
        _export(request, path)
        return _session(request, path)


def _build_int8(request: BuildRequest) -> Runner:
    import onnx

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / _GRAPH
        _export(request, path)
        graph = onnx.load(str(path), load_external_data=False).graph
        if not any(node.op_type == "MatMul" for node in graph.node):
            raise EngineUnavailable("the network has no matrix products between its layers")
        with quiet():
            from onnxruntime.quantization import QuantType, quantize_dynamic

            whole = path.with_stem("whole")
            quantize_dynamic(
                path,
                whole,
                op_types_to_quantize=list(_PRODUCTS),
                per_channel=True,
                weight_type=QuantType.QInt8,
            )
        return _session(request, whole)


ONNX_ENGINES = (
    Engine(
        name="onnxruntime",
        library="onnxruntime",
        summary="ONNX Runtime, float32",
        setup_seconds=15.0,
        batches=(1, 8),
        lacking=_lacks_library,
        build=_build_float32,
    ),
    Engine(
        name="onnxruntime-int8",
        library="onnxruntime",
        summary="ONNX Runtime, matrix products of whole numbers scaled for each batch",
        setup_seconds=30.0,
        # Numbers are scaled by the largest of the batch, so its size is part of the function.
        batches=(1,),
        lacking=_lacks_library,
        build=_build_int8,
    ),
)
