from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter

from reds_pipeline.demo.pictures import draw_picture
from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.imaging.quality import DEFAULT_DROPS, GATES, figures, first_drop, flags
from reds_pipeline.storage.tables import IMAGES
from reds_pipeline_tests.imaging.pictures import encoded, scene
from reds_pipeline_tests.imaging.writing import page

_NAMES = [gate.name for gate in GATES]
_GOOD_SCORES = {
    "version": "any",
    "mode": "RGB",
    "transparent_share": 0.0,
    "brightness": 120.0,
    "shadows": 30.0,
    "highlights": 230.0,
    "sharpness": 0.6,
    "entropy": 4.5,
    "text_share": 0.02,
}


def _row(changed_scores: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    scores = {**_GOOD_SCORES, **(changed_scores or {})}
    return {"colour_spread": 90.0, "width": 640, "height": 480, "scores": scores, **changes}


def _row_of_file(data: bytes) -> dict[str, Any]:
    examined = examine_image(data)
    return {name: getattr(examined, name) for name in _row()}


@cache
def _photograph() -> Image.Image:
    """Return a colourful, detailed picture with which no gate finds fault."""
    return draw_picture("cat", 1).resize((480, 480), Image.Resampling.LANCZOS)


def test_a_good_picture_has_no_flags() -> None:
    assert flags(_row()) == []


@pytest.mark.parametrize(
    ("name", "fine", "faulty"),
    [
        ("greyscale", _row(colour_spread=10.1), _row(colour_spread=10.0)),
        ("cmyk", _row({"mode": "RGBA"}), _row({"mode": "CMYK"})),
        ("transparent", _row({"transparent_share": 0.049}), _row({"transparent_share": 0.05})),
        ("extreme_aspect", _row(width=1439), _row(width=1440)),
        ("extreme_aspect", _row(height=1919), _row(height=1920)),
        ("tiny", _row(height=112, width=112), _row(height=111, width=111)),
        ("dark", _row({"highlights": 65.0}), _row({"highlights": 64.0})),
        ("bright", _row({"shadows": 199.0}), _row({"shadows": 200.0})),
        ("flat", _row({"entropy": 1.81}), _row({"entropy": 1.8})),
        ("blurry", _row({"sharpness": 0.351}), _row({"sharpness": 0.35})),
        ("text_heavy", _row({"text_share": 0.299}), _row({"text_share": 0.3})),
    ],
)
def test_each_gate_hits_at_its_threshold(
    name: str, fine: dict[str, Any], faulty: dict[str, Any]
) -> None:
    assert flags(fine) == []
    assert flags(faulty) == [name]


def test_all_gates_that_hit_are_named_in_their_order() -> None:
    worst = _row(
        {
            "mode": "CMYK",
            "transparent_share": 1.0,
            "shadows": 255.0,
            "highlights": 0.0,
            "sharpness": 0.0,
            "entropy": 0.0,
            "text_share": 1.0,
        },
        colour_spread=0.0,
        width=10,
        height=100,
    )
    assert flags(worst) == _NAMES


def test_rows_from_before_there_were_scores_are_asked_what_they_know() -> None:
    old = _row(colour_spread=3.0, width=2000, height=90, scores=None)
    assert flags(old) == ["greyscale", "extreme_aspect", "tiny"]


def test_a_row_without_a_picture_has_no_flags() -> None:
    assert flags({"colour_spread": None, "width": None, "height": None, "scores": None}) == []


def test_thresholds_can_be_given() -> None:
    assert flags(_row(), {"blurry": 0.7}) == ["blurry"]
    assert flags(_row(colour_spread=20.0), {"greyscale": 20.0}) == ["greyscale"]


def test_rows_read_from_the_table_have_the_same_flags() -> None:
    row = _row({"mode": "CMYK", "sharpness": 0.1})
    columns = pa.schema([field for field in IMAGES if field.name in row])
    assert [flags(read) for read in pa.Table.from_pylist([row], columns).to_pylist()] == [
        ["cmyk", "blurry"]
    ]


@pytest.mark.parametrize(
    ("found", "drops", "reason"),
    [
        ([], DEFAULT_DROPS, ""),
        (["blurry"], {"dark"}, ""),
        (["tiny", "blurry"], {"blurry", "tiny"}, "tiny"),
        (["tiny", "blurry"], {"blurry"}, "blurry"),
        (["greyscale"], DEFAULT_DROPS, "greyscale"),
    ],
)
def test_the_first_flag_that_drops_is_the_reason(
    found: list[str], drops: set[str], reason: str
) -> None:
    assert first_drop(found, drops) == reason


@given(st.lists(st.sampled_from(_NAMES), unique=True), st.sets(st.sampled_from(_NAMES)))
def test_a_reason_is_a_flag_that_drops_or_there_is_none(found: list[str], drops: set[str]) -> None:
    reason = first_drop(found, drops)
    assert reason in drops & set(found) if drops & set(found) else reason == ""


def test_every_gate_can_be_told_from_the_others_and_says_what_it_found() -> None:
    assert len(set(_NAMES)) == len(GATES)
    assert all(gate.sentence.endswith(".") and gate.side in {"low", "high"} for gate in GATES)
    assert {gate.column for gate in GATES} == set(figures(_row()))


def _cut_out() -> Image.Image:
    picture = _photograph().convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 480, 100))
    return picture


