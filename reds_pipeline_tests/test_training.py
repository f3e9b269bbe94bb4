from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reds_pipeline.error_gallery import ERROR_LIST
from reds_pipeline.modeling.abstention import NO_ANSWER, answers
from reds_pipeline.modeling.bundle import DESCRIPTION_NAME, TENSORS_NAME, load_bundle
from reds_pipeline.modeling.heads import HeadParameters
from reds_pipeline.storage.tables import PREDICTIONS, TRAININGS, read_rows, write_rows
from reds_pipeline.tracking import BUNDLE_DIRECTORY, MODEL_ARTIFACT, Tracking
from reds_pipeline.training import RECORD, Trained, train, training_key
from reds_pipeline.training_log import answers_in_words
from reds_pipeline.training_set import TrainingSet
from reds_pipeline_tests.made_up_training import made_up_set, own_tracking

PARAMETERS = HeadParameters(seed=42)


@dataclass
class Logged:
    """Both trainings of one backbone, and where they were logged."""

    tracking: Tracking
    data: TrainingSet
    grouped: Trained
    report: Trained

    def run(self, trained: Trained) -> Any:
        return self.tracking.client.get_run(trained.row["run_id"])

    def folds_of(self, trained: Trained) -> list[Any]:
        runs = self.tracking.client.search_runs(
            [self.tracking.experiment_id],
            f"tags.`mlflow.parentRunId` = '{trained.row['run_id']}'",
        )
        return sorted(runs, key=lambda run: run.data.tags["reds.fold"])


