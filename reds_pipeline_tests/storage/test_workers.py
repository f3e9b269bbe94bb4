from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reds_pipeline.storage.home import Home
from reds_pipeline.storage.workers import WorkerAtWork, at_work, worker_at

_HOLDER = """
import sys, time
from pathlib import Path
from reds_pipeline.storage.workers import at_work
with at_work(Path(sys.argv[1]), "`reds run`"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return Home(tmp_path).lock("run")


def test_who_must_not_wait_reads_who_works_since_when(lock: Path) -> None:
    with (
        at_work(lock, "`reds run`"),
        pytest.raises(WorkerAtWork) as refused,
        at_work(lock, "`reds retrain`"),
    ):
        pass
    assert re.fullmatch(
        rf"{lock.parent.parent} is being worked on by `reds run`, which began at \d\d:\d\d "
        rf"\(process {os.getpid()}\)\.",
        str(refused.value),
    )


def test_who_waits_hears_for_whom_and_then_works(lock: Path) -> None:
    lines: list[str] = []
    may_end, held = threading.Event(), threading.Event()

    def work() -> None:
        with at_work(lock, "`reds demo`"):
            held.set()
            may_end.wait()

    def heard(line: str) -> None:
        lines.append(line)
        may_end.set()

    other = threading.Thread(target=work)
    other.start()
    held.wait()
    with at_work(lock, "`reds run`", patience_seconds=None, waiting=heard):
        worker = worker_at(lock)
        assert worker is not None
        assert worker.work == "`reds run`"
    other.join()
    assert [line.split(", which")[0] for line in lines] == ["Waiting for `reds demo`"]
    assert worker_at(lock) is None


def test_a_killed_worker_leaves_a_note_that_says_nothing(lock: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(lock)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    worker = worker_at(lock)
    assert worker is not None
    assert worker.process == process.pid
    process.kill()
    process.wait()
    assert lock.with_suffix(".json").exists(), "nobody was left to remove it"
    assert worker_at(lock) is None
    with at_work(lock, "`reds run`"):
        pass
    assert not lock.with_suffix(".json").exists()


def test_a_look_refuses_nobody_and_writes_nothing(lock: Path) -> None:
    assert worker_at(lock) is None
    assert not lock.parent.exists()
    with at_work(lock, "`reds run`"):
        pass
    looking = lock.open("rb")
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.3, looking.close).start()
    with at_work(lock, "`reds run`"):
        pass
    assert looking.closed
