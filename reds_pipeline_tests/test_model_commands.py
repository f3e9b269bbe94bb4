"""A person changes which model serves: on the command line, in Dagster, in MLflow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from mlflow import MlflowClient

from reds_pipeline import terminal
from reds_pipeline.cli import cli
from reds_pipeline.definitions import build_defs
from reds_pipeline.embedding.tiny import TINY
from reds_pipeline.errors import RedsError
from reds_pipeline.label_origins import LabelOrigins
from reds_pipeline.model_card import CARD, keep_cards
from reds_pipeline.model_history import history
from reds_pipeline.promotion import promote_best
from reds_pipeline.pruning import MODEL_PRUNED, prune
from reds_pipeline.resources import Platform
from reds_pipeline.status import home_status
from reds_pipeline.storage.tables import TRAININGS, read_rows, write_rows
from reds_pipeline.tracking import CHAMPION, MODEL_ARTIFACT, REGISTERED_MODEL
from reds_pipeline.withdrawal.lineage import WITHDRAWN_PICTURES
from reds_pipeline_tests import served_models
from reds_pipeline_tests.served_models import ServedModels


@pytest.fixture
def models(mlflow_database: Path, tmp_path: Path) -> ServedModels:
    """Two versions, of which the second serves."""
    home = served_models.fill(
        tmp_path / "home", mlflow_database, [(14, 14), (18, 18), *[(10, 10)] * 3], keep_versions=2
    )
    for model in (0, 1):
        home.train(model)
        promote_best(home.platform)
    return home


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def serving(models: ServedModels) -> str | None:
    version = models.platform.tracking.alias(CHAMPION)
    return version.version if version else None


def reds(models: ServedModels, *arguments: str) -> None:
    command, *rest = arguments
    cli(
        [command, "--home", str(models.platform.home.root), *rest],
        standalone_mode=False,
        obj={"debug": False},
    )


def test_history_promote_and_rollback_on_the_command_line(
    models: ServedModels, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serving(models) == "2"
    reds(models, "rollback", "--reason", "it calls every fox a cat", "--by", "Ada")
    assert serving(models) == "1"
    reds(models, "promote", "2", "--reason", "it does not after all", "--by", "Ada")
    assert serving(models) == "2"
    said = capsys.readouterr().err
    assert "Version 1 serves now: it calls every fox a cat" in said
    reds(models, "history", "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["model"], report["champion"]) == (REGISTERED_MODEL, "2")
    assert [(change["version"], change["how"]) for change in report["changes"]] == [
        ("1", "rule"),
        ("2", "rule"),
        ("1", "rollback"),
        ("2", "person"),
    ]
    reds(models, "history")
    shown = capsys.readouterr().out
    assert "version 1 (tiny) after 2, by Ada\n  it calls every fox a cat" in shown
    assert "Serving now: version 2\n" in shown
    terminal.show_details({**home_status(models.platform), "classes": ["cat"], "funnel": {}})
    assert "version 2: it does not after all" in capsys.readouterr().out


def test_an_alias_moved_in_the_mlflow_ui_shows_in_the_history(
    models: ServedModels, capsys: pytest.CaptureFixture[str]
) -> None:
    models.platform.tracking.set_alias(CHAMPION, "1")
    reds(models, "history")
    captured = capsys.readouterr()
    assert "Moved in MLflow from version 2 to version 1" in captured.err
    assert "Serving now: version 1" in captured.out
    reds(models, "rollback")
    assert serving(models) == "2"


@pytest.mark.req("R-EXP-12")
def test_the_backbone_that_lost_can_be_chosen_by_a_person(
    models: ServedModels, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two backbones were compared, and whoever decides must be able to take the other one."""
    other = models.train(2)
    [row] = read_rows(models.platform.home.table("trainings", TINY), TRAININGS)
    worse = {**row, "backbone": "vgg16", "run_id": other, "cv_mean": 0.7}
    write_rows(models.platform.home.table("trainings", "vgg16"), [worse], TRAININGS)
    models.train(3)
    two = Platform(models.platform.settings.model_copy(update={"backbones": (TINY, "vgg16")}))
    result = promote_best(two)
    assert result.candidate_version == "3"
    assert result.reason.endswith(
        "Of the 2 backbones tiny was considered, by mean accuracy of the grouped folds: "
        "tiny 0.8500, vgg16 0.7000."
    )
    reds(models, "history", "--json")
    versions = json.loads(capsys.readouterr().out)["versions"]
    assert [(each["version"], each["backbone"], each["aliases"]) for each in versions] == [
        ("4", "vgg16", []),
        ("3", "tiny", ["challenger"]),
        ("2", "tiny", ["champion"]),
        ("1", "tiny", []),
    ]
    reds(models, "promote", "4", "--reason", "it was asked for")
    assert serving(models) == "4"
    capsys.readouterr()
    reds(models, "history")
    shown = capsys.readouterr().out
    assert "Registered versions, of which `reds promote` lets any serve" in shown
    assert [line.split()[:2] for line in shown.splitlines() if line.startswith(" 4 ")] == [
        ["4", "vgg16"]
    ]


