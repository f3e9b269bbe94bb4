"""What a configured installation hands to its assets."""

from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings


@pytest.mark.parametrize(
    "media_host", ["http://127.0.0.1:4000", "https://media.example"], ids=["its own", "another"]
)
def test_the_budget_of_pictures_holds_for_every_media_host(media_host: str, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, host_url="http://127.0.0.1:4000", media_per_run=7)
    fetcher = Platform(settings).media_fetcher()
    assert fetcher.manners_towards(media_host).budget == 7
