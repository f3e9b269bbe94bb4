"""MLflow's files in an object store: the compose file's profile `s3`, run without an engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import numpy as np
import pytest

from reds_pipeline.error_gallery import COLUMNS
from reds_pipeline.errors import RedsError
from reds_pipeline.modeling.bundle import ModelBundle, Provenance, load_bundle, save_bundle
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.tagging.tagger import Tagger
from reds_pipeline.tracking import (
    BUNDLE_DIRECTORY,
    CHAMPION,
    EXPERIMENT,
    HASHTAG_MODEL,
    MODEL_ARTIFACT,
    Tracking,
)
from reds_pipeline.withdrawal.galleries import clean_gallery
from reds_pipeline_tests.compose_files import PASSWORDS
from reds_pipeline_tests.compose_services import Stage
from reds_pipeline_tests.running_services import ComposeServices

BUCKET = "reds"
KEYS = {"AWS_ACCESS_KEY_ID": "access", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Yield where MLflow runs with its database in Postgres and its files in the store."""
    stage = Stage(
        tmp_path_factory.mktemp("objects"),
        {
            **dict.fromkeys(PASSWORDS, "secret"),
            **KEYS,
            "COMPOSE_PROFILES": "s3",
            "MLFLOW_FILES": f"s3://{BUCKET}/mlflow",
        },
        only=("postgres", "files", "make-bucket", "mlflow"),
    )
    with ComposeServices(stage):
        yield stage


def objects(server: Stage) -> list[str]:
    """Return the name of everything in the bucket."""
    client = boto3.client(
        "s3",
        endpoint_url=server.url("files"),
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )
    return [entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def test_a_training_lives_its_whole_life_through_the_server(
    server: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracking = Tracking(server.url("mlflow"), tmp_path / "unused")
    bundle = _bundle()
    save_bundle(bundle, tmp_path / "model" / BUNDLE_DIRECTORY)
    record = {"classes": ["cat", "dog"], "cv_mean": 0.75}
    with tracking.training("tiny grouped", "a key", params={"seed": 42}, tags={}) as training:
        training.log_metrics({"cv/accuracy_mean": 0.75})
        training.log_fold(1, {"accuracy": 0.5}, {"protocol": "grouped"})
        training.log_fold(2, {"accuracy": 1.0}, {"protocol": "grouped"})
        training.log_bytes("figures/confusion.png", b"\x89PNG not really")
        training.log_json("training.json", record)
        training.log_directory(tmp_path / "model", MODEL_ARTIFACT)
    with (
        pytest.raises(ZeroDivisionError),
        tracking.training("tiny grouped", "another key", params={}, tags={}),
    ):
        _ = 1 / 0

    run_id = training.run_id
    assert tracking.finished_training("a key") == run_id
    assert tracking.finished_training("another key") is None
    assert tracking.metrics(run_id) == {"cv/accuracy_mean": 0.75}
    assert tracking.read_json(run_id, "training.json") == record
    assert tracking.read_bytes(run_id, "figures/confusion.png") == b"\x89PNG not really"
    folds = tracking.client.search_runs(
        [tracking.experiment_id], f"tags.`mlflow.parentRunId` = '{run_id}'"
    )
    assert sorted(fold.data.metrics["accuracy"] for fold in folds) == [0.5, 1.0]

    version = tracking.register(run_id, {"backbone": "tiny"})
    assert tracking.register(run_id, {}) == version, "a training is registered once"
    assert tracking.alias(CHAMPION) is None
    tracking.set_alias(CHAMPION, version.version)
    champion = tracking.alias(CHAMPION)
    assert champion == version

    destination = tmp_path / "downloaded"
    destination.mkdir()
    local = tracking.bundle(version, destination)
    assert local.is_relative_to(destination)
    loaded = load_bundle(local)
    assert loaded.provenance == bundle.provenance
    np.testing.assert_array_equal(loaded.weights, bundle.weights)
    assert not (tmp_path / "unused").exists(), "the server has the files"
    experiment = tracking.client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    assert experiment.artifact_location.startswith("mlflow-artifacts:")
    assert capsys.readouterr().out == "", "commands print JSON there"


def test_a_withdrawn_picture_goes_from_the_sheets_of_a_server(
    server: Stage, tmp_path: Path
) -> None:
    """The same training has no model, and whoever asks for it is told so."""
    tracking = Tracking(server.url("mlflow"), tmp_path / "unused")
    rows = [["errors/test.jpg", 1, sha256, -1, "cat", "dog", 0.9] for sha256 in ("gone", "kept")]
    with tracking.training("tiny grouped", "a shown key", params={}, tags={}) as training:
        training.log_json("errors/errors.json", {"columns": list(COLUMNS), "data": rows})
        training.log_bytes("errors/test.jpg", b"photographs")
    assert clean_gallery(tracking, training.run_id, {"gone"}.__contains__, write=True) == 1
    assert tracking.read_bytes(training.run_id, "errors/test.jpg") != b"photographs"
    listed = tracking.read_json(training.run_id, "errors/errors.json")
    assert listed["data"] == [["", 0, "kept", -1, "cat", "dog", 0.9]]
    assert clean_gallery(tracking, training.run_id, {"gone"}.__contains__, write=True) == 0

    version = tracking.register(training.run_id, {}, HASHTAG_MODEL)
    tracking.set_alias(CHAMPION, version.version, HASHTAG_MODEL)
    settings = load_settings(home=tmp_path / "home", tracking_uri=tracking.uri)
    with pytest.raises(RedsError, match="files of version 1 are gone from MLflow"):
        Tagger.of_champion(Platform(settings), "tags")


def test_what_is_deleted_leaves_the_store(server: Stage, tmp_path: Path) -> None:
    """A withdrawal and `reds prune` promise that files are gone, wherever MLflow keeps them."""
    tracking = Tracking(server.url("mlflow"), tmp_path / "unused")
    save_bundle(_bundle(), tmp_path / "model" / BUNDLE_DIRECTORY)
    with tracking.training("tiny grouped", "to be deleted", params={}, tags={}) as training:
        training.log_directory(tmp_path / "model", MODEL_ARTIFACT)
    version = tracking.register(training.run_id, {})
    held = [name for name in objects(server) if training.run_id in name]
    assert held
    assert all(name.startswith("mlflow/") for name in held)
    tracking.delete_version(version.version)
    assert [name for name in objects(server) if training.run_id in name] == []
    assert not server.unmounted.exists(), "nothing is kept beside the store"


def _bundle() -> ModelBundle:
    return ModelBundle(
        kind="classes",
        classes=("cat", "dog"),
        mean=np.zeros(3),
        scale=np.ones(3),
        weights=np.arange(6, dtype=np.float64).reshape(2, 3),
        intercept=np.zeros(2),
        slope=np.ones(2),
        offset=np.zeros(2),
        thresholds=np.zeros(2),
        provenance=Provenance("tiny", "tiny-1", "square-1", "0" * 64, "2026-01-02T03:04:05Z", {}),
    )
