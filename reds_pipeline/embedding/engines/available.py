"""All engines, in the order in which they are tried.

What belongs here: the list. What does not: how any of them works.
"""

from __future__ import annotations

from reds_pipeline.embedding.engines.engine import Engine
from reds_pipeline.embedding.engines.onnx_engines import ONNX_ENGINES
from reds_pipeline.embedding.engines.openvino_engines import OPENVINO_ENGINES
from reds_pipeline.embedding.engines.torch_engines import TORCH_ENGINES
from reds_pipeline.errors import RedsError

ENGINES: tuple[Engine, ...] = tuple(
    sorted(
        (*TORCH_ENGINES, *OPENVINO_ENGINES, *ONNX_ENGINES),
        key=lambda engine: engine.setup_seconds,
    )
)
"""The reference first, then those that are soonest ready."""


def engine_named(name: str) -> Engine:
    """Return one engine.

    Raises:
        RedsError: There is none of that name.
    """
    for engine in ENGINES:
        if engine.name == name:
            return engine
    names = ", ".join(engine.name for engine in ENGINES)
    raise RedsError(
        f"REDS_INFERENCE names the engine {name}, which there is not; use auto or one of {names}."
    )


def lacking_by_engine() -> dict[str, str]:
    """Return what this machine lacks for each engine, in part of a sentence, or nothing."""
    return {engine.name: engine.lacking() for engine in ENGINES}
