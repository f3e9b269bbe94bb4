from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.storage import atomic


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    atomic.write_bytes(path, b"old")
    with pytest.raises(RuntimeError), atomic.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError("killed")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "note.txt"
    atomic.write_text(path, "été")
    with atomic.replacing(path) as temporary:
        temporary.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "été"
    assert path.read_text(encoding="utf-8") == "new"


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(RedsError, match=r"images could not be written \(.+\); make room"):
        atomic.write_bytes(tmp_path / "file" / "images", b"x")


def test_a_disk_that_is_full_is_a_sentence_and_leaves_no_half_file(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    with (
        pytest.raises(RedsError, match="9 requested and 3 written"),
        atomic.replacing(path) as temporary,
    ):
        temporary.write_bytes(b"half")
        # As NumPy and Arrow report it.
        raise OSError("9 requested and 3 written")
    assert list(tmp_path.iterdir()) == []
