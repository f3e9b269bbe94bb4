"""What a home remembers of its demonstration, and who runs its instance."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import requests

from reds_pipeline.demo.demo_home import demo_answering, prepare_demo
from reds_pipeline.demo.pictures import DrawnPictures
from reds_pipeline.errors import RedsError
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.home import Home

CLASSES, PHOTOS_A_CLASS = ("cat", "dog"), 16


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    drawn = DrawnPictures(PHOTOS_A_CLASS)
    for name in CLASSES:
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number, picture in enumerate(drawn.clean_pictures(name)):
            file = tmp_path / "photos" / name / f"{number}.jpg"
            file.write_bytes(drawn.read(picture))
    return tmp_path / "photos"


def test_its_instance_answers_also_where_reds_up_runs_it_already(
    photos: Path, tmp_path: Path
) -> None:
    """Whoever reviews pictures in the browser retrains in a second terminal."""
    home = Home(tmp_path / "home")
    plan = prepare_demo(load_settings(home=home.root, backbones=("tiny",)), photos)
    url = f"{plan.instance.url}/api/v1/instance"
    with plan.instance, demo_answering(home):
        assert requests.get(url, timeout=5).ok
    with demo_answering(home):
        assert requests.get(url, timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    with (
        socket.create_server(("127.0.0.1", int(plan.instance.url.rpartition(":")[2]))),
        pytest.raises(RedsError, match="Address already in use"),
        demo_answering(home),
    ):
        pass


def test_a_home_of_a_real_host_has_no_instance(tmp_path: Path) -> None:
    with demo_answering(Home(tmp_path)):
        pass
    assert not list(tmp_path.iterdir())
