from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.storage.home import Home
from reds_pipeline.storage.partitions import partition_lock, partitions


@pytest.mark.parametrize("name", ["cat", "sea shore", "x" * 120, "猫", "a/b"])
def test_name_and_file_lead_to_the_same_lock_and_journal(name: str, tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.journal("posts", name).append({"a": 1})
    [part] = partitions(home, "posts")
    assert part.lock == partition_lock(home, "posts", name)
    assert part.table == home.table("posts", name)
    assert part.journal.records() == [{"a": 1}]


def test_locks_of_ordinary_names_are_those_that_a_home_gives(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert partition_lock(home, "posts", "cat") == home.lock("posts cat")


def test_a_partition_is_found_by_its_table_or_its_journal_and_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for name in ("cat", "dog"):
        home.table("posts", name).parent.mkdir(parents=True, exist_ok=True)
        home.table("posts", name).touch()
    (home.table("posts", "cat").parent / ".writing-x.parquet").touch()
    home.journal("posts", "dog").append({})
    home.journal("posts", "eel").append({})
    assert [part.stem for part in partitions(home, "posts")] == ["cat", "dog", "eel"]
    assert list(partitions(home, "images")) == []
