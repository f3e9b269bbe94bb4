"""From a picture file to an answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline import terminal
from reds_pipeline.embedding.encoder import Encoder
from reds_pipeline.embedding.weights import WeightsFile
from reds_pipeline.errors import RedsError
from reds_pipeline.imaging.resize import SIDE, resize_rule
from reds_pipeline.modeling.bundle import Kind, ModelBundle, Provenance
from reds_pipeline.modeling.familiarity import Familiarity
from reds_pipeline.tagging.tagger import Tagger


class _MeanColours:
    """An encoder whose features are the mean red, green and blue, 0 to 1."""

    encoder_id, name, dimension = "colours-1", "colours", 3
    weights = preprocessing = "none"
    weights_file: WeightsFile | None = None

    def __init__(self, input_size: int = SIDE) -> None:
        self.input_size = input_size

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert images.shape[1:] == (self.input_size, self.input_size, 3)
        return np.asarray(images.mean(axis=(1, 2)) / 255, np.float32)


def _bundle(kind: Kind, threshold: float, side: int = SIDE) -> ModelBundle:
    """Return a model that sees how red, green and blue a picture is."""
    return ModelBundle(
        kind=kind,
        classes=("red", "green", "blue"),
        mean=np.full(3, 0.5),
        scale=np.ones(3),
        weights=np.eye(3) * 10,
        intercept=np.zeros(3),
        slope=np.ones(3),
        offset=np.zeros(3),
        thresholds=np.full(3, threshold),
        provenance=Provenance(
            "colours", "colours-1", resize_rule(side), "0" * 64, "2026-01-02T03:04:05Z", {}
        ),
    )


def _tagger(kind: Kind, threshold: float, side: int = SIDE) -> Tagger:
    encoder: Encoder = _MeanColours(side)
    return Tagger(_bundle(kind, threshold, side), encoder, "7")


def _photo(directory: Path, colour: tuple[int, int, int]) -> Path:
    path = directory / f"{'-'.join(map(str, colour))}.png"
    Image.new("RGB", (300, 240), colour).save(path)
    return path


YELLOW, DARK = (250, 240, 10), (20, 10, 0)


@pytest.mark.req("R-IMP-1")
@pytest.mark.parametrize(
    ("kind", "threshold", "colour", "tags", "is_confident"),
    [
        pytest.param("tags", 0.9, YELLOW, ["red", "green"], True, id="tags above thresholds"),
        pytest.param("tags", 0.5, DARK, [], False, id="no tag"),
        pytest.param("classes", 0.5, YELLOW, ["red", "green", "blue"], True, id="confident"),
        pytest.param("classes", 0.9, YELLOW, ["red", "green", "blue"], False, id="in doubt"),
        pytest.param("classes", 0.0, DARK, ["red", "green", "blue"], True, id="no threshold"),
    ],
)
def test_tags_reach_their_thresholds_and_classes_are_all_ranked(
    *,
    kind: Kind,
    threshold: float,
    colour: tuple[int, int, int],
    tags: list[str],
    is_confident: bool,
    tmp_path: Path,
) -> None:
    """``top`` is the likeliest in any case, and ``confident`` whether to rely on it."""
    (answer,) = _tagger(kind, threshold).tag_files([_photo(tmp_path, colour)])
    assert [tag["tag"] for tag in answer["tags"]] == tags
    assert answer["top"] == "red"
    assert answer["confident"] is is_confident
    assert answer["model_version"] == "7"
    if kind == "classes":
        assert sum(tag["probability"] for tag in answer["tags"]) == pytest.approx(1)


@pytest.mark.parametrize("side", [160, SIDE, 299])
def test_a_picture_is_prepared_as_the_encoder_takes_it(side: int, tmp_path: Path) -> None:
    """R-PRD-4: the same preprocessing as in training, whatever the input size."""
    photo = _photo(tmp_path, YELLOW)
    (answer,) = _tagger("tags", 0.9, side).tag_files([photo])
    assert answer["top"] == "red"


def test_another_input_size_or_encoder_than_in_training_is_refused() -> None:
    with pytest.raises(RedsError, match="prepared by square160"):
        Tagger(_bundle("tags", 0.5, side=160), _MeanColours(SIDE), "1")
    other = _MeanColours()
    other.encoder_id = "colours-2"
    with pytest.raises(RedsError, match="trained on embeddings of colours-1"):
        Tagger(_bundle("tags", 0.5), other, "1")


def test_a_file_that_is_no_picture_keeps_its_place_among_the_answers(tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture")
    photos = [_photo(tmp_path, YELLOW), text, _photo(tmp_path, DARK), tmp_path / "absent.png"]
    answers = _tagger("tags", 0.9).tag_files(photos)
    assert [answer["file"] for answer in answers] == [str(path) for path in photos]
    assert ["error" in answer for answer in answers] == [False, True, False, True]
    assert answers[1]["error"].endswith(
        "it is not a picture that can be read; choose a JPEG, PNG, WebP or HEIC file."
    )


def test_nothing_to_look_at_is_no_error() -> None:
    tagger = _tagger("classes", 0.5)
    assert tagger.tag_files([]) == []
    assert tagger.tag(np.zeros((0, SIDE, SIDE, 3), np.uint8)) == []


def test_more_files_than_are_read_at_once_come_back_in_order(tmp_path: Path) -> None:
    colours = [YELLOW, DARK] * 20
    answers = _tagger("tags", 0.9).tag_files([_photo(tmp_path, colour) for colour in colours])
    assert [bool(answer["tags"]) for answer in answers] == [True, False] * 20


@pytest.mark.parametrize(
    ("kind", "threshold", "colour", "words"),
    [
        ("tags", 0.9, YELLOW, "red 0.99  green 0.99"),
        ("tags", 0.5, DARK, "no tag is likely enough"),
        ("classes", 0.9, YELLOW, "blue 0.00  (not sure)"),
    ],
)
def test_a_terminal_says_what_to_rely_on(
    *,
    kind: Kind,
    threshold: float,
    colour: tuple[int, int, int],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal.show_tags(_tagger(kind, threshold).tag_files([_photo(tmp_path, colour)]))
    assert words in capsys.readouterr().out


def test_a_photo_unlike_what_the_model_learnt_is_nothing_to_rely_on(tmp_path: Path) -> None:
    """However high its chance: the model has to choose among what it knows."""
    bright = Familiarity(np.zeros(3), np.ones(3), np.full((1, 3), 3**-0.5), 0.9)
    bundle = replace(_bundle("classes", 0.5), familiarity=bright)
    tagger = Tagger(bundle, _MeanColours(), "7")
    colours = ((250, 250, 200), (250, 0, 0))
    known, unknown = tagger.tag_files([_photo(tmp_path, colour) for colour in colours])
    assert known["familiar"] is True
    assert (unknown["familiar"], unknown["confident"]) == (False, False)
    (untold,) = _tagger("classes", 0.5).tag_files([_photo(tmp_path, colours[1])])
    assert (untold["familiar"], untold["confident"]) == (None, True)
