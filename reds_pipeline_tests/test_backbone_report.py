from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from reds_pipeline.backbone_report import (
    ARTIFACT,
    compare_backbones,
    log_comparisons,
    trained_backbones,
)
from reds_pipeline.commands.comparing import compare
from reds_pipeline.errors import RedsError
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import PREDICTIONS, TRAININGS, write_rows
from reds_pipeline.tracking import Tracking
from reds_pipeline_tests.modeling.test_backbone_comparison import results

ACCURACY = {"good": 0.95, "middling": 0.8, "poor": 0.6}


def _training(backbone: str, protocol: str, folds: tuple[float, ...]) -> dict[str, Any]:
    return {
        "backbone": backbone,
        "protocol": protocol,
        "run_id": f"run of {backbone} {protocol}",
        "dataset_digest": "d" * 64,
        "cv_accuracy": list(folds),
        "cv_mean": float(np.mean(folds)),
        "cv_var_ddof0": 1e-4,
        "cv_var_ddof1": 1.25e-4,
        "test_accuracy": 0.9,
        "test_low": 0.8,
        "test_high": 0.95,
        "n_train": 270,
        "n_test": 30,
        "embed_s": 2.0,
        "fit_s": 1.0,
    }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Trainings of three backbones, whose report protocol is right a little more often."""
    home = Home(tmp_path)
    for seed, (backbone, accuracy) in enumerate(ACCURACY.items()):
        trainings, predictions = [], []
        for protocol, more in (("grouped", 0.0), ("report", 0.05)):
            found = results(backbone, accuracy + more, seed=seed, turned=int(protocol == "report"))
            trainings.append(_training(backbone, protocol, found.fold_accuracy))
            predictions += [
                {
                    "sha256": key,
                    "protocol": protocol,
                    "fold": one.fold,
                    "class_name": one.class_name,
                    "predicted": one.class_name if one.correct else "owl",
                    "chance": 0.9,
                    "group": one.group,
                }
                for key, one in found.predictions.items()
            ]
        write_rows(home.table("trainings", backbone), trainings, TRAININGS)
        write_rows(home.table("predictions", backbone), predictions, PREDICTIONS)
    return home


@pytest.mark.req("R-EXP-9")
def test_what_the_trainings_left_is_what_is_compared(home: Home) -> None:
    report = compare_backbones(home, ["poor", "good", "middling"], 42)
    assert [(pair.first, pair.second) for pair in report.pairs] == [
        ("good", "middling"),
        ("good", "poor"),
    ]
    unseen = report.pairs[0].unseen
    assert unseen is not None
    assert unseen.first_accuracy == pytest.approx(
        np.mean(
            [one.correct for one in results("good", 0.95).predictions.values() if one.fold >= 0]
        )
    )
    assert report.pairs[0].folds is not None
    assert [found.backbone for found in report.leakages] == ["poor", "good", "middling"]


def test_a_home_of_an_older_version_is_compared_by_its_folds(home: Home) -> None:
    for backbone in ACCURACY:
        home.table("predictions", backbone).unlink()
    report = compare_backbones(home, list(ACCURACY), 42)
    assert all(pair.unseen is None and pair.folds is not None for pair in report.pairs)
    assert report.leakages == ()


def test_a_backbone_that_was_not_trained_is_said(home: Home) -> None:
    with pytest.raises(RedsError, match=r"^vgg16 has not been trained"):
        compare_backbones(home, ["good", "vgg16"], 42)


def test_each_pair_is_logged_once_as_a_run_that_says_it_in_words(
    home: Home, tmp_path: Path
) -> None:
    tracking = Tracking(f"sqlite:///{tmp_path / 'mlflow.sqlite'}", tmp_path / "artifacts")
    report = compare_backbones(home, list(ACCURACY), 42)
    first = log_comparisons(tracking, report)
    assert log_comparisons(tracking, report) == first
    assert len(set(first)) == 2
    run = tracking.client.get_run(first[0])
    assert run.info.run_name == "comparison: good, middling"
    description = run.data.tags["mlflow.note.content"]
    assert description.startswith(report.pairs[0].sentence)
    assert "| Mann-Whitney (fold accuracies) |" in description
    assert tracking.read_bytes(first[0], "figures/difference.png").startswith(b"\x89PNG")
    assert run.data.tags["task"] == "comparison"
    assert report.pairs[0].unseen is not None
    assert run.data.metrics["compare/cv/difference"] == report.pairs[0].unseen.difference
    assert tracking.read_json(first[0], ARTIFACT)["sentence"] == report.pairs[0].sentence
    # Compared with one fewer, the same numbers prove more.
    assert log_comparisons(tracking, compare_backbones(home, ["good", "poor"], 42))[0] not in first


@pytest.mark.req("R-EXP-9")
def test_the_command_says_it_in_words_and_as_json(home: Home) -> None:
    arguments = ["--home", str(home.root), "poor", "good"]
    words = CliRunner().invoke(compare, arguments, catch_exceptions=False).stdout
    assert "good is better than poor: right on" in words
    assert "Mann-Whitney (fold accuracies)" in words
    assert "A plain shuffle" in words
    value = json.loads(CliRunner().invoke(compare, [*arguments, "--json"]).stdout)
    assert [pair["first"] for pair in value["comparisons"]] == ["good"]
    assert {row["test"] for row in value["comparisons"][0]["tests"]} >= {
        "Mann-Whitney (fold accuracies)"
    }
    assert {found["backbone"] for found in value["leakage"]} == {"good", "poor"}
    assert len(value["backbones"]) == 4


def test_by_default_all_that_were_trained_are_compared(home: Home) -> None:
    words = CliRunner().invoke(compare, ["--home", str(home.root)], catch_exceptions=False).stdout
    assert "good is better than middling" in words
    assert "good is better than poor" in words
    home.table("trainings", "poor").unlink()
    home.table("trainings", "middling").unlink()
    words = CliRunner().invoke(compare, ["--home", str(home.root)], catch_exceptions=False).stdout
    assert "There is one backbone only" in words


def test_a_home_without_trainings_is_said(tmp_path: Path) -> None:
    with pytest.raises(RedsError, match="Nothing has been trained"):
        trained_backbones(Home(tmp_path))


@pytest.mark.parametrize("names", [("good",), ("good", "good")])
def test_a_backbone_is_not_compared_with_itself(home: Home, names: tuple[str, ...]) -> None:
    result = CliRunner().invoke(compare, ["--home", str(home.root), *names])
    assert result.exit_code == 2
    assert "two different backbones" in result.output
