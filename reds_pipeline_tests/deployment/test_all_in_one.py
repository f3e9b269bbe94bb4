"""The container that is everything: what it chooses to run, and how it starts and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from reds_pipeline.demo.demo_home import DEMO_FILE, DemoNotes
from reds_pipeline.deployment.all_in_one import plan_for
from reds_pipeline.errors import RedsError
from reds_pipeline.settings import load_settings
from reds_pipeline_tests.tagging.served_home import drawn_photo, make_served_home

SECONDS = 120.0
HOST = "https://pix.example"
DEMO_HOST = "http://127.0.0.1:40123"


def names(home: Path, host_url: str = "") -> list[str]:
    """Return the programs beside the page, in their order."""
    plan = plan_for(load_settings(home=home, host_url=host_url))
    assert plan.sentence.endswith(".")
    return [program.name for program in (*plan.first, *plan.then)]


def hold_demonstration(home: Path) -> None:
    notes = DemoNotes(port=40123, token="t", photos="", backbones=("tiny",))
    (home / DEMO_FILE).write_text(
        f'{{"port": {notes.port}, "token": "t", "photos": "", "backbones": ["tiny"]}}'
    )


@pytest.mark.req("R-PRD-1")
def test_an_empty_volume_without_a_host_becomes_a_demonstration(tmp_path: Path) -> None:
    assert names(tmp_path) == ["The demonstration"]


def test_a_demonstration_that_was_cut_short_is_gone_on_with(tmp_path: Path) -> None:
    """Its settings name its own host by then."""
    hold_demonstration(tmp_path)
    (tmp_path / "tables").mkdir()
    assert names(tmp_path) == ["The demonstration"]
    assert names(tmp_path, DEMO_HOST) == ["The demonstration"]


def test_with_a_host_the_schedule_runs(tmp_path: Path) -> None:
    programs = ["Dagster's instance", "Dagster's code server", "Dagster's daemon"]
    assert names(tmp_path, HOST) == programs
    (tmp_path / "tables").mkdir()
    assert names(tmp_path, HOST) == programs


def test_data_of_a_host_that_is_no_longer_configured_is_never_made_a_demonstration(
    tmp_path: Path,
) -> None:
    (tmp_path / "tables").mkdir()
    assert names(tmp_path) == []


def test_a_host_is_refused_where_a_demonstration_is(tmp_path: Path) -> None:
    hold_demonstration(tmp_path)
    with pytest.raises(RedsError, match="holds a demonstration"):
        plan_for(load_settings(home=tmp_path, host_url=HOST))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def container(home: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """Run the entry point of the image as the first process of a container would run."""
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "reds_pipeline.deployment.all_in_one"),
            *("--host=127.0.0.1", f"--port={port}"),
        ],
        cwd=home.parent,
        env={"PATH": os.environ["PATH"], "REDS_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.req("R-PRD-1", "R-PRD-3")
def test_it_tags_photos_until_it_is_stopped(tmp_path: Path, mlflow_database: Path) -> None:
    home = tmp_path / "home"
    make_served_home(home, database=mlflow_database)
    (home / "tables").mkdir(exist_ok=True)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with container(home, port) as process:
        deadline = time.monotonic() + SECONDS
        while not is_ready(address):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        photo = {"photo": ("photo.jpg", drawn_photo("cat"))}
        answer = requests.post(f"{address}/api/v1/tags", files=photo, timeout=SECONDS)
        assert answer.json()["suggestions"][0]["tag"] == "cat"
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, printed
    assert "No host is configured" in printed
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=SECONDS)


def is_ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/health/ready", timeout=SECONDS).ok
    except requests.ConnectionError:
        return False


def test_it_ends_with_one_sentence_when_a_program_fails(tmp_path: Path) -> None:
    """Here the page, whose port is taken; an engine then restarts the container."""
    (tmp_path / "home" / "tables").mkdir(parents=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with container(tmp_path / "home", taken.getsockname()[1]) as process:
            printed, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert printed.splitlines()[-1].startswith("The page ended by itself (exit code 1)")
    assert "Traceback" not in printed
