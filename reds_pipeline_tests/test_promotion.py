from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.chosen_models import promote_version, roll_back
from reds_pipeline.errors import RedsError
from reds_pipeline.model_history import (
    PROMOTION,
    PROMOTION_FINISHED,
    ChampionChange,
    change_champion,
    history,
)
from reds_pipeline.promotion import promote_best
from reds_pipeline.resources import Platform
from reds_pipeline.run_artifacts import PREDICTIONS as PREDICTIONS_ARTIFACT
from reds_pipeline.stage_inputs import curated_rows
from reds_pipeline.storage.tables import (
    CLASS_SELECTION,
    CONTRIBUTED,
    CURATED,
    IMAGES,
    LABEL_SUSPECTS,
    PREDICTIONS,
    TEST_PICTURES,
    write_rows,
)
from reds_pipeline.tracking import CHALLENGER, CHAMPION
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES
from reds_pipeline_tests import served_models
from reds_pipeline_tests.served_models import CLASSES, TESTED, ServedModels, sha_of

Fill = Callable[..., ServedModels]

GOOD, BETTER, WORSE = (14, 14), (18, 18), (10, 10)


@pytest.fixture
def fill(mlflow_database: Path, tmp_path: Path) -> Fill:
    def filled(*right: tuple[int, int], **settings: Any) -> ServedModels:
        return served_models.fill(tmp_path / "home", mlflow_database, right, **settings)

    return filled


def serving(models: ServedModels) -> str | None:
    version = models.platform.tracking.alias(CHAMPION)
    return version.version if version else None


@pytest.mark.req("R-EXP-12")
def test_a_better_model_replaces_the_champion_and_the_record_says_why(fill: Fill) -> None:
    models = fill(GOOD, BETTER)
    models.train(0)
    first = promote_best(models.platform)
    assert (first.promoted, first.reason) == (True, "There was no model before.")
    models.train(1)
    second = promote_best(models.platform)
    assert second.promoted
    assert second.test is not None
    assert second.test.pictures == 2 * TESTED
    assert "On 40 test pictures that neither has learnt from tiny is right on 90.0%" in (
        second.reason
    )
    assert "McNemar p = " in second.reason
    [_, change] = (entry.change for entry in history(models.platform.ledger))
    assert (change.version, change.previous, change.how, change.by) == (
        "2",
        "1",
        "rule",
        "the rule",
    )
    assert change.metrics["shared_test_accuracy"] == 0.9
    assert change.metrics["shared_test_accuracy_of_previous"] == 0.7
    assert serving(models) == "2"
    again = promote_best(models.platform)
    assert (again.promoted, again.reason) == (False, "The champion is this very model already.")
    assert len(history(models.platform.ledger)) == 2


def test_a_model_that_is_no_better_becomes_the_challenger(fill: Fill) -> None:
    models = fill(GOOD, GOOD, WORSE)
    for model in (0, 1, 2):
        models.train(model)
        result = promote_best(models.platform)
        assert result.promoted is (model == 0)
    assert serving(models) == "1"
    challenger = models.platform.tracking.alias(CHALLENGER)
    assert challenger is not None
    assert challenger.version == "3"
    assert len(history(models.platform.ledger)) == 1


def test_pictures_that_a_model_has_learnt_from_do_not_test_it(fill: Fill) -> None:
    """The champion would remember them; so would it others of the same author."""
    models = fill(WORSE, WORSE)
    one, other = sha_of("cat", "tested", 0), sha_of("cat", "tested", 1)
    rows = [
        {**row, "group": "one author"} if row["sha256"] in (one, other) else row
        for row in curated_rows(models.platform.home)
    ]
    write_rows(models.platform.home.table("curated_dataset"), rows, CURATED)
    models.train(0, learnt=[one])
    promote_best(models.platform)
    models.train(1)
    result = promote_best(models.platform)
    assert result.test is not None
    assert result.test.pictures == 2 * TESTED - 2


def test_too_few_common_pictures_leave_it_to_the_folds(fill: Fill) -> None:
    models = fill(WORSE, BETTER)
    table = models.platform.home.table("test_pictures")
    models.train(0)
    promote_best(models.platform)
    few = [{"sha256": sha_of("cat", "tested", number)} for number in range(3)]
    write_rows(table, few, TEST_PICTURES)
    models.train(1, cv_mean=0.86)
    result = promote_best(models.platform)
    assert result.promoted
    assert "only 3 frozen test pictures are new to both, fewer than 20" in result.reason
    assert "cross-validation on different data sets" in result.reason


