from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from reds_pipeline.cli import cli
from reds_pipeline.errors import RedsError
from reds_pipeline_tests.backup.conftest import Saved


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def printed(*arguments: str | Path) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def sentence(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, RedsError)
    return str(result.exception)


@pytest.mark.req("R-IMP-8")
def test_from_a_home_to_a_file_and_to_a_home(saved: Saved, tmp_path: Path) -> None:
    home, file = saved.platform.home.root, tmp_path / "again.tar"
    made = printed("backup", "--home", home, file)
    assert printed("backup", "--home", home, "--check", file) == made
    told = run("backup", "--home", home, "--check", file).stderr
    assert "keep it private, and no longer than you need it" in told
    restored = printed("restore", file, "--home", tmp_path / "new", "--withdrawals-from", home)
    assert (restored["files"], restored["knows_withdrawals"]) == (made["files"], True)


def test_backups_are_listed_until_somebody_says_that_they_are_gone(saved: Saved) -> None:
    home = saved.platform.home.root
    assert [each["file"] for each in printed("backup", "--home", home, "--list")] == ["saved.tar"]
    assert "saved.tar" in run("backup", "--home", home, "--list").stdout
    assert "is still there" in sentence("backup", "--home", home, "--deleted", saved.file)
    saved.file.unlink()
    assert "not counted" in run("backup", "--home", home, "--deleted", saved.file).stderr
    assert printed("backup", "--home", home, "--list") == []


def test_a_home_that_was_moved_by_hand_is_noticed_and_mended(saved: Saved, tmp_path: Path) -> None:
    tracking = saved.platform.tracking
    with tracking.training("tiny", "key", params={}, tags={}):
        pass
    moved = tmp_path / "moved"
    shutil.move(saved.platform.home.root, moved)
    assert f"`reds restore --moved --home {moved}`" in sentence("history", "--home", moved)
    artifacts = moved / "mlflow-artifacts"
    artifacts.rename(moved / "elsewhere")
    assert "did not come along" in sentence("restore", "--moved", "--home", moved)
    (moved / "elsewhere").rename(artifacts)
    assert "2 addresses were changed" in run("restore", "--moved", "--home", moved).stderr
    assert "nothing had to be changed" in run("restore", "--moved", "--home", moved).stderr
    assert printed("history", "--home", moved)["changes"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["backup"],
        ["backup", "a.tar", "--list"],
        ["backup", "a.tar", "--check", "--deleted"],
        ["backup", "a.tar", "--check", "--without-pictures"],
        ["restore"],
        ["restore", "a.tar", "--moved"],
        ["restore", "--moved", "--withdrawals-from", "old"],
    ],
)
def test_what_does_not_go_together_is_wrong_usage(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2
