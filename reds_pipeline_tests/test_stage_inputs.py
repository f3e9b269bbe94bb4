from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reds_pipeline.stage_inputs import unconfirmed_posts
from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import POSTS, write_rows


@pytest.mark.parametrize(
    ("status", "collected", "confirmed", "left_out"),
    [
        ("kept", 40, 1, False),
        ("kept", 40, 31, True),
        ("kept", 40, None, True),
        ("kept", 1, None, False),
        ("gated", 40, None, False),
    ],
    ids=[
        "collected long ago and seen yesterday",
        "seen too long ago",
        "of an older version of REDS, which did not write it down",
        "collected yesterday by an older version",
        "not kept anyway",
    ],
)
def test_posts_not_seen_for_a_month_are_left_out(
    tmp_path: Path, status: str, collected: int, confirmed: int | None, left_out: bool
) -> None:
    def ago(days: int) -> str:
        return as_text(datetime.now(UTC) - timedelta(days=days))

    row = {
        "post_key": "a",
        "status": status,
        "collected_at": ago(collected),
        "confirmed_at": None if confirmed is None else ago(confirmed),
    }
    home = Home(tmp_path)
    write_rows(home.table("posts", "cat"), [row], POSTS)
    assert unconfirmed_posts(home, timedelta(days=30)) == ({"a"} if left_out else set())