def test_a_champion_that_can_no_longer_be_read_is_replaced(fill: Fill) -> None:
    models = fill(BETTER, WORSE)
    models.train(0)
    promote_best(models.platform)
    (models.model_files(0) / "bundle" / "model.safetensors").write_bytes(b"something else")
    models.train(1)
    result = promote_best(models.platform)
    assert result.promoted
    assert "can serve no longer" in result.reason


def test_a_champion_of_an_encoder_that_was_replaced_is_replaced(fill: Fill) -> None:
    from reds_pipeline.modeling.bundle import save_bundle

    models = fill(BETTER, WORSE)
    models.train(0)
    promote_best(models.platform)
    bundle = served_models.bundle(0, "0" * 64)
    other = replace(bundle, provenance=replace(bundle.provenance, encoder_id="tiny-older"))
    save_bundle(other, models.model_files(0) / "bundle")
    models.train(1)
    result = promote_best(models.platform)
    assert result.promoted
    assert "it needs the encoder tiny-older" in result.reason


@pytest.mark.req("R-SCR-11")
def test_a_withdrawal_reaches_the_model_that_serves(fill: Fill) -> None:
    models = fill(GOOD, GOOD)
    models.train(0)
    promote_best(models.platform)
    models.platform.tracking.tag_version("1", WITHDRAWN_PICTURES, "2")
    models.train(1)
    result = promote_best(models.platform)
    assert result.promoted
    assert "learnt from 2 pictures that were withdrawn" in result.reason


def test_too_many_labels_that_models_suggested_keep_a_model_from_serving(fill: Fill) -> None:
    models = fill(GOOD)
    home = models.platform.home
    rows = curated_rows(home)
    moved = [{**row, "decision": "label"} for row in rows]
    write_rows(home.table("curated_dataset"), moved, CURATED)
    guesses = [{"sha256": row["sha256"], "guess": row["class_name"]} for row in rows]
    write_rows(home.table("label_suspects"), guesses, LABEL_SUSPECTS)
    models.train(0)
    result = promote_best(models.platform)
    assert not result.promoted
    assert "A model suggested 100.0% of the labels" in result.reason
    assert serving(models) is None
    assert promote_version(models.platform, "1", reason="we looked", by="Ada").promoted


@pytest.mark.req("R-IMP-6")
@pytest.mark.parametrize(("photos", "serves"), [(15, True), (30, False)])
def test_too_many_accepted_suggestions_keep_a_model_from_serving(
    fill: Fill, photos: int, serves: bool
) -> None:
    """46 pictures of posts: 15 contributed photos are a quarter of all labels, 30 are 39 %."""
    models = fill(GOOD)
    given = [
        {"sha256": f"given {number}", "class_name": "cat", "origin": "suggested", "kept": True}
        for number in range(photos)
    ]
    write_rows(models.platform.home.table("contributed_dataset"), given, CONTRIBUTED)
    models.train(0)
    result = promote_best(models.platform)
    assert result.promoted is serves
    assert ("A model suggested" in result.reason) is not serves
    version = models.platform.tracking.version("1")
    assert version is not None
    counts = version.tags["reds.label_origins"]
    assert f'"a person, after a model had suggested it": {photos}' in counts


def test_a_person_may_promote_and_go_back_step_by_step(fill: Fill) -> None:
    models = fill(GOOD, WORSE, BETTER)
    for model in (0, 1, 2):
        models.train(model)
        promote_best(models.platform)
    assert serving(models) == "3"
    promote_version(models.platform, "2", reason="it knows foxes", by="Ada")
    assert serving(models) == "2"
    for expected in ("3", "1"):
        result = roll_back(models.platform, reason="", by="Ada")
        assert (result.champion_version, serving(models)) == (expected, expected)
    with pytest.raises(RedsError, match="no earlier version"):
        roll_back(models.platform, reason="", by="Ada")
    assert [
        (entry.change.version, entry.change.previous, entry.change.how, entry.change.by)
        for entry in history(models.platform.ledger)
    ] == [
        ("1", "", "rule", "the rule"),
        ("3", "1", "rule", "the rule"),
        ("2", "3", "person", "Ada"),
        ("3", "2", "rollback", "Ada"),
        ("1", "3", "rollback", "Ada"),
    ]
    assert models.platform.tracking.alias(CHALLENGER) is None, "no version is both"


def test_what_a_person_took_back_comes_back_only_when_it_is_beaten(fill: Fill) -> None:
    """Otherwise the next retraining would undo what the person did."""
    models = fill(GOOD, (17, 17), (16, 16), BETTER)
    for model in (0, 1):
        models.train(model)
        promote_best(models.platform)
    roll_back(models.platform, reason="it calls every fox a cat", by="Ada")
    same = promote_best(models.platform)
    assert not same.promoted
    assert "it calls every fox a cat" in same.reason
    models.train(2)
    between = promote_best(models.platform)
    assert not between.promoted
    assert "from which a person went back" in between.reason
    models.train(3)
    assert promote_best(models.platform).promoted
    assert serving(models) == "4"


