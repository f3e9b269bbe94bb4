from __future__ import annotations

from typing import Any

import pytest

from reds_pipeline.fediverse.walks import Cursor
from reds_pipeline.withdrawal.cursors import CursorPurge
from reds_pipeline_tests.fediverse.makers import KEY

HOST = "pix.example"


def post(post_id: str, kept: bool) -> dict[str, Any]:
    return {
        "post_key": KEY(HOST, post_id),
        "host": HOST,
        "post_id": post_id if kept else "",
        "status": "kept" if kept else "gated",
    }


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize(
    ("gated", "ends"),
    [
        ({"20"}, ("30", "10")),
        ({"30"}, ("20", "10")),
        ({"10"}, ("30", "20")),
        ({"30", "10"}, ("20", "20")),
        ({"10", "20", "30"}, ("", "")),
    ],
    ids=["in the middle", "newest", "oldest", "both ends", "all"],
)
def test_a_walk_never_ends_at_a_gated_post(gated: set[str], ends: tuple[str, str]) -> None:
    posts = [post(post_id, post_id not in gated) for post_id in ("5", "10", "20", "30", "40")]
    cursor = Cursor("cat", newest_id="30", oldest_id="10", host=HOST, exhausted=True)
    purge = CursorPurge(KEY, posts)
    revised = Cursor(**purge.row(cursor.row()))
    assert (revised.newest_id, revised.oldest_id) == ends
    assert revised.exhausted
    assert purge.row(revised.row()) == revised.row()
    assert purge.record({"cursors": [cursor.row()]})["cursors"] == [revised.row()]
    assert purge.record({"row": None}) == {"row": None}


def test_ids_of_another_host_mean_nothing() -> None:
    cursor = Cursor("cat", newest_id="30", oldest_id="30", host="far.example").row()
    assert CursorPurge(KEY, [post("30", kept=False)]).row(cursor) == cursor
