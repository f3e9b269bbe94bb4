"""What becomes of everything that was made of a contributed photo."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reds_pipeline.feedback.answers import FeedbackForm
from reds_pipeline.feedback.contributions import Contribution, contributions
from reds_pipeline.feedback.desk import FeedbackDesk
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.images import ImageStore
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.storage.tables import (
    CONTRIBUTED,
    CONTRIBUTED_IMAGES,
    CURATED,
    PREDICTIONS,
    SIMILAR_PAIRS,
    read_rows,
    write_rows,
)
from reds_pipeline.tracking import Tracking
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES
from reds_pipeline.withdrawal.withdraw import (
    WithdrawalRequest,
    finish_withdrawals,
    picture,
    withdraw,
)
from reds_pipeline_tests.feedback.makers import desk_of, given, recommended, taken_photo
from reds_pipeline_tests.held_home import drawn, embeddings, everything, sha_of
from reds_pipeline_tests.made_up_training import own_tracking

Row = dict[str, Any]
TYPED = "Flauschiminka"
TABLES = {"contributed_images": CONTRIBUTED_IMAGES, "contributed_dataset": CONTRIBUTED}


@pytest.fixture
def desk(home: Home, ledger: Ledger) -> FeedbackDesk:
    return desk_of(home, ledger)


@pytest.fixture
def tracking(mlflow_database: Path, tmp_path: Path) -> Tracking:
    return own_tracking(mlflow_database, tmp_path / "mlflow")


def learnt(home: Home, *photos: Contribution) -> None:
    """Take photos into the data set as its stages do, one of them giving groups their name."""
    for photo in photos:
        data = (home.contributions / photo.id / f"photo.{photo.extension}").read_bytes()
        assert home.images.put(data, photo.extension) == photo.sha256
    shas = sorted({photo.sha256 for photo in photos} - home.tensors("rule").keys())
    home.tensors("rule").append(shas, np.zeros((len(shas), 224, 224, 3), np.uint8))
    embeddings(home).append(shas, np.ones((len(shas), 4), np.float32))
    rows: list[Row] = [
        {
            "contribution_id": photo.id,
            "sha256": photo.sha256,
            "extension": photo.extension,
            "class_name": "cat",
            "kept": True,
        }
        for photo in photos
    ]
    looks = {
        photo.id: {
            "perceptual_hash": photo.perceptual_hash,
            "mirrored_hash": photo.mirrored_hash,
        }
        for photo in photos
    }
    images = [row | looks[row["contribution_id"]] for row in rows]
    write_rows(home.table("contributed_images"), images, CONTRIBUTED_IMAGES)
    group = photos[0].sha256
    judged = [row | {"group": group, "keeper": group} for row in rows]
    write_rows(home.table("contributed_dataset"), judged, CONTRIBUTED)
    curated = read_rows(home.table("curated_dataset"), CURATED)
    curated[0] |= {"group": group, "keeper": group}
    write_rows(home.table("curated_dataset"), curated, CURATED)
    pairs = [
        *read_rows(home.table("similar_pairs"), SIMILAR_PAIRS),
        {"one": group, "other": sha_of(1)},
    ]
    write_rows(home.table("similar_pairs"), pairs, SIMILAR_PAIRS)
    said = [row | {"group": group} for row in read_rows(home.table("predictions", "tiny"))]
    write_rows(home.table("predictions", "tiny"), said, PREDICTIONS)


def trained_with(tracking: Tracking, *photos: Contribution) -> str:
    with tracking.training("learnt", "key", params={}, tags={}) as run:
        contributed = dict.fromkeys((photo.sha256 for photo in photos), 1)
        run.log_json("split.json", {"test": [], "fold": {}, "contributed": contributed})
    return run.run_id


def traces(photo: Contribution) -> list[str]:
    return [photo.sha256, photo.perceptual_hash, photo.mirrored_hash, TYPED, photo.code]


def given_with_words(desk: FeedbackDesk, data: bytes) -> Contribution:
    photo = given(desk, data)
    shown = recommended("cat")
    token = desk.shown(shown, own_tags=(TYPED,), contribution=photo.id)
    desk.record(token, FeedbackForm(("cat",), added=(f"{TYPED} again",)))
    return photo


@pytest.mark.req("R-IMP-6")
@pytest.mark.req("R-SCR-11")
def test_nothing_made_of_a_deleted_photo_is_left_in_any_file(
    home: Home, ledger: Ledger, tracking: Tracking, desk: FeedbackDesk
) -> None:
    mine, theirs = given_with_words(desk, taken_photo(101)), given(desk, taken_photo(102))
    learnt(home, mine, theirs)
    run_id = trained_with(tracking, mine, theirs)
    data = (home.contributions / mine.id / "photo.jpg").read_bytes()
    before = everything(home)
    assert all(trace in before for trace in traces(mine)[:-1])
    assert desk.delete(mine.code)
    report = finish_withdrawals(home, ledger, tracking)
    left = everything(home)
    for trace in (*traces(mine), data.decode("latin-1")):
        assert trace not in left
    assert report.is_finished
    assert report.removed["picture files"] == 1
    assert report.models.runs == (run_id,)
    assert tracking.client.get_run(run_id).data.tags[WITHDRAWN_PICTURES] == "1"
    assert contributions(home)[0].id == theirs.id, "what somebody else gave stays"
    assert home.images.path(theirs.sha256, "jpg").exists()
    for name, schema in TABLES.items():
        [row] = read_rows(home.table(name), schema)
        assert row["contribution_id"] == theirs.id
    names = {row["group"] for row in read_rows(home.table("curated_dataset"), CURATED)}
    [judged] = read_rows(home.table("contributed_dataset"), CONTRIBUTED)
    assert judged["group"] in names, "what is alike stays in one group, under another name"
    assert sha_of(1) in left, "posts' pictures stay"
    again = finish_withdrawals(home, ledger, tracking)
    assert set(again.removed) <= {"leftovers"}


@pytest.mark.parametrize("shared_with", ["a post", "another person"])
def test_a_picture_with_the_same_bytes_stays_with_those_who_did_not_delete_it(
    home: Home, ledger: Ledger, tracking: Tracking, desk: FeedbackDesk, shared_with: str
) -> None:
    data = drawn(1) if shared_with == "a post" else taken_photo(101)
    mine, theirs = given(desk, data), given(desk, data)
    learnt(home, mine, theirs)
    run_id = trained_with(tracking, mine)
    kept_rows = read_rows(home.table("images", "cat"))
    desk.delete(mine.code)
    if shared_with == "a post":
        assert mine.sha256 == sha_of(1)
        desk.delete(theirs.code)
    report = finish_withdrawals(home, ledger, tracking)
    assert home.images.path(mine.sha256, "jpg").exists()
    assert embeddings(home).missing([mine.sha256]) == []
    assert read_rows(home.table("images", "cat")) == kept_rows
    assert report.models.runs == ()
    assert WITHDRAWN_PICTURES not in tracking.client.get_run(run_id).data.tags
    held = [row["contribution_id"] for row in read_rows(home.table("contributed_dataset"))]
    assert held == ([] if shared_with == "a post" else [theirs.id])


def test_a_post_that_goes_leaves_the_same_picture_to_who_gave_it(
    home: Home, ledger: Ledger, tracking: Tracking, desk: FeedbackDesk
) -> None:
    from reds_pipeline.withdrawal.withdraw import post_address

    mine = given(desk, drawn(1))
    learnt(home, mine)
    address = post_address("https://pix.example/p/mira/101")
    withdraw(home, ledger, tracking, WithdrawalRequest(address))
    assert home.images.path(mine.sha256, "jpg").exists()
    assert len(read_rows(home.table("contributed_dataset"))) == 1


@pytest.mark.req("R-IMP-6")
@pytest.mark.parametrize("named_by", ["file", "sha256", "copy of it"])
def test_an_operator_withdraws_a_contributed_photo_like_any_picture(
    home: Home, ledger: Ledger, tracking: Tracking, desk: FeedbackDesk, named_by: str
) -> None:
    mine = given_with_words(desk, taken_photo(101))
    learnt(home, mine)
    source: dict[str, bytes | str] = {
        "file": taken_photo(101),
        "sha256": mine.sha256,
        "copy of it": taken_photo(101, quality=40),
    }
    request = WithdrawalRequest(picture(source[named_by], radius=6))
    planned = withdraw(home, ledger, tracking, request, dry_run=True)
    assert planned.removed["contributed photos"] == 1
    assert contributions(home), "nothing went yet"
    withdraw(home, ledger, tracking, request)
    left = everything(home)
    assert [trace for trace in traces(mine) if trace in left] == []
    assert ledger.events("contribution")[-1]["why"] == "withdrawn"


def test_what_another_process_holds_goes_with_the_next_call(
    home: Home, ledger: Ledger, tracking: Tracking, desk: FeedbackDesk
) -> None:
    mine = given(desk, taken_photo(101))
    learnt(home, mine)
    desk.delete(mine.code)
    for name in TABLES:
        with exclusive(home.lock(name), "writing it"):
            assert not finish_withdrawals(home, ledger, tracking).is_finished
        assert mine.sha256 in everything(home)
    assert finish_withdrawals(home, ledger, tracking).is_finished
    assert mine.sha256 not in everything(home)


class Killed(BaseException):
    """Stands for the power cut."""


def test_an_erasure_that_is_killed_anywhere_is_finished_by_the_next_call(
    home: Home,
    tmp_path: Path,
    tracking: Tracking,
    desk: FeedbackDesk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = given_with_words(desk, taken_photo(101))
    learnt(home, mine)
    desk.delete(mine.code)
    whole = tmp_path / "whole"
    shutil.copytree(home.root, whole)
    left = 0

    def mortal(work: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return work(*arguments, **options)

        return dying

    monkeypatch.setattr(Path, "replace", mortal(Path.replace))
    monkeypatch.setattr(ImageStore, "remove", mortal(ImageStore.remove))
    for moments in range(40):
        shutil.rmtree(home.root)
        shutil.copytree(whole, home.root)
        own = Ledger(home.default_ledger_url)
        left = moments
        try:
            finish_withdrawals(home, own, tracking)
            break
        except Killed:
            left = 10**9
            finish_withdrawals(home, own, tracking)
        finally:
            own.close()
        text = everything(home)
        assert [trace for trace in traces(mine) if trace in text] == [], moments
    assert moments >= 6, "there are several moments to die at"
