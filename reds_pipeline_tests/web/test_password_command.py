"""What `reds password` prints works, and goes where data goes."""

from __future__ import annotations

import tomllib

import pytest
from click.testing import CliRunner

from reds_pipeline.cli import cli
from reds_pipeline.errors import RedsError
from reds_pipeline.settings import load_settings
from reds_pipeline.web.operator_gate import OperatorGate
from reds_pipeline.web.password_hashes import is_password

PASSWORD = "four words nobody guesses"


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        pytest.param(["--stdin"], f"{PASSWORD}\n", id="from a file"),
        pytest.param(["--stdin"], f"{PASSWORD}\r\n", id="from a Windows file"),
        pytest.param([], f"{PASSWORD}\n{PASSWORD}\n", id="typed twice"),
        pytest.param([], f"{PASSWORD}\nslip\n{PASSWORD}\n{PASSWORD}\n", id="a slip"),
    ],
)
def test_the_line_it_prints_is_the_setting(arguments: list[str], typed: str) -> None:
    """Nothing but the line is on standard output, so that it can be appended to reds.toml."""
    result = CliRunner().invoke(cli, ["password", *arguments], input=typed)
    assert result.exit_code == 0
    assert PASSWORD not in result.output
    settings = load_settings(**tomllib.loads(result.stdout))
    gate = OperatorGate(settings, is_public=True)
    assert gate.has_login
    assert is_password(PASSWORD, gate.password_hash)


def test_a_token_for_programs_is_good_enough() -> None:
    first, second = (CliRunner().invoke(cli, ["password", "--token"]).stdout for _ in range(2))
    assert first != second
    OperatorGate(load_settings(**tomllib.loads(first)), is_public=True)


def test_a_weak_password_gets_a_sentence() -> None:
    with pytest.raises(RedsError, match="such as four words"):
        CliRunner().invoke(cli, ["password", "--stdin"], input="password\n", catch_exceptions=False)


def test_where_nobody_can_type_it_says_what_to_do() -> None:
    """In a container without a terminal; "the same command goes on from here" would be wrong."""
    with pytest.raises(RedsError, match="--stdin"):
        CliRunner().invoke(cli, ["password"], input="", catch_exceptions=False)
