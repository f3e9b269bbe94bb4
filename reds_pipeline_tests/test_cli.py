from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from reds_pipeline.cli import cli
from reds_pipeline.dataset.export import FORMATS
from reds_pipeline.dataset.licences import SHARING_LEVELS

COMMANDS = (
    *("demo", "run", "predict", "status", "doctor", "up", "hosts", "withdraw"),
    *("review", "retrain", "card", "export", "compare"),
    *("serve", "password", "feedback"),
)


def reds(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reds_pipeline.cli", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=300,
    )


def test_help_names_every_command(tmp_path: Path) -> None:
    result = reds("--help", cwd=tmp_path)
    assert result.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        *(("bogus",), ("run", "--bogus"), ("predict",), ("demo", "--photos", "nowhere")),
        *(("review", "--port", "99999"), ("up", "--page-port", "-1")),
        ("up", "--page-port", "3000"),
        ("export", "somewhere", "--check", "--deleted"),
    ],
    ids=[
        *("no such command", "no such option", "argument missing", "no such directory"),
        *("no such port", "a port below zero", "a port for two", "two things at once"),
    ],
)
def test_wrong_usage_is_exit_code_two(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = reds(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Usage: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("predict", "photo.jpg"), "There is no model in"),
        (("run",), "No host is configured"),
        (("serve", "--host", "192.0.2.1"), "192.0.2.1 is no address of this machine"),
    ],
    ids=["no model", "no host", "no such address"],
)
def test_what_cannot_work_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    result = reds(*arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert sentence in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_a_traceback_is_shown_on_demand(tmp_path: Path) -> None:
    """Of a command that fails soon: finding out what is missing takes others seconds."""
    result = reds("--debug", "password", "--stdin", cwd=tmp_path)
    assert result.returncode == 1
    assert "Traceback" in result.stderr


def test_an_empty_home_has_a_status(tmp_path: Path) -> None:
    result = reds("status", cwd=tmp_path)
    assert result.returncode == 0
    assert "Nothing has been collected yet" in result.stdout


def test_doctor_says_what_is_missing_and_what_to_do(tmp_path: Path) -> None:
    result = reds("doctor", cwd=tmp_path)
    assert result.returncode == 1
    assert "REDS_HOST_URL" in result.stdout


def test_the_choices_of_an_export_are_those_there_are() -> None:
    """They are written out in the command, which must not load the packages to say them."""
    choices = {
        parameter.name: tuple(parameter.type.choices)
        for parameter in cli.commands["export"].params
        if isinstance(parameter.type, click.Choice)
    }
    assert choices == {"form": FORMATS, "licences": SHARING_LEVELS}
