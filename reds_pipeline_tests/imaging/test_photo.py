from __future__ import annotations

import importlib.util
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.decoding import opaque_rgb
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.imaging.photo import PhotoLimits, read_photo
from reds_pipeline.imaging.photo_sentences import SENTENCES, photo_sentence
from reds_pipeline.imaging.photo_views import PhotoView
from reds_pipeline.imaging.resize import square
from reds_pipeline_tests.hostile_files import KindFile, heic, kind_files
from reds_pipeline_tests.imaging.pictures import (
    FORMATS,
    colour_profile,
    encoded,
    scene,
    with_orientation,
)

VIEWS: tuple[PhotoView, ...] = ("centre", "whole", "windows")
# Decoded at a quarter, and above the 4 million pixels that are kept.
LARGE = scene(2420, 1740, seed=3)
FAST = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}, "AVIF": {"speed": 10}}
COLLECTED = [file for file in kind_files() if "HEIC" not in file.name]


def _opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


@pytest.mark.req("R-PRD-4")
@pytest.mark.parametrize("file", COLLECTED, ids=lambda file: file.name)
def test_the_square_is_that_of_the_training_bit_by_bit(file: KindFile) -> None:
    photo = read_photo(file.data)
    kept = examine_image(file.data)
    assert np.array_equal(photo.square(), kept.square)
    assert photo.is_cropped == kept.cropped
    assert np.array_equal(photo.square(40), square(kept.data, 40)[0])


