"""What a person decides in the gallery is what the next data set is made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.imaging.cleaning import clean_class
from reds_pipeline.imaging.curation import curate
from reds_pipeline.review.decisions import Decision, effective_decisions
from reds_pipeline.review.desk import ReviewDesk
from reds_pipeline.review.gallery import GalleryPicture
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import CLEAN_IMAGES, CURATED, write_rows
from reds_pipeline_tests.imaging.rows import image_row

GREY, ORDINARY, DOG_AMONG_CATS, BAD = "1" * 64, "2" * 64, "3" * 64, "4" * 64


class Review:
    """A home of two classes that can be made anew, with the desk where it is reviewed.

    Args:
        root: Of the home.
    """

    def __init__(self, root: Path) -> None:
        self.home = Home(root)
        self.ledger = Ledger(self.home.default_ledger_url)
        self.desk = ReviewDesk(self.home, self.ledger)
        self.collected = [
            image_row(1, sha256=GREY, colour_spread=0.0),
            image_row(2, sha256=ORDINARY),
            image_row(3, sha256=DOG_AMONG_CATS),
            image_row(4, sha256=BAD),
        ]

    def make(self) -> None:
        """Clean and curate as the pipeline does."""
        book = effective_decisions(self.ledger, self.home.keyed_hash)
        images: dict[str, list[dict[str, Any]]] = {"cat": self.collected, "dog": [image_row(9)]}
        cleaned = {
            name: clean_class(name, rows, {}, decisions=book) for name, rows in images.items()
        }
        for name, rows in cleaned.items():
            write_rows(self.home.table("clean_images", name), rows, CLEAN_IMAGES)
        curated = curate(cleaned, 100, decisions=book)
        write_rows(self.home.table("curated_dataset"), curated, CURATED)

    def shown(self, sha256: str) -> GalleryPicture:
        return self.desk.gallery().by_sha256[sha256]


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Review]:
    made = Review(tmp_path)
    made.make()
    yield made
    made.ledger.close()


@pytest.mark.req("R-SCR-8")
def test_what_a_person_decided_holds_and_can_be_restored(review: Review) -> None:
    assert review.shown(GREY).reason == "greyscale"
    review.desk.decide(
        [
            (GREY, Decision("keep")),
            (DOG_AMONG_CATS, Decision("label", "dog")),
            (BAD, Decision("discard")),
        ]
    )
    review.make()
    assert review.shown(GREY).is_kept
    moved = review.shown(DOG_AMONG_CATS)
    assert (moved.is_kept, moved.class_name, moved.collected_as) == (True, "dog", "cat")
    assert (review.shown(BAD).is_kept, review.shown(BAD).reason) == (False, "reviewed_out")
    review.desk.decide([(sha256, None) for sha256 in (GREY, DOG_AMONG_CATS, BAD)])
    review.make()
    assert review.shown(GREY).reason == "greyscale"
    assert review.shown(DOG_AMONG_CATS).class_name == "cat"
    assert review.shown(BAD).is_kept


def test_what_was_discarded_does_not_come_back_in_another_post_or_file(review: Review) -> None:
    review.desk.decide([(BAD, Decision("discard"))])
    again = image_row(5, sha256=BAD, perceptual_hash=review.collected[3]["perceptual_hash"])
    encoded_anew = again | {"sha256": "5" * 64, "media_key": "media-06", "post_key": "post-06"}
    review.collected += [again, encoded_anew]
    review.make()
    assert not review.shown(BAD).is_kept
    assert review.shown("5" * 64).reason == "reviewed_out"


def test_a_label_that_is_not_among_the_classes_takes_the_picture_out(review: Review) -> None:
    review.desk.decide([(ORDINARY, Decision("label", "horse"))])
    review.make()
    assert review.shown(ORDINARY).reason == "labelled_otherwise"
    assert review.desk.gallery().classes == ("cat", "dog")
