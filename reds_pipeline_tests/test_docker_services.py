"""The services of docker/compose.yaml, run without an engine, from an empty volume to a tag."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests
import sqlalchemy as sa

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.pictures import picture_file
from reds_pipeline.demo.town.town import Town
from reds_pipeline.demo.wiretap import Fault
from reds_pipeline.jobs import COMMAND_LINE, DRIVER_TAG
from reds_pipeline.modeling.bundle import load_bundle, save_bundle
from reds_pipeline.run_history import remove_photographs
from reds_pipeline.tracking import BUNDLE_DIRECTORY, CHAMPION, MODEL_ARTIFACT, Tracking
from reds_pipeline_tests.compose_files import PASSWORDS
from reds_pipeline_tests.compose_services import LOOPBACK, Stage
from reds_pipeline_tests.running_services import ComposeServices
from reds_pipeline_tests.web_hook import WebHook

CLASSES = ("cat", "flower")
UNREACHABLE = "dog"
SECONDS = 240.0
SECONDS_BETWEEN_LOOKS = 0.5
PUBLIC_NAME = "tags.example"
SECRETS = {name: f"{name.lower()}5432" for name in PASSWORDS}

CODE_LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    ... on PythonError { message }
    ... on RepositoryLocation { repositories {
        name
        location { name }
        jobs { name }
        schedules { name scheduleState { id status } }
        sensors { sensorState { status } } } } } } } } }
"""
DAEMONS = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"
LAUNCH = """
mutation($job: JobOrPipelineSelector!, $tags: [ExecutionTag!]) {
  launchRun(executionParams: {selector: $job, executionMetadata: {tags: $tags}}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
SHEETS = """
SELECT event FROM event_logs
WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND partition = 'cat'
  AND event LIKE '%data:image/jpeg;base64,%'
"""
RUN = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
RUNS = "{ runsOrError { ... on Runs { results { jobName status } } } }"
STOP_SCHEDULE = """
mutation($id: String!) { stopRunningSchedule(id: $id) { __typename } }
"""


class Containers:
    """The running services, as a person outside them sees them."""

    def __init__(self, stage: Stage, services: ComposeServices, hook: WebHook) -> None:
        self.stage = stage
        self.services = services
        self.hook = hook

    def until(self, is_so: Callable[[], bool], service: str) -> None:
        """Wait for something; what a service printed says why it does not come."""
        deadline = time.monotonic() + SECONDS
        while not is_so():
            assert time.monotonic() < deadline, self.services.log(service)[-6000:]
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def dagster(self, query: str, **variables: Any) -> Any:
        """Ask the webserver."""
        answer = requests.post(
            f"{self.stage.url('webserver')}/graphql",
            json={"query": query, "variables": variables},
            timeout=SECONDS,
        ).json()
        assert "errors" not in answer, answer
        return answer["data"]

    @property
    def repository(self) -> dict[str, Any]:
        """What the webserver knows of our code."""
        (entry,) = self.dagster(CODE_LOCATIONS)["workspaceOrError"]["locationEntries"]
        assert "message" not in entry["locationOrLoadError"], entry
        (repository,) = entry["locationOrLoadError"]["repositories"]
        return repository

    def launch(self, job: str, **tags: str) -> str:
        """Launch a run as the page of Dagster does; return its id."""
        repository = self.repository
        launched = self.dagster(
            LAUNCH,
            job={
                "jobName": job,
                "repositoryName": repository["name"],
                "repositoryLocationName": repository["location"]["name"],
            },
            # Keeps the sensors, which look only twice a minute, from doing the same once more.
            tags=[
                {"key": key, "value": x} for key, x in {DRIVER_TAG: COMMAND_LINE, **tags}.items()
            ],
        )["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def runs(self, job: str) -> list[str]:
        """Return the states of all runs of a job."""
        found = self.dagster(RUNS)["runsOrError"]["results"]
        return [run["status"] for run in found if run["jobName"] == job]

    def stop_schedule(self, name: str) -> None:
        """Turn a schedule off, as a person does on the page of Dagster."""
        (identifier,) = (
            schedule["scheduleState"]["id"]
            for schedule in self.repository["schedules"]
            if schedule["name"] == name
        )
        stopped = self.dagster(STOP_SCHEDULE, id=identifier)["stopRunningSchedule"]
        assert stopped["__typename"] == "ScheduleStateResult", stopped

    def await_success(self, run: str) -> None:
        """Wait until a run has succeeded."""
        status = ""

        def has_ended() -> bool:
            nonlocal status
            status = self.dagster(RUN, id=run)["runOrError"]["status"]
            return status in {"SUCCESS", "FAILURE", "CANCELED"}

        self.until(has_ended, "pipeline")
        assert status == "SUCCESS", self.services.log("pipeline")[-6000:]

    @property
    def tracking(self) -> Tracking:
        """MLflow, as the services reach it."""
        return Tracking(self.stage.url("mlflow"), self.stage.root / "unused")

    def experiments(self, host: str) -> int:
        """Ask MLflow for its experiments under a name for it; return the status."""
        return requests.post(
            f"{self.stage.url('mlflow')}/api/2.0/mlflow/experiments/search",
            json={"max_results": 1},
            headers={"Host": host},
            timeout=SECONDS,
        ).status_code

    def page(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Ask the page."""
        return requests.request(
            method,
            f"{self.stage.url('page')}{path}",
            timeout=SECONDS,
            allow_redirects=False,
            **arguments,
        )

    def serving_version(self) -> str:
        """Return which version the page answers with; "" before there is one."""
        models = self.page("GET", "/api/v1/model").json()["models"]
        return next((model["version"] for model in models if model["kind"] == "classes"), "")

    def tag(self, class_name: str) -> dict[str, Any]:
        """Have the page tag a photo that nobody has seen before."""
        photo = {"photo": ("photo.jpg", picture_file(class_name, 4321))}
        answer = self.page("POST", "/api/v1/tags", files=photo)
        assert answer.status_code == requests.codes.ok, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    with EmbeddedInstance(Town.build(images_per_class=14)) as instance, WebHook() as hook:
        instance.spoil(Fault(f"/api/v1/timelines/tag/{UNREACHABLE}", 403, times=None))
        stage = Stage(
            tmp_path_factory.mktemp("compose"),
            {
                **SECRETS,
                "REDS_HOST_URL": instance.url,
                "REDS_HOST_TOKEN": instance.token,
                "REDS_CLASSES": ",".join((*CLASSES, UNREACHABLE)),
                "REDS_BACKBONES": "tiny",
                "REDS_PAGE_HOSTS": PUBLIC_NAME,
            },
        )
        # Where operators put settings that compose does not pass on.
        (stage.volume("reds") / "reds.toml").write_text(
            "min_images_per_class = 5\nmodel_check_seconds = 1.0\ninference = 'torch'\n"
            f"refresh_cron = '* * * * *'\nnotify = '{hook.address}'\n"
        )
        with ComposeServices(stage) as services:
            yield Containers(stage, services, hook)


