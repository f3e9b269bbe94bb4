"""One finished data set and one export of each format, for tests that only look."""

from __future__ import annotations

import pytest

from reds_pipeline.dataset.export import FORMATS, ExportReport, ExportRequest, export_dataset
from reds_pipeline.dataset.facts import DatasetFacts
from reds_pipeline.storage.home import Home
from reds_pipeline_tests.dataset.dataset_home import facts_of, make_dataset_home


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_dataset_home(tmp_path_factory.mktemp("dataset") / "home")


@pytest.fixture(scope="session")
def facts(home: Home) -> DatasetFacts:
    return facts_of(home)


@pytest.fixture(scope="session")
def exports(
    home: Home, facts: DatasetFacts, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, ExportReport]:
    """An export of every picture in each format, by the name of the format."""
    root = tmp_path_factory.mktemp("exports")
    return {
        name: export_dataset(home, facts, ExportRequest(root / name, name, "all"))
        for name in FORMATS
    }
