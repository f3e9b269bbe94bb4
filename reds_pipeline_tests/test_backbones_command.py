"""``reds backbones``: what the configured encoders are, without any weights (R-EXP-11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from reds_pipeline.cli import cli
from reds_pipeline.errors import RedsError
from reds_pipeline.terminal_backbones import show_engines
from reds_pipeline_tests.embedding.networks import SMALL_NETWORK, write_weights

pytestmark = pytest.mark.req("R-EXP-11")


def reds_backbones(home: Path, *options: str, **settings: str) -> str:
    environment = {f"REDS_{name.upper()}": value for name, value in settings.items()}
    result = CliRunner(env=environment).invoke(
        cli, ["backbones", "--home", str(home), *options], catch_exceptions=True
    )
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_every_configured_backbone_is_listed_with_its_weights(tmp_path: Path) -> None:
    weights = write_weights(tmp_path / "weights", SMALL_NETWORK)
    told = reds_backbones(
        tmp_path / "home",
        backbones=f"{SMALL_NETWORK},tiny,vit_base_patch16_224",
        weights_dir=str(weights),
    )
    small, tiny, vit = told.split("\n\n")
    assert "2018 (arXiv 1801.04381" in small
    assert f"the file {weights / SMALL_NETWORK}.safetensors" in small
    assert "none, nothing is learnt" in tiny
    assert "86,567,656 as published, 85,798,656 without the classifier" in vit
    assert "12 attention blocks" in vit
    assert "16 pixels wide" in vit


def test_programs_get_numbers(tmp_path: Path) -> None:
    told = json.loads(reds_backbones(tmp_path, "--json", backbones="tiny,resnet18"))
    tiny, resnet = told["backbones"]
    assert tiny["weights_here"] is True
    assert (resnet["parameters"], resnet["embedding_size"]) == (11_689_512, 512)
    assert resnet["layers"] == "20 convolutions, 1 fully connected layer"
    assert "engines" not in told


def test_an_unknown_name_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RedsError, match=r"^The backbone vgg99 is unknown to timm, "):
        reds_backbones(tmp_path, backbones="tiny,vgg99")


def test_measuring_without_pictures_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RedsError, match="no pictures in the data set to measure engines on"):
        reds_backbones(tmp_path, "--measure", backbones="tiny")


def test_measured_engines_are_a_table_and_none_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows: list[dict[str, Any]] = [
        {"engine": "pytorch", "images per CPU-second": 31.25, "same predictions": True},
        {"engine": "openvino", "images per CPU-second": None, "same predictions": False},
    ]
    show_engines("vgg16", rows)
    show_engines("tiny", [])
    told = capsys.readouterr().out
    assert "vgg16 on this machine" in told
    assert "31.25" in told
    assert "it is no network" in told
