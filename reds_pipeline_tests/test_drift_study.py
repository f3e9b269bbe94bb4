"""The study of drift on a home with a champion and pictures that came after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
import time_machine

from reds_pipeline.assets.drift import retraining_advice_asset
from reds_pipeline.assets.embeddings import embeddings_asset
from reds_pipeline.drift_study import study_drift
from reds_pipeline.embedding.tiny import TINY, TinyEncoder
from reds_pipeline.imaging.resize import RESIZE_RULE
from reds_pipeline.modeling.intervals import wilson_of_share
from reds_pipeline.modeling.training_only import NOWHERE
from reds_pipeline.promotion import promote_best
from reds_pipeline.resources import Platform
from reds_pipeline.retraining.kept_advice import latest_advice, measurements
from reds_pipeline.stage_inputs import curated_rows
from reds_pipeline.standing_model import standing_model
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.tables import (
    CONTRIBUTED,
    CURATED,
    IMAGES,
    TRAININGS,
    read_rows,
    write_rows,
)
from reds_pipeline.tracking import CHAMPION
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES
from reds_pipeline_tests import served_models
from reds_pipeline_tests.served_models import CLASSES, TESTED, ServedModels, curated_row, sha_of

NEW = 30
"""Pictures of each class that came later."""

RIGHT_OF_TEST = 18
BEFORE, AFTER = "2026-11-20T00:00:00Z", "2026-11-25T00:00:00Z"
NOW = "2026-12-01T12:00:00Z"

Served = Callable[..., ServedModels]


@pytest.fixture
def served(mlflow_database: Path, tmp_path: Path) -> Iterator[Served]:
    """Return what makes a home whose champion, ten days old, is right on so many new pictures."""
    with time_machine.travel(NOW, tick=False):

        def make(right_of_new: int | None = None, **settings: Any) -> ServedModels:
            right = [(RIGHT_OF_TEST, RIGHT_OF_TEST)]
            models = served_models.fill(tmp_path / "home", mlflow_database, right, **settings)
            models.train(0)
            promote_best(models.platform)
            rows = read_rows(models.platform.home.table("curated_dataset"), CURATED)
            tested = [row["sha256"] for row in rows if row["cluster"] == "tested"]
            learnt = [row["sha256"] for row in rows if row["cluster"] == "learnt"]
            split = {"test": tested, "fold": dict.fromkeys(learnt, 0)}
            models.platform.tracking.write_json(models.runs[0], "split.json", split)
            new = [] if right_of_new is None else _add(models.platform, right_of_new)
            for name in CLASSES:
                images = [
                    _image(row, moment)
                    for of_that_time, moment in ((rows, BEFORE), (new, AFTER))
                    for row in of_that_time
                    if row["class_name"] == name
                ]
                write_rows(models.platform.home.table("images", name), images, IMAGES)
            return models

        yield make


def _add(platform: Platform, right: int) -> list[dict[str, Any]]:
    home = platform.home
    rows = [curated_row(name, "new", number) for name in CLASSES for number in range(NEW)]
    write_rows(home.table("curated_dataset"), [*curated_rows(home), *rows], CURATED)
    keys = [row["sha256"] for row in rows]
    squares = np.zeros((len(keys), 224, 224, 3), np.uint8)
    home.tensors(RESIZE_RULE).append(keys, squares, {"cropped": [False] * len(keys)})
    features = np.zeros((len(keys), TinyEncoder.dimension), np.float32)
    for place, row in enumerate(rows):
        is_dog = row["class_name"] == CLASSES[1]
        is_right = place % NEW < right
        features[place, 0] = 1.0 if is_dog == is_right else -1.0
    store = ArrayStore(
        home.embeddings / TinyEncoder.encoder_id, (TinyEncoder.dimension,), "float32"
    )
    store.append(keys, features)
    return rows


def _image(row: dict[str, Any], moment: str) -> dict[str, Any]:
    return {
        "sha256": row["sha256"],
        "author_key": row["author_key"],
        "created_at": moment,
        "collected_at": moment,
        "status": "stored",
    }


@pytest.mark.req("R-IMP-5")
def test_the_standing_model_is_measured_on_new_pictures_and_its_loss_asks_for_a_training(
    served: Served,
) -> None:
    models = served(right_of_new=15)
    study = study_drift(models.platform)
    found = study.advice.evidence
    assert (found["accuracy_new"], found["tested_new"]) == (0.5, 2 * NEW)
    assert found["accuracy_before"] == RIGHT_OF_TEST / TESTED
    assert found["accuracy_loss"] == pytest.approx(0.4)
    low, high = wilson_of_share(0.5, 2 * NEW)
    assert (found["accuracy_new_low"], found["accuracy_new_high"]) == pytest.approx((low, high))
    assert found["champion_days"] == 10
    assert study.advice.due
    # Two points in ten days are let go; forty are twenty times as fast.
    assert study.advice.interval_days == 3
    assert "it lost 40.0 points" in " ".join(study.advice.reasons)
    assert latest_advice(models.platform.home) == study.advice
    [row] = measurements(models.platform.home)
    assert (row["model_version"], row["training_key"]) == ("1", "key 0")
    assert "retraining_accuracy.png" in study.figures


def test_a_model_that_is_as_good_as_before_has_lost_nothing(served: Served) -> None:
    study = study_drift(served(right_of_new=27).platform)
    assert study.advice.evidence["accuracy_loss"] == pytest.approx(0)
    assert "a loss cannot be seen" in " ".join(study.advice.reasons)


def test_nothing_is_measured_twice_of_the_same_model_and_data_set(served: Served) -> None:
    platform = served(right_of_new=27).platform
    first = standing_model(platform)
    again = standing_model(platform)
    assert first is not None
    assert again is not None
    assert (first.is_new, again.is_new) == (True, False)
    assert again.measured["accuracy"]["now"] == first.measured["accuracy"]["now"]
    gone = sha_of("cat", "new", 0)
    rows = [row for row in curated_rows(platform.home) if row["sha256"] != gone]
    write_rows(platform.home.table("curated_dataset"), rows, CURATED)
    changed = standing_model(platform)
    assert changed is not None
    assert changed.is_new
    assert changed.measured["new"] == 2 * NEW - 1


def test_without_new_pictures_it_says_what_it_cannot_know(served: Served) -> None:
    study = study_drift(served().platform)
    told = " ".join(study.advice.reasons)
    assert "Not known yet: how the standing model does on new pictures (0 pictures" in told
    assert "Not known yet: whether new pictures look different" in told
    assert "Not known yet: how fast the top tags change" in told
    assert study.figures == {}


def test_nothing_is_due_when_the_data_set_is_the_one_that_was_learnt(served: Served) -> None:
    from reds_pipeline.imaging.curation import dataset_digest

    platform = served(retrain_max_days=5).platform
    assert study_drift(platform).advice.due, "the digest of the made-up training is another"
    table = platform.home.table("trainings", TINY)
    digest = dataset_digest(curated_rows(platform.home))
    write_rows(table, [row | {"dataset_digest": digest} for row in read_rows(table)], TRAININGS)
    advice = study_drift(platform).advice
    assert not advice.due
    assert "nothing to learn from has changed" in advice.reasons[0]


def test_a_given_photo_that_may_not_train_is_nothing_new_for_ever(served: Served) -> None:
    """One of a tested group trains nowhere, and the next training would leave it out again."""
    from reds_pipeline.imaging.curation import dataset_digest

    models = served(retrain_max_days=5)
    platform = models.platform
    given = {"sha256": sha_of("cat", "given", 0), "class_name": "cat", "kept": True}
    write_rows(platform.home.table("contributed_dataset"), [given], CONTRIBUTED)
    split = platform.tracking.record(models.runs[0], "split.json") or {}
    split["contributed"] = {given["sha256"]: NOWHERE}
    platform.tracking.write_json(models.runs[0], "split.json", split)
    table = platform.home.table("trainings", TINY)
    digest = dataset_digest(curated_rows(platform.home))
    write_rows(table, [row | {"dataset_digest": digest} for row in read_rows(table)], TRAININGS)
    advice = study_drift(platform).advice
    assert not advice.due
    assert advice.evidence["new_pictures"] == 0


@pytest.mark.req("R-SCR-11")
def test_a_picture_withdrawn_from_the_model_makes_a_training_due(served: Served) -> None:
    platform = served(right_of_new=27, retrain_max_days=90).platform
    champion = platform.tracking.alias(CHAMPION)
    assert champion is not None
    platform.tracking.tag_version(champion.version, WITHDRAWN_PICTURES, "2")
    advice = study_drift(platform).advice
    assert advice.due
    assert "2 pictures withdrawn since" in advice.reasons[1]


def test_a_class_that_the_model_does_not_know_makes_a_training_due(served: Served) -> None:
    platform = served(retrain_max_days=90).platform
    rows = [*curated_rows(platform.home), curated_row("fox", "new", 1)]
    write_rows(platform.home.table("curated_dataset"), rows, CURATED)
    advice = study_drift(platform).advice
    assert (advice.due, advice.classes_entered, advice.classes_left) == (True, ("fox",), ())


def test_a_model_that_cannot_be_run_any_more_does_not_stop_the_study(served: Served) -> None:
    models = served(right_of_new=27)
    for file in models.model_files(0).rglob("*.safetensors"):
        file.unlink()
    study = study_drift(models.platform)
    assert study.model is not None
    assert study.model.not_measured
    assert study.advice.evidence["accuracy_new"] is None


@pytest.mark.req("R-IMP-5")
def test_the_asset_shows_what_was_found(served: Served) -> None:
    platform = served(right_of_new=20).platform
    result = dg.materialize(
        [embeddings_asset(TINY), retraining_advice_asset([TINY])],
        selection="retraining_advice",
        resources={"platform": platform},
        instance=dg.DagsterInstance.ephemeral(),
    )
    [event] = result.asset_materializations_for_node("retraining_advice")
    shown = {name: str(value.value) for name, value in event.metadata.items()}
    assert shown["training due"] == "True"
    assert shown["standing model"].startswith("version 1, on 60 of 60 new pictures")
    assert "| cat | 30 | 20 | 20 | 18 |" in shown["new pictures by class"]
    assert shown["reasons"].startswith("- A training is due")
    assert "data:image/png" in shown["retraining accuracy"]


def test_a_home_without_anything_is_studied_too(mlflow_database: Path, tmp_path: Path) -> None:
    models = served_models.fill(tmp_path / "home", mlflow_database, [(1, 1)])
    write_rows(models.platform.home.table("curated_dataset"), [], CURATED)
    study = study_drift(models.platform)
    assert (study.advice.due, study.model) == (False, None)
    assert "no pictures to learn from" in study.advice.reasons[0]


def test_new_pictures_of_authors_that_it_learnt_do_not_test_it(served: Served) -> None:
    platform = served(right_of_new=27).platform
    known = curated_row("cat", "learnt", 0)["author_key"]
    rows = [
        row | {"author_key": known} if row["sha256"] == sha_of("cat", "new", 0) else row
        for row in curated_rows(platform.home)
    ]
    write_rows(platform.home.table("curated_dataset"), rows, CURATED)
    model = standing_model(platform)
    assert model is not None
    assert (model.measured["new"], model.measured["fair"]) == (2 * NEW, 2 * NEW - 1)
    assert sum(model.measured["left_out"].values()) == 1
