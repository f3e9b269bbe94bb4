"""The multi-label model from tables to recommendations, with real embeddings and a real MLflow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from reds_pipeline.assets.hashtags import champion_hashtags_asset, hashtags_asset
from reds_pipeline.chosen_models import promote_version
from reds_pipeline.cli import cli
from reds_pipeline.embedding.tiny import TINY
from reds_pipeline.errors import RedsError
from reds_pipeline.frozen_test import remembered_test
from reds_pipeline.model_card import CARD
from reds_pipeline.model_history import history
from reds_pipeline.modeling.bundle import load_bundle
from reds_pipeline.modeling.safe_files import require_safe_model
from reds_pipeline.resources import MODELS_TRAINED, Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.tables import TAG_TRAININGS, read_rows, write_rows
from reds_pipeline.tag_promotion import Ranked, decide_tags, promote_best_tags
from reds_pipeline.tag_training import TagTrained, train_tags
from reds_pipeline.tracking import CHAMPION, HASHTAG_MODEL, REGISTERED_MODEL
from reds_pipeline_tests import tagged_home


@dataclass(frozen=True)
class TrainedHome:
    """A home whose multi-label model is trained and serves.

    Attributes:
        platform: The installation.
        trained: What came of the training.
        waited: What came of another that was begun at the same moment.
    """

    platform: Platform
    trained: TagTrained
    waited: TagTrained

    @property
    def root(self) -> Path:
        return self.platform.home.root

    @property
    def row(self) -> Mapping[str, Any]:
        assert self.trained.row is not None
        return self.trained.row


@pytest.fixture(scope="module")
def home(mlflow_database: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedHome:
    platform = tagged_home.fill(tmp_path_factory.mktemp("tags") / "home", mlflow_database)
    platforms = [platform, Platform(load_settings(home=platform.home.root))]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(train_tags, platforms, [TINY] * 2, ["dagster run"] * 2))
    first = 0 if results[0].is_new else 1
    promote_best_tags(platforms[first])
    return TrainedHome(platforms[first], results[first], results[1 - first])


@pytest.mark.req("R-IMP-1")
def test_the_tags_of_posts_are_learnt_and_politics_are_not(home: TrainedHome) -> None:
    assert set(home.row["tags"]) == {"cat", "dog", "love", "sunny"}
    assert home.trained.is_new
    assert home.platform.cost[MODELS_TRAINED] == 1
    shown = {row["tag"]: row["shown"] for row in home.trained.per_tag}
    assert shown == {"cat": True, "dog": True, "sunny": True, "love": False}


@pytest.mark.req("H-19")
def test_measures_stand_beside_those_of_naming_the_most_frequent_tags(home: TrainedHome) -> None:
    row = home.row
    assert row["precision_at_1"] > row["popularity_precision_at_1"]
    metrics = home.platform.tracking.metrics(row["run_id"])
    for part in ("cv", "test"):
        for name in ("precision_at_1", "recall_at_5", "accuracy_at_5"):
            low, value, high = (metrics[f"{part}/{name}{end}"] for end in ("_low", "", "_high"))
            assert low <= value <= high
            assert f"{part}/popularity/{name}" in metrics
        assert 0 <= metrics[f"{part}/calibration_error"] <= 1
        assert metrics[f"{part}/micro_f1"] > 0.5


@pytest.mark.req("R-EXP-3")
def test_the_frozen_test_is_the_test(home: TrainedHome) -> None:
    split = home.platform.tracking.read_json(home.row["run_id"], "split.json")
    assert set(split["test"]) == remembered_test(home.platform.home)
    assert not set(split["test"]) & set(split["fold"])
    assert len(split["test"]) == home.row["n_test"]


def test_what_mlflow_holds_can_be_compared_with_other_trainings(home: TrainedHome) -> None:
    client = home.platform.tracking.client
    run = client.get_run(home.row["run_id"])
    wanted = {"backbone": TINY, "protocol": "grouped", "head": "multi-label", "task": "tags"}
    assert wanted.items() <= run.data.tags.items()
    assert run.data.tags["dataset"] == home.row["dataset_digest"][:12]
    assert run.info.run_name == "tiny tags"
    assert run.inputs is not None
    assert run.inputs.dataset_inputs[0].dataset.name == "curated_dataset"
    folds = client.search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    )
    assert len(folds) == 5
    assert all({"precision_at_1", "mean_average_precision"} <= set(f.data.metrics) for f in folds)


def test_of_two_processes_one_trains_and_one_reads_back(home: TrainedHome) -> None:
    """Together they would both train, and each take the other's run for one left by a kill."""
    assert not home.waited.is_new
    assert home.waited.row == home.row
    runs = home.platform.tracking.client.search_runs(
        [home.platform.tracking.experiment_id], "tags.`reds.training_key` LIKE '%'"
    )
    assert [run.info.status for run in runs] == ["FINISHED"]


