from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from reds_pipeline.imaging import hashing
from reds_pipeline.imaging.hashing import (
    hamming_distance,
    hamming_pairs,
    hashes_to_integers,
    near_parts,
    perceptual_hash,
    perceptual_hashes,
)
from reds_pipeline_tests.imaging.pictures import encoded, scene


def _all_pairs(hashes: NDArray[np.uint64], radius: int) -> list[list[int]]:
    numbers = [int(value) for value in hashes]
    return [
        [first, second]
        for first in range(len(numbers))
        for second in range(first + 1, len(numbers))
        if (numbers[first] ^ numbers[second]).bit_count() <= radius
    ]


def _crowd(seed: int, count: int) -> NDArray[np.uint64]:
    """Return hashes of which most lie within 20 bits of another one."""
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 1 << 63, count, dtype=np.uint64)
    for index in range(count // 4, count):
        bits = random.choice(64, random.integers(0, 20), replace=False)
        change = sum(1 << int(bit) for bit in bits)
        hashes[index] = hashes[random.integers(0, index)] ^ np.uint64(change)
    return hashes


_ALL_PAIRS = 0


@contextmanager
def _searched_by(bands: int) -> Iterator[None]:
    """Divide hashes into so many bands, however few hashes there are, or compare all pairs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            hashing,
            "_best_bands",
            lambda _count, radius: hashing._bands(bands, radius) if bands else hashing._ALL_PAIRS,
        )
        yield


def test_the_hash_is_the_one_of_the_library() -> None:
    picture = scene()
    assert perceptual_hash(picture) == str(imagehash.phash(picture))
    assert hashes_to_integers([perceptual_hash(picture)])[0] == int(
        str(imagehash.phash(picture)), 16
    )


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 3), st.sampled_from(["RGB", "L"]))
def test_both_hashes_are_those_that_the_library_gives_for_the_picture_and_its_mirror_image(
    width: int, height: int, kind: int, mode: str
) -> None:
    """Flat, symmetric and noisy pictures too, whose DCT has many equal numbers."""
    random = np.random.default_rng(width * 100 + height)
    noise = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    ramp = np.tile(np.linspace(0, 255, width).astype(np.uint8)[:, None], (height, 1, 3))
    drawn = (noise, ramp, np.minimum(ramp, ramp[:, ::-1]), np.full_like(noise, 90))[kind]
    picture = Image.fromarray(drawn).convert(mode)
    mirrored = ImageOps.mirror(picture)
    hashes = (str(imagehash.phash(picture)), str(imagehash.phash(mirrored)))
    assert perceptual_hashes(picture) == hashes
    assert perceptual_hash(picture) == hashes[0]


@pytest.mark.req("R-SCR-7")
def test_a_mirrored_copy_is_near_the_hash_of_the_mirror_image_only() -> None:
    picture = scene(320, 240, 3)
    file = encoded(ImageOps.mirror(picture), "JPEG", quality=60)
    (upright, mirrored), copy = (
        perceptual_hashes(picture),
        perceptual_hashes(Image.open(BytesIO(file))),
    )
    assert hamming_distance(mirrored, copy[0]) <= 8
    assert hamming_distance(upright, copy[1]) <= 8
    assert hamming_distance(upright, copy[0]) > 15


@pytest.mark.req("R-SCR-7")
@pytest.mark.parametrize(
    ("scale", "quality"), [(1.0, 60), (0.7, 75), (0.5, 85)], ids=["re-encoded", "70 %", "half size"]
)
def test_copies_stay_within_the_radius_and_others_do_not(scale: float, quality: int) -> None:
    originals = [scene(320, 240, seed) for seed in range(12)]
    copies = []
    for picture in originals:
        smaller = picture.resize((int(320 * scale), int(240 * scale)))
        copies.append(Image.open(BytesIO(encoded(smaller, "JPEG", quality=quality))).convert("RGB"))
    hashes = hashes_to_integers([perceptual_hash(picture) for picture in [*originals, *copies]])
    assert hamming_pairs(hashes, 8).tolist() == [[index, index + 12] for index in range(12)]


@pytest.mark.parametrize("radius", range(16))
@pytest.mark.parametrize("bands", [_ALL_PAIRS, 3, 4, 5])
def test_the_number_of_bands_changes_the_time_and_never_the_pairs(bands: int, radius: int) -> None:
    """Few wide bands serve many hashes and many narrow ones few; here all get the same few."""
    hashes = _crowd(radius, 120)
    with _searched_by(bands):
        assert hamming_pairs(hashes, radius).tolist() == _all_pairs(hashes, radius)


@pytest.mark.parametrize(
    ("count", "radius", "bands"),
    [(10, 8, 1), (200, 15, 1), (10_000, 8, 5), (100_000, 8, 4), (1_000_000, 8, 3), (4_000, 0, 5)],
)
def test_the_bands_are_those_that_cost_least_when_measured(
    count: int, radius: int, bands: int
) -> None:
    """One band is all pairs; 4,000 hashes once took 60 times as long as need be at radius 0."""
    assert len(hashing._best_bands(count, radius)) == bands


@pytest.mark.req("R-SCR-7")
@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=12),
    st.lists(st.tuples(st.integers(0, 100), st.sets(st.integers(0, 63), max_size=16)), max_size=12),
    st.integers(0, 15),
    st.sampled_from([_ALL_PAIRS, 3, 4, 5]),
)
def test_the_search_is_exact(
    numbers: list[int], near_copies: list[tuple[int, set[int]]], radius: int, bands: int
) -> None:
    for source, bits in near_copies:
        if numbers:
            change = sum(1 << bit for bit in bits)
            numbers.append(numbers[source % len(numbers)] ^ change)
    hashes = np.array(numbers, dtype=np.uint64)
    with _searched_by(bands):
        assert hamming_pairs(hashes, radius).tolist() == _all_pairs(hashes, radius)


@pytest.mark.parametrize("bands", [_ALL_PAIRS, 5])
def test_the_search_is_exact_when_candidates_do_not_fit_at_once(
    bands: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reds_pipeline.imaging.hashing._CANDIDATES_AT_A_TIME", 7)
    hashes = np.concatenate([_crowd(1, 60), np.zeros(20, dtype=np.uint64)])
    with _searched_by(bands):
        assert hamming_pairs(hashes, 8).tolist() == _all_pairs(hashes, 8)


@pytest.mark.parametrize("bands", [_ALL_PAIRS, 5])
def test_parts_stay_small_however_alike_the_hashes_are(
    bands: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flat pictures have hashes of few bits, so that nearly all pairs are candidates."""
    monkeypatch.setattr("reds_pipeline.imaging.hashing._CANDIDATES_AT_A_TIME", 1000)
    hashes = np.arange(900, dtype=np.uint64) << np.uint64(20)
    with _searched_by(bands):
        parts = list(near_parts(hashes, 8))
    assert max(len(part) for part in parts) <= 1000
    assert sum(len(part) for part in parts) == len(_all_pairs(hashes, 8)) > 100_000


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_hashes_have_no_pairs(count: int) -> None:
    assert hamming_pairs(np.zeros(count, dtype=np.uint64), 8).shape == (0, 2)


@pytest.mark.parametrize("radius", [-1, 16])
def test_a_meaningless_radius_is_refused(radius: int) -> None:
    with pytest.raises(ValueError, match="radius"):
        hamming_pairs(np.zeros(2, dtype=np.uint64), radius)
