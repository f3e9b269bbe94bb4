"""A Postgres server for tests, with the databases that the compose file's server has.

What belongs here: starting and ending it. What does not: the server itself
(``postgres_server.py``).
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reds_pipeline_tests.compose_files import PASSWORDS, REPOSITORY
from reds_pipeline_tests.postgres_server import PROGRAMS

SCRIPT = REPOSITORY / "docker" / "databases.sql"
SECONDS = 60.0


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the port of a new server on this machine; every password is ``secret``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="reds-postgres-", ignore_cleanup_errors=True) as place:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "reds_pipeline_tests.postgres_server"),
                *(str(Path(place) / "data"), port, str(SCRIPT)),
            ],
            cwd=REPOSITORY,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **dict.fromkeys(PASSWORDS, "secret")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ready = [str(PROGRAMS / "pg_isready"), "--host=127.0.0.1", f"--port={port}", "--quiet"]
        deadline = time.monotonic() + SECONDS
        while subprocess.run(ready, check=False).returncode:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