def test_what_cannot_be_promoted_is_one_sentence(fill: Fill) -> None:
    models = fill(GOOD, WORSE)
    for model in (0, 1):
        models.train(model)
        promote_best(models.platform)
    for number, reason, sentence in (
        ("7", "why", "There is no version 7"),
        ("cat", "why", "There is no version cat"),
        ("1", "why", "serves already"),
        ("2", "  ", "say why"),
    ):
        with pytest.raises(RedsError, match=sentence):
            promote_version(models.platform, number, reason=reason, by="")
    assert serving(models) == "1"


class Malicious:
    """What a pickle can do to whoever opens it."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (exec, ("raise SystemExit('it ran')",))


def test_a_version_with_foreign_files_does_not_serve(fill: Fill) -> None:
    models = fill(GOOD, WORSE)
    for model in (0, 1):
        models.train(model)
        promote_best(models.platform)
    for name in ("model.pkl", "model.skops"):
        foreign = models.model_files(1) / name
        foreign.write_bytes(pickle.dumps(Malicious()))
        with pytest.raises(RedsError, match="is not read because"):
            promote_version(models.platform, "2", reason="why not", by="")
        foreign.unlink()
    assert serving(models) == "1"
    models.platform.tracking.tag_version("2", WITHDRAWN_PICTURES, "3")
    [notice] = promote_version(models.platform, "2", reason="why not", by="").notices
    assert "learnt from 3 pictures that were withdrawn" in notice, "a person is told"


def test_an_alias_moved_in_mlflow_is_noticed_and_recorded_once(fill: Fill) -> None:
    models = fill(GOOD, WORSE)
    for model in (0, 1):
        models.train(model)
        promote_best(models.platform)
    models.platform.tracking.set_alias(CHAMPION, "2")
    noticed = promote_best(models.platform)
    assert noticed.notices == ("Moved in MLflow from version 1 to version 2; nobody said why.",)
    assert promote_best(models.platform).notices == ()
    last = history(models.platform.ledger)[-1].change
    assert (last.version, last.previous, last.how) == ("2", "1", "mlflow")
    assert roll_back(models.platform, reason="", by="").champion_version == "1"


@pytest.mark.parametrize("moved", [False, True])
def test_a_kill_between_the_record_and_the_alias_is_finished(fill: Fill, moved: bool) -> None:
    models = fill(GOOD, BETTER)
    platform = models.platform
    for model in (0, 1):
        models.train(model)
        platform.tracking.register(models.runs[model], {"backbone": "tiny"})
    change = ChampionChange("1", "tiny", "It was first.", "rule", "the rule")
    change_champion(platform.tracking, platform.ledger, change)
    line = {"backbone": "tiny", "reason": "Better.", "previous": "1", "change_id": "cut short"}
    platform.ledger.append(PROMOTION, "2", line)
    if moved:
        platform.tracking.set_alias(CHAMPION, "2")
    for _ in range(2):
        promote_best(platform)
        assert serving(models) == "2"
    assert [entry.change.version for entry in history(platform.ledger)] == ["1", "2"]
    assert all(entry.finished for entry in history(platform.ledger))
    assert len(platform.ledger.events(PROMOTION_FINISHED)) == 2


def test_promotions_of_an_older_reds_are_part_of_the_history(fill: Fill) -> None:
    models = fill(GOOD, WORSE)
    platform = models.platform
    for model in (0, 1):
        models.train(model)
        version = platform.tracking.register(models.runs[model], {"backbone": "tiny"}).version
        platform.ledger.append(
            PROMOTION,
            version,
            {
                "backbone": "tiny",
                "reason": "There was no model before.",
                "previous": "",
                "dataset_digest": "0",
            },
        )
        platform.tracking.set_alias(CHAMPION, version)
    assert [entry.change.how for entry in history(platform.ledger)] == ["rule", "rule"]
    assert roll_back(platform, reason="", by="").champion_version == "1"


def _learns(models: ServedModels, *classes: str) -> None:
    """Say what the refresh chose."""
    rows = [{"lemma": name, "accepted": True, "state": "learning"} for name in classes]
    write_rows(models.platform.home.table("class_selection"), rows, CLASS_SELECTION)


def _said_of_fox(models: ServedModels, right: int, pictures: int = 40) -> None:
    """Say what the heads of the latest training said of the pictures of a new class."""
    rows = [
        {
            "sha256": sha_of("fox", "new", number),
            "protocol": "grouped",
            "fold": number % 5,
            "class_name": "fox",
            "predicted": "fox" if number < right else "dog",
        }
        for number in range(pictures)
    ]
    write_rows(models.platform.home.table("predictions", "tiny"), rows, PREDICTIONS)


@pytest.mark.req("R-EXP-12")
@pytest.mark.parametrize(
    ("right", "told", "promoted", "said"),
    [
        (GOOD, 36, True, "it must not be worse by more than 1 percentage points"),
        (WORSE, 36, False, "That is worse by more than 1 percentage points"),
        (BETTER, 15, False, "does not tell fox well enough"),
    ],
    ids=["as good", "worse on what both know", "the new class is not told"],
)
def test_a_model_with_a_new_class_is_compared_on_the_others(
    fill: Fill, right: tuple[int, int], told: int, promoted: bool, said: str
) -> None:
    models = fill(GOOD, right)
    models.train(0)
    promote_best(models.platform)
    _learns(models, "cat", "dog", "fox")
    _said_of_fox(models, told)
    models.train(1, classes=[*CLASSES, "fox"])
    result = promote_best(models.platform)
    assert result.promoted is promoted, result.reason
    assert said in result.reason
    assert "now also names fox; fox is told on" in result.reason
    assert "On 40 test pictures of the 2 classes that both know" in result.reason


def test_a_class_that_left_is_no_loss_and_one_that_is_missing_is(fill: Fill) -> None:
    models = fill(GOOD, GOOD)
    models.train(0, classes=[*CLASSES, "fox"])
    promote_best(models.platform)
    models.train(1)
    _learns(models, "cat", "dog", "fox")
    missing = promote_best(models.platform)
    assert not missing.promoted
    assert "It cannot name fox, which the champion tiny (version 1) can" in missing.reason
    _learns(models, "cat", "dog")
    left = promote_best(models.platform)
    assert left.promoted
    assert "no longer names fox, which left" in left.reason


@pytest.mark.parametrize(("right", "promoted"), [(40, True), (39, False)])
def test_without_a_common_test_the_folds_decide_on_the_classes_that_both_know(
    fill: Fill, right: int, promoted: bool
) -> None:
    models = fill(GOOD, GOOD)
    home = models.platform.home
    run = models.train(0, classes=[*CLASSES, "fox"])
    promote_best(models.platform)
    _learns(models, "cat", "dog")
    write_rows(home.table("test_pictures"), [], TEST_PICTURES)
    answers = [[f"{number}", 0, "cat", "cat" if number < 41 else "fox"] for number in range(50)]
    table = {"columns": ["sha256", "fold", "class_name", "predicted"], "data": answers}
    models.platform.tracking.client.log_dict(run, table, PREDICTIONS_ARTIFACT)
    rows = [
        {
            "sha256": f"{number}",
            "protocol": "grouped",
            "fold": 0,
            "class_name": "cat",
            "predicted": "cat" if number < right else "dog",
        }
        for number in range(50)
    ]
    write_rows(home.table("predictions", "tiny"), rows, PREDICTIONS)
    models.train(1)
    platform = Platform(models.platform.settings.model_copy(update={"promotion_margin": 0.02}))
    result = promote_best(platform)
    assert result.promoted is promoted
    assert "in the grouped folds of each one's own data" in result.reason
    assert "the champion tiny (version 1) on 82.0%" in result.reason


def test_what_nobody_can_compare_does_not_serve_because_classes_changed(fill: Fill) -> None:
    models = fill(GOOD, BETTER)
    models.train(0, classes=[*CLASSES, "fox"])
    promote_best(models.platform)
    write_rows(models.platform.home.table("test_pictures"), [], TEST_PICTURES)
    models.train(1)
    result = promote_best(models.platform)
    assert not result.promoted
    assert "Nothing shows that it is no worse on the classes that both know" in result.reason


def test_an_author_whose_pictures_left_the_data_set_is_still_known_to_the_champion(
    fill: Fill,
) -> None:
    """The window moved on, and now a newer picture of that author tests."""
    models = fill(WORSE, WORSE)
    home = models.platform.home
    old = sha_of("owl", "outdated", 0)
    author = "author of cat tested 0"
    images = [{"sha256": old, "author_key": author, "status": "rejected", "reason": "outdated"}]
    write_rows(home.table("images", "owl"), images, IMAGES)
    models.train(0, learnt=[old])
    promote_best(models.platform)
    models.train(1)
    test = promote_best(models.platform).test
    assert test is not None
    assert test.pictures == 2 * TESTED - 1
