from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline import terminal
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.status import home_status
from reds_pipeline_tests import curated_home


def test_the_status_says_what_is_reviewed_and_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = curated_home.fill(tmp_path)
    report = home_status(Platform(load_settings(home=home.root, images_per_class=5)))
    assert report["funnel"]["cat"]["kept"] == 4
    assert [each["missing"] for each in report["balance"]] == [1, 0]
    assert report["review"][0] == {
        "class": "cat",
        "confirmed": 1,
        "unreviewed": 3,
        "discarded": 1,
        "moved_away": 1,
        "moved_here": 0,
    }
    terminal.show_status(report)
    output = capsys.readouterr().out
    assert "cat is 1 short of 5 pictures" in output
    assert "dog has all" not in output, "only what is missing is said"
    assert "not reviewed" in output
