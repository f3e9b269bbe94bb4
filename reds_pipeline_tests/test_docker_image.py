"""What can be read off the Dockerfile and .dockerignore, and what linters say of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import pytest
from packaging.specifiers import SpecifierSet

from reds_pipeline_tests.compose_files import (
    DOCKERFILE,
    REPOSITORY,
    build_stages,
    image_environment,
)

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = ("fast", "heic", "postgres", "s3")
BUILDER, SERVICE, ALL_IN_ONE = "builder", "service", "all-in-one"
PROGRAMS = Path(sys.prefix) / "bin"


def ignored(path: PurePosixPath) -> bool:
    """Whether .dockerignore keeps a file out; the last line that matches it decides."""
    verdict = False
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = pattern.removeprefix("!")
        candidates = [path, *path.parents][:-1]
        anywhere = wanted.removeprefix("**/")
        if any(
            fnmatchcase(candidate.name if anywhere != wanted else str(candidate), anywhere)
            for candidate in candidates
        ):
            verdict = not pattern.startswith("!")
    return verdict


def copied_files() -> list[PurePosixPath]:
    """Return every file that the COPY instructions bring from here into a stage."""
    files = []
    for argument in build_stages()[BUILDER].arguments_of("COPY"):
        *sources, _target = argument.split()
        for source in sources:
            place = REPOSITORY / source
            assert place.exists(), f"COPY {source}: there is no such file"
            found = sorted(place.rglob("*")) if place.is_dir() else [place]
            kept = [
                relative
                for file in found
                if file.is_file()
                and not ignored(relative := PurePosixPath(file.relative_to(REPOSITORY)))
            ]
            assert kept, f"COPY {source}: .dockerignore keeps it out"
            files += kept
    return files


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("pyproject.toml", False),
        ("reds_pipeline/cli.py", False),
        ("reds_pipeline/lexicon/data/stop_words.txt", False),
        ("reds_pipeline/__pycache__/cli.cpython-311.pyc", True),
        (".reds/pseudonym.key", True),
        (".venv/bin/python", True),
        ("docker/.env", True),
        ("reds.toml", True),
    ],
)
def test_the_build_context_holds_what_is_needed_and_no_secret(path: str, out: bool) -> None:
    assert ignored(PurePosixPath(path)) is out


def test_the_copied_files_are_all_that_an_installation_needs() -> None:
    """`test_packaging.py` shows that a wheel made of these files is complete."""
    package = REPOSITORY / "reds_pipeline"
    needed = {
        PurePosixPath(file.relative_to(REPOSITORY))
        for file in package.rglob("*")
        if file.is_file() and file.parent.name != "__pycache__"
    }
    described = {PurePosixPath(name) for name in ("pyproject.toml", PROJECT["readme"])}
    assert set(copied_files()) == needed | described | {PurePosixPath("constraints.txt")}


def test_the_linter_has_nothing_to_say() -> None:
    outcome = subprocess.run(
        [PROGRAMS / "hadolint", "--failure-threshold", "style", DOCKERFILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode, outcome.stdout) == (0, "")


def test_the_stages_are_what_the_documents_name() -> None:
    stages = build_stages()
    assert list(stages) == [BUILDER, SERVICE, ALL_IN_ONE]
    assert stages[ALL_IN_ONE].base == SERVICE


def test_the_base_images_are_one_exact_python_that_reds_supports() -> None:
    stages = build_stages()
    assert stages[BUILDER].base == stages[SERVICE].base, "the environment is copied as it is"
    found = re.fullmatch(r"python:(\d+\.\d+\.\d+)-slim-bookworm", stages[SERVICE].base)
    assert found is not None
    assert found[1] in SpecifierSet(PROJECT["requires-python"])


def test_the_image_installs_exactly_the_declared_dependencies(tmp_path: Path) -> None:
    """The line that writes them down is run as it stands, under the image's shell."""
    (line,) = [
        argument
        for argument in build_stages()[BUILDER].arguments_of("RUN")
        if "requirements.txt" in argument
    ]
    writing, installing = line.split("&&")
    shutil.copyfile(REPOSITORY / "pyproject.toml", tmp_path / "pyproject.toml")
    environment = {"PATH": f"{PROGRAMS}:/usr/bin:/bin"}
    subprocess.run(
        ["/bin/sh", "-c", writing], cwd=tmp_path, env=environment, check=True, timeout=60
    )
    written = (tmp_path / "requirements.txt").read_text(encoding="utf-8").splitlines()
    optional = [line for extra in EXTRAS for line in PROJECT["optional-dependencies"][extra]]
    assert written == PROJECT["dependencies"] + optional
    assert "-c constraints.txt" in installing
    assert set(PROJECT["optional-dependencies"]) == {*EXTRAS, "dev"}, "nothing else is left out"


