from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.error_gallery import ERROR_LIST, FOLDS_SHEET, TEST_SHEET, error_gallery
from reds_pipeline.run_artifacts import PREDICTIONS, SPLIT
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tracking import HASHTAG_MODEL, MODEL_ARTIFACT, Tracking
from reds_pipeline.withdrawal.galleries import clean_gallery
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES, mark_models
from reds_pipeline.withdrawal.tombstones import record_erasure
from reds_pipeline_tests.fediverse.makers import KEY
from reds_pipeline_tests.made_up_training import made_up_set, own_tracking

COLUMNS = ["sha256", "fold", "class_name", "predicted", "chance"]


@pytest.fixture
def tracking(mlflow_database: Path, tmp_path: Path) -> Tracking:
    return own_tracking(mlflow_database, tmp_path)


def shown(tracking: Tracking, directory: Path, key: str = "k") -> tuple[str, list[str]]:
    """Log a training with one wrong answer in the test and one in a fold; return run and keys."""
    data = made_up_set(directory)
    tested, folded, right = data.keys[:3]
    answers = [
        {"sha256": tested, "fold": -1, "class_name": "cat", "predicted": "dog", "chance": 0.9},
        {"sha256": folded, "fold": 2, "class_name": "cat", "predicted": "dog", "chance": 0.8},
        {"sha256": right, "fold": 2, "class_name": "cat", "predicted": "cat", "chance": 0.7},
    ]
    gallery = error_gallery(answers, data.squares)
    with tracking.training("shown", key, params={}, tags={}) as run:
        run.log_json(SPLIT, {"test": [tested], "fold": {folded: 2, right: 2}})
        run.log_table(PREDICTIONS, answers, COLUMNS)
        run.log_table(ERROR_LIST, gallery.rows, list(gallery.rows[0]))
        for name, sheet in gallery.sheets.items():
            run.log_bytes(name, sheet)
        run.log_bytes(f"{MODEL_ARTIFACT}/model.txt", b"weights")
    return run.run_id, [tested, folded, right]


def listed(tracking: Tracking, run_id: str, name: str) -> dict[str, dict[str, object]]:
    table = tracking.read_json(run_id, name)
    rows = [dict(zip(table["columns"], values, strict=True)) for values in table["data"]]
    return {row["sha256"]: row for row in rows}


def test_a_withdrawn_picture_is_shown_and_listed_no_more(
    tracking: Tracking, tmp_path: Path
) -> None:
    run_id, (tested, folded, right) = shown(tracking, tmp_path)
    before = {name: tracking.read_bytes(run_id, name) for name in (TEST_SHEET, FOLDS_SHEET)}
    assert clean_gallery(tracking, run_id, {tested}.__contains__, write=False) == 1
    assert tracking.read_bytes(run_id, TEST_SHEET) == before[TEST_SHEET], "nothing was written"
    assert clean_gallery(tracking, run_id, {tested}.__contains__, write=True) == 1
    assert tracking.read_bytes(run_id, TEST_SHEET) != before[TEST_SHEET]
    assert tracking.read_bytes(run_id, FOLDS_SHEET) == before[FOLDS_SHEET], "others stay"
    assert set(listed(tracking, run_id, ERROR_LIST)) == {folded}
    assert set(listed(tracking, run_id, PREDICTIONS)) == {folded, right}
    assert clean_gallery(tracking, run_id, {tested}.__contains__, write=True) == 0


def test_a_kill_after_the_sheet_is_made_good(tracking: Tracking, tmp_path: Path) -> None:
    """The list goes last, so that it still names the sheet when the next call comes."""
    run_id, (tested, _, _) = shown(tracking, tmp_path)
    tracking.write_bytes(run_id, TEST_SHEET, b"half of a notice")
    assert clean_gallery(tracking, run_id, {tested}.__contains__, write=True) == 1
    assert tracking.read_bytes(run_id, TEST_SHEET).startswith(b"\xff\xd8")