def test_the_second_time_it_is_read_back(home: TrainedHome) -> None:
    platform = Platform(load_settings(home=home.root))
    again = train_tags(platform, TINY, "another run")
    assert not again.is_new
    assert platform.cost[MODELS_TRAINED] == 0
    assert again.row == home.trained.row
    assert again.per_tag == home.trained.per_tag
    assert again.sentence == home.trained.sentence
    table = read_rows(platform.home.table("tag_trainings", TINY), TAG_TRAININGS)
    assert table == [dict(home.row)]


def test_the_registered_model_is_a_bundle_and_nothing_else(
    home: TrainedHome, tmp_path: Path
) -> None:
    tracking = home.platform.tracking
    version = tracking.alias(CHAMPION, HASHTAG_MODEL)
    assert version is not None
    assert tracking.alias(CHAMPION, REGISTERED_MODEL) is None
    directory = tracking.bundle(version, tmp_path)
    require_safe_model(directory.parent)
    bundle = load_bundle(directory)
    assert (bundle.kind, bundle.classes) == ("tags", tuple(home.row["tags"]))
    assert bundle.provenance.dataset_digest == home.row["dataset_digest"]


def test_the_champion_is_on_record_and_stays_when_nothing_changed(home: TrainedHome) -> None:
    platform = home.platform
    again = promote_best_tags(platform)
    assert not again.promoted
    assert "this very model" in again.reason
    (entry,) = history(platform.ledger, HASHTAG_MODEL)
    assert entry.change.reason == "It is the first multi-label model."
    assert history(platform.ledger, REGISTERED_MODEL) == []


@pytest.mark.req("R-IMP-1")
@pytest.mark.parametrize(
    ("number", "expected"), [(0, {"cat", "sunny"}), (1, {"cat"})], ids=["sunny", "plain"]
)
def test_predict_gives_every_tag_that_is_likely_enough(
    number: int,
    expected: set[str],
    home: TrainedHome,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(tagged_home.png("cat", number))
    arguments = ["predict", "--home", str(home.root), "--every-tag", str(photo)]
    cli([*arguments, "--json"], standalone_mode=False, obj={"debug": False})
    (answer,) = json.loads(capsys.readouterr().out)
    assert {tag["tag"] for tag in answer["tags"]} == expected
    chances = [tag["probability"] for tag in answer["tags"]]
    assert chances == sorted(chances, reverse=True)
    assert answer["top"] == answer["tags"][0]["tag"]
    assert answer["confident"] is True
    cli(arguments, standalone_mode=False, obj={"debug": False})
    assert " cat " in capsys.readouterr().out


def test_predict_without_a_model_of_classes_says_so(home: TrainedHome) -> None:
    with pytest.raises(RedsError, match="There is no model in"):
        cli(
            ["predict", "--home", str(home.root), "photo.png"],
            standalone_mode=False,
            obj={"debug": False},
        )


def test_too_few_pictures_of_any_tag_is_a_sentence_and_no_error(
    mlflow_database: Path, tmp_path: Path
) -> None:
    """A new home has a handful of posts; its training must not fail for want of hashtags."""
    platform = tagged_home.fill(tmp_path / "home", mlflow_database, min_pictures_per_tag=90)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [hashtags_asset(TINY), champion_hashtags_asset((TINY,))],
            instance=instance,
            resources={"platform": platform},
        )
    assert result.success
    (made,) = result.asset_materializations_for_node(f"hashtags_{TINY}")
    assert made.metadata["summary"].value == (
        "No hashtag has 90 pictures of 45 authors to learn from yet, too few for a multi-label "
        "model; collect more posts, or lower REDS_MIN_PICTURES_PER_TAG."
    )
    (chosen,) = result.asset_materializations_for_node("champion_hashtags")
    assert chosen.metadata["champion"].value == "none"
    assert read_rows(platform.home.table("tag_trainings", TINY)) == []
    with pytest.raises(RedsError, match="no multi-label model"):
        cli(
            ["predict", "--home", str(platform.home.root), "--every-tag", "photo.png"],
            standalone_mode=False,
            obj={"debug": False},
        )


