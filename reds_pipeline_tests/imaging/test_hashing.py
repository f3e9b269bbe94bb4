from __future__ import annotations

from io import BytesIO

import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.imaging.hashing import hamming_pairs, hashes_to_integers, perceptual_hash
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


def test_the_hash_is_the_one_of_the_library() -> None:
    picture = scene()
    assert perceptual_hash(picture) == str(imagehash.phash(picture))
    assert hashes_to_integers([perceptual_hash(picture)])[0] == int(
        str(imagehash.phash(picture)), 16
    )


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
def test_every_radius_finds_exactly_what_comparing_all_finds(radius: int) -> None:
    hashes = _crowd(radius, 160)
    assert hamming_pairs(hashes, radius).tolist() == _all_pairs(hashes, radius)


@pytest.mark.req("R-SCR-7")
@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=12),
    st.lists(st.tuples(st.integers(0, 100), st.sets(st.integers(0, 63), max_size=16)), max_size=12),
    st.integers(0, 15),
)
def test_the_search_is_exact(
    numbers: list[int], near_copies: list[tuple[int, set[int]]], radius: int
) -> None:
    for source, bits in near_copies:
        if numbers:
            change = sum(1 << bit for bit in bits)
            numbers.append(numbers[source % len(numbers)] ^ change)
    hashes = np.array(numbers, dtype=np.uint64)
    assert hamming_pairs(hashes, radius).tolist() == _all_pairs(hashes, radius)


def test_the_search_is_exact_when_candidates_do_not_fit_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reds_pipeline.imaging.hashing._CANDIDATES_AT_A_TIME", 7)
    hashes = np.concatenate([_crowd(1, 60), np.zeros(20, dtype=np.uint64)])
    assert hamming_pairs(hashes, 8).tolist() == _all_pairs(hashes, 8)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_hashes_have_no_pairs(count: int) -> None:
    assert hamming_pairs(np.zeros(count, dtype=np.uint64), 8).shape == (0, 2)


@pytest.mark.parametrize("radius", [-1, 16])
def test_a_meaningless_radius_is_refused(radius: int) -> None:
    with pytest.raises(ValueError, match="radius"):
        hamming_pairs(np.zeros(2, dtype=np.uint64), radius)
