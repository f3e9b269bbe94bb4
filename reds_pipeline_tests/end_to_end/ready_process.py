"""Programs in processes of their own that do not have to import everything anew.

What belongs here: forking a process that has the libraries already, and giving it arguments, an
environment, a directory and files to write to. What does not: what a command says (``conftest``).

Of the processor's time that a command takes on a home with nothing new, more than a third is
importing. So one process for each worker of pytest imports the libraries once, does nothing else,
and is forked for each command (``multiprocessing``'s fork server). What a command does then is done
in a process that nobody has used, as at a prompt; only reading the modules from disk is left out.
Commands that are killed, or that must find out by themselves what they import, begin from nothing.
"""

from __future__ import annotations

import atexit
import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_CLI = "reds_pipeline.cli"
_LIBRARIES = "reds_pipeline_tests.end_to_end.libraries"


def completed(
    arguments: Sequence[str], *, environment: Mapping[str, str], directory: Path, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run the ``reds`` command and return what it printed and its exit code.

    Args:
        arguments: After ``reds``.
        environment: All environment variables.
        directory: The working directory.
        seconds: How long it may take.

    Raises:
        subprocess.TimeoutExpired: It took longer, and was killed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_LIBRARIES])
    with tempfile.TemporaryDirectory() as temporary:
        out, err = Path(temporary, "out"), Path(temporary, "err")
        process = context.Process(
            target=_run, args=(list(arguments), dict(environment), directory, out, err)
        )
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(arguments), seconds)
        return subprocess.CompletedProcess(
            list(arguments),
            process.exitcode,
            out.read_text(encoding="utf-8"),
            err.read_text(encoding="utf-8"),
        )


def _run(
    arguments: list[str], environment: dict[str, str], directory: Path, out: Path, err: Path
) -> None:
    """Be ``reds`` in a forked process."""
    for path, descriptor in ((out, 1), (err, 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    cli = importlib.import_module(_CLI)
    sys.argv = [str(cli.__file__), *arguments]
    try:
        cli.main()
    finally:
        # The fork server ends its children without these.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
