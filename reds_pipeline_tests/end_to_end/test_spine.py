"""The spine under Dagster itself: jobs, sensors and what a step may import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline import sensors
from reds_pipeline.definitions import build_defs
from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline.demo.wiretap import Fault
from reds_pipeline.instance import open_instance
from reds_pipeline.jobs import (
    COLLECT_CLASS,
    COMMAND_LINE,
    DRIVER_TAG,
    HOUSEKEEPING,
    MEASURE_DRIFT,
    RECHECK_POSTS,
    RETRAIN,
    WEEKLY_REFRESH,
)
from reds_pipeline.resources import Platform
from reds_pipeline.sensors import collect_selected_classes, record_failure, retrain_when_collected
from reds_pipeline.settings import Settings, load_settings
from reds_pipeline.storage.tables import read_rows
from reds_pipeline_tests.end_to_end.conftest import clean_environment

CLASSES = ("cat", "dog", "flower")


@pytest.fixture(scope="module")
def host() -> Iterator[EmbeddedInstance]:
    with EmbeddedInstance(Town.build(images_per_class=16)) as running:
        yield running


@pytest.fixture
def settings(host: EmbeddedInstance, tmp_path: Path) -> Settings:
    return load_settings(
        home=tmp_path / "home",
        dagster_home=tmp_path / "home" / "dagster",
        host_url=host.url,
        host_token=host.token,
        classes=CLASSES,
        backbones=("tiny",),
    )


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings) as opened:
        yield opened


@pytest.fixture
def platform(settings: Settings) -> Platform:
    # Attended: a failing step is not tried again for minutes.
    return Platform(settings, attended=True)


class Spine:
    """Executes jobs and asks sensors on one instance."""

    def __init__(self, platform: Platform, instance: dg.DagsterInstance) -> None:
        self.platform = platform
        self.instance = instance
        self.definitions = build_defs(platform)

    def execute(
        self, job: str, partition: str | None = None, **tags: str
    ) -> dg.ExecuteInProcessResult:
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=partition, tags=tags, raise_on_error=False
        )

    def collections_due(self) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(instance=self.instance)
        answer = collect_selected_classes(context)
        return list(answer.run_requests or ()) if isinstance(answer, dg.SensorResult) else []

    def training_due(self) -> object:
        context = dg.build_sensor_context(instance=self.instance)
        return retrain_when_collected(context, platform=self.platform)


@pytest.fixture
def spine(platform: Platform, instance: dg.DagsterInstance) -> Spine:
    return Spine(platform, instance)


def test_a_refresh_leads_to_one_collection_a_class_and_then_to_one_training(
    spine: Spine, host: EmbeddedInstance
) -> None:
    skipped = spine.training_due()
    assert isinstance(skipped, dg.SkipReason)

    refresh = spine.execute(WEEKLY_REFRESH)
    assert refresh.success
    requests = spine.collections_due()
    assert [(each.partition_key, each.run_key) for each in requests] == [
        (name, f"{refresh.run_id}:{name}") for name in CLASSES
    ]

    for request in requests[:2]:
        assert spine.execute(COLLECT_CLASS, request.partition_key, **request.tags).success
    waiting = spine.training_due()
    assert isinstance(waiting, dg.SkipReason)
    assert waiting.skip_message == "waiting for the collection of flower"

    # The last class fails for good: it is reported, and the training does not wait for it.
    host.spoil(Fault("/api/v1/timelines/tag", 403))
    # What nobody has collected yet is asked for again, under the same key.
    [last] = spine.collections_due()
    assert last.run_key == requests[2].run_key
    failed = spine.execute(COLLECT_CLASS, last.partition_key, **last.tags)
    host.heal()
    assert not failed.success
    due = spine.training_due()
    assert isinstance(due, dg.RunRequest)
    assert (due.job_name, due.run_key) == (RETRAIN, f"{refresh.run_id}:{RETRAIN}")
    again = spine.training_due()
    assert isinstance(again, dg.RunRequest)
    assert again.run_key == due.run_key

    context = dg.build_run_status_sensor_context(
        sensor_name="record_failure",
        dagster_instance=spine.instance,
        dagster_run=failed.dagster_run,
        dagster_event=failed.get_run_failure_event(),
        partition_key=None,
    ).for_run_failure()
    record_failure(context, platform=spine.platform)
    [event] = spine.platform.ledger.events("run_failure")
    assert (event["subject"], event["class"]) == (COLLECT_CLASS, "flower")
    [notice] = spine.platform.ledger.events("notice")
    assert "Traceback" not in notice["body"]
    assert event["message"] in notice["body"]
    record_failure(context, platform=spine.platform)
    assert len(spine.platform.ledger.events("run_failure")) == 1


def test_a_sweep_confirms_posts_and_a_host_that_is_down_takes_nothing_away(
    settings: Settings, instance: dg.DagsterInstance, host: EmbeddedInstance
) -> None:
    sweeping = settings.model_copy(update={"recheck_after_hours": 0.0})
    spine = Spine(Platform(sweeping, attended=True), instance)
    spine.execute(WEEKLY_REFRESH)
    spine.execute(COLLECT_CLASS, "cat")
    table = spine.platform.home.table("posts", "cat")
    before = {row["post_key"]: row for row in read_rows(table)}

    host.spoil(Fault("/", 503, times=None))
    down = spine.execute(RECHECK_POSTS)
    host.heal()
    assert down.success, "what cannot be looked for is left as it is"
    checks = {check.check_name: check for check in down.get_asset_check_evaluations()}
    assert not checks["every_post_was_looked_for"].passed
    assert checks["every_post_was_looked_for"].severity == dg.AssetCheckSeverity.WARN
    assert checks["most_posts_are_still_there"].passed
    assert {row["post_key"]: row for row in read_rows(table)} == before
    assert "ended early" in spine.platform.notices[-1]

    again = spine.execute(RECHECK_POSTS).get_asset_check_evaluations()
    assert [check.passed for check in again] == [True, True]
    kept = [row for row in read_rows(table) if row["status"] == "kept"]
    assert kept
    assert all(row["confirmed_at"] >= before[row["post_key"]]["confirmed_at"] for row in kept)
    assert {row["status"] for row in before.values()} == {"kept", "gated"}


def test_runs_of_the_command_line_are_left_to_it(spine: Spine) -> None:
    assert spine.execute(WEEKLY_REFRESH, **{DRIVER_TAG: COMMAND_LINE}).success
    assert spine.collections_due() == []
    assert isinstance(spine.training_due(), dg.SkipReason)


def test_a_failed_step_reads_as_its_sentence(spine: Spine, host: EmbeddedInstance) -> None:
    host.spoil(Fault("/api/v1/accounts/verify_credentials", 401))
    result = spine.execute(WEEKLY_REFRESH)
    host.heal()
    [failure] = result.get_step_failure_events()
    data = failure.step_failure_data
    assert data.user_failure_data is not None
    assert host.url.removeprefix("http://") in (data.user_failure_data.description or "")


def test_the_graph_loads_and_runs_by_itself(platform: Platform) -> None:
    definitions = build_defs(platform)
    dg.Definitions.validate_loadable(definitions)
    for name, job in (
        ("refresh_schedule", WEEKLY_REFRESH),
        ("recheck_schedule", RECHECK_POSTS),
        ("housekeeping_schedule", HOUSEKEEPING),
    ):
        schedule = definitions.resolve_schedule_def(name)
        assert schedule.job_name == job
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    for each in sensors.ALL:
        sensor = definitions.resolve_sensor_def(each.name)
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    graph = definitions.resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert names == {
        "trending_tags",
        "class_selection",
        "tag_report",
        "raw_posts",
        "raw_images",
        "clean_images",
        "recheck",
        "contributed_images",
        "picture_features",
        "curated_dataset",
        "label_suspects",
        "image_tensors",
        "embeddings_tiny",
        "retraining_advice",
        "svm_tiny",
        "hashtags_tiny",
        "model_comparison",
        "near_classes",
        "champion_model",
        "champion_hashtags",
        "backbones",
        "domain_shift",
        "dataset_report",
        "dataset_card",
    }
    selected = [
        {
            key.to_user_string()
            for key in definitions.resolve_job_def(job).asset_layer.selected_asset_keys
        }
        for job in (WEEKLY_REFRESH, COLLECT_CLASS, RETRAIN)
    ]
    assert set.union(*selected) == names
    assert sum(map(len, selected)) == len(names)
    measuring = definitions.resolve_job_def(MEASURE_DRIFT).asset_layer.selected_asset_keys
    assert {key.to_user_string() for key in measuring} == {
        "recheck",
        "contributed_images",
        "picture_features",
        "curated_dataset",
        "image_tensors",
        "embeddings_tiny",
        "retraining_advice",
    }


def test_steps_without_deep_learning_import_none(host: EmbeddedInstance, tmp_path: Path) -> None:
    program = """
import sys
from reds_pipeline.definitions import build_defs
from reds_pipeline.instance import open_instance
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
settings = load_settings()
defs = build_defs(Platform(settings, attended=True))
with open_instance(settings) as instance:
    for job, partition in (("weekly_refresh", None), ("collect_class", "cat")):
        defs.resolve_job_def(job).execute_in_process(instance=instance, partition_key=partition)
print(sorted({"torch", "timm", "torchvision", "mlflow"}.intersection(sys.modules)))
"""
    environment = clean_environment(
        {
            "REDS_HOME": str(tmp_path / "home"),
            "REDS_HOST_URL": host.url,
            "REDS_HOST_TOKEN": host.token,
            "REDS_CLASSES": "cat,dog",
            "REDS_BACKBONES": "tiny",
        }
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert result.stdout.strip().splitlines()[-1] == "[]"
