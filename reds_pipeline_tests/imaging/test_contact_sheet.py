from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.imaging.contact_sheet import contact_sheet


def _noise(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (count, 224, 224, 3), dtype=np.uint8)


def _opened(jpeg: bytes) -> Image.Image:
    image = Image.open(BytesIO(jpeg))
    assert image.format == "JPEG"
    return image.convert("RGB")


@pytest.mark.req("R-SCR-9")
def test_pictures_stand_five_a_row_in_their_order() -> None:
    colours = np.array([[40 * index, 255 - 40 * index, 128] for index in range(6)], dtype=np.uint8)
    tensors = np.broadcast_to(colours[:, None, None, :], (6, 224, 224, 3))
    sheet = _opened(contact_sheet(tensors))
    assert sheet.size == (5 * 134 + 6, 2 * 134 + 6)
    for index, colour in enumerate(colours):
        centre = (6 + index % 5 * 134 + 64, 6 + index // 5 * 134 + 64)
        assert np.abs(np.array(sheet.getpixel(centre)) - colour).max() < 8
    assert sheet.getpixel((400, 200)) == (255, 255, 255), "the rest of the last row is empty"


@pytest.mark.parametrize("count", [1, 25, 200])
def test_the_worst_pictures_still_fit(count: int) -> None:
    # Noise is what JPEG compresses worst.
    jpeg = contact_sheet(_noise(count), max_bytes=100_000)
    assert len(jpeg) <= 100_000


def test_the_text_form_of_the_usual_sheet_fits_into_an_event() -> None:
    assert len(base64.b64encode(contact_sheet(_noise(25)))) <= 99_900


def test_captions_are_drawn_below_and_cut_to_the_width() -> None:
    tensors = np.full((2, 224, 224, 3), 255, dtype=np.uint8)
    sheet = np.asarray(_opened(contact_sheet(tensors, ["cat 17", ""])))
    dark = sheet.min(axis=2) < 120
    assert dark[134:152, 6:134].any()
    assert not dark[134:152, 140:].any()
    long = np.asarray(_opened(contact_sheet(tensors, ["W" * 500 + "\nsecond", ""])))
    assert not (long.min(axis=2) < 120)[:, 140:].any()


def test_captions_grow_with_their_pictures() -> None:
    """Small print under large pictures could not be read when the sheet is shown smaller."""
    heights = []
    for side in (128, 224):
        tensors = np.full((1, 224, 224, 3), 255, dtype=np.uint8)
        sheet = np.asarray(_opened(contact_sheet(tensors, ["flower"], thumbnail_side=side)))
        inked = (sheet.min(axis=2) < 120).any(axis=1).nonzero()[0]
        heights.append(inked.max() - inked.min())
    assert heights[1] > 1.2 * heights[0]


def test_no_pictures_make_an_empty_sheet() -> None:
    assert _opened(contact_sheet(np.empty((0, 224, 224, 3), dtype=np.uint8))).getextrema()[0] == (
        255,
        255,
    )


def test_captions_must_match_the_pictures() -> None:
    with pytest.raises(ValueError, match="1 captions for 2 pictures"):
        contact_sheet(_noise(2), ["only one"])


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        contact_sheet(_noise(50), max_bytes=500)
