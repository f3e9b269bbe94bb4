"""The services of docker/, run without an engine, and what can be read off their two files."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
import requests
from packaging.specifiers import SpecifierSet

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline.error_gallery import COLUMNS
from reds_pipeline.errors import RedsError
from reds_pipeline.jobs import COMMAND_LINE, DRIVER_TAG
from reds_pipeline.modeling.bundle import ModelBundle, Provenance, load_bundle, save_bundle
from reds_pipeline.resources import Platform
from reds_pipeline.settings import Settings, load_settings
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
from reds_pipeline_tests.compose_services import (
    COMPOSE_FILE,
    DOCKERFILE,
    LOOPBACK,
    REPOSITORY,
    ComposeServices,
    Stage,
    arguments_of,
    compose_file,
    image_environment,
)

DAGSTER, MLFLOW = "3000", "5000"
SECONDS = 60.0
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

CODE_LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    ... on PythonError { message }
    ... on RepositoryLocation { repositories {
        jobs { name }
        schedules { scheduleState { status } }
        sensors { sensorState { status } } } } } } } } }
"""
DAEMONS = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"
REPOSITORIES = (
    "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
)
LAUNCH = """
mutation($job: JobOrPipelineSelector!, $tags: [ExecutionTag!]) {
  launchRun(executionParams: {selector: $job, executionMetadata: {tags: $tags}}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
RUN = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


class Containers:
    """The running services, as a person outside them sees them."""

    def __init__(self, stage: Stage, services: ComposeServices) -> None:
        self.stage = stage
        self.services = services

    def dagster(self, query: str, **variables: Any) -> Any:
        """Ask the webserver."""
        answer = requests.post(
            f"{self.stage.url(DAGSTER)}/graphql",
            json={"query": query, "variables": variables},
            timeout=SECONDS,
        ).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def experiments(self, host: str) -> int:
        """Ask MLflow for its experiments under a name for it; return the status."""
        return requests.post(
            f"{self.stage.url(MLFLOW)}/api/2.0/mlflow/experiments/search",
            json={"max_results": 1},
            headers={"Host": host},
            timeout=SECONDS,
        ).status_code


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    volume = tmp_path_factory.mktemp("compose") / "volume"
    volume.mkdir()
    with EmbeddedInstance(Town.build(images_per_class=10)) as instance:
        outside = {"REDS_HOST_URL": instance.url, "REDS_HOST_TOKEN": instance.token}
        stage = Stage(volume, outside)
        with ComposeServices(stage) as services:
            yield Containers(stage, services)


def test_the_webserver_shows_our_jobs_with_schedule_and_sensors_on(containers: Containers) -> None:
    (entry,) = containers.dagster(CODE_LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert "message" not in entry["locationOrLoadError"], entry
    (repository,) = entry["locationOrLoadError"]["repositories"]
    jobs = {job["name"] for job in repository["jobs"]}
    assert {"weekly_refresh", "collect_class", "retrain"} <= jobs
    states = [
        *(schedule["scheduleState"]["status"] for schedule in repository["schedules"]),
        *(sensor["sensorState"]["status"] for sensor in repository["sensors"]),
    ]
    assert set(states) == {"RUNNING"}


def test_every_daemon_becomes_healthy_where_the_webserver_looks(containers: Containers) -> None:
    """Heartbeats reach the webserver through the home that both share."""
    until = time.monotonic() + SECONDS
    while True:
        health = containers.dagster(DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        if all(daemon["healthy"] for daemon in health if daemon["required"]):
            break
        assert time.monotonic() < until, health
        time.sleep(0.2)
    assert {"SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR"} <= {
        daemon["daemonType"] for daemon in health if daemon["required"]
    }


def test_mlflow_answers_to_its_own_names_only(containers: Containers) -> None:
    """Any other name in a request is a page elsewhere that had this address looked up."""
    port = containers.stage.ports[MLFLOW]
    for name in ("mlflow", "localhost", LOOPBACK):
        assert containers.experiments(f"{name}:{port}") == requests.codes.ok
    assert containers.experiments(f"elsewhere.example:{port}") == requests.codes.forbidden


def test_a_training_lives_its_whole_life_through_the_server(
    containers: Containers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracking = Tracking(containers.stage.url(MLFLOW), tmp_path / "unused")
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
    containers: Containers, tmp_path: Path
) -> None:
    """The same training has no model, and whoever asks for it is told so."""
    tracking = Tracking(containers.stage.url(MLFLOW), tmp_path / "unused")
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


def test_a_run_launched_from_the_page_reaches_the_host_and_succeeds(containers: Containers) -> None:
    """Webserver, queue in the daemon and run in the pipeline's process work together."""
    nodes = containers.dagster(REPOSITORIES)["repositoriesOrError"]["nodes"]
    (repository,) = nodes
    launched = containers.dagster(
        LAUNCH,
        job={
            "jobName": "weekly_refresh",
            "repositoryName": repository["name"],
            "repositoryLocationName": repository["location"]["name"],
        },
        # Keeps the sensors from starting everything that follows a refresh.
        tags=[{"key": DRIVER_TAG, "value": COMMAND_LINE}],
    )["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    until = time.monotonic() + SECONDS
    while True:
        status = containers.dagster(RUN, id=launched["run"]["runId"])["runOrError"]["status"]
        if status in {"SUCCESS", "FAILURE", "CANCELED"}:
            break
        assert time.monotonic() < until, containers.services.log("pipeline")
        time.sleep(0.2)
    assert status == "SUCCESS", containers.services.log("pipeline")
    assert (containers.stage.volume / "reds" / "tables" / "lemmas.parquet").exists()


def test_every_service_stops_when_asked(containers: Containers) -> None:
    """Comes last: what has to be killed may leave a database half-written."""
    codes = containers.services.stop()
    stubborn = {name: containers.services.log(name)[-6000:] for name in codes if codes[name]}
    assert codes == dict.fromkeys(codes, 0), stubborn


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


# --- the compose file -----------------------------------------------------------------------


def services() -> dict[str, Any]:
    return compose_file()["services"]


def test_ports_are_open_to_this_machine_only() -> None:
    published = [port for service in services().values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith(f"{LOOPBACK}:") for port in published)


def test_all_services_share_one_image_and_one_volume_and_can_gain_no_rights() -> None:
    for service in services().values():
        assert service["image"] == services()["mlflow"]["image"]
        assert service["volumes"] == ["data:/data"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "user" not in service


def test_the_service_that_starts_first_builds_the_image_for_all(tmp_path: Path) -> None:
    """Several services that build one tag at the same time fail each other's export."""
    builders = [name for name, service in services().items() if "build" in service]
    assert builders == Stage(tmp_path, {}).order[:1]
    policies = {name: service["pull_policy"] for name, service in services().items()}
    assert policies == {name: "build" if name in builders else "never" for name in policies}
    build = services()[builders[0]]["build"]
    assert (COMPOSE_FILE.parent / build["context"]).resolve() == REPOSITORY
    assert (REPOSITORY / build["dockerfile"]).samefile(DOCKERFILE)


def test_every_service_is_restarted_and_watched() -> None:
    for service in services().values():
        assert service["restart"] == "unless-stopped"
        assert service["init"], "processes of runs that ended would pile up"
        assert {"test", "interval", "timeout", "start_period"} <= set(service["healthcheck"])


def test_only_the_pipeline_gets_settings_and_all_of_them_exist() -> None:
    """The token is in one service; a misspelt variable would be ignored without a word."""
    ours = {
        name: [key for key in service.get("environment", {}) if key.startswith("REDS_")]
        for name, service in services().items()
    }
    assert [name for name, variables in ours.items() if variables] == ["pipeline"]
    assert "REDS_HOST_TOKEN" in ours["pipeline"]
    known = {f"REDS_{name.upper()}" for name in Settings.model_fields}
    own = {name for name in image_environment() if name.startswith("REDS_")}
    assert {*ours["pipeline"], *own} <= known


# --- the image ------------------------------------------------------------------------------


def ignored(path: PurePosixPath) -> bool:
    """Whether .dockerignore keeps a file out; the last line that matches it decides."""
    verdict = False
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = pattern.removeprefix("!")
        candidates = [path, *path.parents][:-1]
        anywhere = wanted.removeprefix("**/")
        if any(
            fnmatchcase(candidate.name if anywhere != wanted else str(candidate), anywhere)
            for candidate in candidates
        ):
            verdict = not pattern.startswith("!")
    return verdict


def copied_files() -> list[PurePosixPath]:
    """Return every file that the COPY instructions bring into the image."""
    files = []
    for argument in arguments_of("COPY"):
        *sources, _target = argument.split()
        for source in sources:
            place = REPOSITORY / source
            assert place.exists(), f"COPY {source}: there is no such file"
            found = sorted(place.rglob("*")) if place.is_dir() else [place]
            kept = [
                relative
                for file in found
                if file.is_file()
                and not ignored(relative := PurePosixPath(file.relative_to(REPOSITORY)))
            ]
            assert kept, f"COPY {source}: .dockerignore keeps it out"
            files += kept
    return files


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("pyproject.toml", False),
        ("reds_pipeline/cli.py", False),
        ("reds_pipeline/lexicon/data/stop_words.txt", False),
        ("reds_pipeline/__pycache__/cli.cpython-311.pyc", True),
        (".reds/pseudonym.key", True),
        (".venv/bin/python", True),
        ("docker/.env", True),
    ],
)
def test_the_build_context_holds_what_is_needed_and_no_secret(path: str, out: bool) -> None:
    assert ignored(PurePosixPath(path)) is out


