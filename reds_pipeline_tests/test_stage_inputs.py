from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reds_pipeline.imaging.scores import SCORES_VERSION
from reds_pipeline.stage_inputs import unconfirmed_posts, with_known_descriptions
from reds_pipeline.storage.clock import as_text
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CLEAN_IMAGES, POSTS, write_rows


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


@pytest.mark.parametrize(
    ("collected", "cleaned", "taken"),
    [
        (None, SCORES_VERSION, "cleaned"),
        ("of long ago", SCORES_VERSION, "cleaned"),
        (SCORES_VERSION, SCORES_VERSION, "collected"),
        (SCORES_VERSION, "of long ago", "collected"),
        ("of long ago", "of long ago", "collected"),
        (None, None, "collected"),
    ],
)
def test_what_a_picture_looks_like_is_found_out_once(
    tmp_path: Path, collected: str | None, cleaned: str | None, taken: str
) -> None:
    """Else a home with older descriptions would decode every picture at every cleaning."""

    def described(version: str | None, where: str) -> dict[str, object]:
        scores = {"version": version} if version else None
        return {
            "sha256": "a",
            "perceptual_hash": where,
            "mirrored_hash": where,
            "colour_spread": 1.0,
            "scores": scores,
        }

    home = Home(tmp_path)
    write_rows(home.table("clean_images", "cat"), [described(cleaned, "cleaned")], CLEAN_IMAGES)
    [row] = with_known_descriptions(home, "cat", [described(collected, "collected")])
    assert row["mirrored_hash"] == taken
