"""Whether what pyproject.toml declares is what the package needs and holds."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement

import reds_pipeline
from reds_pipeline_tests.test_imports import imports_of

PACKAGE = Path(reds_pipeline.__file__).parent
REPOSITORY = PACKAGE.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def normalised(name: str) -> str:
    """Return a distribution's name in the one spelling that identifies it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared_libraries() -> set[str]:
    """Return the libraries that REDS needs, and those that it can do more with."""
    optional = PROJECT["optional-dependencies"]
    extras = [text for name in optional if name != "dev" for text in optional[name]]
    texts = [*PROJECT["dependencies"], *extras]
    return {normalised(Requirement(text).name) for text in texts}


def built_wheel_contents(source: Path, target: Path) -> set[str]:
    """Build a wheel of the project at ``source``; return the paths of the files in it.

    The build leaves its own files beside the source, so that must be a copy.
    """
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(target)),
            str(source),
        ],
        check=True,
        timeout=120,
    )
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_everything_imported_is_declared() -> None:
    """A library that only comes along with another one goes away when that one drops it."""
    declared = declared_libraries()
    providers = packages_distributions()
    undeclared = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for module in imports_of(path):
            top = module.partition(".")[0]
            if top in sys.stdlib_module_names or top == PACKAGE.name:
                continue
            if declared.isdisjoint(normalised(name) for name in providers.get(top, ())):
                undeclared.add(f"{path.relative_to(PACKAGE)} imports {top}")
    assert undeclared == set()


def test_every_declared_library_is_used() -> None:
    """What nothing imports only makes an installation larger."""
    imported = {
        module.partition(".")[0] for path in PACKAGE.rglob("*.py") for module in imports_of(path)
    }
    providers = packages_distributions()
    used = {normalised(name) for module in imported for name in providers.get(module, ())}
    # A command that is run, and what MLflow, BeautifulSoup, FastAPI, PyTorch's ONNX export,
    # Dagster and SQLAlchemy import for what we choose.
    used_otherwise = {
        *("dagster-webserver", "skops", "lxml", "python-multipart", "onnxscript"),
        *("dagster-postgres", "psycopg2-binary"),
    }
    assert declared_libraries() - used - used_otherwise == set()


def test_a_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    """Modules are found by themselves; data files have to be named in pyproject.toml."""
    source = tmp_path / "source"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, source / PACKAGE.name, ignore=ignore)
    for name in ("pyproject.toml", PROJECT["readme"]):
        shutil.copyfile(REPOSITORY / name, source / name)
    contents = built_wheel_contents(source, tmp_path / "wheels")
    files = {
        str(file.relative_to(source))
        for file in (source / PACKAGE.name).rglob("*")
        if file.is_file()
    }
    assert "reds_pipeline/py.typed" in files
    assert any(name.startswith("reds_pipeline/lexicon/data/") for name in files)
    assert {name for name in contents if name.startswith("reds_pipeline/")} >= files
