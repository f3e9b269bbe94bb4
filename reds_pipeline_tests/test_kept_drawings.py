from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.kept_drawings import KeptDrawings

MODULE = "reds_pipeline.kept_drawings"


class Artist:
    """Counts what it had to draw."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self) -> bytes:
        self.drawn += 1
        return b"drawing %d" % self.drawn


@pytest.fixture
def artist() -> Artist:
    return Artist()


@pytest.fixture
def kept(tmp_path: Path) -> KeptDrawings:
    return KeptDrawings(tmp_path / "kept")


def test_what_shows_the_same_is_drawn_once(
    kept: KeptDrawings, artist: Artist, tmp_path: Path
) -> None:
    first = kept.drawing("graph", ("cat", 1), artist, MODULE)
    again = KeptDrawings(tmp_path / "kept").drawing("graph", ("cat", 1), artist, MODULE)
    assert first == again == b"drawing 1"
    assert artist.drawn == 1


def test_anything_else_is_drawn_anew_and_replaces_it(
    kept: KeptDrawings, artist: Artist, tmp_path: Path
) -> None:
    """Other contents, or other code: an old drawing must never pass for a new one."""
    kept.drawing("graph", "cat", artist, MODULE)
    assert kept.drawing("graph", "dog", artist, MODULE) == b"drawing 2"
    assert kept.drawing("graph", "dog", artist, MODULE, "pathlib") == b"drawing 3"
    assert len(list((tmp_path / "kept").iterdir())) == 1


@pytest.mark.parametrize("name", ["graph-2", "graph of the cat", "Katze.graph", "猫"])
def test_a_drawing_of_another_name_stays(kept: KeptDrawings, artist: Artist, name: str) -> None:
    kept.drawing(name, "cat", artist, MODULE)
    kept.drawing("graph", "cat", artist, MODULE)
    kept.drawing("graph", "dog", artist, MODULE)
    assert kept.drawing(name, "cat", artist, MODULE) == b"drawing 1"
