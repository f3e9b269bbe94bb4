"""Programs end with the one that started them, and with everything that they started."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from reds_pipeline.deployment.child_processes import (
    Program,
    child_process,
    run_to_its_end,
    watch,
)
from reds_pipeline.errors import RedsError


@pytest.fixture(autouse=True)
def modules_are_found_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.fixture(autouse=True)
def interrupts_are_not_ignored() -> Iterator[None]:
    """Where tests run in the background a shell has them ignore Ctrl+C, which programs inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def program(tmp_path: Path, text: str) -> Program:
    """Return a program of a few lines."""
    (tmp_path / "small_program.py").write_text(text)
    return Program("The small program", ("small_program",))


# What it starts holds the pipe open for as long as it lives.
STUBBORN = """
import pathlib, subprocess, sys, time
here = pathlib.Path(__file__).parent
subprocess.Popen([sys.executable, "-c", f'''
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
pipe = open({str(here / "alive")!r}, "wb", buffering=0)
pipe.write(bytes([10]))
time.sleep(600)
'''])
try:
    time.sleep(600)
except KeyboardInterrupt:
    (here / "asked").touch()
"""


def test_a_program_is_asked_to_end_and_what_it_leaves_behind_is_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    with child_process(program(tmp_path, STUBBORN)):
        pipe = (tmp_path / "alive").open("rb")
        assert pipe.readline() == b"\n"
    assert (tmp_path / "asked").exists(), "it could end in its own way"
    assert pipe.read() == b"", "returns when nobody is left who could write"
    pipe.close()


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
