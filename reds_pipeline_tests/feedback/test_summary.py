from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from reds_pipeline.cli import cli
from reds_pipeline.feedback.answers import FeedbackForm
from reds_pipeline.feedback.summary import Share, feedback_summary
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline_tests.feedback.makers import desk_of, given, recommended, taken_photo

SHOWN = recommended("cat", "golden retriever", "beach")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home in which four people answered and one took everything back."""
    made = Home(tmp_path / "home")
    ledger = Ledger(made.default_ledger_url)
    desk = desk_of(made, ledger)
    for own, form in (
        ((), FeedbackForm(("cat",), ("beach",))),
        (("sunset", "Cat", "Flauschi"), FeedbackForm(("cat",), added=("sunset",))),
        ((), FeedbackForm(none_of_these=True, added=("Zoo", "Sunset"))),
        ((), FeedbackForm((), ("cat",))),
    ):
        desk.record(desk.shown(SHOWN, own_tags=own), form)
    token = desk.shown(SHOWN)
    desk.record(token, FeedbackForm(("beach",)))
    desk.record(token, FeedbackForm())
    given(desk, taken_photo(1))
    ledger.close()
    return made


@pytest.mark.req("R-IMP-6")
def test_acceptance_is_told_by_place_model_and_tag(home: Home) -> None:
    summary = feedback_summary(Ledger(home.default_ledger_url))
    assert (summary.answers, summary.none_of_these) == (4, 1)
    first, second, third = (summary.by_rank[rank] for rank in (1, 2, 3))
    assert (first.shown, first.accepted, first.rejected) == (4, 2, 2)
    assert (second.accepted, second.rejected) == (0, 1), "what nobody speaks of is not accepted"
    assert (third.accepted, third.rejected) == (0, 2)
    assert first.promised_chance == pytest.approx(0.8), "beside what became of it"
    assert summary.by_model.keys() == {("reds-tagger", "3")}
    assert summary.by_tag["cat"].right_of_judged == Share(2, 4)
    assert summary.total.acceptance == Share(2, 12)
    assert dict(summary.added) == {"sunset": 1, "other": 1}
    assert dict(summary.unprompted) == {"sunset": 1, "cat": 1, "other": 1}
    assert summary.unprompted_found == Share(1, 2), "the cat was suggested, the sunset was not"


def test_a_share_says_how_sure_it_is() -> None:
    low, high = Share(2, 4).interval or (0, 0)
    assert 0.14 < low < 0.16
    assert 0.84 < high < 0.86
    assert Share(0, 0).value is None
    assert Share(0, 0).interval is None


@pytest.mark.req("R-IMP-6")
def test_the_command_shows_what_was_said_and_given(home: Home) -> None:
    shown = CliRunner().invoke(cli, ["feedback", "--home", str(home.root)], catch_exceptions=False)
    assert "Photos that people answered: 4; no suggestion was right for 1" in " ".join(
        shown.output.split()
    )
    assert "Photos given for training: 1 kept, 0 learnt from." in " ".join(shown.output.split())
    told = CliRunner().invoke(cli, ["feedback", "--home", str(home.root), "--json"])
    values = json.loads(told.output)
    assert [each["rank"] for each in values["ranks"]] == [1, 2, 3]
    assert values["contributions"] == {"kept": 1, "learnt_from": 0}


def test_where_nobody_said_anything_the_command_says_so(tmp_path: Path) -> None:
    shown = CliRunner().invoke(cli, ["feedback", "--home", str(tmp_path)], catch_exceptions=False)
    assert "Nobody has said anything" in " ".join(shown.output.split())
    assert not (tmp_path / "pseudonym.key").exists(), "no key is made by looking"
