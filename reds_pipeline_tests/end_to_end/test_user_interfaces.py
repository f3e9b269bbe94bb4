"""``reds up``: both pages serve one finished home, and stop together."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from reds_pipeline_tests.end_to_end.conftest import COMMAND, SECONDS, FinishedRun

_LOCATIONS = """
{
  workspaceOrError { ... on Workspace { locationEntries {
    name
    locationOrLoadError {
      ... on RepositoryLocation { repositories { jobs { name } } }
      ... on PythonError { message }
    }
  } } }
  assetNodes { assetKey { path } assetMaterializations(limit: 1) { metadataEntries {
    label ... on MarkdownMetadataEntry { mdStr } ... on UrlMetadataEntry { url }
  } } }
  runsOrError { ... on Runs { results { jobName status } } }
}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def ports(finished: FinishedRun) -> Iterator[tuple[int, int, int]]:
    dagster_port, mlflow_port, page_port = free_port(), free_port(), free_port()
    process = subprocess.Popen(
        [
            *(*COMMAND, "up", "--dagster-port", str(dagster_port)),
            *("--mlflow-port", str(mlflow_port), "--page-port", str(page_port)),
        ],
        env=finished.reds.environment,
        cwd=finished.home.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for address in (
            f"http://127.0.0.1:{dagster_port}/",
            f"http://127.0.0.1:{mlflow_port}/",
            f"http://127.0.0.1:{page_port}/review",
        ):
            wait_for(address, process)
        yield dagster_port, mlflow_port, page_port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    for port in (dagster_port, mlflow_port, page_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"port {port} is still served"


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "reds up ended by itself"
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    pytest.fail(f"{address} never answered")


@pytest.fixture(scope="module")
def workspace(ports: tuple[int, int, int]) -> dict[str, Any]:
    answer = requests.post(
        f"http://127.0.0.1:{ports[0]}/graphql", json={"query": _LOCATIONS}, timeout=60
    )
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_dagster_loads_the_graph_and_shows_the_runs(workspace: dict[str, Any]) -> None:
    [location] = workspace["workspaceOrError"]["locationEntries"]
    [repository] = location["locationOrLoadError"]["repositories"]
    jobs = {job["name"] for job in repository["jobs"]}
    assert {"weekly_refresh", "collect_class", "retrain"} <= jobs
    runs = [(run["jobName"], run["status"]) for run in workspace["runsOrError"]["results"]]
    assert runs.count(("collect_class", "SUCCESS")) == 5
    assert ("retrain", "SUCCESS") in runs


@pytest.mark.parametrize(
    ("asset", "label", "holds"),
    [
        ("curated_dataset", "funnel", "| class | seen | kept | dropped |"),
        ("clean_images", "contact sheet", "](data:image/jpeg;base64,"),
        ("svm_tiny", "confusion matrix", "](data:image/png;base64,"),
        ("svm_tiny", "MLflow run", "/#/experiments/"),
        ("champion_model", "reason", None),
    ],
)
def test_assets_carry_metadata_worth_looking_at(
    workspace: dict[str, Any], asset: str, label: str, holds: str | None
) -> None:
    [node] = [node for node in workspace["assetNodes"] if node["assetKey"]["path"] == [asset]]
    [materialization] = node["assetMaterializations"]
    entries = {entry["label"]: entry for entry in materialization["metadataEntries"]}
    assert label in entries
    if holds is not None:
        text = entries[label].get("mdStr") or entries[label].get("url")
        assert holds in text
        assert len(text) < 100_000


def test_mlflow_shows_the_trainings_of_both_backbones(ports: tuple[int, int, int]) -> None:
    answer = requests.post(
        f"http://127.0.0.1:{ports[1]}/api/2.0/mlflow/runs/search",
        json={"experiment_ids": ["1"], "filter": "tags.protocol = 'grouped'"},
        timeout=60,
    )
    runs = answer.json()["runs"]
    parents = {
        tag["value"]
        for run in runs
        for tag in run["data"]["tags"]
        if tag["key"] == "backbone" and "mlflow.parentRunId" not in str(run["data"]["tags"])
    }
    assert parents == {"tiny", "test_efficientnet"}


def test_a_port_in_use_is_one_sentence(finished: FinishedRun) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = finished.reds("up", "--dagster-port", port, expect=1)
    assert result.stderr.strip() == (
        f"Port {port} is taken by another program; choose another with --dagster-port."
    )
