"""Contributed photos in the review gallery: shown as such, blurred, first in line (R-IMP-6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.review.contributed import CONTRIBUTED_FLAG, contributed_rows
from reds_pipeline.review.decisions import KEEP, Decision
from reds_pipeline.review.desk import ReviewDesk
from reds_pipeline.review.gallery import GalleryPicture, join_gallery
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import CONTRIBUTED, CONTRIBUTED_IMAGES, write_rows
from reds_pipeline_tests.review.test_gallery import clean_row, curated_row
from reds_pipeline_tests.web.gallery_home import make_gallery_home

Row = dict[str, Any]

pytestmark = pytest.mark.req("R-IMP-6")


def image(number: int = 1, **changes: Any) -> Row:
    row: Row = {
        "contribution_id": f"given-{number}",
        "sha256": f"{number:064x}",
        "extension": "jpg",
        "class_name": "cat",
        "origin": "suggested",
        "created_at": "2026-11-01T00:00:00Z",
        "width": 640,
        "height": 480,
        "bytes": 1000,
        "flags": ["dark"],
        "kept": True,
        "drop_reason": "",
    }
    return row | changes


def judged(of: Row, **changes: Any) -> Row:
    shared = {name: of[name] for name in ("contribution_id", "sha256", "class_name")}
    return {**shared, "kept": True, "drop_reason": "", "decision": "", **changes}


def shown(images: list[Row], verdicts: list[Row]) -> dict[str, GalleryPicture]:
    post = clean_row(1)
    rows = contributed_rows(images, verdicts)
    gallery = join_gallery([post], [curated_row(post)], [], rows)
    return {picture.sha256: picture for picture in gallery.pictures if picture.is_contributed}


@pytest.mark.parametrize(
    "verdicts", [[], [judged(image(), kept=False, drop_reason="waits_for_review")]]
)
def test_a_new_photo_waits_blurred_and_before_all_others(verdicts: list[Row]) -> None:
    """Also before a run has judged it: nothing comes of it until somebody looks."""
    [picture] = shown([image()], verdicts).values()
    assert (picture.is_kept, picture.is_blurred, picture.rank) == (False, True, 0)
    assert picture.flags == (CONTRIBUTED_FLAG, "dark")
    assert picture.why == "Somebody gave it on the page; keep it if it shows this class."
    assert (picture.author, picture.alt, picture.applied) == (0, "", "")


def test_one_that_an_operator_kept_is_an_ordinary_picture() -> None:
    [picture] = shown([image()], [judged(image(), decision="keep")]).values()
    assert (picture.is_kept, picture.is_blurred, picture.applied) == (True, False, "cat")
    assert picture.rank is None


def test_one_that_is_learnt_from_unseen_stays_blurred() -> None:
    """Where the settings ask for no review."""
    [picture] = shown([image()], [judged(image())]).values()
    assert (picture.is_kept, picture.is_blurred) == (True, True)


def test_one_that_names_no_class_is_not_shown() -> None:
    """There is no class to keep it in."""
    unnamed = image(class_name="", kept=False, drop_reason="no_class")
    assert shown([unnamed], []) == {}


def test_a_photo_that_a_post_has_too_is_shown_as_the_posts() -> None:
    copy = image(sha256=clean_row(1)["sha256"])
    verdict = judged(copy, kept=False, drop_reason="exact_duplicate")
    assert shown([copy], [verdict]) == {}


def test_the_desk_takes_decisions_and_keeps_them_out_of_files(tmp_path: Path) -> None:
    """A list of decisions goes to other installations, where the photo must not be known."""
    home = make_gallery_home(tmp_path / "home")
    desk = ReviewDesk(home, Ledger(home.default_ledger_url))
    assert not any(picture.is_contributed for picture in desk.gallery().pictures)
    given = image()
    write_rows(home.table("contributed_images"), [given], CONTRIBUTED_IMAGES)
    desk.decide([(given["sha256"], Decision(KEEP))])
    reviewed = desk.reviewed()
    assert reviewed.decisions[given["sha256"]].decision == Decision(KEEP, "cat")
    assert (reviewed.waiting, reviewed.decided()) == (1, [])
    row = judged(given, decision="keep")
    write_rows(home.table("contributed_dataset"), [row], CONTRIBUTED)
    assert desk.reviewed().waiting == 0