def test_what_builds_is_not_passed_on() -> None:
    """The last image has neither pip nor a compiler nor Debian's package lists."""
    for name in (SERVICE, ALL_IN_ONE):
        stage = build_stages()[name]
        assert all("--from=builder" in copied for copied in stage.arguments_of("COPY"))
        assert not any("apt" in run or "pip install" in run for run in stage.arguments_of("RUN"))
    (finishing,) = build_stages()[SERVICE].arguments_of("RUN")
    assert "pip uninstall --yes pip setuptools wheel" in finishing
    (environment,) = [
        run for run in build_stages()[BUILDER].arguments_of("RUN") if "-m venv" in run
    ]
    assert "-m venv --without-pip /opt/reds" in environment


def test_packages_of_the_system_have_their_versions_written_down() -> None:
    (line,) = [run for run in build_stages()[BUILDER].arguments_of("RUN") if "apt-get" in run]
    installed = re.search(r"--no-install-recommends (.*?) &&", line)
    assert installed is not None
    assert all("=" in word for word in installed[1].split())
    assert "rm -rf /var/lib/apt/lists" in line


def test_the_images_run_as_a_user_who_owns_the_volumes_only() -> None:
    service = build_stages()[SERVICE]
    assert service.arguments_of("USER") == ["1000:1000"]
    assert build_stages()[ALL_IN_ONE].arguments_of("USER") == []
    (making,) = service.arguments_of("RUN")
    assert "useradd --uid 1000 " in making
    owned = making.partition("install --directory --owner=reds --group=reds")[2].split()[1:]
    lasting = {value for value in image_environment().values() if value.startswith("/data/")}
    assert {"/data/reds", "/data/dagster", "/data/models"} == lasting
    assert lasting | {"/data", "/data/mlflow"} == set(owned)


def test_a_variable_of_the_image_names_a_volume_or_the_temporary_directory() -> None:
    """The rest of the file system may be read-only."""
    paths = {
        name: value
        for name, value in image_environment().items()
        if value.startswith("/") and name != "PATH"
    }
    assert {"REDS_HOME", "DAGSTER_HOME", "HF_HOME", "MPLCONFIGDIR", "XDG_CACHE_HOME"} == set(paths)
    assert all(value.startswith(("/data/", "/tmp/")) for value in paths.values())


@pytest.mark.req("R-PRD-1")
def test_the_images_serve_the_page_on_the_port_of_the_report() -> None:
    service, all_in_one = build_stages()[SERVICE], build_stages()[ALL_IN_ONE]
    assert service.arguments_of("EXPOSE") == ["5000"]
    assert json.loads(service.arguments_of("ENTRYPOINT")[0]) == list(PROJECT["scripts"])
    listening = ["--host=0.0.0.0", "--port=5000"]
    assert json.loads(service.arguments_of("CMD")[0]) == ["serve", *listening]
    assert json.loads(all_in_one.arguments_of("CMD")[0]) == listening
    program = json.loads(all_in_one.arguments_of("ENTRYPOINT")[0])
    # Programs that others left behind have to be seen off by somebody.
    assert program[:2] == ["tini", "--"]
    assert program[2:] == ["python", "-m", "reds_pipeline.deployment.all_in_one"]
    assert all_in_one.arguments_of("VOLUME") == ["/data"]


def test_the_image_knows_whether_it_is_well_and_what_it_is() -> None:
    service = build_stages()[SERVICE]
    (check,) = service.arguments_of("HEALTHCHECK")
    assert "http://127.0.0.1:5000/health/live" in check
    assert {"--interval=30s", "--timeout=5s"} <= set(check.split())
    (labels,) = service.arguments_of("LABEL")
    assert "org.opencontainers.image.title" in labels
