"""What the sensors ask for, looking at runs on a real Dagster instance (R-IMP-4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
import time_machine
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from reds_pipeline.errors import RedsError
from reds_pipeline.instance import close_interrupted_runs, open_instance
from reds_pipeline.jobs import (
    COLLECT_CLASS,
    COMMAND_LINE,
    DRIVER_TAG,
    MEASURE_DRIFT,
    RETRAIN,
    SELECTION_TAG,
    WEEKLY_REFRESH,
)
from reds_pipeline.notices import APPROVAL, FAILURE, NOTICE, STALE
from reds_pipeline.partitions import classes
from reds_pipeline.resources import Platform
from reds_pipeline.sensors import (
    collect_selected_classes,
    record_failure,
    retrain_when_collected,
    watch_freshness,
)
from reds_pipeline.settings import Settings, load_settings
from reds_pipeline.spine import PARTITION_TAG, Progress, read_spine
from reds_pipeline.storage.tables import CLASS_SELECTION, write_rows
from reds_pipeline_tests.stand_in_pipeline import MONDAY, definitions, write_script

pytestmark = pytest.mark.req("R-IMP-4")

SUCCESS, FAILED = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
CANCELED, QUEUED = dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.QUEUED
STARTED, NOT_STARTED = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.NOT_STARTED


_REPOSITORY = RemoteRepositoryOrigin(
    InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="reds_pipeline.definitions")),
    "__repository__",
)


class History:
    """Runs as the daemon would have left them, and what the sensors make of them."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings = settings
        self.instance = instance
        self.definitions = definitions()

    @property
    def platform(self) -> Platform:
        return Platform(self.settings)

    def set(self, **settings: object) -> None:
        self.settings = self.settings.model_copy(update=settings)

    def execute(self, job: str, partition: str | None = None, **tags: str) -> str:
        result = self.result(job, partition, **tags)
        assert result.success
        return result.run_id

    def result(
        self, job: str, partition: str | None = None, **tags: str
    ) -> dg.ExecuteInProcessResult:
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=partition, tags=tags, raise_on_error=False
        )

    def add(
        self, job: str, status: dg.DagsterRunStatus, partition: str = "", **tags: str
    ) -> dg.DagsterRun:
        """Leave a run in a state, as if it had come so far."""
        named = {PARTITION_TAG: partition} if partition else {}
        # What `reds run` executes comes from no code location.
        origin = None if DRIVER_TAG in tags else RemoteJobOrigin(_REPOSITORY, job)
        return self.instance.add_run(
            dg.DagsterRun(
                job_name=job, status=status, tags={**named, **tags}, remote_job_origin=origin
            )
        )

    def collections(self) -> list[tuple[str | None, str | None]] | str:
        """Return partition and run key of each collection asked for, or why none is."""
        answer = collect_selected_classes(dg.build_sensor_context(instance=self.instance))
        if isinstance(answer, dg.SkipReason):
            return answer.skip_message or ""
        assert isinstance(answer, dg.SensorResult)
        return [(each.partition_key, each.run_key) for each in answer.run_requests or ()]

    def next(self) -> tuple[str | None, str | None] | str:
        """Return job and run key of what is asked for after the collections, or why nothing is."""
        context = dg.build_sensor_context(instance=self.instance)
        answer = retrain_when_collected(context, platform=self.platform)
        if isinstance(answer, dg.SkipReason):
            return answer.skip_message or ""
        assert isinstance(answer, dg.RunRequest)
        return answer.job_name, answer.run_key

    def watch(self) -> None:
        watch_freshness(dg.build_sensor_context(instance=self.instance), platform=self.platform)

    def told(self, kind: str) -> list[str]:
        """Return the bodies of the notices of a kind."""
        events = self.platform.ledger.events(NOTICE)
        return [event["body"] for event in events if event["subject"] == kind]


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    home = tmp_path / "home"
    for name, value in {"HOME": str(home), "BACKBONES": "tiny"}.items():
        monkeypatch.setenv(f"REDS_{name}", value)
    write_script(home)
    settings = load_settings()
    with open_instance(settings) as instance:
        yield History(settings, instance)


