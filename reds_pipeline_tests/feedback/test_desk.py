from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from reds_pipeline.feedback.answers import FeedbackForm, FeedbackRefused, opened, sealed
from reds_pipeline.feedback.consent import CONSENT
from reds_pipeline.feedback.contributions import contributions, read_contributed_photo
from reds_pipeline.feedback.events import FEEDBACK
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.imaging.photo import read_photo
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.withdrawal.tombstones import Tombstones, picture_keys, record_withdrawal
from reds_pipeline_tests.feedback.makers import (
    PLACE_OF_THE_PHOTO,
    desk_of,
    given,
    recommended,
    taken_photo,
)
from reds_pipeline_tests.held_home import everything
from reds_pipeline_tests.imaging.pictures import encoded

SHOWN = recommended("cat", "golden retriever", "beach")


def recorded(ledger: Ledger) -> list[str]:
    return [event["event"] for event in ledger.events(FEEDBACK)]


@pytest.mark.req("R-IMP-6")
def test_suggestions_that_nobody_answers_leave_no_trace(home: Home, ledger: Ledger) -> None:
    desk_of(home, ledger).shown(SHOWN, own_tags=("Flauschi",))
    assert recorded(ledger) == []
    assert "lauschi" not in everything(home)
    assert not home.contributions.exists()


@pytest.mark.req("R-IMP-6")
def test_an_answer_is_recorded_once_however_often_it_arrives(home: Home, ledger: Ledger) -> None:
    desk = desk_of(home, ledger)
    token = desk.shown(SHOWN)
    form = FeedbackForm(("cat",), ("beach",), ("flauschi",))
    first, again = desk.record(token, form), desk.record(token, form)
    elsewhere = desk_of(home, ledger).record(token, form)
    assert recorded(ledger) == ["shown", "accept", "add", "reject"]
    assert (first.recorded, again.recorded, elsewhere.recorded) == (4, 0, 0)
    assert (first.other, first.changed) == (1, False)
    assert "lauschi" not in everything(home)


def test_a_form_that_is_sent_many_times_at_once_is_recorded_once(
    home: Home, ledger: Ledger
) -> None:
    desk = desk_of(home, ledger)
    token, form = desk.shown(SHOWN), FeedbackForm(("cat",))
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(lambda _: desk.record(token, form), range(16)))
    assert sum(receipt.recorded for receipt in receipts) == 2
    assert recorded(ledger) == ["shown", "accept"]


def test_a_changed_mind_replaces_what_was_said_before(home: Home, ledger: Ledger) -> None:
    desk = desk_of(home, ledger)
    token = desk.shown(SHOWN)
    desk.record(token, FeedbackForm(("cat",)))
    assert desk.record(token, FeedbackForm(rejected=("cat",))).changed
    assert desk.record(token, FeedbackForm()).changed, "taking everything back is an answer too"
    assert recorded(ledger) == ["shown", "accept", "shown", "reject", "shown"]


def test_a_form_that_says_nothing_is_not_recorded(home: Home, ledger: Ledger) -> None:
    desk = desk_of(home, ledger)
    receipt = desk.record(desk.shown(SHOWN), FeedbackForm())
    assert recorded(ledger) == []
    assert receipt.sentence.startswith("Nothing was recorded because nothing is marked")


def test_one_photo_cannot_fill_the_ledger(home: Home, ledger: Ledger) -> None:
    desk = desk_of(home, ledger)
    token = desk.shown(SHOWN)
    forms = [FeedbackForm(("cat",)), FeedbackForm(("beach",))] * 10
    for form in forms:
        desk.record(token, form)
    with pytest.raises(FeedbackRefused) as refused:
        desk.record(token, forms[0])
    assert refused.value.reason == "too_often"
    assert recorded(ledger).count("shown") == len(forms)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (FeedbackForm(("sunset",)), "not_shown"),
        (FeedbackForm((), ("sunset",)), "not_shown"),
        (FeedbackForm(("cat",), ("cat",)), "contradiction"),
        (FeedbackForm(("cat",), none_of_these=True), "contradiction"),
    ],
    ids=["accepted", "rejected", "both", "one and none"],
)
def test_a_form_that_cannot_be_true_changes_nothing(
    home: Home, ledger: Ledger, form: FeedbackForm, reason: str
) -> None:
    desk = desk_of(home, ledger)
    with pytest.raises(FeedbackRefused) as refused:
        desk.record(desk.shown(SHOWN), form)
    assert refused.value.reason == reason
    assert recorded(ledger) == []


