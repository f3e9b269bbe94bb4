"""The page while a class vanishes and another appears: nobody's answer is lost by it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from reds_pipeline.feedback.events import FEEDBACK
from reds_pipeline.feedback.summary import feedback_summary
from reds_pipeline_tests.tagging.served_home import (
    CLASSES,
    ServedHome,
    bundle,
    drawn_photo,
    make_served_home,
)
from reds_pipeline_tests.web.serving import served
from reds_pipeline_tests.web.tagging_site import SECONDS, tag, wait_until_ready


@pytest.fixture
def home(tmp_path: Path, mlflow_database: Path) -> ServedHome:
    return make_served_home(tmp_path / "home", hashtags=False, database=mlflow_database)


@pytest.fixture
def site(home: ServedHome) -> Iterator[str]:
    with served(home.platform.home.root, is_tagging=True) as address:
        wait_until_ready(address)
        yield address


def _model(site: str) -> dict[str, Any]:
    [model] = requests.get(f"{site}/api/v1/model", timeout=SECONDS).json()["models"]
    return dict(model)


def _let_another_serve(home: ServedHome, site: str) -> None:
    """Let a model take over that says fox where the one before said bird."""
    others = ["fox" if name == "bird" else name for name in CLASSES]
    version = home.add_version(of=replace(bundle("classes", 2), classes=tuple(others)))
    home.promote(version)
    deadline = time.monotonic() + SECONDS
    while _model(site)["version"] != version:
        assert time.monotonic() < deadline, "no other model took over"
        time.sleep(0.05)


def _said(home: ServedHome) -> list[tuple[str, str]]:
    events = home.platform.ledger.events(FEEDBACK)
    last = [each for each in events if each["form"] == events[-1]["form"]]
    return [(each["event"], each.get("tag", "")) for each in last if each["event"] != "shown"]


def test_an_answer_from_before_is_taken_after_its_class_has_vanished(
    home: ServedHome, site: str
) -> None:
    photo = drawn_photo("bird", 3)
    before = tag(site, photo).json()
    assert before["suggestions"][0]["tag"] == "bird"
    assert _model(site)["tags"] == list(CLASSES)

    _let_another_serve(home, site)
    assert _model(site)["tags"] == ["fox", "cat", "dog"]
    now = tag(site, photo).json()
    assert now["suggestions"][0]["tag"] == "fox"

    # The page was open all the while; its form names what is no longer known.
    form = {"answer": before["answer"], "verdict-1": "accept", "added": "fox, bird"}
    answer = requests.post(f"{site}/feedback", data=form, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    assert _said(home) == [("accept", "bird"), ("add", "fox")]

    # Who types it now types a word that no model knows, and such are not recorded.
    said = {"answer": now["answer"], "rejected": ["fox"], "added": ["bird"]}
    later = requests.post(f"{site}/api/v1/feedback", json=said, timeout=SECONDS)
    assert later.status_code == 200, later.text
    assert sorted(_said(home)) == [("add", "other"), ("reject", "fox")]

    shown = feedback_summary(home.platform.ledger).as_dict()
    assert "bird" in str(shown), "what people said of a class that is gone can still be read"


def test_the_page_names_the_new_class_and_no_longer_the_old_one(
    home: ServedHome, site: str
) -> None:
    assert "fox" not in requests.get(site, timeout=SECONDS).text
    _let_another_serve(home, site)
    page = requests.get(site, timeout=SECONDS)
    assert page.status_code == 200
    assert _model(site)["version"] == "2"
    shown = requests.post(
        f"{site}/tag", files={"photo": ("a.jpg", drawn_photo("bird", 4))}, timeout=SECONDS
    )
    assert shown.status_code == 200
    assert "fox" in shown.text.casefold()
    assert "bird" not in shown.text.casefold()