def test_the_assets_show_what_came_of_it(home: TrainedHome) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [hashtags_asset(TINY), champion_hashtags_asset((TINY,))],
            instance=instance,
            resources={"platform": home.platform},
        )
    (made,) = result.asset_materializations_for_node(f"hashtags_{TINY}")
    table = str(made.metadata["recommendations"].value)
    assert "P@1" in table
    assert "most frequent tags" in table
    assert made.metadata["new trainings"].value == 0
    assert "sunny" in str(made.metadata["tags"].value)
    assert "pictures show it" in str(made.metadata["tags"].value)
    (chosen,) = result.asset_materializations_for_node("champion_hashtags")
    assert chosen.metadata["champion"].value == "1"
    card = home.platform.tracking.read_bytes(home.row["run_id"], CARD).decode()
    assert card.startswith(f"# {HASHTAG_MODEL}, version 1")


@pytest.mark.req("R-IMP-1")
def test_every_backbone_is_registered_and_the_reason_names_the_others(
    home: TrainedHome,
) -> None:
    """Whoever decides must be able to choose the other one."""
    tracking, table = home.platform.tracking, home.platform.home.table("tag_trainings", "vgg16")
    with tracking.training("vgg16 tags", "of another backbone", params={}, tags={}) as run:
        run.log_json("tag_training.json", home.row)
    worse = {**home.row, "backbone": "vgg16", "run_id": run.run_id, "mean_average_precision": 0.0}
    write_rows(table, [worse], TAG_TRAININGS)
    settings = home.platform.settings.model_copy(update={"backbones": (TINY, "vgg16")})
    try:
        result = promote_best_tags(Platform(settings))
    finally:
        table.unlink()
    assert f"Of the 2 backbones {TINY} was considered, by mean average precision" in result.reason
    assert result.reason.endswith("vgg16 0.0000.")
    assert {version.tags["backbone"] for version in tracking.versions(HASHTAG_MODEL)} == {
        TINY,
        "vgg16",
    }


OLD, NEW = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("challenger", "champion", "is_promoted", "words"),
    [
        pytest.param({"cat": 0.9}, None, True, "can no longer be read", id="unreadable"),
        pytest.param(
            {"cat": 0.9}, (NEW, {"dog": 0.9}), True, "none of the tags", id="nothing in common"
        ),
        pytest.param(
            {"cat": 0.92}, (NEW, {"cat": 0.9}), True, "over the 1 tags", id="better by the margin"
        ),
        pytest.param(
            {"cat": 0.905}, (NEW, {"cat": 0.9}), False, "better by 0.010", id="hardly better"
        ),
        pytest.param(
            {"cat": 0.9, "new": 0.1},
            (OLD, {"cat": 0.9, "old": 0.99}),
            True,
            "own data set",
            id="only common tags count",
        ),
        pytest.param(
            {"cat": 0.895}, (OLD, {"cat": 0.9}), True, "own data set", id="newer and no worse"
        ),
        pytest.param({"cat": 0.8}, (OLD, {"cat": 0.9}), False, "worse by more", id="worse"),
    ],
)
def test_a_multi_label_model_serves_by_a_rule_that_gives_its_reason(
    challenger: dict[str, float],
    champion: tuple[str, dict[str, float]] | None,
    is_promoted: bool,
    words: str,
) -> None:
    standing = Ranked(*champion) if champion else None
    promote, reason = decide_tags(Ranked(NEW, challenger), standing, margin=0.01)
    assert promote is is_promoted
    assert words in reason


def test_a_model_that_a_person_replaced_is_not_promoted_again(
    mlflow_database: Path, tmp_path: Path
) -> None:
    """Or the next retraining would undo what somebody decided."""
    platform = tagged_home.fill(tmp_path / "home", mlflow_database)
    train_tags(platform, TINY, "")
    assert promote_best_tags(platform).version == "1"
    tagged_home.write_settings(platform.home.root, tags_per_model=2)
    platform = Platform(load_settings(home=platform.home.root))
    second = train_tags(platform, TINY, "")
    assert second.is_new
    assert [row["tag"] for row in second.per_tag] == ["cat", "dog"]
    refused = promote_best_tags(platform)
    assert (refused.version, refused.promoted) == ("1", False)
    promote_version(platform, "2", reason="fewer tags", by="somebody", model=HASHTAG_MODEL)
    promote_version(platform, "1", reason="too few tags", by="somebody", model=HASHTAG_MODEL)
    again = promote_best_tags(platform)
    assert (again.version, again.promoted) == ("1", False)
    assert "A person replaced this very model" in again.reason
