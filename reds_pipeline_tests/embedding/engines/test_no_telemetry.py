"""Nothing leaves the machine, and nothing is left in anybody's home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reds_pipeline.embedding.engines.engine import EngineUnavailable
from reds_pipeline.embedding.engines.no_telemetry import TELEMETRY, forbid_telemetry
from reds_pipeline_tests.embedding.networks import OTHER_SIZE_NETWORK, write_weights

# The sockets that a process of its own opens while a network is converted, quantised and run.
# NNCF reports nothing by itself where pytest is loaded, so this cannot be looked at in here.
PROGRAM = """
import sys
sent = []
watched = {"socket.connect", "socket.getaddrinfo", "socket.sendto"}
sys.addaudithook(lambda event, about: sent.append((event, about)) if event in watched else None)
from pathlib import Path
import numpy as np
from reds_pipeline.embedding.engines.available import engine_named
from reds_pipeline.embedding.engines.engine import BuildRequest
from reds_pipeline.embedding.timm_backbone import TimmEncoder
weights, kept, network = sys.argv[1:]
images = np.random.default_rng(0).integers(0, 255, (4, 160, 160, 3), dtype=np.uint8)
encoder = TimmEncoder(network, Path(weights))
request = BuildRequest(lambda: encoder, encoder.dimension, 1, Path(kept), lambda: images)
assert engine_named("openvino-int8").build(request)(images, 2).shape == (4, encoder.dimension)
assert sys.modules["openvino_telemetry"] is None
assert "pytest" not in sys.modules
sys.exit(f"talked to {sent}" if sent else 0)
"""


def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    """OpenVINO and NNCF would tell their maker of every conversion, without asking."""
    weights = write_weights(tmp_path / "weights", OTHER_SIZE_NETWORK)
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(weights), str(tmp_path / "kept"), OTHER_SIZE_NETWORK],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert not [path for path in home.rglob("*") if "intel" in str(path).lower()]


def test_a_library_that_already_reports_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is loaded with its telemetry, it is too late to keep that out."""
    monkeypatch.setitem(sys.modules, TELEMETRY, sys)
    monkeypatch.setitem(sys.modules, "openvino.tools.ovc", sys)
    with pytest.raises(EngineUnavailable, match="telemetry switched on"):
        forbid_telemetry()