def test_tokens_of_elsewhere_and_of_yesterday_are_refused(
    home: Home, ledger: Ledger, tmp_path: Path
) -> None:
    desk, other = desk_of(home, ledger), desk_of(Home(tmp_path / "other"), ledger)
    token = desk.shown(SHOWN)
    old = replace(opened(token, home.seal), at="2026-01-01T00:00:00Z")
    for bad, reason in (
        (other.shown(SHOWN), "unreadable"),
        (token[:-2] + "AA", "unreadable"),
        ("", "unreadable"),
        (home.seal.closed("[]"), "unreadable"),
        (sealed(old, home.seal), "outdated"),
    ):
        with pytest.raises(FeedbackRefused) as refused:
            desk.record(bad, FeedbackForm(("cat",)))
        assert refused.value.reason == reason


@pytest.mark.req("R-IMP-6")
def test_a_photo_is_kept_with_consent_clean_and_only_with_what_is_said(
    home: Home, ledger: Ledger
) -> None:
    desk = desk_of(home, ledger)
    data = taken_photo(1)
    assert PLACE_OF_THE_PHOTO.encode() in data
    mine = given(desk, data)
    token = desk.shown(SHOWN, own_tags=("flauschi", "sunset"), contribution=mine.id)
    [kept] = contributions(home)
    assert [(tag.tag, tag.how) for tag in kept.tags] == [
        ("Flauschi", "unprompted"),
        ("sunset", "unprompted"),
    ]
    form = FeedbackForm(("cat",), ("beach",), ("zoo",))
    assert desk.record(token, form).contribution == mine.id
    [kept] = contributions(home)
    assert [(tag.tag, tag.how, tag.rank, tag.version) for tag in kept.tags[2:]] == [
        ("cat", "accepted", 1, "3"),
        ("Zoo", "added", 0, ""),
    ]
    assert kept.rejected == ("beach",)
    photo = read_contributed_photo(home, kept)
    assert examine_image(photo).data == photo, "what is kept is what the training would keep"
    left = everything(home)
    assert PLACE_OF_THE_PHOTO not in left
    assert mine.code not in left
    assert mine.code.replace("-", "") not in left


def test_a_changed_word_that_no_model_knows_still_reaches_the_photo(
    home: Home, ledger: Ledger
) -> None:
    desk = desk_of(home, ledger)
    token = desk.shown(SHOWN, contribution=given(desk, taken_photo(1)).id)
    desk.record(token, FeedbackForm(added=("flauschi",)))
    desk.record(token, FeedbackForm(added=("minka",)))
    assert [tag.tag for tag in contributions(home)[0].tags] == ["Minka"]


@pytest.mark.req("R-IMP-6")
def test_the_code_deletes_the_photo_and_a_late_answer_does_not_bring_it_back(
    home: Home, ledger: Ledger
) -> None:
    desk = desk_of(home, ledger)
    mine = given(desk, taken_photo(1))
    token = desk.shown(SHOWN, own_tags=("flauschi",), contribution=mine.id)
    assert desk.find(mine.code.lower()) == contributions(home)[0]
    assert desk.delete(mine.code)
    assert desk.find(mine.code) is None
    assert not desk.delete(mine.code)
    assert desk.record(token, FeedbackForm(added=("minka",))).contribution == ""
    assert list(home.contributions.iterdir()) == []
    left = everything(home)
    for trace in (mine.sha256, mine.perceptual_hash, "lauschi", "inka"):
        assert trace not in left


