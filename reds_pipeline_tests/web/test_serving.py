"""Starting and stopping the application as a program."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from reds_pipeline.errors import RedsError
from reds_pipeline.web.serving import listening_socket

PROGRAM = """
import sys
from pathlib import Path
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.web.serving import Serving, serve_application
platform = Platform(load_settings(home=Path(sys.argv[1])))
serving = Serving(0, is_tagging="tagging" in sys.argv, is_quiet=True)
serve_application(platform, serving, lambda address: print(address, flush=True))
print("closed", flush=True)
"""


def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        # The announced address can be opened at once, if only after some waiting.
        answer = requests.get(f"{address}/review/api/gallery", timeout=60)
        assert answer.json()["pictures"] == []
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output.strip(), errors) == (0, "closed", "")


def test_it_listens_on_this_machine_only() -> None:
    with listening_socket(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(RedsError, match=f"Port {port} is taken"):
            listening_socket(port)
