from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tracking import MODEL_ARTIFACT, Tracking
from reds_pipeline.withdrawal.lineage import (
    MODEL_MARKED,
    WITHDRAWN_PICTURES,
    MarkedModels,
    mark_models,
)
from reds_pipeline.withdrawal.tombstones import record_erasure
from reds_pipeline.withdrawal.withdraw import WithdrawalRequest, account_address, withdraw
from reds_pipeline_tests.fediverse.makers import KEY
from reds_pipeline_tests.held_home import HOST, fill, sha_of


@pytest.fixture
def tracking(mlflow_database: Path, tmp_path: Path) -> Tracking:
    shutil.copy(mlflow_database, tmp_path / "mlflow.sqlite")
    return Tracking(f"sqlite:///{tmp_path / 'mlflow.sqlite'}", tmp_path / "artifacts")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield opened
    opened.close()


def trained(tracking: Tracking, name: str, tested: list[str], learnt: list[str]) -> str:
    with tracking.training(name, name, params={}, tags={}) as run:
        run.log_json("split.json", {"test": tested, "fold": dict.fromkeys(learnt, 1)})
        run.log_fold(1, {"accuracy": 0.5}, {})
        run.log_bytes(f"{MODEL_ARTIFACT}/model.txt", b"weights")
    return run.run_id


def tag(tracking: Tracking, run_id: str) -> str | None:
    return tracking.client.get_run(run_id).data.tags.get(WITHDRAWN_PICTURES)


def marks(ledger: Ledger) -> list[tuple[str, int]]:
    return [
        (event["subject"], event["withdrawn_pictures"]) for event in ledger.events(MODEL_MARKED)
    ]


@pytest.mark.req("R-SCR-11")
def test_every_model_that_saw_a_withdrawn_picture_says_how_many(
    tracking: Tracking, ledger: Ledger
) -> None:
    learnt = trained(tracking, "learnt", ["t"], ["a", "b", "c"])
    measured = trained(tracking, "measured", ["a"], ["x"])
    other = trained(tracking, "other", ["x"], ["y"])
    version = tracking.register(learnt, {})
    record_erasure(ledger, KEY, ["a", "b"])
    marked = mark_models(tracking, ledger, KEY)
    assert set(marked.runs) == {learnt, measured}
    assert marked.versions == (version.version,)
    assert [tag(tracking, run) for run in (learnt, measured, other)] == ["2", "1", None]
    again = tracking.register(learnt, {})
    assert again.tags[WITHDRAWN_PICTURES] == "2"
    assert sorted(marks(ledger)) == sorted(
        [(f"run {learnt}", 2), (f"run {measured}", 1), ("reds-tagger 1", 2)]
    )


def test_marking_again_changes_nothing_and_counts_go_up(tracking: Tracking, ledger: Ledger) -> None:
    run_id = trained(tracking, "learnt", [], ["a", "b", "c"])
    for pictures in (["a"], ["a"], ["b", "unknown"]):
        record_erasure(ledger, KEY, pictures)
        for _ in range(2):
            mark_models(tracking, ledger, KEY)
    assert tag(tracking, run_id) == "2"
    assert marks(ledger) == [(f"run {run_id}", 1), (f"run {run_id}", 2)]


def test_a_kill_between_ledger_and_tag_is_made_good(tracking: Tracking, ledger: Ledger) -> None:
    run_id = trained(tracking, "learnt", [], ["a"])
    record_erasure(ledger, KEY, ["a"])
    ledger.append(MODEL_MARKED, f"run {run_id}", {"withdrawn_pictures": 1})
    mark_models(tracking, ledger, KEY)
    assert tag(tracking, run_id) == "1"
    assert len(marks(ledger)) == 1


def test_a_version_registered_later_is_marked_as_well(tracking: Tracking, ledger: Ledger) -> None:
    run_id = trained(tracking, "learnt", [], ["a"])
    record_erasure(ledger, KEY, ["a"])
    mark_models(tracking, ledger, KEY)
    tracking.register(run_id, {})
    assert mark_models(tracking, ledger, KEY).versions == ("1",)
    assert tracking.register(run_id, {}).tags[WITHDRAWN_PICTURES] == "1"


def test_a_run_that_does_not_say_what_it_used_is_named(tracking: Tracking, ledger: Ledger) -> None:
    with tracking.training("broken", "k", params={}, tags={}) as run:
        pass
    record_erasure(ledger, KEY, ["a"])
    assert mark_models(tracking, ledger, KEY) == MarkedModels(unreadable=(run.run_id,))


def test_what_would_be_marked_is_told_and_not_done(tracking: Tracking, ledger: Ledger) -> None:
    run_id = trained(tracking, "learnt", [], ["a"])
    assert mark_models(tracking, ledger, KEY, to_come={"a"}).runs == (run_id,)
    assert tag(tracking, run_id) is None
    assert marks(ledger) == []


def test_where_nothing_was_erased_no_database_is_made(tmp_path: Path, ledger: Ledger) -> None:
    tracking = Tracking(f"sqlite:///{tmp_path / 'none.sqlite'}", tmp_path / "artifacts")
    assert mark_models(tracking, ledger, KEY) == MarkedModels()
    assert not (tmp_path / "none.sqlite").exists()


def test_a_withdrawal_marks_the_models(tracking: Tracking, tmp_path: Path) -> None:
    home = fill(tmp_path / "home", unfinished=False)
    ledger = Ledger(home.default_ledger_url)
    run_id = trained(tracking, "learnt", [sha_of(1)], [sha_of(2), sha_of(5)])
    tracking.register(run_id, {})
    request = WithdrawalRequest(account_address(f"mira@{HOST}"), why="asked for")
    planned = withdraw(home, ledger, tracking, request, dry_run=True)
    assert tag(tracking, run_id) is None
    done = withdraw(home, ledger, tracking, request)
    assert planned.models == done.models == MarkedModels(runs=(run_id,), versions=("1",))
    assert tag(tracking, run_id) == "2"
    assert Home(home.root).images.path(sha_of(5), "jpg").exists()
    ledger.close()