def test_showing_a_photo_again_does_not_take_its_words_away(home: Home, ledger: Ledger) -> None:
    desk = desk_of(home, ledger)
    mine = given(desk, taken_photo(1))
    desk.shown(SHOWN, own_tags=("flauschi",), contribution=mine.id)
    desk.shown(SHOWN, contribution=mine.id)
    assert [tag.tag for tag in contributions(home)[0].tags] == ["Flauschi"]


@pytest.mark.parametrize("consent", ["", "yes", "2025-01"], ids=["none", "any", "another text"])
def test_nothing_is_kept_without_consent_to_the_present_text(
    home: Home, ledger: Ledger, consent: str
) -> None:
    with pytest.raises(FeedbackRefused) as refused:
        desk_of(home, ledger).contribute(read_photo(taken_photo(1)), consent)
    assert refused.value.reason == "no_consent"
    assert not home.contributions.exists()


def test_nothing_is_kept_where_photos_are_not_taken(home: Home, ledger: Ledger) -> None:
    desk = desk_of(home, ledger, accepts_contributions=False)
    with pytest.raises(FeedbackRefused) as refused:
        desk.contribute(read_photo(taken_photo(1)), CONSENT.version)
    assert refused.value.reason == "off"
    assert not home.contributions.exists()


@pytest.mark.req("R-IMP-6")
@pytest.mark.parametrize("copy", ["the same file", "saved again", "mirrored"], ids=str)
def test_a_picture_that_was_withdrawn_is_not_taken_again(
    home: Home, ledger: Ledger, copy: str
) -> None:
    desk = desk_of(home, ledger)
    mine = given(desk, taken_photo(1))
    desk.delete(mine.code)
    given(desk, taken_photo(1))
    keys = picture_keys(home.keyed_hash, mine.sha256, mine.perceptual_hash)
    record_withdrawal(ledger, Tombstones(keys=keys), subject="image", why="", asked_by="")
    data = taken_photo(1, quality=90 if copy == "the same file" else 40)
    if copy == "mirrored":
        data = encoded(ImageOps.mirror(Image.open(BytesIO(data))))
    with pytest.raises(FeedbackRefused) as refused:
        given(desk, data)
    assert refused.value.reason == "withdrawn"
    given(desk, taken_photo(2))


def test_where_there_is_no_room_the_person_reads_no_names_of_directories(
    home: Home, ledger: Ledger
) -> None:
    desk = desk_of(home, ledger)
    home.contributions.write_text("a file where a directory should be")
    with pytest.raises(FeedbackRefused) as refused:
        given(desk, taken_photo(1))
    assert refused.value.reason == "no_room"
    assert str(home.root) not in str(refused.value)
    assert ledger.events("contribution") == []


@pytest.mark.req("R-IMP-6")
def test_a_page_that_runs_alone_deletes_what_its_time_is_over_for(
    home: Home, ledger: Ledger
) -> None:
    given(desk_of(home, ledger, contribution_days=-1.0), taken_photo(1))
    given(desk_of(home, ledger), taken_photo(2))
    [left] = contributions(home)
    assert left.delete_after > left.at
    desk = desk_of(home, ledger)
    (home.contributions / left.id / "contribution.json").write_text("damaged")
    assert desk.record(desk.shown(SHOWN), FeedbackForm(("cat",))).recorded == 2


@pytest.mark.req("R-IMP-6")
def test_a_photo_whose_code_nobody_gets_is_not_kept(home: Home, ledger: Ledger) -> None:
    """Its giver could not delete it."""
    desk = desk_of(home, ledger)
    assert given(desk, taken_photo(1))
    with sqlite3.connect(home.root / "ledger.sqlite") as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(Exception, match="full"):
        given(desk, taken_photo(2))
    assert len(contributions(home)) == 1