def test_the_webserver_shows_our_jobs_with_schedule_and_sensors_on(containers: Containers) -> None:
    repository = containers.repository
    jobs = {job["name"] for job in repository["jobs"]}
    assert {"weekly_refresh", "collect_class", "retrain"} <= jobs
    states = [
        *(schedule["scheduleState"]["status"] for schedule in repository["schedules"]),
        *(sensor["sensorState"]["status"] for sensor in repository["sensors"]),
    ]
    assert set(states) == {"RUNNING"}


def test_every_daemon_becomes_healthy_where_the_webserver_looks(containers: Containers) -> None:
    """Heartbeats reach the webserver through the database that both share."""

    def required() -> list[dict[str, Any]]:
        health = containers.dagster(DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return [daemon for daemon in health if daemon["required"]]

    containers.until(lambda: all(daemon["healthy"] for daemon in required()), "daemon")
    assert {"SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR"} <= {
        daemon["daemonType"] for daemon in required()
    }


def test_mlflow_answers_to_its_own_names_only(containers: Containers) -> None:
    """Any other name in a request is a page elsewhere that had this address looked up."""
    port = containers.stage.port("mlflow")
    for name in ("mlflow", "localhost", LOOPBACK):
        assert containers.experiments(f"{name}:{port}") == requests.codes.ok
    assert containers.experiments(f"elsewhere.example:{port}") == requests.codes.forbidden


@pytest.mark.req("R-PRD-3")
def test_the_page_answers_under_its_names_before_there_is_a_model(containers: Containers) -> None:
    """It says that it cannot tag yet; to anybody else's name it says nothing."""
    port = containers.stage.port("page")
    for name in (LOOPBACK, "localhost"):
        answer = containers.page("GET", "/", headers={"Host": f"{name}:{port}"})
        assert answer.status_code == requests.codes.ok
    for path in ("/", "/review"):
        other = containers.page("GET", path, headers={"Host": f"elsewhere.example:{port}"})
        assert 400 <= other.status_code < 500
    assert containers.page("GET", "/health/live").status_code == requests.codes.ok
    assert containers.page("GET", "/health/ready").status_code == requests.codes.unavailable
    photo = {"photo": ("photo.jpg", picture_file("cat", 1))}
    refused = containers.page("POST", "/api/v1/tags", files=photo)
    assert refused.status_code == requests.codes.unavailable
    assert "model" in refused.json()["sentence"]


def test_the_review_gallery_is_closed_where_the_page_is_public(containers: Containers) -> None:
    """No password is set here, so there is no way in; the answer says what to do about it."""
    answer = containers.page("GET", "/review", headers={"Accept": "application/json"})
    assert answer.status_code == requests.codes.forbidden
    assert "reds password" in answer.text


@pytest.mark.req("R-PRD-1")
@pytest.mark.req("R-IMP-4")
def test_the_daemon_drives_everything_though_it_is_killed_and_the_page_tags_a_photo(
    containers: Containers,
) -> None:
    """Schedule, sensors, queue, runs, MLflow and the page work together; nobody helps."""
    containers.until(lambda: containers.runs("weekly_refresh") == ["SUCCESS"], "pipeline")
    containers.until(lambda: "STARTED" in containers.runs("collect_class"), "daemon")
    containers.services.kill("daemon")
    # Its ticks go on meanwhile; that one refresh is through is what the test waits for.
    containers.stop_schedule("refresh_schedule")
    containers.services.start_again("daemon")
    containers.until(lambda: containers.runs("retrain") == ["SUCCESS"], "pipeline")
    assert containers.runs("weekly_refresh") == ["SUCCESS"]
    assert sorted(containers.runs("collect_class")) == ["FAILURE", "SUCCESS", "SUCCESS"]

    def told() -> dict[str, str]:
        return {each["title"]: each["message"] for each in containers.hook.taken}

    containers.until(lambda: len(told()) == 2, "pipeline")
    assert set(told()) == {"REDS: collect_class failed", "REDS: Another model serves"}
    failure = told()["REDS: collect_class failed"]
    assert failure.startswith(f"collect_class of {UNREACHABLE} failed: ")
    assert "Traceback" not in failure

    champion = containers.tracking.alias(CHAMPION)
    assert champion is not None
    containers.until(lambda: containers.serving_version() == champion.version, "page")
    assert containers.page("GET", "/health/ready").status_code == requests.codes.ok
    for name in CLASSES:
        answer = containers.tag(name)
        assert answer["suggestions"][0]["tag"] == name
        assert answer["models"][0]["version"] == champion.version
    # What is launched from the page of Dagster runs, too.
    containers.await_success(containers.launch("measure_drift"))


def test_the_page_follows_a_promotion_and_stays_with_it_when_the_next_is_broken(
    containers: Containers, tmp_path: Path
) -> None:
    """Nobody restarts it; a version without files leaves the one that serves in its place."""
    tracking = containers.tracking
    first = tracking.alias(CHAMPION)
    assert first is not None
    bundle = load_bundle(tracking.bundle(first, tmp_path))
    save_bundle(bundle, tmp_path / "again" / BUNDLE_DIRECTORY)
    versions: list[str] = []
    for key in ("the same once more", "one without files"):
        with tracking.training("tiny grouped", key, params={}, tags={}) as training:
            if not versions:
                training.log_directory(tmp_path / "again", MODEL_ARTIFACT)
        versions.append(tracking.register(training.run_id, {}).version)
    second, broken = versions

    tracking.set_alias(CHAMPION, second)
    containers.until(lambda: containers.serving_version() == second, "page")
    assert containers.tag("cat")["models"][0]["version"] == second
    tracking.set_alias(CHAMPION, broken)
    containers.until(
        lambda: bool(containers.page("GET", "/api/v1/model").json()["problem"]), "page"
    )
    assert containers.serving_version() == second
    assert containers.tag("cat")["models"][0]["version"] == second
    tracking.set_alias(CHAMPION, first.version)


def test_nothing_is_kept_but_where_a_volume_is_and_passwords_are_nowhere_in_logs(
    containers: Containers,
) -> None:
    """The root of a container is read-only, and lost when it is replaced."""
    assert not containers.stage.unmounted.exists()
    for service in containers.stage.order:
        written = containers.stage.working_directory(service).rglob("*")
        assert [path for path in written if path.is_file()] == []
        log = containers.services.log(service)
        assert [password for password in SECRETS.values() if password in log] == []
    volumes = [containers.stage.volume(name) for name in ("reds", "dagster", "mlflow")]
    assert [path for volume in volumes for path in volume.rglob("*.sqlite*")] == []
    assert [path for volume in volumes for path in volume.rglob("*.db")] == []


@pytest.mark.req("R-SCR-11")
def test_withdrawn_photographs_leave_the_history_and_the_files_of_postgres(
    containers: Containers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is overwritten stays readable in a database's files until they are written anew."""
    url = containers.stage.environment("pipeline")["DAGSTER_POSTGRES_URL"]
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    operator = sa.create_engine(
        re.sub(r"//\w+:\w+@", "//postgres:postgres_password5432@", url),
        isolation_level="AUTOCOMMIT",
    )

    def sheets() -> list[str]:
        with operator.connect() as connection:
            connection.execute(sa.text("CHECKPOINT"))
            return list(connection.execute(sa.text(SHEETS)).scalars())

    (event,) = sheets()
    photographs = event.split("image/jpeg;base64,")[1][2000:2060].encode()
    files = containers.stage.volume("postgres") / "data" / "base"

    def traces() -> list[str]:
        found = (path for path in files.rglob("*") if path.is_file())
        return [path.name for path in found if photographs in path.read_bytes()]

    assert traces()
    with dg.DagsterInstance.from_config(str(containers.stage.volume("dagster"))) as instance:
        assert remove_photographs(instance, {"cat"}) > 0
    assert sheets() == []
    assert traces() == []
    operator.dispose()


def test_every_service_stops_when_asked(containers: Containers) -> None:
    """Comes last: what has to be killed may leave a database half-written."""
    codes = containers.services.stop()
    stubborn = {name: containers.services.log(name)[-6000:] for name in codes if codes[name]}
    assert codes == dict.fromkeys(codes, 0), stubborn