@pytest.fixture(scope="module")
def logged(mlflow_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    directory = tmp_path_factory.mktemp("trained")
    tracking = own_tracking(mlflow_database, directory)
    data = made_up_set(directory)
    grouped = train(tracking, data, "grouped", PARAMETERS, about_backbone={"backbone_year": "2018"})
    report = train(tracking, data, "report", PARAMETERS)
    return Logged(tracking, data, grouped, report)


def bundle_directory(tracking: Tracking, trained: Trained, destination: Path) -> Path:
    local = tracking.client.download_artifacts(
        trained.row["run_id"], f"{MODEL_ARTIFACT}/{BUNDLE_DIRECTORY}", str(destination)
    )
    return Path(local)


@pytest.mark.req("R-EXP-4", "R-EXP-5", "R-EXP-13", "R-EXP-14")
def test_every_number_of_folds_and_test_is_a_metric(logged: Logged) -> None:
    metrics, row = logged.run(logged.grouped).data.metrics, logged.grouped.row
    accuracies = [metrics[f"cv/fold_{number}/accuracy"] for number in range(1, 6)]
    assert accuracies == pytest.approx(row["cv_accuracy"])
    assert metrics["cv/accuracy_mean"] == pytest.approx(np.mean(accuracies))
    assert metrics["cv/accuracy_var_ddof0"] == pytest.approx(np.var(accuracies))
    assert metrics["cv/accuracy_var_ddof1"] == pytest.approx(np.var(accuracies, ddof=1))
    assert metrics["test/accuracy_low"] < metrics["test/accuracy"] <= metrics["test/accuracy_high"]
    for part in ("cv", "test"):
        assert metrics[f"{part}/calibration_error_low"] <= metrics[f"{part}/calibration_error"]
        for name in ("precision", "recall", "f1"):
            assert {f"{part}/{name}/class {number}" for number in range(3)} <= set(metrics)
    pooled = [row for row in logged.grouped.predictions if row["fold"] >= 0]
    found = [row for row in pooled if row["class_name"] == "class 1"]
    share = np.mean([row["predicted"] == "class 1" for row in found])
    assert metrics["cv/recall/class 1"] == pytest.approx(share)


@pytest.mark.req("R-EXP-7")
def test_times_are_split_and_say_on_what_machine(logged: Logged) -> None:
    run = logged.run(logged.grouped)
    assert run.data.metrics["time/embed_s"] == 2.0
    assert run.data.metrics["time/embed_pictures_per_s"] == 50.0
    parts = [run.data.metrics["time/choose_c_s"], run.data.metrics["time/final_fit_s"]]
    parts += [fold.data.metrics["time/fit_s"] for fold in logged.folds_of(logged.grouped)]
    assert run.data.metrics["time/fit_s"] == pytest.approx(sum(parts))
    for name in ("cpu", "cores", "threads", "memory_gib", "gpu", "system"):
        assert run.data.params[f"hardware_{name}"]


@pytest.mark.req("R-EXP-13")
def test_runs_of_all_backbones_and_protocols_have_the_same_names(logged: Logged) -> None:
    grouped, report = logged.run(logged.grouped), logged.run(logged.report)
    # No accuracy is said of answers where none was given.
    names = [
        {name for name in run.data.metrics if "answered_accuracy" not in name}
        for run in (grouped, report)
    ]
    assert names[0] == names[1]
    assert set(report.data.params) == set(grouped.data.params) - {"backbone_year"}
    for run, protocol in ((grouped, "grouped"), (report, "report")):
        tags = run.data.tags
        assert (tags["backbone"], tags["protocol"], tags["task"]) == (
            "made up",
            protocol,
            "classes",
        )
        assert tags["dataset"] == "d" * 12
        [used] = run.inputs.dataset_inputs
        assert (used.dataset.name, used.dataset.digest) == ("curated_dataset", "d" * 12)
        assert json.loads(used.dataset.profile)["num_rows"] == 72
        assert protocol in tags["mlflow.note.content"]
    for fold in logged.folds_of(logged.grouped):
        assert {"accuracy", "macro_f1", "calibration_error", "time/fit_s"} <= set(fold.data.metrics)
        assert float(fold.data.params["C"]) in PARAMETERS.penalties
        assert fold.data.tags["dataset"] == "d" * 12


@pytest.mark.req("R-EXP-6", "R-EXP-10", "R-EXP-13")
def test_figures_matrices_and_the_class_order_are_artifacts(logged: Logged) -> None:
    files = set(logged.tracking.artifacts(logged.grouped.row["run_id"]))
    figures = {f"figures/{name}.png" for name in ("confusion", "confusion_test", "reliability")}
    assert figures | {"figures/tsne.png", "class_order.json", "environment.json"} <= files
    assert figures <= set(logged.tracking.artifacts(logged.report.row["run_id"]))
    run_id = logged.grouped.row["run_id"]
    order = logged.tracking.read_json(run_id, "class_order.json")
    assert order == logged.grouped.row["classes"] == sorted(order)
    matrices = np.array(logged.tracking.read_json(run_id, "confusion_by_fold.json"))
    assert matrices.sum() == logged.grouped.row["n_train"]


@pytest.mark.req("R-EXP-3")
def test_what_is_held_out_is_in_no_fold(logged: Logged) -> None:
    data, run_id = logged.data, logged.grouped.row["run_id"]
    frozen = {key for key, tested in zip(data.keys, data.held_out, strict=True) if tested}
    split = logged.tracking.read_json(run_id, "split.json")
    assert frozen <= set(split["test"])
    assert not set(split["test"]) & set(split["fold"])
    tested = {row["sha256"] for row in logged.grouped.predictions if row["fold"] < 0}
    assert tested == set(split["test"])


def test_the_wrong_answers_are_listed_and_shown(logged: Logged) -> None:
    run_id = logged.grouped.row["run_id"]
    listed = logged.tracking.read_json(run_id, ERROR_LIST)
    rows = [dict(zip(listed["columns"], values, strict=True)) for values in listed["data"]]
    wrong = {
        row["sha256"] for row in logged.grouped.predictions if row["predicted"] != row["class_name"]
    }
    assert wrong
    assert {row["sha256"] for row in rows} == wrong
    assert all(row["true"] != row["said"] for row in rows)
    for sheet in {row["sheet"] for row in rows}:
        data = logged.tracking.read_bytes(run_id, sheet)
        with Image.open(io.BytesIO(data)) as opened:
            assert opened.format == "JPEG"


def test_the_bundle_answers_as_the_record_says(logged: Logged, tmp_path: Path) -> None:
    bundle = load_bundle(bundle_directory(logged.tracking, logged.grouped, tmp_path))
    tested = [row for row in logged.grouped.predictions if row["fold"] < 0]
    place = {key: number for number, key in enumerate(logged.data.keys)}
    chances = bundle.predict(logged.data.features[[place[row["sha256"]] for row in tested]])
    said = [bundle.classes[column] for column in chances.argmax(axis=1)]
    assert said == [row["predicted"] for row in tested]
    assert chances.max(axis=1) == pytest.approx([row["chance"] for row in tested])
    assert set(bundle.thresholds) == {logged.grouped.row["answer_threshold"]}


def test_a_training_is_not_repeated_but_read_back(logged: Logged, tmp_path: Path) -> None:
    again = train(logged.tracking, logged.data, "grouped", PARAMETERS)
    assert not again.is_new
    assert again.row == logged.grouped.row
    assert again.predictions == [
        {**row, "chance": pytest.approx(row["chance"])} for row in logged.grouped.predictions
    ]
    write_rows(tmp_path / "trainings.parquet", [again.row], TRAININGS)
    write_rows(tmp_path / "predictions.parquet", again.predictions, PREDICTIONS)
    assert read_rows(tmp_path / "trainings.parquet")[0]["C"] == logged.grouped.row["C"]


@pytest.mark.parametrize(
    "changed",
    [
        {"embeddings_id": "made-up-1-openvino"},
        {"dataset_digest": "e" * 64},
        {"held_out": np.zeros(72, bool)},
    ],
    ids=["engine", "data set", "held-out test"],
)
def test_another_input_is_another_training(logged: Logged, changed: dict[str, Any]) -> None:
    other = replace(logged.data, **changed)
    assert training_key(other, "grouped", PARAMETERS) != training_key(
        logged.data, "grouped", PARAMETERS
    )


def test_the_plain_shuffle_does_not_look_at_the_held_out_test(logged: Logged) -> None:
    other = replace(logged.data, held_out=np.zeros(72, bool))
    assert training_key(other, "report", PARAMETERS) == training_key(
        logged.data, "report", PARAMETERS
    )


def test_two_homes_learn_the_same_to_the_bit(
    logged: Logged, mlflow_database: Path, tmp_path: Path
) -> None:
    tracking = own_tracking(mlflow_database, tmp_path / "other")
    trained = train(tracking, made_up_set(tmp_path / "other"), "grouped", PARAMETERS)
    mine = bundle_directory(logged.tracking, logged.grouped, tmp_path / "first")
    theirs = bundle_directory(tracking, trained, tmp_path / "second")
    assert (mine / TENSORS_NAME).read_bytes() == (theirs / TENSORS_NAME).read_bytes()
    descriptions = [json.loads((path / DESCRIPTION_NAME).read_text()) for path in (mine, theirs)]
    for description in descriptions:
        del description["provenance"]["trained_at"]
    assert descriptions[0] == descriptions[1]
    assert trained.predictions == logged.grouped.predictions
    timed = {"run_id", "trained_at", "fit_s"}
    assert {name: value for name, value in trained.row.items() if name not in timed} == {
        name: value for name, value in logged.grouped.row.items() if name not in timed
    }


def test_a_record_has_the_columns_of_its_table(logged: Logged) -> None:
    assert set(logged.grouped.row) == set(TRAININGS.names)
    assert set(logged.grouped.predictions[0]) == set(PREDICTIONS.names)
    assert logged.tracking.read_json(logged.grouped.row["run_id"], RECORD)["C"] == float(
        logged.run(logged.grouped).data.params["C"]
    )


def test_a_model_without_an_answer_to_rely_on_is_said_to_be_one() -> None:
    """Not "from a chance of 1.00", which would read as a very careful model."""
    chances, right = np.array([0.9, 0.8, 0.7]), np.array([True, True, False])
    assert answers_in_words(answers(chances, right, 0.75)) == (
        "Answers are given from a chance of 0.75: 66.7% of the test, of which 100.0% were right."
    )
    assert "nothing can be said" in answers_in_words(answers(chances, right, 0.95))
    assert answers_in_words(answers(chances, right, NO_ANSWER)).startswith("No answer is one to")
