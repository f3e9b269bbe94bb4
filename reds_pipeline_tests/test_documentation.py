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


@pytest.mark.req("R-PRD-6")
def test_the_readme_walks_a_person_through_the_page_by_the_names_of_its_controls() -> None:
    steps = re.findall(r"^\d+\. (.+(?:\n   .+)*)", document("README.md"), flags=re.MULTILINE)
    words = ["Choose a file", "Process image", "Take the tags that are right"]
    assert [word in step for word, step in zip(words, steps, strict=False)] == [True] * 3
    templates = sorted((ROOT / "reds_pipeline/web/templates").glob("tag*.html"))
    shown = " ".join(path.read_text(encoding="utf-8") for path in templates)
    assert [word for word in words if word not in shown] == []
    assert "http://127.0.0.1:8080" in document("README.md")


# Docker's grammar of a reference (package "reference" of the distribution project).
IMAGE = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


@pytest.mark.req("R-PRD-6")
@pytest.mark.req("AUD-R16")
def test_the_image_that_is_run_has_a_legal_name_and_is_the_one_that_is_built() -> None:
    """The report's own, ``redspred:pred:v1``, is no reference: it has two colons."""
    assert IMAGE.fullmatch("redspred:pred:v1") is None
    text = " ".join(document("README.md").split())
    (built,) = re.findall(r"docker build [^`]*--tag ([^ `]+)", text)
    (run,) = re.findall(r"docker run -p 8080:5000 ([^ `]+)", text)
    assert IMAGE.fullmatch(run)
    assert run == built
