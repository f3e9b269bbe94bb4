from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.colour import colour_spread
from reds_pipeline.imaging.description import describe_stored
from reds_pipeline.imaging.examine import ImageLimits, examine_image
from reds_pipeline.imaging.resize import square_224
from reds_pipeline.imaging.scores import SCORES_VERSION
from reds_pipeline.storage.tables import SCORES
from reds_pipeline_tests.imaging.pictures import FORMATS, encoded, scene, with_orientation

ORIENTED_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
# Large enough that a JPEG is decoded at half its size, of odd sides, and cut.
LARGE = scene(1207, 901, seed=5)
# Of grain, the order of turning and resizing shows in the pixels; soft pictures hide it.
GRAIN = Image.fromarray(np.random.default_rng(5).integers(0, 255, (400, 521, 3), dtype=np.uint8))


def _with_alpha(picture: Image.Image) -> Image.Image:
    """Return the picture fading out to the right."""
    faded = picture.convert("RGBA")
    faded.putalpha(Image.linear_gradient("L").rotate(90).resize(picture.size))
    return faded


UNUSUAL_FILES = {
    "progressive JPEG": encoded(LARGE, quality=90, progressive=True),
    "grey JPEG": encoded(LARGE.convert("L")),
    "CMYK JPEG": encoded(LARGE.convert("CMYK")),
    "palette": encoded(scene(300, 200).quantize(32), "PNG"),
    "palette with a transparent colour": encoded(
        scene(300, 200).quantize(32), "PNG", transparency=3
    ),
    "alpha in PNG": encoded(_with_alpha(scene(300, 200)), "PNG"),
    "alpha in WebP": encoded(_with_alpha(scene(300, 200)), "WEBP"),
    "alpha in AVIF": encoded(_with_alpha(scene(300, 200)), "AVIF"),
    "GIF with a transparent colour": encoded(scene(300, 200).quantize(32), "GIF", transparency=3),
    "one bit": encoded(scene(300, 200).convert("1"), "PNG"),
    "16 bits": encoded(
        Image.fromarray(np.arange(90_000, dtype=np.uint32).reshape(300, 300).astype(np.uint16)),
        "PNG",
    ),
}


def _assert_square_is_that_of_the_stored_file(data: bytes) -> None:
    examined = examine_image(data, ImageLimits(min_side=1))
    square, cropped = square_224(examined.data)
    assert (examined.square.shape, examined.square.dtype) == ((224, 224, 3), np.dtype("uint8"))
    np.testing.assert_array_equal(examined.square, square)
    assert examined.cropped is cropped


@pytest.mark.req("R-IMG-12")
@pytest.mark.parametrize("file_format", ORIENTED_FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_square_of_the_one_pass_is_that_of_the_stored_file(
    file_format: str, orientation: int
) -> None:
    """Whichever of the two made a tensor, it is the same bit by bit."""
    picture = LARGE if file_format == "JPEG" else GRAIN
    _assert_square_is_that_of_the_stored_file(with_orientation(picture, orientation, file_format))


@pytest.mark.req("R-IMG-10")
@pytest.mark.parametrize("kind", UNUSUAL_FILES)
def test_the_square_of_an_unusual_file_is_that_of_the_stored_one(kind: str) -> None:
    _assert_square_is_that_of_the_stored_file(UNUSUAL_FILES[kind])


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 1200),
    st.integers(1, 1200),
    st.sampled_from(FORMATS),
    st.integers(1, 8),
)
def test_the_square_is_that_of_the_stored_file_whatever_its_size(
    width: int, height: int, file_format: str, orientation: int
) -> None:
    picture = Image.radial_gradient("L").convert("RGB").resize((width, height))
    file = (
        encoded(picture, file_format)
        if file_format == "GIF"
        else with_orientation(picture, orientation, file_format)
    )
    _assert_square_is_that_of_the_stored_file(file)


@pytest.mark.parametrize("file_format", ORIENTED_FORMATS)
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_stored_file_is_described_as_it_was_when_it_came(
    file_format: str, orientation: int
) -> None:
    """Homes that an older version of REDS filled are completed from their files."""
    examined = examine_image(with_orientation(LARGE, orientation, file_format))
    stored = describe_stored(examined.data)
    np.testing.assert_array_equal(stored.square, examined.square)
    for name in ("width", "height", "perceptual_hash", "mirrored_hash", "colour_spread", "scores"):
        assert getattr(stored, name) == getattr(examined, name), name


def test_colours_are_those_of_all_pixels_where_the_decoder_made_fewer() -> None:
    data = encoded(LARGE, quality=92)
    with Image.open(BytesIO(data)) as image:
        assert describe_stored(data).colour_spread == pytest.approx(colour_spread(image), abs=6)


@pytest.mark.req("R-SCR-5")
@pytest.mark.parametrize(
    ("kind", "mode", "transparent"),
    [
        ("grey JPEG", "L", False),
        ("CMYK JPEG", "CMYK", False),
        ("palette with a transparent colour", "P", True),
        ("alpha in WebP", "RGBA", True),
        ("alpha in AVIF", "RGBA", True),
        ("palette", "P", False),
    ],
)
def test_what_the_file_was_before_it_became_rgb_is_told(
    kind: str, mode: str, transparent: bool
) -> None:
    """Pictures that are not plain RGB are screened by these columns."""
    scores = examine_image(UNUSUAL_FILES[kind]).scores
    assert set(scores) == {field.name for field in SCORES}
    assert (scores["mode"], scores["version"]) == (mode, SCORES_VERSION)
    assert (scores["transparent_share"] > 0) is transparent


def test_a_picture_and_its_mirror_image_have_each_other_s_hashes() -> None:
    one = examine_image(encoded(scene(400, 300), "PNG"))
    other = examine_image(encoded(ImageOps.mirror(scene(400, 300)), "PNG"))
    assert (one.perceptual_hash, one.mirrored_hash) == (other.mirrored_hash, other.perceptual_hash)
    assert one.perceptual_hash != one.mirrored_hash


def test_a_stored_file_that_no_longer_decodes_has_a_reason() -> None:
    with pytest.raises(ImageRejected, match="truncated"):
        describe_stored(encoded(scene(300, 200))[:-200])
