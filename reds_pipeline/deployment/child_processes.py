"""Programs that live no longer than the one that started them.

What belongs here: starting, watching and stopping them. What does not: which programs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from reds_pipeline.errors import RedsError

_STOPPING_SECONDS = 20.0
_SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class Program:
    """One program to run.

    Attributes:
        name: What people call it.
        arguments: A module and its arguments, as after ``python -m``.
    """

    name: str
    arguments: tuple[str, ...]


@contextmanager
def child_process(
    program: Program, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program; at the end ask it, and everything it started, to stop.

    Args:
        program: What to run.
        environment: Its environment variables; those of this process by default.

    Yields:
        The running process, the leader of a process group of its own.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", *program.arguments],
        env=None if environment is None else dict(environment),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def run_to_its_end(program: Program) -> None:
    """Run a program and wait until it has ended by itself.

    Raises:
        RedsError: It failed.
    """
    with child_process(program) as process:
        if code := process.wait():
            raise _ended(program, code)


def watch(processes: Mapping[Program, subprocess.Popen[bytes]]) -> None:
    """Wait for as long as all of some programs run.

    Raises:
        RedsError: One of them ended, as none of them should.
    """
    while True:
        require_running(processes)
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def require_running(processes: Mapping[Program, subprocess.Popen[bytes]]) -> None:
    """Raise if one of some programs ended by itself.

    Raises:
        RedsError: One did.
    """
    for program, process in processes.items():
        code = process.poll()
        if code is not None:
            raise _ended(program, code)


def _ended(program: Program, code: int) -> RedsError:
    return RedsError(
        f"{program.name} ended by itself (exit code {code}); what it printed above says why."
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            # What Ctrl+C sends: all our programs, and Dagster's, end cleanly with it.
            os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOPPING_SECONDS)
    # The group outlives its leader while anything that it started is left.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
