from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reds_pipeline.embedding.availability import backbones_in, hub_answers
from reds_pipeline_tests.embedding.model_hub import ModelHub


def test_backbones_are_the_names_of_the_files(tmp_path: Path) -> None:
    for name in (
        "vgg16.safetensors",
        "lcnet_050.safetensors",
        "notes.md",
        "old/resnet.safetensors",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "directory.safetensors").mkdir()
    assert backbones_in(tmp_path) == ["lcnet_050", "vgg16"]


@pytest.mark.parametrize("directory", [None, Path("/no/such/directory")])
def test_no_directory_holds_none(directory: Path | None) -> None:
    assert backbones_in(directory) == []


def test_a_hub_that_lists_models_answers() -> None:
    with ModelHub(listing=b'[{"id": "timm/some"}]').running() as hub:
        assert hub_answers(5.0, hub.url)
        assert [request.partition("?")[0] for request in hub.requests] == ["GET /api/models"]


@pytest.mark.parametrize("page", [b"<html>Please log in</html>", b'{"error": "no"}'])
def test_a_captive_portal_is_no_hub(page: bytes) -> None:
    with ModelHub(listing=page).running() as hub:
        assert not hub_answers(5.0, hub.url)


def test_nobody_there() -> None:
    assert not hub_answers(5.0, "http://127.0.0.1:9")


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Yield the address of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_hub_that_says_nothing_is_given_up(silent_server: str) -> None:
    assert not hub_answers(0.2, silent_server)


def test_offline_mode_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has switched the hub's client offline is not sent online by REDS."""
    from huggingface_hub import constants

    with ModelHub().running() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        assert hub_answers(5.0)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert not hub_answers(5.0)
        assert len(hub.requests) == 1
