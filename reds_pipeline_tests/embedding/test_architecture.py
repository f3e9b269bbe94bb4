"""What is said of a backbone is read from the network, never typed (R-EXP-11)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.embedding.architecture import BackboneDescription, describe_backbone
from reds_pipeline.embedding.architecture_notes import known_backbone
from reds_pipeline.embedding.encoder import EncoderSpec, load_encoder
from reds_pipeline.errors import RedsError
from reds_pipeline_tests.embedding.networks import SMALL_NETWORK


@pytest.fixture(scope="module")
def vgg16() -> BackboneDescription:
    return describe_backbone("vgg16")


@pytest.fixture(scope="module")
def vit() -> BackboneDescription:
    return describe_backbone("vit_base_patch16_224")


@pytest.mark.req("R-EXP-1")
@pytest.mark.req("R-EXP-11")
def test_vgg16_has_thirteen_convolutions_and_three_fully_connected_layers(
    vgg16: BackboneDescription,
) -> None:
    """Two of the three are written as convolutions in timm, and none of the sixteen is 4,096."""
    assert vgg16.type == "convolutional"
    assert (vgg16.convolutions, vgg16.fully_connected) == (13, 3)
    assert vgg16.layers == "13 convolutions, 3 fully connected layers"
    assert vgg16.parameters == 138_357_544
    assert (vgg16.input_size, vgg16.embedding_size) == (224, 4096)
    assert (vgg16.year, vgg16.patch_size) == (2014, None)


@pytest.mark.req("AUD-R14")
@pytest.mark.req("R-EXP-11")
def test_vit_has_twelve_blocks_and_sixteen_is_the_size_of_its_patches(
    vit: BackboneDescription,
) -> None:
    assert vit.type == "transformer"
    assert (vit.attention_blocks, vit.patch_size) == (12, 16)
    assert vit.layers.startswith("12 attention blocks, ")
    assert vit.parameters == 86_567_656
    assert (vit.input_size, vit.embedding_size) == (224, 768)
    assert vit.year == 2020
    assert vit.mean == vit.std == (0.5, 0.5, 0.5)


@pytest.mark.req("R-EXP-11")
def test_the_classifier_is_the_difference_between_both_counts_of_parameters(
    vgg16: BackboneDescription, vit: BackboneDescription
) -> None:
    for found in (vgg16, vit):
        head = (found.embedding_size + 1) * found.published_classes
        assert found.parameters - found.parameters_without_classifier == head


@pytest.mark.parametrize(
    ("name", "kind", "attention_blocks"),
    [
        ("swin_tiny_patch4_window7_224", "transformer", 12),
        ("hiera_tiny_224", "transformer", 12),
        ("levit_128s", "hybrid", 11),
        ("mixer_b16_224", "perceptron", 0),
        ("resnet50", "convolutional", 0),
    ],
)
def test_the_type_comes_from_the_modules(name: str, kind: str, attention_blocks: int) -> None:
    found = describe_backbone(name)
    assert (found.type, found.attention_blocks) == (kind, attention_blocks)


@pytest.mark.parametrize(
    ("name", "year", "number"),
    [
        ("mobilenetv2_100", 2018, "1801.04381"),
        ("resnet50", 2015, "1512.03385"),
        ("mobilenetv4_conv_small", 2024, "2404.10518"),
        ("densenet121", 2016, "1608.06993"),
    ],
    ids=["by a title", "by the file's first paper", "title with a dash", "by the class"],
)
def test_the_year_is_that_of_the_paper_timm_cites(name: str, year: int, number: str) -> None:
    """ResNet's class cites a bag of tricks of 2018, and its weights a recipe of 2021."""
    found = describe_backbone(name)
    assert found.year == year
    assert number in found.year_source


@pytest.mark.parametrize("name", ["mixnet_s", "mobilevit_s"])
def test_a_year_that_timm_does_not_state_is_not_guessed(name: str) -> None:
    """Their files hold many families, and the first paper is another family's."""
    found = describe_backbone(name)
    assert found.year is None
    assert found.as_params()["backbone_year"] == "not stated"


@pytest.mark.parametrize("name", ["tiny", SMALL_NETWORK])
def test_the_description_agrees_with_the_encoder_itself(
    name: str, weights_dir: Path, tensors: NDArray[np.uint8]
) -> None:
    found = describe_backbone(name)
    encoder = load_encoder(EncoderSpec(name, weights_dir))
    assert found.input_size == encoder.input_size
    assert found.embedding_size == encoder.dimension == encoder(tensors[:1]).shape[1]


def test_tiny_is_listed_for_what_it_is() -> None:
    found = describe_backbone("tiny")
    assert (found.type, found.parameters, found.layers) == ("histograms", 0, "none")


def test_an_unknown_name_is_one_sentence() -> None:
    with pytest.raises(RedsError, match=r"^The backbone vgg99 is unknown to timm, .* vgg16\?$"):
        describe_backbone("vgg99")


def test_a_description_is_remembered_while_it_holds(tmp_path: Path) -> None:
    """So that a retraining need not import timm; a note of another timm is made again."""
    first = known_backbone("resnet18", tmp_path)
    [note] = tmp_path.iterdir()
    content = json.loads(note.read_text())
    content["description"]["licence"] = "as remembered"
    note.write_text(json.dumps(content))
    assert known_backbone("resnet18", tmp_path) == replace(first, licence="as remembered")
    content["made_with"]["timm"] = "0.0.1"
    note.write_text(json.dumps(content))
    assert known_backbone("resnet18", tmp_path) == first
    note.write_text("damaged")
    assert known_backbone("resnet18", tmp_path) == first
