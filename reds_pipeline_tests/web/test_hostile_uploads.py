"""Files that were made to do harm get one sentence each and no more memory than is allowed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from reds_pipeline_tests.hostile_files import HostileFile, hostile_files
from reds_pipeline_tests.tagging.served_home import drawn_photo
from reds_pipeline_tests.web.tagging_site import SECONDS, tag, wait_until_ready

_CLIENTS = 8
_MEMORY_MB = 256
# What Python, its allocator and the answers themselves take, besides photos.
_AROUND_PHOTOS = 80_000_000
_PROGRAM = """
import sys
from pathlib import Path
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.web.serving import Serving, serve_application
settings = load_settings(home=Path(sys.argv[1]), photo_memory_mb=int(sys.argv[2]))
say = lambda address: print(address, flush=True)
serve_application(Platform(settings), Serving(0, is_quiet=True), say)
"""


@dataclass(frozen=True)
class ServerProcess:
    """A server in a process of its own.

    Attributes:
        address: Where it answers.
        process: It.
    """

    address: str
    process: subprocess.Popen[str]

    def memory(self, name: str) -> int:
        """Return a number of the kernel about the process: ``VmRSS`` or ``VmHWM``, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        assert found
        return 1024 * int(found[1])

    def forget_peak(self) -> None:
        """Let the peak begin at what is held now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


@pytest.fixture(scope="module")
def server(tagging_home: Path) -> Iterator[ServerProcess]:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(tagging_home), str(_MEMORY_MB)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            wait_until_ready(address, models=2)
            assert tag(address, drawn_photo("cat", 1)).ok
            yield ServerProcess(address, process)
        finally:
            process.terminate()


@pytest.mark.req("R-PRD-5")
def test_each_hostile_file_gets_a_sentence_and_memory_stays_bounded(
    server: ServerProcess,
) -> None:
    files = hostile_files()
    assert len(files) >= 200
    server.forget_peak()
    before = server.memory("VmRSS")
    with ThreadPoolExecutor(_CLIENTS) as clients:
        answers = list(clients.map(lambda file: tag(server.address, file.data), files))
    wrong = [
        f"{file.name}: {answer.status_code} {answer.text[:200]}"
        for file, answer in zip(files, answers, strict=True)
        if not _is_refused(answer, file)
    ]
    assert wrong == []
    assert server.memory("VmHWM") - before < _MEMORY_MB * 1_000_000 + _AROUND_PHOTOS
    assert tag(server.address, drawn_photo("cat", 1)).ok, "it goes on as before"


@pytest.mark.req("R-PRD-5")
def test_people_get_the_same_sentences_on_the_page(server: ServerProcess) -> None:
    files = [file for number, file in enumerate(hostile_files()) if number % 20 == 0]
    for file in files:
        sentence = tag(server.address, file.data).json()["sentence"]
        page = requests.post(
            f"{server.address}/tag",
            files={"photos": (f"{file.name}-as-somebody-called-it", file.data)},
            headers={"Accept": "text/html"},
            timeout=SECONDS,
        )
        assert page.status_code < 500, file.name
        assert sentence.partition(": ")[2] in page.text, file.name
        assert "as-somebody-called-it" not in page.text


def _is_refused(answer: requests.Response, file: HostileFile) -> bool:
    if not 400 <= answer.status_code < 500 or list(answer.json()) != ["sentence", "reason"]:
        return False
    sentence: str = answer.json()["sentence"]
    is_one = sentence.endswith(".") and ". " not in sentence
    return is_one and answer.json()["reason"] == file.expected_reason
