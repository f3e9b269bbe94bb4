"""Applications that tag photos, shared by the tests that leave them as they found them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reds_pipeline_tests.tagging.served_home import make_served_home
from reds_pipeline_tests.web.serving import served
from reds_pipeline_tests.web.tagging_site import wait_until_ready


@pytest.fixture(scope="session")
def tagging_home(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """Return a home with a champion of classes and one of hashtags, to be read or copied."""
    root = tmp_path_factory.mktemp("tagging") / "home"
    make_served_home(root, database=mlflow_database)
    return root


@pytest.fixture(scope="session")
def tagging_address(tagging_home: Path) -> Iterator[str]:
    """Serve it on this machine only, where nobody is counted."""
    with served(tagging_home, is_tagging=True) as address:
        wait_until_ready(address, models=2)
        yield address


@pytest.fixture(scope="session")
def unready_address(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path
) -> Iterator[str]:
    """Serve a home that has no model yet."""
    root = tmp_path_factory.mktemp("unready") / "home"
    make_served_home(root, versions=0, database=mlflow_database)
    with served(root, is_tagging=True) as address:
        yield address
