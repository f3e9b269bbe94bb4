"""What a home takes of its disk, and what is said about it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reds_pipeline.housekeeping.disk_use import DiskUse, complaint, disk_use, taken
from reds_pipeline.settings import load_settings


def test_every_file_counts_with_what_it_takes_on_disk(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert disk_use(home).total == 0
    sizes = {
        "images/ab/cd/one.jpg": 50_000,
        "tensors/rule/0.npy": 200_000,
        "mlflow.sqlite": 30_000,
        "mlflow.sqlite-wal": 10_000,
        "dagster/history/runs.db": 9_000,
        "something else": 1,
    }
    for name, size in sizes.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    (home / "images" / "elsewhere").symlink_to("/usr")
    use = disk_use(home)
    assert list(use.kinds) == ["squares", "pictures", "models", "runs", "rest"]
    counted = subprocess.run(
        ["du", "--block-size=1", "--summarize", str(home)], capture_output=True, check=True
    )
    own = home.lstat().st_blocks * 512
    assert use.total == int(counted.stdout.split()[0]) - own
    assert taken(home / "something else") >= 1
    assert taken(home / "absent") == 0


@pytest.mark.parametrize(
    ("taken_gb", "free_gb", "settings", "expected"),
    [
        (3, 50, {"disk_budget_gb": 2}, "more than the 2 GB of REDS_DISK_BUDGET_GB"),
        (1, 50, {"disk_budget_gb": 2}, ""),
        (1, 50, {}, ""),
        (1, 4, {}, "less than the 5 GB of REDS_FREE_DISK_GB"),
        (3, 1, {"disk_budget_gb": 2}, "REDS_DISK_BUDGET_GB"),
    ],
)
def test_who_has_to_make_room_is_told_what_to_do(
    tmp_path: Path, taken_gb: float, free_gb: float, settings: dict[str, float], expected: str
) -> None:
    use = DiskUse({"pictures": int(taken_gb * 1e9)}, int(free_gb * 1e9))
    sentence = complaint(use, load_settings(home=tmp_path, **settings))
    assert expected in sentence
    assert bool(sentence) == bool(expected)
    assert not sentence or "`reds prune`" in sentence