def launch(
    models: ServedModels, instance: dg.DagsterInstance, job: str, op: str, config: dict[str, Any]
) -> dg.ExecuteInProcessResult:
    return (
        build_defs(models.platform)
        .resolve_job_def(job)
        .execute_in_process(
            run_config={"ops": {op: {"config": config}}}, instance=instance, raise_on_error=False
        )
    )


def test_promote_and_rollback_as_jobs_of_dagster(
    models: ServedModels, instance: dg.DagsterInstance
) -> None:
    """The Launchpad starts them with the same configuration."""
    rolled_back = launch(models, instance, "rollback_model", "roll_back_op", {"reason": "foxes"})
    assert rolled_back.success
    assert serving(models) == "1"
    wanted = {"version": "2", "reason": "it does not after all"}
    assert launch(models, instance, "promote_model", "promote_version_op", wanted).success
    assert serving(models) == "2"
    last = history(models.platform.ledger)[-1].change
    assert (last.reason, last.by) == ("it does not after all", "a person in the Dagster UI")
    refused = launch(models, instance, "promote_model", "promote_version_op", wanted)
    [failure] = [event for event in refused.all_events if event.is_step_failure]
    description = failure.step_failure_data.user_failure_data
    assert description is not None
    assert description.description == "Version 2 of reds-tagger serves already; nothing changed."


def stopped(*_: object) -> None:
    raise KeyboardInterrupt


