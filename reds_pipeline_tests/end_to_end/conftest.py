"""The ``reds`` command in a process of its own, and one finished home that many tests look at."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline.demo.wiretap import RequestRecord
from reds_pipeline_tests.end_to_end.ready_process import completed

COMMAND = [sys.executable, "-m", "reds_pipeline.cli"]
SECONDS = 300


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this environment without the user's own REDS and Dagster, plus ``settings``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("REDS_", "DAGSTER_", "MLFLOW_"))
    }
    return {**kept, "HF_HUB_OFFLINE": "1", **settings}


@dataclass(frozen=True)
class Reds:
    """The command, with the settings of one installation.

    Attributes:
        home: Its REDS_HOME.
        settings: Environment variables.
    """

    home: Path
    settings: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment({"REDS_HOME": str(self.home), **self.settings})

    def __call__(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the command and check its exit code."""
        result = completed(
            arguments, environment=self.environment, directory=self.home.parent, seconds=SECONDS
        )
        assert result.returncode == expect, f"{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.stderr
        return result

    def json(self, *arguments: str, expect: int = 0) -> Any:
        """Run the command with ``--json`` and return what it printed."""
        return json.loads(self(*arguments, "--json", expect=expect).stdout)


def installation(
    home: Path, instance: EmbeddedInstance, database: Path | None = None, **settings: str
) -> Reds:
    """Return the command pointed at an instance.

    Args:
        home: Its REDS_HOME.
        instance: The instance.
        database: Of MLflow, to begin with a copy of; without it the command makes its own.
        **settings: Environment variables.
    """
    home.mkdir(parents=True, exist_ok=True)
    if database is not None:
        shutil.copyfile(database, home / "mlflow.sqlite")
    return Reds(
        home,
        {
            "REDS_HOST_URL": instance.url,
            "REDS_HOST_TOKEN": instance.token,
            "REDS_BACKBONES": "tiny",
            "REDS_MIN_IMAGES_PER_CLASS": "5",
            # How full the disk is on which these tests run is not what they are about.
            "REDS_FREE_DISK_GB": "0",
            **settings,
        },
    )


class Install(Protocol):
    """Makes installations whose MLflow database has its tables already."""

    def __call__(self, home: Path, instance: EmbeddedInstance, **settings: str) -> Reds:
        """Return the command pointed at an instance."""


@pytest.fixture(scope="session")
def install(mlflow_database: Path) -> Install:
    """Return what makes installations quickly; one test makes its database itself."""
    return partial(installation, database=mlflow_database)


@dataclass(frozen=True)
class FinishedRun:
    """A home after its first run, with the instance still there.

    Attributes:
        town: What the instance shows.
        instance: The running instance.
        reds: The command on that home.
        result: The first run.
        requests: What the instance was asked during the first run.
    """

    town: Town
    instance: EmbeddedInstance
    reds: Reds
    result: subprocess.CompletedProcess[str]
    requests: tuple[RequestRecord, ...]

    @property
    def home(self) -> Path:
        return self.reds.home

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads(self.result.stdout)


@pytest.fixture(scope="session")
def small_backbone(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Return a network's name and a directory with (untrained) weights of it."""
    import timm
    import torch
    from safetensors.torch import save_file

    name = "test_efficientnet"
    directory = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    save_file(
        timm.create_model(name, pretrained=False).state_dict(), directory / f"{name}.safetensors"
    )
    return name, directory


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory, small_backbone: tuple[str, Path]
) -> Iterator[FinishedRun]:
    """Run the whole main job once, with automatic choice of classes and two backbones."""
    name, weights = small_backbone
    town = Town.build(images_per_class=40)
    with EmbeddedInstance(town) as instance:
        reds = installation(
            tmp_path_factory.mktemp("finished") / "home",
            instance,
            REDS_BACKBONES=f"tiny,{name}",
            REDS_WEIGHTS_DIR=str(weights),
        )
        result = reds("run", "--json")
        yield FinishedRun(town, instance, reds, result, tuple(instance.requests))
