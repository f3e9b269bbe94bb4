"""OpenVINO and NNCF without their reports to their maker.

What belongs here: keeping their telemetry out, and their chatter off the terminal. What does not:
using them. Both report each use through the package ``openvino_telemetry`` unless somebody has
refused beforehand, in a file in the user's home. Both also do without that package, so it is
made impossible to import, before either is imported: no file is written, nothing is sent.
"""

from __future__ import annotations

import io
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from types import ModuleType

from reds_pipeline.embedding.engines.engine import EngineUnavailable

TELEMETRY = "openvino_telemetry"
_TALKATIVE = ("nncf", "onnx_ir", "onnxscript", "torch.onnx", "torch.utils.cpp_extension")
_REPORTING = ("openvino.tools.ovc", "nncf.telemetry")


def forbid_telemetry() -> None:
    """Make sure that nothing in this process can report through ``openvino_telemetry``.

    Raises:
        EngineUnavailable: Somebody else has imported a library with its telemetry before.
    """
    if sys.modules.get(TELEMETRY) is not None and any(name in sys.modules for name in _REPORTING):
        raise EngineUnavailable(
            "another part of this process has loaded it with its telemetry switched on"
        )
    # The import system takes None as: this module cannot be imported.
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules[TELEMETRY] = None


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out what a library says to people during a conversion, below an error.

    Whatever it is about, an operator can do nothing about it; what fails is raised.
    """
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
