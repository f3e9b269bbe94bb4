"""An empty home with its ledger, for the tests of feedback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    opened = Ledger(home.default_ledger_url)
    yield opened
    opened.close()
