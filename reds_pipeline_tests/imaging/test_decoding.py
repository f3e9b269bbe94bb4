from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.decoding import bad_files_rejected, opaque_rgb
from reds_pipeline_tests.imaging.pictures import scene

RED = (200, 30, 30)


def _one_pixel(picture: Image.Image) -> tuple[int, ...]:
    rgb = opaque_rgb(picture)
    assert rgb.mode == "RGB"
    return tuple(np.asarray(rgb)[0, 0].tolist())


def _transparent_palette() -> Image.Image:
    picture = Image.new("P", (2, 2), 1)
    picture.putpalette([0, 0, 0, *RED])
    picture.info["transparency"] = bytes([255, 0])
    return picture


@pytest.mark.req("R-SCR-5")
@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        pytest.param(Image.new("RGB", (2, 2), RED), RED, id="plain"),
        pytest.param(Image.new("L", (2, 2), 77), (77, 77, 77), id="one channel"),
        pytest.param(Image.new("1", (2, 2), 1), (255, 255, 255), id="one bit"),
        pytest.param(Image.new("I;16", (2, 2), 65_535), (255, 255, 255), id="16-bit white"),
        pytest.param(Image.new("I;16", (2, 2), 257 * 77), (77, 77, 77), id="16-bit grey is scaled"),
        pytest.param(Image.new("CMYK", (2, 2), (0, 255, 255, 0)), (255, 0, 0), id="CMYK red"),
        pytest.param(Image.new("RGBA", (2, 2), (*RED, 255)), RED, id="opaque alpha"),
        pytest.param(
            Image.new("RGBA", (2, 2), (*RED, 0)), (255, 255, 255), id="transparent is white"
        ),
        pytest.param(
            Image.new("LA", (2, 2), (0, 127)), (128, 128, 128), id="half transparent black"
        ),
        pytest.param(_transparent_palette(), (255, 255, 255), id="transparent palette entry"),
    ],
)
def test_every_mode_becomes_what_it_looks_like_on_white(
    picture: Image.Image, expected: tuple[int, ...]
) -> None:
    assert _one_pixel(picture) == expected


def test_plain_pictures_are_not_copied() -> None:
    picture = scene()
    assert opaque_rgb(picture) is picture


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("image file is truncated (3 bytes not processed)"), "truncated"),
        (OSError("broken data stream"), "undecodable"),
        (SyntaxError("not a PNG file"), "undecodable"),
        (IndexError("index out of range"), "undecodable"),
        (Image.DecompressionBombError("too large"), "too_many_pixels"),
        (Image.DecompressionBombWarning("rather large"), "too_many_pixels"),
    ],
)
def test_what_pillow_raises_becomes_a_reason(error: Exception, reason: str) -> None:
    with pytest.raises(ImageRejected) as refusal, bad_files_rejected():
        raise error
    assert refusal.value.reason == reason


def test_a_lack_of_memory_is_not_blamed_on_the_file() -> None:
    with pytest.raises(MemoryError), bad_files_rejected():
        raise MemoryError
