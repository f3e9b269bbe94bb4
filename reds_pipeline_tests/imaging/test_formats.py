from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.formats import sniff_format
from reds_pipeline_tests.imaging.pictures import FORMATS, encoded, scene


@pytest.mark.parametrize("file_format", FORMATS)
def test_each_accepted_format_is_told_by_its_first_bytes(file_format: str) -> None:
    assert sniff_format(encoded(scene(), file_format)[:64]) == file_format


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"<!DOCTYPE html><html>", "not_an_image", id="a login page named .jpg"),
        pytest.param(b"\n\n <html>", "not_an_image", id="a page after white space"),
        pytest.param(b'{"error": "gone"}', "not_an_image", id="an API error"),
        pytest.param(b"<svg xmlns='...'>", "not_an_image", id="a drawing made of text"),
        pytest.param(b"\x00" * 100, "not_an_image", id="zeros"),
        pytest.param(b"RIFF\x10\x00\x00\x00WAVEfmt ", "not_an_image", id="sound in RIFF"),
        pytest.param(b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 12, "not_an_image", id="a film"),
        pytest.param(
            b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "unsupported_format", id="HEIC"
        ),
        pytest.param(b"BM\x00\x00\x00\x00", "unsupported_format", id="BMP"),
        pytest.param(b"II*\x00\x08\x00", "unsupported_format", id="TIFF"),
        pytest.param(b"8BPS\x00\x01", "unsupported_format", id="Photoshop"),
    ],
)
def test_other_files_are_refused_by_what_they_are(data: bytes, reason: str) -> None:
    with pytest.raises(ImageRejected) as refusal:
        sniff_format(data)
    assert refusal.value.reason == reason


def test_avif_is_found_among_the_compatible_brands() -> None:
    assert sniff_format(b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf") == "AVIF"


@given(st.binary(max_size=80))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    try:
        assert sniff_format(data) in FORMATS
    except ImageRejected as refusal:
        assert refusal.reason in {"not_an_image", "unsupported_format"}
