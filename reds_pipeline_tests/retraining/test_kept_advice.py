from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from reds_pipeline.retraining.advice import Evidence, Limits, advise
from reds_pipeline.retraining.kept_advice import append, latest_advice, measurements
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import RETRAINING_ADVICE

FIRST = Evidence("2026-11-01T00:00:00Z", pictures=10, classes_entered=("fox",))


def test_what_was_advised_is_read_back_and_the_newest_counts(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert latest_advice(home) is None
    first = advise(FIRST, Limits(3, 28))
    second = advise(replace(FIRST, at="2026-11-08T00:00:00Z", has_champion=True), Limits(3, 28))
    append(home, first, model_version="", training_key="")
    assert latest_advice(home) == first
    append(home, second, model_version="4", training_key="key")
    assert latest_advice(home) == second
    assert [row["model_version"] for row in measurements(home)] == ["", "4"]


def test_every_number_of_the_evidence_has_its_column() -> None:
    assert set(FIRST.numbers()) <= set(RETRAINING_ADVICE.names)


def test_reading_it_is_quick_to_start() -> None:
    """`reds status` shows it."""
    program = (
        "import sys, reds_pipeline.retraining.kept_advice\n"
        "assert not {'scipy', 'sklearn', 'mlflow', 'torch', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