@pytest.mark.parametrize("name", [ERROR_LIST, PREDICTIONS])
def test_a_list_that_a_kill_cut_short_keeps_nothing(
    name: str, tracking: Tracking, tmp_path: Path
) -> None:
    """Nobody can tell what is in it or, if it lists what the sheets show, what they show."""
    run_id, (tested, _, _) = shown(tracking, tmp_path)
    half = tracking.read_bytes(run_id, name)[:-20]
    tracking.write_bytes(run_id, name, half)
    assert tested.encode() in half
    lost = {ERROR_LIST: 2, PREDICTIONS: 1}[name]
    assert clean_gallery(tracking, run_id, {tested}.__contains__, write=True) == lost
    assert listed(tracking, run_id, name) == {}
    assert clean_gallery(tracking, run_id, {tested}.__contains__, write=True) == 0


def test_files_out_of_reach_are_cleaned_as_soon_as_they_are_back(
    tracking: Tracking, tmp_path: Path
) -> None:
    """Else a server that fails for a moment would show the picture for ever."""
    run_id, (tested, folded, _) = shown(tracking, tmp_path)
    here = tmp_path / "artifacts" / run_id / "artifacts" / ERROR_LIST
    away = here.rename(tmp_path / "away.json")
    here.symlink_to(tmp_path / "a disk that is not there" / "errors.json")
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    record_erasure(ledger, KEY, [tested])
    marked = mark_models(tracking, ledger, KEY)
    assert (marked.runs, marked.unreadable, marked.sheets) == ((run_id,), (run_id,), 0)
    here.unlink()
    away.rename(here)
    marked = mark_models(tracking, ledger, KEY)
    assert (marked.unreadable, marked.sheets) == ((), 1)
    assert set(listed(tracking, run_id, ERROR_LIST)) == {folded}
    ledger.close()


def test_a_picture_that_was_right_leaves_the_answers_alone(
    tracking: Tracking, tmp_path: Path
) -> None:
    run_id, (tested, folded, right) = shown(tracking, tmp_path)
    assert clean_gallery(tracking, run_id, {right}.__contains__, write=True) == 0
    assert set(listed(tracking, run_id, PREDICTIONS)) == {tested, folded}
    assert set(listed(tracking, run_id, ERROR_LIST)) == {tested, folded}


def test_marking_models_cleans_galleries_even_of_deleted_runs(
    tracking: Tracking, tmp_path: Path
) -> None:
    """Files of a run that somebody deleted in the UI stay until MLflow's own clearing."""
    run_id, (tested, _, _) = shown(tracking, tmp_path / "one")
    deleted, _ = shown(tracking, tmp_path / "two", "other")
    tracking.client.delete_run(deleted)
    tracking.register(run_id, {}, HASHTAG_MODEL)
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    dry = mark_models(tracking, ledger, KEY, to_come={tested})
    assert dry.sheets == 2
    record_erasure(ledger, KEY, [tested])
    marked = mark_models(tracking, ledger, KEY)
    assert (marked.sheets, marked.runs) == (2, (run_id,))
    assert marked.versions == (f"{HASHTAG_MODEL} 1",)
    [version] = tracking.versions(HASHTAG_MODEL)
    assert version.tags[WITHDRAWN_PICTURES] == "1"
    for each in (run_id, deleted):
        assert tested not in listed(tracking, each, ERROR_LIST)
    assert mark_models(tracking, ledger, KEY).sheets == 0
    ledger.close()


def test_a_training_that_goes_on_is_looked_at_again(tracking: Tracking, tmp_path: Path) -> None:
    """It has read the picture before the withdrawal, and shows it after."""
    data = made_up_set(tmp_path)
    tested = data.keys[0]
    wrong = {"sha256": tested, "fold": -1, "class_name": "cat", "predicted": "dog", "chance": 0.9}
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    record_erasure(ledger, KEY, [tested])
    with tracking.training("slow", "k", params={}, tags={}) as run:
        run.log_json(SPLIT, {"test": [tested], "fold": {}})
        assert mark_models(tracking, ledger, KEY).runs == (run.run_id,)
        gallery = error_gallery([wrong], data.squares)
        run.log_table(ERROR_LIST, gallery.rows, list(gallery.rows[0]))
        run.log_bytes(TEST_SHEET, gallery.sheets[TEST_SHEET])
    assert mark_models(tracking, ledger, KEY).sheets == 1
    assert listed(tracking, run.run_id, ERROR_LIST) == {}
    ledger.close()
