"""The gallery and the decisions together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reds_pipeline.review.decisions import Decision, effective_decisions
from reds_pipeline.review.desk import ReviewDesk
from reds_pipeline.review.imported_decision import ImportedDecision
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import CLEAN_IMAGES, write_rows
from reds_pipeline_tests.review.test_gallery import clean_row

CAT, DOG, UNKNOWN = "a" * 64, "d" * 64, "f" * 64
DISCARD = Decision("discard")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    show(made, "cat", CAT)
    show(made, "dog", DOG)
    return made


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    made = Ledger(home.default_ledger_url)
    yield made
    made.close()


def show(home: Home, class_name: str, *sha256s: str) -> None:
    """Write the table of a class with these pictures."""
    rows = [clean_row(number, class_name, sha256=sha256) for number, sha256 in enumerate(sha256s)]
    write_rows(home.table("clean_images", class_name), rows, CLEAN_IMAGES)


@pytest.mark.req("R-SCR-8")
def test_a_decision_in_the_gallery_is_what_the_data_set_is_made_by(
    home: Home, ledger: Ledger
) -> None:
    desk = ReviewDesk(home, ledger)
    desk.decide([(CAT, Decision("keep")), (DOG, DISCARD)])
    book = effective_decisions(ledger, home.keyed_hash)
    assert (book.of(CAT), book.of(DOG)) == (Decision("keep", "cat"), DISCARD)


def test_keeping_means_the_class_under_which_it_is_shown_now(home: Home, ledger: Ledger) -> None:
    """Who moved a picture to dog and then keeps it does not want it back among the cats."""
    desk = ReviewDesk(home, ledger)
    desk.decide([(CAT, Decision("label", "dog"))])
    desk.decide([(CAT, Decision("keep"))])
    recorded = desk.reviewed().decisions[CAT]
    assert (recorded.decision, recorded.shown_as) == (Decision("keep", "dog"), "dog")


def test_pictures_that_are_not_here_are_counted_and_not_recorded(
    home: Home, ledger: Ledger
) -> None:
    desk = ReviewDesk(home, ledger)
    batch, unknown = desk.decide([(UNKNOWN, DISCARD), (CAT, DISCARD)])
    assert (batch.recorded, unknown) == (1, 1)
    show(home, "cat", CAT, UNKNOWN)
    assert UNKNOWN not in desk.reviewed().decisions


def test_a_table_that_was_written_since_is_read_again(home: Home, ledger: Ledger) -> None:
    desk = ReviewDesk(home, ledger)
    before = desk.reviewed()
    assert desk.reviewed().revision == before.revision
    assert desk.gallery() is before.gallery
    desk.decide([(CAT, DISCARD)])
    decided = desk.reviewed()
    show(home, "cat", UNKNOWN)
    after = desk.reviewed()
    assert len({before.revision, decided.revision, after.revision}) == 3
    assert (decided.progress.decided, after.progress.decided, after.progress.total) == (1, 0, 2)


def test_undo_names_only_pictures_that_are_still_here(home: Home, ledger: Ledger) -> None:
    desk = ReviewDesk(home, ledger)
    assert desk.undo() is None
    desk.decide([(CAT, DISCARD), (DOG, DISCARD)])
    show(home, "cat")
    undone = desk.undo()
    assert undone is not None
    assert undone[1] == [DOG]
    assert desk.reviewed().decisions == {}


def test_a_file_is_one_batch_and_says_what_became_of_it(home: Home, ledger: Ledger) -> None:
    desk = ReviewDesk(home, ledger)
    desk.decide([(DOG, DISCARD)])
    found = [
        ImportedDecision(CAT, Decision("keep")),
        ImportedDecision(DOG, DISCARD),
        ImportedDecision(UNKNOWN, DISCARD),
    ]
    report = desk.take_in(found)
    assert (report.recorded, report.unchanged, report.unknown) == (1, 1, 1)
    assert report.sentence == (
        "Recorded 1 decision; 1 was known already, and 1 is about a picture that is not here."
    )
    recorded = desk.reviewed().decisions
    assert (recorded[CAT].decision, recorded[CAT].origin) == (Decision("keep", "cat"), "import")
    assert recorded[DOG].origin == "person"
    desk.undo()
    assert set(desk.reviewed().decisions) == {DOG}
