"""Supervisors learn whether the page lives, the operator what it does, and nobody of whom."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from reds_pipeline.web.metrics import Metrics
from reds_pipeline.web.request_log import RequestLog, json_logger, note
from reds_pipeline_tests.tagging.served_home import drawn_photo
from reds_pipeline_tests.web.serving import served
from reds_pipeline_tests.web.tagging_site import SECONDS, tag


def get(address: str, **headers: str) -> requests.Response:
    return requests.get(address, headers=headers, timeout=SECONDS)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the value of each number by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_page_without_a_model_lives_and_is_not_ready(
    tagging_address: str, unready_address: str
) -> None:
    """A supervisor that killed it then would do so for ever: the first model takes an hour."""
    assert get(f"{unready_address}/health/live").status_code == 200
    unready = get(f"{unready_address}/health/ready")
    assert unready.status_code == 503
    assert unready.headers["Retry-After"]
    assert get(f"{tagging_address}/health/ready").status_code == 200


def test_supervisors_may_ask_by_any_name(tagging_address: str) -> None:
    """They know a container by an address of its own; what they learn is one word."""
    assert get(f"{tagging_address}/health/live", Host="10.1.2.3:5000").status_code == 200
    assert get(f"{tagging_address}/api/v1/model", Host="10.1.2.3:5000").status_code == 421


def test_what_is_counted(tagging_address: str) -> None:
    before = samples(get(f"{tagging_address}/metrics").text)
    assert tag(tagging_address, drawn_photo("cat", 1)).ok
    assert tag(tagging_address, b"no photo").status_code == 415
    requests.get(f"{tagging_address}/nothing/of/that/name", timeout=SECONDS)
    requests.request("BREW", f"{tagging_address}/", timeout=SECONDS)
    answer = get(f"{tagging_address}/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    after = samples(answer.text)

    def more(name: str, **labels: str) -> float:
        key = (name, frozenset(labels.items()))
        return after[key] - before.get(key, 0.0)

    assert more("reds_photos_total", outcome="tagged") == 1
    assert more("reds_photos_total", outcome="not_an_image") == 1
    route = "/api/v1/tags"
    assert more("reds_requests_total", method="POST", route=route, status="200") == 1
    assert more("reds_requests_total", method="POST", route=route, status="415") == 1
    assert more("reds_requests_total", method="GET", route="none", status="404") == 1
    assert more("reds_request_seconds_count", route=route) == 2
    assert more("reds_tagging_seconds_count") == 2
    assert after[("reds_ready", frozenset())] == 1
    assert after[("reds_photos_waiting", frozenset())] == 0
    models = {labels for name, labels in after if name == "reds_model"}
    assert {dict(labels)["name"] for labels in models} == {"reds-tagger", "reds-hashtags"}
    # Whoever can make labels can fill the memory, and can put there what is nobody's business.
    assert "that/name" not in answer.text
    assert "BREW" not in answer.text


def test_numbers_are_not_for_everybody(tmp_path: Path) -> None:
    token = "a token of more than twenty characters"
    with served(tmp_path, is_public=True, page_hosts=("tags.example",), operator_token=token) as at:
        # Forwarded, so it does not come from a program of this machine.
        elsewhere = {"Host": "tags.example", "X-Forwarded-For": "192.0.2.1"}
        refused = get(f"{at}/metrics", **elsewhere)
        assert refused.status_code in {401, 403}
        assert "reds_requests" not in refused.text
        known = get(f"{at}/metrics", **elsewhere, Authorization=f"Bearer {token}")
        assert known.status_code == 200


async def _answer(request: Request) -> Response:
    await request.body()
    note(model_versions=["reds-tagger 3"])
    return PlainTextResponse("done", status_code=int(request.path_params["status"]))


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


def logged(log: io.StringIO, *, is_quiet: bool = False) -> TestClient:
    """Return a client of an application whose requests are written down."""
    routes = [Route("/answers/{status}", _answer, methods=["GET", "POST"])]
    application = Starlette(routes=routes)
    logger = json_logger(log)
    return TestClient(RequestLog(application, Metrics(), logger, is_quiet=is_quiet))


def test_a_line_says_what_happened_and_not_to_whom(log: io.StringIO) -> None:
    answer = logged(log).post(
        "/answers/200?secret=query",
        content=b"12345",
        headers={"X-Forwarded-For": "192.0.2.77", "X-Request-ID": "theirs", "Cookie": "a=secret"},
    )
    [line] = log.getvalue().splitlines()
    said = json.loads(line)
    assert said.pop("milliseconds") >= 0
    assert said.pop("timestamp").endswith("Z")
    assert said.pop("request_id") == answer.headers["X-Request-ID"] != "theirs"
    assert said == {
        "event": "request",
        "level": "info",
        "method": "POST",
        "route": "/answers/{status}",
        "status": 200,
        "bytes_in": 5,
        "model_versions": ["reds-tagger 3"],
    }


@pytest.mark.parametrize(
    ("status", "is_quiet", "level"),
    [
        (200, False, "info"),
        (404, False, "info"),
        (503, False, "warning"),
        (500, False, "warning"),
        (200, True, None),
        (503, True, None),
        (500, True, "warning"),
    ],
)
def test_quiet_leaves_out_all_but_failures(
    log: io.StringIO, status: int, is_quiet: bool, level: str | None
) -> None:
    """A supervisor that waits for a model asks every few seconds and gets a 503."""
    logged(log, is_quiet=is_quiet).get(f"/answers/{status}")
    lines = [json.loads(line)["level"] for line in log.getvalue().splitlines()]
    assert lines == ([] if level is None else [level])


def test_two_requests_at_once_do_not_mix(log: io.StringIO) -> None:
    client = logged(log)
    client.get("/answers/200")
    client.get("/nothing")
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert first["model_versions"] == ["reds-tagger 3"]
    assert "model_versions" not in second
    assert first["request_id"] != second["request_id"]