@pytest.fixture
def refresh(history: History) -> dict[str, str]:
    """Return the tags of what follows from a refresh that chose cat and dog."""
    return {SELECTION_TAG: history.execute(WEEKLY_REFRESH)}


def test_what_was_never_queued_is_asked_for_again_and_the_rest_is_not(
    history: History, refresh: dict[str, str]
) -> None:
    selection = refresh[SELECTION_TAG]
    both = [("cat", f"{selection}:cat"), ("dog", f"{selection}:dog")]
    assert history.collections() == both
    history.add(COLLECT_CLASS, QUEUED, "cat", **refresh)
    # The daemon was killed between making this run and queueing it; Dagster finds it by its key.
    history.add(COLLECT_CLASS, NOT_STARTED, "dog", **refresh)
    assert history.collections() == both[1:]
    assert history.next() == "waiting for the collection of cat, dog"


def test_the_classes_are_those_that_the_refresh_itself_chose(
    history: History, refresh: dict[str, str]
) -> None:
    """`reds run` in between rewrites the table, and its own runs are left to it."""
    write_rows(history.platform.home.table("class_selection"), [], CLASS_SELECTION)
    own = history.execute(WEEKLY_REFRESH, **{DRIVER_TAG: COMMAND_LINE})
    tags = {SELECTION_TAG: own, DRIVER_TAG: COMMAND_LINE}
    history.add(COLLECT_CLASS, SUCCESS, "cat", **tags)
    asked = history.collections()
    assert isinstance(asked, list)
    assert [partition for partition, _ in asked] == ["cat", "dog"]
    assert history.next() == "waiting for the collection of cat, dog"


def test_a_class_that_is_none_any_more_neither_stops_the_others_nor_the_training(
    history: History, refresh: dict[str, str]
) -> None:
    """`reds run` lets go of a class after this refresh chose it and before it was collected."""
    assert classes.name is not None
    history.instance.delete_dynamic_partition(classes.name, "dog")
    # Dagster refuses the whole answer if it names a partition that there is not.
    assert history.collections() == [("cat", f"{refresh[SELECTION_TAG]}:cat")]
    history.add(COLLECT_CLASS, SUCCESS, "cat", **refresh)
    assert history.next() == (RETRAIN, f"{refresh[SELECTION_TAG]}:{RETRAIN}")


def test_a_refresh_that_dagster_tried_again_chose_what_its_first_attempt_chose(
    history: History, refresh: dict[str, str]
) -> None:
    first = refresh[SELECTION_TAG]
    again = history.instance.add_run(
        dg.DagsterRun(
            job_name=WEEKLY_REFRESH, status=SUCCESS, parent_run_id=first, root_run_id=first
        )
    )
    spine = read_spine(history.instance)
    assert spine is not None
    assert (spine.refresh, list(spine.collections)) == (again.run_id, ["cat", "dog"])


def test_a_newer_refresh_overtakes_and_one_that_was_canceled_does_not(
    history: History, refresh: dict[str, str]
) -> None:
    for name in ("cat", "dog"):
        history.add(COLLECT_CLASS, SUCCESS, name, **refresh)
    newer = history.add(WEEKLY_REFRESH, STARTED)
    assert "a newer refresh is under way" in history.next()
    history.instance.report_run_canceled(newer)
    assert history.next() == (RETRAIN, f"{refresh[SELECTION_TAG]}:{RETRAIN}")


