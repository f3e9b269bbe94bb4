from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from reds_pipeline.demo.pictures import picture_file
from reds_pipeline.imaging.alignment import COPY_SCORE, align
from reds_pipeline.imaging.resize import square_224
from reds_pipeline_tests.imaging.pictures import encoded, scene


def _square(picture: Image.Image) -> NDArray[np.uint8]:
    return square_224(encoded(picture, "JPEG", quality=85))[0]


def _framed(picture: Image.Image) -> Image.Image:
    return ImageOps.expand(picture, 16, fill="white")


def _enlarged(picture: Image.Image) -> Image.Image:
    return picture.resize((700, 500))


@pytest.mark.req("R-SCR-7")
@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        pytest.param(lambda it: it, "cropped", id="encoded again"),
        pytest.param(_enlarged, "cropped", id="enlarged"),
        pytest.param(lambda it: it.crop((40, 10, 300, 220)), "cropped", id="cropped off-centre"),
        pytest.param(lambda it: it.crop((130, 80, 330, 225)), "cropped", id="cropped to a third"),
        pytest.param(lambda it: it.crop((0, 0, 240, 240)), "cropped", id="cropped to a square"),
        pytest.param(ImageOps.mirror, "mirrored", id="mirrored"),
        pytest.param(
            lambda it: ImageOps.mirror(it.crop((40, 10, 300, 220))), "mirrored", id="and cropped"
        ),
        pytest.param(_framed, "cropped", id="framed"),
        pytest.param(
            lambda it: ImageEnhance.Brightness(it).enhance(1.3), "cropped", id="brightened"
        ),
    ],
)
def test_copies_are_recognised_whichever_of_the_two_is_the_copy(
    edit: Callable[[Image.Image], Image.Image], kind: str
) -> None:
    original = scene(360, 260, 11)
    one, other = _square(original), _square(edit(original))
    for found in (align(one, other), align(other, one)):
        assert (found.is_copy, found.kind) == (True, kind)


@pytest.mark.parametrize(
    ("subject", "one", "other"), [("car", 12, 13), ("car", 18, 58), ("dog", 0, 12)]
)
def test_one_subject_before_two_backgrounds_is_two_pictures(
    subject: str, one: int, other: int
) -> None:
    """A drawing, a logo or a product agrees with itself in detail wherever it stands."""
    found = align(*(square_224(picture_file(subject, number))[0] for number in (one, other)))
    assert found.score >= COPY_SCORE
    assert not found.is_copy


@pytest.mark.parametrize("seed", range(4))
def test_other_pictures_are_no_copies(seed: int) -> None:
    found = align(_square(scene(360, 260, seed)), _square(scene(300, 300, seed + 50)))
    assert not found.is_copy


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Image.new("RGB", (300, 300), "navy"), id="one colour"),
        pytest.param(Image.linear_gradient("L").convert("RGB"), id="a gradient"),
        pytest.param(scene(300, 300, 1), id="a scene"),
    ],
)
def test_pictures_without_detail_are_copies_of_nothing(other: Image.Image) -> None:
    """Two flat pictures agree everywhere, which says nothing."""
    flat = Image.new("RGB", (300, 300), "grey")
    found = align(_square(flat), _square(other))
    assert not found.is_copy
    assert -1 <= found.score <= 1


def test_a_picture_agrees_with_itself_entirely() -> None:
    picture = _square(scene(300, 300, 2))
    assert align(picture, picture).score == pytest.approx(1.0, abs=1e-3)


def test_two_horizons_are_not_copies_although_they_agree_everywhere() -> None:
    """Their only line agrees wherever along it they are laid."""
    squares = []
    for seed in range(2):
        random = np.random.default_rng(seed)
        low = random.integers(10, 30, (8, 8), dtype=np.uint8)
        picture = Image.new("L", (300, 300), 235)
        picture.paste(Image.fromarray(low).resize((300, 130), Image.Resampling.BICUBIC), (0, 170))
        grainy = np.asarray(picture) - random.integers(0, 12, (300, 300), dtype=np.uint8)
        squares.append(_square(Image.fromarray(grainy).convert("RGB")))
    assert not align(*squares).is_copy
