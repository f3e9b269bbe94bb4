from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from reds_pipeline.cli import cli
from reds_pipeline.errors import RedsError
from reds_pipeline.feedback.contributions import contributions
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import CONTRIBUTED_IMAGES, read_rows, write_rows
from reds_pipeline_tests.feedback.makers import desk_of, given, taken_photo


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.mark.req("R-IMP-6")
def test_an_operator_deletes_an_upload_by_its_code(home: Home) -> None:
    ledger = Ledger(home.default_ledger_url)
    mine = given(desk_of(home, ledger), taken_photo(1))
    command = ["withdraw", "--home", str(home.root), "--upload", mine.code]
    result = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert "The photo is deleted" in result.stdout
    assert contributions(home) == []
    assert ledger.events("contribution")[-1]["why"] == "operator"
    again = CliRunner().invoke(cli, command)
    assert isinstance(again.exception, RedsError)
    assert "No photo is kept under this code" in str(again.exception)
    ledger.close()


def test_an_operator_finishes_what_was_left_undone(home: Home, mlflow_database: Path) -> None:
    home.root.mkdir()
    shutil.copy(mlflow_database, home.root / "mlflow.sqlite")
    row = {"contribution_id": "a" * 32, "sha256": home.images.put(b"left", "jpg")}
    table = home.table("contributed_images")
    write_rows(table, [row | {"extension": "jpg"}], CONTRIBUTED_IMAGES)
    command = ["withdraw", "--home", str(home.root), "--finish"]
    CliRunner().invoke(cli, command, catch_exceptions=False)
    assert read_rows(table) == []
    assert list(home.images.files()) == []
    again = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert again.stdout == "Nothing was left to be done.\n"


@pytest.mark.parametrize(
    "options",
    [("--upload", "A", "--finish"), ("--finish", "--post", "x"), ("--upload", "A", "--dry-run")],
    ids=["both", "with another", "only looking"],
)
def test_options_that_contradict_each_other_are_refused(
    home: Home, options: tuple[str, ...]
) -> None:
    result = CliRunner().invoke(cli, ["withdraw", "--home", str(home.root), *options])
    assert result.exit_code == 2
    assert not home.root.exists()
