from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline import terminal
from reds_pipeline.feedback.answers import FeedbackForm
from reds_pipeline.resources import Platform
from reds_pipeline.review.decisions import Decision, Verdict
from reds_pipeline.review.desk import ReviewDesk
from reds_pipeline.settings import load_settings
from reds_pipeline.status import home_status
from reds_pipeline_tests import curated_home
from reds_pipeline_tests.feedback.makers import desk_of, given, recommended, taken_photo


def test_the_status_says_what_is_reviewed_and_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = curated_home.fill(tmp_path)
    platform = Platform(load_settings(home=home.root, images_per_class=5))
    desk = desk_of(home, platform.ledger)
    desk.record(desk.shown(recommended("cat", "beach")), FeedbackForm(("cat",)))
    given(desk, taken_photo(1))
    report = home_status(platform)
    assert report["funnel"]["cat"]["kept"] == 4
    assert [each["missing"] for each in report["balance"]] == [1, 0]
    assert report["review"][0] == {
        "class": "cat",
        "confirmed": 1,
        "unreviewed": 3,
        "discarded": 1,
        "moved_away": 1,
        "moved_here": 0,
    }
    terminal.show_details(report)
    output = capsys.readouterr().out
    assert "cat is 1 short of 5 pictures" in output
    assert "dog has all" not in output, "only what is missing is said"
    assert "not reviewed" in output
    assert "1 of 2 suggestions taken" in " ".join(output.split())
    assert "given for training: 1, learnt from: 0" in " ".join(output.split())


def test_the_status_says_how_many_decisions_wait_for_a_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = curated_home.fill(tmp_path)
    platform = Platform(load_settings(home=home.root))
    # What the tables of this home were told already.
    desk = ReviewDesk(home, platform.ledger)
    made: dict[Verdict, list[tuple[str, int]]] = {
        "keep": [("cat", curated_home.STORED - 2), ("dog", curated_home.STORED - 2)],
        "discard": [("cat", 2), ("dog", 2)],
    }
    for verdict, pictures in made.items():
        desk.decide([(curated_home.sha_of(*picture), Decision(verdict)) for picture in pictures])
    moved = curated_home.sha_of("cat", curated_home.MOVED)
    desk.decide([(moved, Decision("label", "dog"))])
    assert home_status(platform)["decisions_waiting"] == 0
    desk.decide([(moved, Decision("label", "cat")), (curated_home.sha_of("dog", 3), None)])
    desk.decide([(curated_home.sha_of("dog", 4), Decision("label", "unicorn"))])
    report = home_status(platform)
    assert report["decisions_waiting"] == 2
    terminal.show_details(report)
    assert "2 decisions of reviewers are not in the data set yet" in capsys.readouterr().out
