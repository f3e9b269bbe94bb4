"""The documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from reds_pipeline.dataset.remembered import EXPORTS
from reds_pipeline.fediverse.consent import REASONS
from reds_pipeline.imaging.quality import GATES
from reds_pipeline.settings import settings_table
from reds_pipeline.storage import tables

ROOT = Path(__file__).parents[1]
SCHEMAS = {
    "EXPORTS": EXPORTS,
    **{name: value for name, value in vars(tables).items() if isinstance(value, pa.Schema)},
}


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_setting_is_documented_as_it_is() -> None:
    assert settings_table() in document("docs/settings.md"), (
        "put the output of reds_pipeline.settings.settings_table() into docs/settings.md"
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_column_of_every_table_is_documented(name: str) -> None:
    words = set(re.findall(r"`([^`]+)`", document("docs/data.md")))
    assert set(SCHEMAS[name].names) - words == set()


def test_every_gate_is_documented() -> None:
    words = set(re.findall(r"`([^`]+)`", document("docs/data.md")))
    assert set(REASONS) | {gate.name for gate in GATES} <= words


def test_the_readme_names_every_command_and_no_other() -> None:
    from reds_pipeline.cli import cli

    named = set(re.findall(r"^\| `reds (\w+)", document("README.md"), re.MULTILINE))
    assert named == set(cli.commands)


def test_links_between_documents_lead_somewhere() -> None:
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_exact_versions_carry_no_address() -> None:
    lines = [line for line in document("constraints.txt").splitlines() if not line.startswith("#")]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.+!-]+", line)] == []


def test_pictures_of_the_documents_are_shown_and_small() -> None:
    """Everybody who fetches the repository fetches them."""
    pictures = {
        path for name in ("pictures", "tutorial") for path in (ROOT / "docs" / name).iterdir()
    }
    shown = {
        (path.parent / target).resolve()
        for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", path.read_text(encoding="utf-8"))
    }
    assert pictures == shown
    assert [path.name for path in pictures if path.stat().st_size >= 250_000] == []


def test_every_picture_of_the_tutorial_can_be_taken_again() -> None:
    taken = re.findall(r'tutorial\.save\(\s*"(\w+)"', document("docs/make_tutorial.py"))
    assert sorted(taken) == sorted(path.stem for path in (ROOT / "docs" / "tutorial").iterdir())