def test_old_versions_are_listed_first_and_removed_with_their_files(
    models: ServedModels,
    instance: dg.DagsterInstance,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when the first attempt ended half-way; the record says so once."""
    tracking = models.platform.tracking
    for model in (2, 3, 4):
        models.train(model)
        promote_best(models.platform)
    reds(models, "prune", "--only", "models")
    shown = " ".join(capsys.readouterr().out.split())
    assert "these versions would be removed: 3; 4 stay" in shown
    assert "`reds prune --apply` removes them." in shown
    report = prune(models.platform)
    assert {fate.version: fate.stays_because for fate in report.fates} == {
        "5": "is the challenger",
        "4": "among the newest 2",
        "3": "",
        "2": "is the champion",
        "1": "served before, a rollback leads to it",
    }
    files = models.model_files(2)
    assert report.freed == sum(path.stat().st_size for path in files.rglob("*") if path.is_file())
    with monkeypatch.context() as killed:
        killed.setattr(MlflowClient, "delete_model_version", stopped)
        with pytest.raises(KeyboardInterrupt):
            prune(models.platform, apply=True)
    config = {"mode": "apply", "only": ["models"]}
    assert launch(models, instance, "housekeeping", "keep_house", config).success
    assert [event["subject"] for event in models.platform.ledger.events(MODEL_PRUNED)] == ["3"]
    assert {version.version for version in tracking.versions()} == {"1", "2", "4", "5"}
    assert not list(files.rglob("*"))
    assert tracking.record(models.runs[2], "training.json") is not None, "the run keeps its numbers"
    assert tracking.finished_training("key 2") is None, "its model would be missing"
    assert prune(models.platform, apply=True).removed == ()
    assert tracking.artifacts(models.runs[1], MODEL_ARTIFACT), "the live one has its files"


def test_the_card_of_a_version_says_what_matters(
    models: ServedModels, capsys: pytest.CaptureFixture[str]
) -> None:
    tracking = models.platform.tracking
    tracking.tag_version("2", WITHDRAWN_PICTURES, "4")
    keep_cards(models.platform, {"2"})
    reds(models, "card", "--model", "2")
    card = capsys.readouterr().out
    assert tracking.read_bytes(models.runs[1], CARD).decode() == card
    for line in (
        "# reds-tagger, version 2",
        "Suggests one of 2 hashtags for a photo: cat, dog.",
        "with 4 pictures that were withdrawn since.",
        "| the author's own hashtag | 46 |",
        "| accuracy | the frozen test | 0.9000 |",
        "| cat | 20 | 90.0% (69.9% to 97.2%) | 90.0% (69.9% to 97.2%) |",
        "| cat and dog | 80 | 8: 10.0% (5.2% to 18.5%) |",
        "marked as not confident",
        "- 40 test pictures are few: look at the intervals.",
        "began to serve after version 1",
    ):
        assert line in card, line
    assert "\n\n\n" not in card
    reds(models, "card", "--model")
    assert capsys.readouterr().out == card, "that of the champion"
    version = tracking.version("2")
    assert version is not None
    assert version.description.startswith("Linear SVM on tiny for 2 classes.")
    with pytest.raises(RedsError, match="There is no version 9"):
        reds(models, "card", "--model", "9")


def test_a_card_is_kept_once_and_the_first_origins_of_labels_stay(models: ServedModels) -> None:
    """Later the data set is another one, and would tell of labels that it did not learn."""
    platform = models.platform
    kept = platform.tracking.read_bytes(models.runs[1], CARD)
    platform.tracking.client.log_text(models.runs[1], "of somebody else", CARD)
    later = LabelOrigins({"author": 1, "person": 2, "suggested": 3})
    keep_cards(platform, {"2"}, origins={"2": later})
    assert platform.tracking.read_bytes(models.runs[1], CARD) == b"of somebody else"
    platform.tracking.tag_version("2", WITHDRAWN_PICTURES, "1")
    keep_cards(platform, {"2"}, origins={"2": later})
    written = platform.tracking.read_bytes(models.runs[1], CARD)
    assert b"| the author's own hashtag | 46 |" in kept
    assert b"| the author's own hashtag | 46 |" in written
    assert b"with 1 pictures that were withdrawn since" in written


@pytest.mark.parametrize(
    "arguments",
    [("card", "--model", "--croissant"), ("promote", "1"), ("promote", "--reason", "why")],
    ids=["two cards at once", "no reason", "no version"],
)
def test_wrong_usage(tmp_path: Path, arguments: Sequence[str]) -> None:
    import click

    with pytest.raises(click.UsageError):
        cli(list(arguments), standalone_mode=False, obj={"debug": False})


@pytest.mark.parametrize("command", ["history", "rollback", "prune"])
def test_a_home_without_models_says_so(
    mlflow_database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    empty = served_models.fill(tmp_path, mlflow_database, [])
    if command == "rollback":
        with pytest.raises(RedsError, match="There is no earlier version"):
            reds(empty, command)
        return
    reds(empty, command)
    expected = {
        "history": "No version of reds-tagger has served yet.",
        "prune": "There is no version of reds-tagger yet.",
    }
    assert expected[command] in capsys.readouterr().out
