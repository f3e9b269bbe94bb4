"""``reds run`` from hashtags to a champion, and what it must never keep."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.backup.make import make_backup
from reds_pipeline.backup.places import LEFT_OUT, PLACES
from reds_pipeline.backup.restore import restore_backup
from reds_pipeline.demo.pixelfed.entities import NO_PREVIEW_PATH
from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.instance import open_instance
from reds_pipeline.model_history import history
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.status import home_status
from reds_pipeline.storage.tables import read_rows
from reds_pipeline.tagging.tagger import Tagger
from reds_pipeline.tracking import Tracking
from reds_pipeline_tests.end_to_end.conftest import FinishedRun, Reds

CLASSES = {"cat", "dog", "flower", "bird", "car"}
GATES = (
    "account_locked",
    "account_opted_out",
    "not_public",
    "remote_origin",
    "reply",
    "repost",
    "sensitive",
    "spoiler",
)


def media_paths(run: FinishedRun) -> list[str]:
    return [record.path for record in run.requests if record.path.startswith("/storage/")]


def every_text(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in every_text(part)]
    if isinstance(value, list):
        return [text for part in value for text in every_text(part)]
    return []


@pytest.mark.req("R-CLS-11")
def test_the_five_classes_come_out_of_the_hashtags_by_themselves(finished: FinishedRun) -> None:
    assert set(finished.summary["classes"]) == CLASSES


def test_the_summary_has_the_agreed_shape(finished: FinishedRun) -> None:
    summary = finished.summary
    assert set(summary) == {"classes", "funnel", "models", "champion", "tracking_uri", "home"}
    protocols = Counter((model["backbone"], model["protocol"]) for model in summary["models"])
    assert protocols == {
        (backbone, protocol): 1
        for backbone in ("tiny", "test_efficientnet")
        for protocol in ("grouped", "report")
    }
    for model in summary["models"]:
        assert len(model["cv_accuracy"]) == 5
        assert model["cv_mean"] == pytest.approx(sum(model["cv_accuracy"]) / 5)
        low, high = model["test_interval"]
        assert 0 <= low <= model["test_accuracy"] <= high <= 1
        assert model["n_train"] + model["n_test"] == 200
    assert summary["home"] == str(finished.home.resolve())


def test_the_better_backbone_on_grouped_folds_is_the_champion(finished: FinishedRun) -> None:
    grouped = [model for model in finished.summary["models"] if model["protocol"] == "grouped"]
    best = max(grouped, key=lambda model: model["cv_mean"])
    assert finished.summary["champion"] == {"backbone": best["backbone"], "version": "1"}
    # Drawn classes differ in shape and colour: far better than the one in five of chance.
    assert best["cv_mean"] > 0.7


@pytest.mark.req("R-SCR-5")
@pytest.mark.req("R-SCR-6")
@pytest.mark.req("R-SCR-7")
def test_every_picture_meets_the_fate_it_was_made_for(finished: FinishedRun) -> None:
    for name, funnel in finished.summary["funnel"].items():
        expected = finished.town.expected_fates(name)
        kept = expected.pop("kept")
        assert funnel["kept"] == kept
        assert funnel["dropped"] == dict(expected)
        assert funnel["seen"] == kept + sum(expected.values())


@pytest.mark.req("R-SCR-3")
@pytest.mark.req("R-SCR-4")
def test_no_picture_of_a_gated_post_is_asked_for_or_kept(finished: FinishedRun) -> None:
    gated = finished.town.paths_with_fate(*GATES)
    assert gated
    assert gated.isdisjoint(media_paths(finished))
    digests = set()
    for post in finished.town.posts:
        for attachment in post.attachments:
            if attachment.path not in gated:
                continue
            data = finished.town.file(attachment)
            digests.add(hashlib.sha256(data).hexdigest())
            try:
                digests.add(hashlib.sha256(examine_image(data).data).hexdigest())
            except ImageRejected:
                continue
    stored = {path.stem for path in (finished.home / "images").rglob("*") if path.is_file()}
    assert stored
    assert stored.isdisjoint(digests)


def test_a_gated_post_leaves_a_keyed_hash_and_a_reason_only(finished: FinishedRun) -> None:
    rows = [
        row
        for path in (finished.home / "tables" / "posts").glob("*.parquet")
        for row in read_rows(path)
        if row["status"] == "gated"
    ]
    assert {row["reason"] for row in rows} >= set(GATES)
    for row in rows:
        left = {name for name, value in row.items() if value}
        allowed = {"post_key", "host", "query_tag", "status", "reason", "policy", "collected_at"}
        assert left <= allowed


def test_no_handle_or_place_is_kept_anywhere(finished: FinishedRun) -> None:
    accounts = {post.author.username for post in finished.town.posts}
    names = {post.author.display_name for post in finished.town.posts}
    pattern = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in accounts | names if name))
    for path in (finished.home / "tables").rglob("*.parquet"):
        for text in every_text(read_rows(path)):
            assert not pattern.search(text), f"{path.name}: {text}"


def test_no_metadata_is_kept_in_pictures(finished: FinishedRun) -> None:
    stored = [path for path in (finished.home / "images").rglob("*") if path.is_file()]
    assert not [path for path in stored if b"GPS" in path.read_bytes()]
    for path in stored:
        data = path.read_bytes()
        assert examine_image(data).data == data


def test_the_token_is_written_nowhere_and_sent_with_no_picture(finished: FinishedRun) -> None:
    token = finished.instance.token.encode()
    files = [path for path in finished.home.rglob("*") if path.is_file()]
    assert not [path for path in files if token in path.read_bytes()]
    assert finished.instance.token not in finished.result.stdout + finished.result.stderr
    assert not [
        record.path
        for record in finished.requests
        if record.path.startswith("/storage/") and record.has_authorization
    ]


def test_each_picture_is_downloaded_once(finished: FinishedRun) -> None:
    asked = Counter(media_paths(finished))
    # What the host shows in place of a picture is read once a class, to be recognised.
    assert asked.pop(NO_PREVIEW_PATH) <= len(CLASSES)
    assert [path for path, count in asked.items() if count > 1] == []


def test_only_json_goes_to_standard_output(finished: FinishedRun) -> None:
    assert finished.result.stdout.startswith("{")
    assert "Collecting and cleaning" in finished.result.stderr
    assert "Traceback" not in finished.result.stderr


@pytest.mark.req("R-EXP-13")
def test_mlflow_holds_parents_folds_metrics_and_artifacts(finished: FinishedRun) -> None:
    tracking = Tracking(finished.summary["tracking_uri"], finished.home / "mlflow-artifacts")
    runs = tracking.client.search_runs([tracking.experiment_id], max_results=100)
    tops = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    folds = Counter(run.data.tags.get("mlflow.parentRunId", "") for run in runs)
    # Two backbones under two protocols, the hashtags of each, and their comparison.
    assert Counter(run.data.tags["task"] for run in tops) == {
        "classes": 4,
        "tags": 2,
        "comparison": 1,
    }
    assert {run.info.status for run in tops} == {"FINISHED"}
    for parent in (run for run in tops if run.data.tags["task"] == "classes"):
        assert folds[parent.info.run_id] == 5
        assert parent.data.tags["dagster.run_id"]
        assert {f"cv/fold_{fold}/accuracy" for fold in range(1, 6)} <= set(parent.data.metrics)
        assert {
            "cv/accuracy_mean",
            "cv/accuracy_var_ddof0",
            "cv/accuracy_var_ddof1",
            "test/accuracy",
            "test/accuracy_low",
            "test/accuracy_high",
            "test/macro_f1",
            "test/recall/cat",
            "time/embed_s",
            "time/fit_s",
        } <= set(parent.data.metrics)
        assert {"encoder", "head", "C", "protocol", "seed", "dataset_digest"} <= set(
            parent.data.params
        )
        split = tracking.read_json(parent.info.run_id, "split.json")
        assert set(split["test"]).isdisjoint(split["fold"])
        order = tracking.read_json(parent.info.run_id, "class_order.json")
        assert order == sorted(CLASSES)


def test_the_model_names_its_data_and_the_data_its_posts(finished: FinishedRun) -> None:
    from reds_pipeline.imaging.curation import dataset_digest
    from reds_pipeline.modeling.bundle import load_bundle
    from reds_pipeline.tracking import CHAMPION

    tracking = Tracking(finished.summary["tracking_uri"], finished.home / "mlflow-artifacts")
    version = tracking.alias(CHAMPION)
    assert version is not None
    bundle = load_bundle(tracking.bundle(version, finished.home))
    curated = read_rows(finished.home / "tables" / "curated_dataset.parquet")
    assert bundle.provenance.dataset_digest == dataset_digest(curated)
    for name in CLASSES:
        images = read_rows(finished.home / "tables" / "images" / f"{name}.parquet")
        posts = read_rows(finished.home / "tables" / "posts" / f"{name}.parquet")
        assert {row["post_key"] for row in images} <= {row["post_key"] for row in posts}
        kept = {row["sha256"] for row in curated if row["class_name"] == name and row["kept"]}
        assert kept <= {row["sha256"] for row in images}


def test_the_registered_model_loads_for_people_too(finished: FinishedRun) -> None:
    import mlflow.sklearn
    import numpy as np

    from reds_pipeline.modeling.bundle import load_bundle
    from reds_pipeline.tracking import CHAMPION

    tracking = Tracking(finished.summary["tracking_uri"], finished.home / "mlflow-artifacts")
    version = tracking.alias(CHAMPION)
    assert version is not None
    bundle_directory = tracking.bundle(version, finished.home)
    pipeline = mlflow.sklearn.load_model(str(bundle_directory.parent))
    features = np.random.default_rng(0).normal(size=(4, load_bundle(bundle_directory).dimension))
    np.testing.assert_allclose(
        pipeline.decision_function(features),
        load_bundle(bundle_directory).decision_values(features),
        atol=1e-5,
    )


def test_predict_tags_a_picture_it_has_not_seen(finished: FinishedRun, tmp_path: Path) -> None:
    photo = tmp_path / "new.jpg"
    post = finished.town.new_post("flower")
    photo.write_bytes(finished.town.file(post.attachments[0]))
    [answer] = finished.reds.json("predict", str(photo))
    assert set(answer) == {"file", "tags", "top", "confident", "familiar", "model_version"}
    assert answer["file"] == str(photo)
    assert {tag["tag"] for tag in answer["tags"]} == CLASSES
    chances = [tag["probability"] for tag in answer["tags"]]
    assert sum(chances) == pytest.approx(1)
    assert chances == sorted(chances, reverse=True)
    assert answer["top"] == answer["tags"][0]["tag"] == "flower"
    assert answer["model_version"] == finished.summary["champion"]["version"]


def test_predict_says_in_a_sentence_what_is_wrong_with_a_file(
    finished: FinishedRun, tmp_path: Path
) -> None:
    page = tmp_path / "page.jpg"
    page.write_text("<!doctype html><title>not a picture</title>")
    result = finished.reds("predict", str(page), str(tmp_path / "absent.jpg"), expect=1)
    first, second = result.stderr.splitlines()
    assert "not a picture" in first
    assert "absent.jpg" in second
    assert "No such file" in second


def test_status_shows_the_same_numbers_and_the_promotion(finished: FinishedRun) -> None:
    report = finished.reds.json("status")
    summary = finished.summary
    assert {name: report[name] for name in summary} == summary
    [promotion] = report["promotions"]
    assert promotion["subject"] == summary["champion"]["version"]
    assert promotion["reason"].startswith("There was no model before.")
    assert report["failures"] == []


def test_doctor_finds_nothing_missing(finished: FinishedRun) -> None:
    findings = finished.reds.json("doctor")
    assert [finding["subject"] for finding in findings if not finding["ok"]] == []
    assert {"WordNet", "MLflow", "host", "newest posts"} <= {
        finding["subject"] for finding in findings
    }


@pytest.mark.req("R-IMP-8")
def test_a_backup_becomes_the_same_home_in_another_place(
    finished: FinishedRun, tmp_path: Path
) -> None:
    """It answers alike at once, and has nothing to fetch, embed or train."""
    new = Reds(tmp_path / "new", finished.reds.settings)
    chosen = {name.removeprefix("REDS_").lower(): value for name, value in new.settings.items()}
    old_platform = Platform(load_settings(home=finished.home, **chosen))
    places = {
        path.name.removesuffix("-wal").removesuffix("-shm") for path in finished.home.iterdir()
    }
    assert places <= PLACES | LEFT_OUT.keys(), "what is new in a home is backed up, or left out"
    make_backup(old_platform, tmp_path / "saved.tar")
    restore_backup(tmp_path / "saved.tar", new.home)
    new_platform = Platform(load_settings(home=new.home, **chosen))
    both = (old_platform, new_platform)

    pictures = sorted(new_platform.home.images.files())[:5]
    answers = [Tagger.of_champion(platform, "classes").tag_files(pictures) for platform in both]
    assert answers[1] == answers[0]
    reports = [home_status(platform) for platform in both]
    for report in reports:
        # Squares are made again, so the disk differs.
        for name in ("home", "tracking_uri", "now", "verdict", "disk"):
            del report[name]
    # Without the old ledger nobody knows what was withdrawn since, so every post waits.
    posts = [report.pop("posts") for report in reports]
    assert posts[1]["held"] == posts[0]["held"] == posts[1]["unconfirmed"] > 0
    assert posts[0]["unconfirmed"] == 0
    assert reports[1] == reports[0]
    assert history(new_platform.ledger) == history(old_platform.ledger)
    for version in new_platform.tracking.versions():
        assert version.source.startswith(new.home.as_uri())
        order = new_platform.tracking.read_json(version.run_id, "class_order.json")
        assert order == sorted(CLASSES)
    runs = []
    for platform in both:
        with open_instance(platform.settings) as instance:
            runs.append({run.run_id: run.status for run in instance.get_runs()})
    assert runs[0] == runs[1]

    told = new("retrain").stderr
    done = {what: int(count) for count, what in re.findall(r"(\d+) ([a-z ]+?)[,.]", told)}
    assert done["requests to the host"] > 0, "every post was looked for again"
    assert done["pictures resized"] > 0, "squares are made again"
    untouched = ("new posts read", "pictures downloaded", "embeddings computed", "models trained")
    assert [done[what] for what in untouched] == [0, 0, 0, 0]