@pytest.mark.req("R-PRD-4")
@pytest.mark.parametrize("kind", FORMATS)
def test_large_photos_too(kind: str) -> None:
    """They are not kept as they were decoded, so other sides decode again."""
    data = encoded(LARGE, kind, **FAST.get(kind, {}))
    photo = read_photo(data)
    for side in (32, 224):
        assert np.array_equal(photo.square(side), square(data, side)[0])
    windows = photo.windows()
    assert np.array_equal(windows[len(windows) // 2], photo.square())


@pytest.mark.req("R-PRD-4")
@pytest.mark.parametrize("file", COLLECTED, ids=lambda file: file.name)
def test_it_accepts_and_stores_what_the_collection_does(file: KindFile) -> None:
    examined = examine_image(file.data)
    photo = read_photo(file.data)
    assert photo.stored() == (examined.data, examined.extension)
    assert (photo.width, photo.height) == file.size == (examined.width, examined.height)
    assert photo.format == examined.format


@pytest.mark.req("R-IMP-3")
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("view", VIEWS)
def test_views_are_those_of_the_upright_photo(view: PhotoView, orientation: int) -> None:
    turned = read_photo(with_orientation(scene(200, 90), orientation, "PNG"))
    stored = turned.stored()[0]
    pixels = np.asarray(_opened(turned.preview()))
    assert pixels.shape[:2] == (turned.height, turned.width)
    flat = encoded(ImageOps.exif_transpose(_opened(stored)), "PNG")
    assert np.array_equal(turned.squares(view, 64), read_photo(flat).squares(view, 64))


@pytest.mark.req("R-IMP-3")
def test_the_whole_photo_keeps_what_the_middle_leaves_out() -> None:
    picture = Image.new("RGB", (300, 100), "white")
    picture.paste((255, 0, 0), (0, 0, 40, 100))
    photo = read_photo(encoded(picture, "PNG"))
    assert photo.square(50).min() == 255
    assert (photo.whole(50)[:, :5, 1] == 0).all()
    assert (photo.windows(50)[0][:, :15, 1] == 0).all()


@pytest.mark.parametrize("options", [{}, {"chroma": 444}], ids=["420", "444"])
def test_heic_is_seen_as_the_same_picture(options: dict[str, object]) -> None:
    photo = read_photo(heic(320, 200, **options))
    like = read_photo(encoded(scene(320, 200), "PNG"))
    difference = photo.square(64).astype(int) - like.square(64)
    assert (photo.format, photo.width, photo.height) == ("HEIC", 320, 200)
    assert np.abs(difference).mean() < 8


def test_heic_with_alpha_lies_on_white() -> None:
    from pillow_heif import from_pillow

    file = BytesIO()
    from_pillow(Image.new("RGBA", (64, 64), (0, 0, 0, 0))).save(file, quality=90)
    assert read_photo(file.getvalue()).square(32).min() > 250


def test_heic_is_turned_as_its_format_says() -> None:
    """The EXIF orientation beside it is to be ignored; turning twice would be wrong."""
    from pillow_heif import from_pillow

    picture = scene(120, 60)
    exif = Image.Exif()
    exif[0x0112] = 6
    file = BytesIO()
    from_pillow(picture).save(file, quality=90, exif=exif.tobytes())
    photo = read_photo(file.getvalue())
    turned = read_photo(encoded(picture.transpose(Image.Transpose.ROTATE_270), "PNG"))
    assert (photo.width, photo.height) == (60, 120)
    assert np.abs(photo.whole(48).astype(int) - turned.whole(48)).mean() < 8


def test_a_stored_heic_is_a_jpeg_that_the_collection_takes() -> None:
    data, extension = read_photo(heic(320, 200)).stored()
    examined = examine_image(data)
    assert (extension, examined.format) == ("jpg", "JPEG")
    assert (examined.width, examined.height) == (320, 200)
    assert examined.data == data


def test_the_collection_goes_on_refusing_heic() -> None:
    """What is collected must not depend on what is installed."""
    with pytest.raises(ImageRejected, match="unsupported_format"):
        examine_image(heic())


def test_without_the_extra_heic_has_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "reds_pipeline.imaging.heic.find_spec",
        lambda name: None if name == "pillow_heif" else find_spec(name),
    )
    with pytest.raises(ImageRejected) as refusal:
        read_photo(b"\x00\x00\x00\x18ftypheic" + bytes(4) + b"heicmif1" + bytes(99))
    assert "export it as JPEG" in photo_sentence(refusal.value.reason)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_preview_is_small_upright_and_bare(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a secret"
    options = {} if kind == "GIF" else {"exif": exif}
    data = encoded(scene(600, 450), kind, comment=b"a secret", **options)
    photo = read_photo(data)
    preview = photo.preview(256)
    shown = _opened(preview)
    assert max(shown.size) == 256
    assert abs(shown.width / shown.height - photo.width / photo.height) < 0.01
    assert b"secret" not in preview
    assert not shown.getexif()
    assert np.abs(np.asarray(shown.resize((40, 40)), int) - photo.whole(40)).mean() < 12


def test_a_preview_is_never_larger_than_the_photo() -> None:
    assert _opened(read_photo(encoded(scene(90, 40))).preview()).size == (90, 40)


def test_a_preview_keeps_a_profile_that_fits_its_pixels() -> None:
    """Phones photograph in Display P3; without it the preview would be pale."""
    with_profile = encoded(scene(), icc_profile=colour_profile())
    assert _opened(read_photo(with_profile).preview()).info["icc_profile"] == colour_profile()
    of_ink = encoded(scene().convert("CMYK"), icc_profile=colour_profile()[:16] + b"CMYK"
                     + colour_profile()[20:])  # fmt: skip
    assert "icc_profile" not in _opened(read_photo(of_ink).preview()).info


def test_a_jpeg_of_more_pixels_than_are_collected_is_read_reduced() -> None:
    """Phones make 108 and 200 million; here the bound is lowered instead."""
    data = encoded(scene(1800, 1800), quality=90)
    with pytest.raises(ImageRejected, match="too_many_pixels"):
        read_photo(encoded(scene(1800, 1800), "WEBP"), PhotoLimits(max_pixels=1_000_000))
    photo = read_photo(data, PhotoLimits(max_pixels=1_000_000))
    assert (photo.width, photo.height) == (1800, 1800)
    assert np.array_equal(photo.square(), square(data, 224)[0])


def test_a_real_photo_of_64_million_pixels() -> None:
    """It is stored as a JPEG that the collection takes."""
    huge = encoded(Image.new("RGB", (8000, 8000), (200, 30, 60)), quality=50)
    photo = read_photo(huge)
    stored, extension = photo.stored()
    assert (photo.width, photo.height, extension) == (8000, 8000, "jpg")
    assert examine_image(stored).width == 1000
    assert abs(photo.square().mean(axis=(0, 1)) - (200, 30, 60)).max() < 8


def test_every_reason_has_words_of_its_own() -> None:
    assert all(text.startswith(("it ", "its ")) and ";" in text for text in SENTENCES.values())
    assert len(set(SENTENCES.values())) == len(SENTENCES)
    assert photo_sentence("cold") == "it was refused as cold; choose another file"


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, reds_pipeline.imaging.photo_memory; "
        "print({'torch', 'scipy', 'pillow_heif', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_large_transparent_picture_is_laid_on_white_strip_by_strip(mode: str) -> None:
    """It needs a fraction of the memory, and not a bit may differ from doing it at once."""
    picture = scene(1300, 900)
    picture.putalpha(picture.convert("L"))
    layer = picture.convert(mode)
    paper = Image.new("RGBA", layer.size, "white")
    at_once = Image.alpha_composite(paper, layer.convert("RGBA")).convert("RGB")
    assert np.array_equal(np.asarray(opaque_rgb(layer)), np.asarray(at_once))