def test_a_run_that_dagster_tries_again_has_not_ended(
    history: History, refresh: dict[str, str]
) -> None:
    history.add(COLLECT_CLASS, SUCCESS, "cat", **refresh)
    with time_machine.travel(MONDAY, tick=True) as clock:
        crashed = history.add(COLLECT_CLASS, STARTED, "dog", **refresh)
        history.instance.report_run_failed(crashed)
        assert history.next() == "waiting for the collection of dog"
        # The daemon never came back to it.
        clock.shift(timedelta(hours=2))
        assert history.next() == (RETRAIN, f"{refresh[SELECTION_TAG]}:{RETRAIN}")
    retried = {"dagster/auto_retry_run_id": "another", "dagster/will_retry": "true"}
    history.instance.add_run_tags(crashed.run_id, retried)
    history.add(COLLECT_CLASS, STARTED, "dog", **refresh)
    assert history.next() == "waiting for the collection of dog"


def test_runs_of_a_daemon_that_is_gone_are_tried_again_and_those_of_a_person_are_not(
    history: History,
) -> None:
    ours = history.add(COLLECT_CLASS, STARTED, "cat")
    theirs = history.add(COLLECT_CLASS, STARTED, "dog", **{DRIVER_TAG: COMMAND_LINE})
    stopping = history.add(RETRAIN, dg.DagsterRunStatus.CANCELING)
    close_interrupted_runs(history.instance, lambda _run: True)
    ends = [history.instance.get_run_by_id(run.run_id) for run in (ours, theirs, stopping)]
    assert [run and run.status for run in ends] == [FAILED, CANCELED, CANCELED]
    assert ends[0] is not None
    assert ends[0].is_complete_and_waiting_to_retry


def test_a_class_that_failed_or_was_canceled_falls_back_and_is_told_of(
    history: History, refresh: dict[str, str]
) -> None:
    history.add(COLLECT_CLASS, SUCCESS, "cat", **refresh)
    history.add(COLLECT_CLASS, CANCELED, "dog", **refresh)
    for _ in range(2):
        assert history.next() == (RETRAIN, f"{refresh[SELECTION_TAG]}:{RETRAIN}")
    [body] = history.told(FAILURE)
    assert body.startswith("Nothing new was collected of dog, because somebody canceled it")


def test_nothing_is_trained_when_no_class_could_be_collected(
    history: History, refresh: dict[str, str]
) -> None:
    for name in ("cat", "dog"):
        history.add(COLLECT_CLASS, FAILED, name, **{"dagster/will_retry": "false"}, **refresh)
    for _ in range(2):
        assert "no class could be collected" in history.next()
    [body] = history.told(FAILURE)
    assert "the model that serves stays" in body


def collected(history: History, refresh: dict[str, str]) -> str:
    for name in ("cat", "dog"):
        history.add(COLLECT_CLASS, SUCCESS, name, **refresh)
    return refresh[SELECTION_TAG]


@pytest.mark.req("R-IMP-5")
def test_with_auto_it_is_measured_first_and_trained_if_that_says_so(
    history: History, refresh: dict[str, str]
) -> None:
    history.set(retrain="auto")
    selection = collected(history, refresh)
    assert history.next() == (MEASURE_DRIFT, f"{selection}:{MEASURE_DRIFT}")
    history.execute(MEASURE_DRIFT, **refresh)
    assert history.next() == (RETRAIN, f"{selection}:{RETRAIN}")
    history.add(RETRAIN, STARTED, **refresh)
    assert history.next() == "the training after this refresh is under way"


@pytest.mark.req("R-IMP-5")
def test_with_auto_nothing_is_trained_when_nothing_has_moved(
    history: History, refresh: dict[str, str]
) -> None:
    history.set(retrain="auto")
    collected(history, refresh)
    write_script(history.platform.home.root, due=False)
    history.execute(MEASURE_DRIFT, **refresh)
    assert history.next() == "no training is due: All is calm."


