"""Programs end with the one that started them, and with everything that they started."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from reds_pipeline.deployment.child_processes import (
    Program,
    child_process,
    run_to_its_end,
    watch,
)
from reds_pipeline.errors import RedsError

SECONDS = 30.0


def program(tmp_path: Path, text: str) -> Program:
    """Return a program of a few lines."""
    (tmp_path / "small_program.py").write_text(text)
    return Program("The small program", ("runpy", str(tmp_path / "small_program.py")))


STUBBORN = """
import os, pathlib, signal, subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", '''
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
'''], stdout=subprocess.PIPE)
grandchild.stdout.readline()
path = pathlib.Path(__file__).with_name("pids")
path.with_suffix(".new").write_text(f"{os.getpid()} {grandchild.pid}")
path.with_suffix(".new").rename(path)
try:
    time.sleep(600)
except KeyboardInterrupt:
    pathlib.Path(__file__).with_name("asked").touch()
"""


def test_a_program_is_asked_to_end_and_what_it_leaves_behind_is_ended(tmp_path: Path) -> None:
    with child_process(program(tmp_path, STUBBORN)):
        deadline = time.monotonic() + SECONDS
        while not (tmp_path / "pids").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert (tmp_path / "asked").exists(), "it could end in its own way"
    leader, grandchild = map(int, (tmp_path / "pids").read_text().split())
    assert not psutil.pid_exists(leader)
    _gone, alive = psutil.wait_procs(
        [psutil.Process(grandchild)] if psutil.pid_exists(grandchild) else [], timeout=SECONDS
    )
    assert alive == []


def test_a_program_that_does_its_work_and_ends_is_no_problem(tmp_path: Path) -> None:
    made = tmp_path / "made"
    run_to_its_end(program(tmp_path, f"open({str(made)!r}, 'w').close()"))
    assert made.exists()


@pytest.mark.parametrize("code", [0, 3])
def test_a_program_that_should_have_stayed_is_a_sentence(tmp_path: Path, code: int) -> None:
    """Also one that ended well: nobody would notice that the page is gone."""
    short = program(tmp_path, f"raise SystemExit({code})")
    with (
        child_process(short) as process,
        pytest.raises(RedsError, match=rf"The small program ended by itself \(exit code {code}\)"),
    ):
        watch({short: process})


def test_a_program_that_fails_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RedsError, match="exit code 4"):
        run_to_its_end(program(tmp_path, "raise SystemExit(4)"))