def _washed_out() -> Image.Image:
    return Image.blend(_photograph(), Image.new("RGB", (480, 480), "white"), 0.93)


@pytest.mark.req("R-SCR-5")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(encoded(_photograph()), [], id="colour"),
        pytest.param(encoded(_photograph(), "PNG"), [], id="colour without loss"),
        pytest.param(encoded(_photograph().convert("RGBA"), "PNG"), [], id="alpha, all opaque"),
        pytest.param(
            encoded(_photograph().convert("L").convert("RGB")), ["greyscale"], id="grey in RGB"
        ),
        pytest.param(
            encoded(_photograph().convert("L").convert("RGB"), quality=30),
            ["greyscale"],
            id="grey in a bad colour JPEG",
        ),
        pytest.param(encoded(_photograph().convert("L")), ["greyscale"], id="one channel"),
        pytest.param(encoded(_photograph().convert("LA"), "PNG"), ["greyscale"], id="grey, alpha"),
        pytest.param(encoded(_photograph().convert("CMYK")), ["cmyk"], id="CMYK"),
        pytest.param(encoded(_cut_out(), "PNG"), ["transparent"], id="PNG with alpha"),
        pytest.param(encoded(_cut_out(), "WEBP", lossless=True), ["transparent"], id="WebP, alpha"),
        pytest.param(
            encoded(_photograph().crop((0, 100, 480, 250))), ["extreme_aspect"], id="a strip"
        ),
        pytest.param(encoded(_photograph().resize((100, 100))), ["tiny"], id="a thumbnail"),
        pytest.param(
            encoded(ImageEnhance.Brightness(_photograph()).enhance(0.2)),
            ["dark", "flat"],
            id="night",
        ),
        pytest.param(encoded(_washed_out()), ["bright", "flat", "greyscale"], id="washed"),
        pytest.param(encoded(Image.new("RGB", (480, 480), "teal")), ["flat", "blurry"], id="teal"),
        pytest.param(
            encoded(_photograph().filter(ImageFilter.GaussianBlur(5))), ["blurry"], id="blurred"
        ),
        pytest.param(
            encoded(_photograph().resize((48, 48)).resize((480, 480), Image.Resampling.BICUBIC)),
            ["blurry"],
            id="an enlarged thumbnail",
        ),
        pytest.param(
            encoded(page(ink=(90, 20, 20), paper=(240, 200, 120))), ["text_heavy"], id="a poster"
        ),
    ],
)
def test_files_are_flagged_for_what_is_wrong_with_them(data: bytes, expected: list[str]) -> None:
    assert flags(_row_of_file(data)) == expected


@pytest.mark.req("R-SCR-5")
@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
def test_animated_files_do_not_come_as_far_as_the_gates(file_format: str) -> None:
    frames = [scene(seed=seed) for seed in range(3)]
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:])
    with pytest.raises(ImageRejected, match="animated"):
        examine_image(data)


@pytest.mark.parametrize("class_name", ["cat", "dog", "flower", "bird", "car"])
def test_the_pictures_of_the_demo_are_good(class_name: str) -> None:
    files = (encoded(draw_picture(class_name, number), quality=85) for number in range(6))
    assert [flags(_row_of_file(data)) for data in files] == [[]] * 6


def test_the_figures_are_those_of_the_examined_picture() -> None:
    examined = examine_image(encoded(_photograph()))
    row = {key: value for key, value in asdict(examined).items() if key in _row()}
    known = figures(row)
    assert (known["aspect"], known["shorter_side"]) == (1.0, 480)
    assert known["sharpness"] == examined.scores["sharpness"]
