from __future__ import annotations

import getpass
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from reds_pipeline import software
from reds_pipeline.hardware import this_machine
from reds_pipeline.software import this_software


@pytest.mark.req("R-EXP-7")
def test_the_machine_is_described_without_naming_it() -> None:
    params = this_machine().as_params()
    assert all(params.values())
    assert int(params["hardware_cores"]) >= 1
    assert int(params["hardware_threads"]) >= 1
    told = " ".join(params.values())
    assert socket.gethostname() not in told
    assert getpass.getuser() not in told.split()
    assert platform.machine() in told


def test_asking_about_the_machine_imports_no_network_library() -> None:
    """A retraining without anything to embed should not pay seconds for torch."""
    program = "import sys; from reds_pipeline.hardware import this_machine; this_machine(); "
    program += "print('torch' in sys.modules)"
    asked = [sys.executable, "-c", program]
    assert subprocess.check_output(asked, text=True).strip() == "False"


def test_the_software_names_the_packages_that_numbers_depend_on() -> None:
    found = this_software()
    assert found.python == platform.python_version()
    assert {"numpy", "scikit-learn", "torch"} <= set(found.packages)


def test_a_checkout_of_something_else_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment often lies inside the repository of a project that uses it."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    installed = tmp_path / "site-packages" / "software.py"
    installed.parent.mkdir()
    installed.write_text("")
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "theirs"], check=True)
    monkeypatch.setattr(software, "__file__", str(installed))
    this_software.cache_clear()
    assert this_software().commit == ""
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "ours"], check=True)
    this_software.cache_clear()
    assert len(this_software().commit) == 40
    assert not this_software().changed
    installed.write_text("# changed")
    this_software.cache_clear()
    assert this_software().changed
    this_software.cache_clear()
