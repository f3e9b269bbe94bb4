"""What all tests share: not steered by the developer's own settings, nor by a busy machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from reds_pipeline.garbage_collection import collect_garbage_less_often

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

# How long drawing an example takes says how busy the machine is, nothing about the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# As in every program of REDS; a process that runs tests holds more objects than any of them.
collect_garbage_less_often()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Spread tests as ``spread`` says where they are to be spread by file."""
    if config.getoption("dist") != "loadfile":
        return None
    from reds_pipeline_tests.spread import ByFileAndHome

    return ByFileAndHome(config, log)


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("REDS_") or name == "DAGSTER_HOME":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an MLflow database with its tables, which take seconds to make; copy it."""
    from reds_pipeline.tracking import Tracking

    directory = tmp_path_factory.mktemp("mlflow")
    tracking = Tracking(f"sqlite:///{directory / 'mlflow.sqlite'}", directory / "unused")
    tracking.client.search_experiments()
    return directory / "mlflow.sqlite"
