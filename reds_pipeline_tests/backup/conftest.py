"""Small homes that hold a little of everything, and backups of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reds_pipeline.backup.make import make_backup
from reds_pipeline.feedback.contributions import Contribution
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline_tests.feedback.given_photos import give
from reds_pipeline_tests.held_home import drawn, fill

GIVEN = drawn(9)


@dataclass(frozen=True)
class Saved:
    """An installation, the photo that somebody gave to it, and a backup of it.

    Attributes:
        platform: The installation.
        given: The photo.
        file: The backup.
    """

    platform: Platform
    given: Contribution
    file: Path


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """Return the home to copy."""
    home = fill(tmp_path_factory.mktemp("held") / "home")
    shutil.copyfile(mlflow_database, home.root / "mlflow.sqlite")
    return home.root


@pytest.fixture
def platform(filled: Path, tmp_path: Path) -> Platform:
    shutil.copytree(filled, tmp_path / "home")
    return Platform(load_settings(home=tmp_path / "home"))


@pytest.fixture
def saved(platform: Platform, tmp_path: Path) -> Saved:
    given = give(platform.home, GIVEN)
    report = make_backup(platform, tmp_path / "saved.tar")
    return Saved(platform, given, report.file)


@pytest.fixture
def reopened() -> Callable[[Path], Platform]:
    """Return what opens a home as a new process would."""
    return lambda root: Platform(load_settings(home=root))
