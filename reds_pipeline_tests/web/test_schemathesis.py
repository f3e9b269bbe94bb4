"""Whatever fits or does not fit the description of the interface gets an answer that fits it.

schemathesis makes up requests from the OpenAPI document: valid ones, ones that break one rule
each, and methods, types and fields that nobody described.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_EXAMPLES = 8


@pytest.mark.req("R-PRD-5")
def test_schemathesis_finds_no_failure(tagging_address: str, tmp_path: Path) -> None:
    """Every check that it has but one: that bytes are a photo cannot be said in a schema."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"{tagging_address}/api/v1/openapi.json",
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            *("--max-examples", str(_EXAMPLES), "--generation-deterministic"),
            *("--warnings", "off", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Tested: 4" in run.stdout, run.stdout
