from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.storage import tables
from reds_pipeline.storage.views import open_views


def test_rows_come_back_with_nulls_for_what_was_not_given(tmp_path: Path) -> None:
    path = tmp_path / "images.parquet"
    tables.write_rows(path, [{"media_key": "m", "tags": ["Cat", "Été"]}], tables.IMAGES)
    [row] = tables.read_rows(path)
    assert row["tags"] == ["Cat", "Été"]
    assert row["sha256"] is None
    assert list(row) == tables.IMAGES.names


def test_an_unknown_column_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "images.parquet"
    with pytest.raises(ValueError, match="handle"):
        tables.write_rows(path, [{"media_key": "m", "handle": "@mira"}], tables.IMAGES)
    assert not path.exists()


def test_an_absent_table_has_no_rows(tmp_path: Path) -> None:
    assert tables.read_rows(tmp_path / "nothing.parquet") == []


@pytest.mark.parametrize("content", [b"", b"PAR1 no table at all PAR1"], ids=["empty", "other"])
def test_a_damaged_table_is_named_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cat.parquet"
    path.write_bytes(content)
    with pytest.raises(RedsError, match=r"cat\.parquet cannot be read.*delete that file"):
        tables.read_rows(path)
    tables.write_rows(tmp_path / "posts" / "dog.parquet", [], tables.POSTS)
    path.rename(tmp_path / "posts" / "cat.parquet")
    with (
        pytest.raises(RedsError, match=r"cat\.parquet cannot be read.*delete that file"),
        open_views(tmp_path),
    ):
        pass


def test_views_join_partitions_and_name_them(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        tables.write_rows(
            tmp_path / "images" / f"{name}.parquet", [{"media_key": name}], tables.IMAGES
        )
    tables.write_rows(tmp_path / "lemmas.parquet", [], tables.LEMMAS)
    (tmp_path / "images" / ".writing-x.parquet").write_bytes(b"half")
    with open_views(tmp_path) as connection:
        found = connection.sql("SELECT partition, media_key FROM images ORDER BY 1").fetchall()
        assert found == [("cat", "cat"), ("dog", "dog")]
        assert connection.sql("SELECT count(*) FROM lemmas").fetchall() == [(0,)]
