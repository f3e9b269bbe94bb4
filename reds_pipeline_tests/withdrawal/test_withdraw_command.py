"""What `reds withdraw` answers to a wrong request."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reds_pipeline.cli import cli
from reds_pipeline.errors import RedsError


@pytest.mark.parametrize(
    ("arguments", "kind", "complaint"),
    [
        ((), click.UsageError, "Name one of"),
        (("--post", "a", "--author", "b"), click.UsageError, "Name one of"),
        (("--post", "https://pix.example/"), RedsError, "is not the address of a post"),
        (("--author", "somebody"), RedsError, "somebody"),
        (("--image", "no-such-file.jpg"), RedsError, "is not a SHA-256"),
    ],
    ids=["nothing", "two things", "no post", "no host", "no picture"],
)
def test_what_cannot_be_withdrawn_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], kind: type[Exception], complaint: str
) -> None:
    command = ["withdraw", "--home", str(tmp_path / "home"), *arguments]
    with pytest.raises(kind) as caught:
        CliRunner().invoke(cli, command, standalone_mode=False, catch_exceptions=False)
    (sentence,) = str(caught.value).splitlines()
    assert complaint in sentence
