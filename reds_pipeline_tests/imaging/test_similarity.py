from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ImageOps

from reds_pipeline.embedding.tiny import TinyEncoder
from reds_pipeline.imaging.resize import square_224
from reds_pipeline.imaging.similarity import NeighbourRules, find_similar_pairs, similar_pairs
from reds_pipeline.storage.tables import SIMILAR_PAIRS, read_rows, write_rows
from reds_pipeline_tests.imaging.pictures import encoded, scene


def _vectors(seed: int, count: int) -> NDArray[np.float32]:
    """Some alike and some not: a few directions with more or less noise."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(count, 6)) * random.choice([0.1, 1.0], (count, 1))
    return (np.eye(6)[random.integers(0, 6, count)] + noise).astype(np.float32)


@given(st.integers(0, 10_000), st.integers(0, 40), st.integers(1, 4), st.integers(1, 200))
def test_candidates_are_exactly_the_nearest_ones_above_the_floor(
    seed: int, count: int, neighbours: int, at_a_time: int
) -> None:
    """However few cosines are held at a time."""
    vectors = _vectors(seed, count)
    rules = NeighbourRules(neighbours, floor=0.3, close_neighbours=6, close=0.9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reds_pipeline.imaging.similarity._COSINES_AT_A_TIME", at_a_time)
        pairs, cosines = similar_pairs(vectors, rules)
    directions = vectors.astype(np.float64)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    exact = directions @ directions.T
    expected = set()
    for one in range(count):
        ranked = sorted(
            (other for other in range(count) if other != one), key=lambda other: -exact[one, other]
        )
        for rank, other in enumerate(ranked[:6]):
            if exact[one, other] >= (0.3 if rank < neighbours else 0.9):
                expected.add((min(one, other), max(one, other)))
    assert [tuple(pair) for pair in pairs.tolist()] == sorted(expected)
    for (one, other), cosine in zip(pairs.tolist(), cosines.tolist(), strict=True):
        assert cosine == pytest.approx(exact[one, other], abs=1e-5)


def test_the_number_of_candidates_stays_bounded_when_all_are_alike() -> None:
    pairs, _cosines = similar_pairs(np.ones((300, 4), np.float32))
    assert len(pairs) <= 300 * NeighbourRules().close_neighbours


def test_an_embedding_of_zeros_is_like_nothing() -> None:
    vectors = np.zeros((3, 4), np.float32)
    vectors[2] = 1
    assert len(similar_pairs(vectors)[0]) == 0


class _Pictures:
    """Squares by key, and a note of which were read."""

    def __init__(self) -> None:
        scenes = [scene(320, 240, seed) for seed in range(6)]
        edited = [scenes[0].crop((30, 20, 290, 230)), ImageOps.mirror(scenes[1])]
        self.keys = ["f", "e", "d", "c", "b", "a", "crop of f", "mirrored e"]
        self.squares = np.stack([square_224(encoded(picture))[0] for picture in [*scenes, *edited]])
        self.embeddings = TinyEncoder()(self.squares)
        self.read: list[str] = []

    def __call__(self, wanted: Sequence[str]) -> NDArray[np.uint8]:
        self.read += wanted
        return self.squares[[self.keys.index(key) for key in wanted]]

    def find(self, known: Sequence[dict[str, Any]] = (), count: int = 8) -> list[dict[str, Any]]:
        return find_similar_pairs(
            self.keys[:count], self.embeddings[:count], self, known, workers=2
        )


@pytest.fixture(scope="module")
def pictures() -> _Pictures:
    return _Pictures()


@pytest.fixture(scope="module")
def found(pictures: _Pictures) -> list[dict[str, Any]]:
    return pictures.find()


@pytest.mark.req("R-SCR-7")
def test_crops_and_mirrored_copies_are_found_and_other_pairs_are_remembered_as_no_copies(
    found: list[dict[str, Any]], tmp_path: Path
) -> None:
    copies = {(row["one"], row["other"]): row["kind"] for row in found if row["is_copy"]}
    assert copies == {("crop of f", "f"): "cropped", ("e", "mirrored e"): "mirrored"}
    assert len(found) > len(copies)
    assert found == sorted(found, key=lambda row: (row["one"], row["other"]))
    write_rows(tmp_path / "pairs.parquet", found, SIMILAR_PAIRS)
    assert read_rows(tmp_path / "pairs.parquet", SIMILAR_PAIRS) == found


def test_no_pair_is_compared_twice(pictures: _Pictures, found: list[dict[str, Any]]) -> None:
    pictures.read.clear()
    assert pictures.find(known=found) == found
    assert pictures.read == []


def test_only_new_pictures_are_compared(pictures: _Pictures, found: list[dict[str, Any]]) -> None:
    before = pictures.find(count=7)
    pictures.read.clear()
    after = pictures.find(known=before)
    assert "mirrored e" in pictures.read
    assert {(row["one"], row["other"]) for row in found} <= {
        (row["one"], row["other"]) for row in after
    }
    assert [row for row in after if row["is_copy"]] == [row for row in found if row["is_copy"]]


def test_pictures_that_are_gone_leave_the_table(
    pictures: _Pictures, found: list[dict[str, Any]]
) -> None:
    """A withdrawal takes a picture out of everything."""
    assert "mirrored e" in {row["other"] for row in found}
    left = pictures.find(known=found, count=7)
    assert "mirrored e" not in {row[end] for row in left for end in ("one", "other")}


def test_pairs_that_another_version_compared_are_compared_again(
    pictures: _Pictures, found: list[dict[str, Any]]
) -> None:
    old = [{**row, "is_copy": not row["is_copy"], "checked_by": "older"} for row in found]
    assert pictures.find(known=old) == found


def test_few_pictures_are_held_at_a_time(
    pictures: _Pictures, found: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reds_pipeline.imaging.similarity._PICTURES_AT_A_TIME", 3)
    assert pictures.find() == found


def test_pairs_of_one_picture_stand_side_by_side() -> None:
    """Or each batch would prepare pictures anew that another one had already prepared."""
    from reds_pipeline.imaging.similarity import _batches, _side_by_side

    # A ring of 600 pictures whose names tell nothing about who is beside whom.
    names = [f"{place:03d}" for place in np.random.default_rng(0).permutation(600)]
    ring = [
        (min(one, other), max(one, other))
        for one, other in zip(names, names[1:] + names[:1], strict=True)
    ]
    ordered = _side_by_side(sorted(ring))
    assert sorted(ordered) == sorted(ring), "each pair once, as it was"

    def read(pairs: list[tuple[str, str]]) -> int:
        return sum(len({key for pair in batch for key in pair}) for batch in _batches(pairs))

    assert read(ordered) < 1.1 * len(names)
    assert read(sorted(ring)) > 1.4 * len(names)