def test_the_copied_files_are_all_that_an_installation_needs() -> None:
    """`test_packaging.py` shows that a wheel made of these files is complete."""
    package = REPOSITORY / "reds_pipeline"
    needed = {
        PurePosixPath(file.relative_to(REPOSITORY))
        for file in package.rglob("*")
        if file.is_file() and file.parent.name != "__pycache__"
    }
    described = {PurePosixPath(name) for name in ("pyproject.toml", PROJECT["readme"])}
    assert set(copied_files()) == needed | described | {PurePosixPath("constraints.txt")}


def test_the_base_image_has_a_python_that_reds_supports() -> None:
    (base,) = arguments_of("FROM")
    image, _, tag = base.partition(":")
    assert image == "python"
    assert tag.split("-")[0] in SpecifierSet(PROJECT["requires-python"])


def test_the_image_installs_exactly_the_declared_dependencies(tmp_path: Path) -> None:
    """The line that writes them down is run as it stands, under the image's shell."""
    (line,) = [argument for argument in arguments_of("RUN") if "requirements.txt" in argument]
    writing, installing = line.split("&&")
    shutil.copyfile(REPOSITORY / "pyproject.toml", tmp_path / "pyproject.toml")
    stage = Stage(tmp_path, {})
    subprocess.run(
        ["/bin/sh", "-c", writing],
        cwd=tmp_path,
        env=stage.environment("pipeline"),
        check=True,
        timeout=SECONDS,
    )
    written = (tmp_path / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert written == PROJECT["dependencies"] + PROJECT["optional-dependencies"]["fast"]
    assert "-c constraints.txt" in installing


def test_the_services_run_as_a_user_who_owns_the_volume_only() -> None:
    assert arguments_of("USER") == ["reds"]
    (making,) = [argument for argument in arguments_of("RUN") if "useradd" in argument]
    assert "install --directory --owner=reds --group=reds /data" in making
    assert arguments_of("VOLUME") == ["/data"]
    lasting = {name: value for name, value in image_environment().items() if value.startswith("/")}
    assert {"REDS_HOME", "DAGSTER_HOME", "HF_HOME"} <= lasting.keys()
    assert all(value.startswith("/data/") for value in lasting.values())


def test_the_image_runs_our_command_by_default() -> None:
    (entrypoint,) = arguments_of("ENTRYPOINT")
    assert json.loads(entrypoint) == list(PROJECT["scripts"])
