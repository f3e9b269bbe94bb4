"""What all tests share: no test may be steered by the developer's own settings."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("REDS_") or name == "DAGSTER_HOME":
            monkeypatch.delenv(name)
