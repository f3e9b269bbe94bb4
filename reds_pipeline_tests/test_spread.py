from __future__ import annotations

from pathlib import Path

from reds_pipeline_tests.spread import TOGETHER, ByFileAndHome


def test_files_that_look_at_one_home_go_to_one_worker() -> None:
    scheduling = ByFileAndHome.__new__(ByFileAndHome)
    scopes = {scheduling._split_scope(f"{file}::test_something") for file in TOGETHER}
    assert len(scopes) == 1
    assert scheduling._split_scope("reds_pipeline_tests/test_spread.py::test_a") not in scopes


def test_they_are_those_that_ask_for_the_finished_home() -> None:
    root = Path(__file__).parent
    asking = {
        path.relative_to(root.parent).as_posix()
        for path in (root / "end_to_end").rglob("test_*.py")
        if "finished: FinishedRun" in path.read_text(encoding="utf-8")
    }
    assert asking == set(TOGETHER)