@pytest.mark.req("R-IMP-5")
def test_without_a_measurement_the_longest_interval_decides(
    history: History, refresh: dict[str, str]
) -> None:
    history.set(retrain="auto")
    selection = collected(history, refresh)
    history.execute(RETRAIN)
    write_script(history.platform.home.root, due=None)
    assert not history.result(MEASURE_DRIFT, **refresh).success
    assert history.next() == (
        "no training is due: It could not be measured whether a training is due; the last one "
        "was 0 days ago."
    )
    history.set(retrain_min_days=0.0, retrain_max_days=1e-9)
    assert history.next() == (RETRAIN, f"{selection}:{RETRAIN}")


@pytest.mark.req("R-IMP-5")
def test_with_ask_a_person_is_told_once_and_starts_it(
    history: History, refresh: dict[str, str]
) -> None:
    history.set(retrain="ask")
    collected(history, refresh)
    history.execute(MEASURE_DRIFT, **refresh)
    for _ in range(2):
        assert "waits for a person (`reds retrain`): Tags move fast." in history.next()
    [body] = history.told(APPROVAL)
    assert body.startswith("Tags move fast. Start it with `reds retrain`")
    history.execute(RETRAIN, **{DRIVER_TAG: COMMAND_LINE})
    assert history.next() == "a training was made since it was measured"


def test_a_failed_run_is_kept_and_told_in_a_sentence_without_secrets(history: History) -> None:
    history.execute(WEEKLY_REFRESH)
    write_script(history.platform.home.root, failing=["raw_posts:cat"])
    result = history.result(COLLECT_CLASS, "cat")
    context = dg.build_run_status_sensor_context(
        sensor_name="record_failure",
        dagster_instance=history.instance,
        dagster_run=result.dagster_run,
        dagster_event=result.get_run_failure_event(),
        partition_key=None,
    ).for_run_failure()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        # The daemon is killed after the failure is kept and before anybody is told.
        patch.setattr("reds_pipeline.sensors.notify", _killed)
        record_failure(context, platform=history.platform)
    for _ in range(2):
        record_failure(context, platform=history.platform)
    [event] = history.platform.ledger.events("run_failure")
    assert event["message"] == "raw_posts:cat could not be had from http://pix.example."
    [body] = history.told(FAILURE)
    assert body == (
        "collect_class of cat failed: raw_posts:cat could not be had from http://pix.example. "
        f"What was collected before is used. (Run {result.run_id[:8]} in Dagster.)"
    )


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_the_sentence_behind_several_attempts_is_that_of_the_error(
    history: History, tmp_path: Path
) -> None:
    @dg.op
    def tries_again() -> None:
        error = RedsError("The host is down; it is tried again later.")
        raise dg.RetryRequested(max_retries=0) from error

    @dg.job
    def trying() -> None:
        tries_again()

    result = trying.execute_in_process(instance=history.instance, raise_on_error=False)
    context = dg.build_run_status_sensor_context(
        sensor_name="record_failure",
        dagster_instance=history.instance,
        dagster_run=result.dagster_run,
        dagster_event=result.get_run_failure_event(),
        partition_key=None,
    ).for_run_failure()
    record_failure(context, platform=history.platform)
    [event] = history.platform.ledger.events("run_failure")
    assert event["message"] == "The host is down; it is tried again later."


def test_staleness_is_told_once_until_a_training_has_looked(history: History) -> None:
    with time_machine.travel(MONDAY, tick=True) as clock:
        history.watch()
        assert history.told(STALE) == []
        history.add(WEEKLY_REFRESH, SUCCESS)
        for days, notices in ((14, 0), (2, 1), (30, 1)):
            clock.shift(timedelta(days=days))
            history.watch()
            assert len(history.told(STALE)) == notices
        history.execute(RETRAIN)
        history.watch()
        clock.shift(timedelta(days=16))
        history.watch()
        first, second = history.told(STALE)
        assert first.startswith("There was none since 2026-11-16")
        assert second.startswith("The last training ended on 2027-01-01")


def test_no_refresh_means_nothing_to_do(history: History) -> None:
    assert history.collections() == history.next() == "no refresh has finished yet"
    assert Progress.MISSING.has_ended is False
