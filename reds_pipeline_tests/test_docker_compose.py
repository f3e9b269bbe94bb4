"""What can be read off the compose file: rules that every service keeps."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reds_pipeline.instance import CONFIGURATION
from reds_pipeline.settings import Settings
from reds_pipeline_tests.compose_files import (
    COMPOSE_FILE,
    DIRECTORY,
    DOCKERFILE,
    PASSWORDS,
    REPOSITORY,
    MissingVariableError,
    build_stages,
    compose_file,
    image_environment,
)
from reds_pipeline_tests.compose_services import LOOPBACK

OUR_IMAGE = "reds-pipeline:service"
BUILDER = "mlflow"
SERVICES: dict[str, Any] = compose_file()["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == OUR_IMAGE}
NAMES = sorted(SERVICES)


def networks(service: str) -> set[str]:
    return set(SERVICES[service]["networks"])


def reached_by(service: str) -> set[str]:
    """Return the services that share a network with this one."""
    return {name for name in NAMES if name != service and networks(name) & networks(service)}


def test_the_file_is_what_compose_specifies() -> None:
    program = Path(sys.prefix) / "bin" / "check-jsonschema"
    outcome = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", COMPOSE_FILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize("name", PASSWORDS)
def test_without_a_password_compose_refuses_and_says_where_it_goes(name: str) -> None:
    """A password that everybody can read here would be as good as none."""
    given = {other: "secret" for other in PASSWORDS if other != name}
    with pytest.raises(MissingVariableError, match=f"{name} is missing.*docker/.env"):
        compose_file(given)


def test_the_example_names_every_variable_and_gives_no_value_to_a_secret() -> None:
    text = COMPOSE_FILE.read_text(encoding="utf-8")
    used = set(re.findall(r"\$\{(\w+)", text))
    passed_on = {
        name
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    example = (DIRECTORY / "example.env").read_text(encoding="utf-8")
    named = dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", example, re.MULTILINE))
    optional = {"REDS_CLASSES", "REDS_BACKBONES", "AWS_DEFAULT_REGION"}
    assert (used | passed_on) - optional == named.keys() - {"COMPOSE_PROFILES"}
    secret = [name for name in named if re.search("PASSWORD$|TOKEN$|KEY", name)]
    assert len(secret) == 8
    assert {named[name] for name in secret} == {""}


@pytest.mark.parametrize("name", NAMES)
def test_every_image_has_an_exact_version(name: str) -> None:
    service = SERVICES[name]
    if name in OURS:
        assert service["pull_policy"] == ("build" if name == BUILDER else "never")
        assert ("build" in service) == (name == BUILDER), "two builds of one tag fail each other"
    else:
        tag = service["image"].partition(":")[2]
        assert re.match(r"v?\d+\.\d+", tag)


def test_the_image_is_built_from_here() -> None:
    build = SERVICES[BUILDER]["build"]
    assert (COMPOSE_FILE.parent / build["context"]).resolve() == REPOSITORY
    assert (REPOSITORY / build["dockerfile"]).samefile(DOCKERFILE)
    assert build["target"] in build_stages()
    assert OUR_IMAGE.endswith(f":{build['target']}")


@pytest.mark.parametrize("name", NAMES)
def test_a_service_can_gain_no_rights_and_take_no_more_than_its_share(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_restarted_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["init"], "processes that ended would pile up"
    if service["healthcheck"].get("disable"):
        # It ends, and what needs it waits for that.
        assert service["restart"] == "on-failure"
        return
    assert service["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])


def test_ports_are_open_to_this_machine_only() -> None:
    published = {
        name: port for name, service in SERVICES.items() for port in service.get("ports", ())
    }
    assert published.keys() == {"page", "webserver", "mlflow"}
    assert all(port.startswith(f"{LOOPBACK}:") for port in published.values())


@pytest.mark.req("R-PRD-1", "R-PRD-3")
def test_the_page_is_where_the_report_has_it() -> None:
    assert SERVICES["page"]["ports"] == [f"{LOOPBACK}:8080:5000"]
    assert "--port=5000" in SERVICES["page"]["command"]


def test_the_page_reaches_nothing_that_runs_code_for_whoever_asks() -> None:
    """Dagster and the object store trust everybody who reaches them; people reach the page."""
    assert reached_by("page") == {"postgres", "mlflow"}
    assert reached_by("files") == {"mlflow", "make-bucket"}


def test_databases_and_stores_reach_nothing_outside() -> None:
    described = compose_file()["networks"]
    internal = {name for name, rules in described.items() if rules.get("internal")}
    for name in ("postgres", "files", "make-bucket", "daemon"):
        assert networks(name) <= internal
    leading_out = {name: networks(name) - internal for name in NAMES}
    assert {name: nets for name, nets in leading_out.items() if nets} == {
        "mlflow": {"operators"},
        "webserver": {"operators"},
        "pipeline": {"hosts"},
        "page": {"people"},
    }
    assert set().union(*(networks(name) for name in NAMES)) == described.keys()


def test_photographs_lie_where_only_the_pipeline_and_the_page_look() -> None:
    mounting = {
        name
        for name, service in SERVICES.items()
        if any(volume.startswith("reds:") for volume in service.get("volumes", ()))
    }
    assert mounting == {"pipeline", "page"}


def test_every_volume_is_used_and_what_is_mounted_from_here_is_read_only() -> None:
    volumes = [v.split(":") for s in SERVICES.values() for v in s.get("volumes", ())]
    assert {source for source, *_ in volumes if not source.startswith("./")} == (
        compose_file()["volumes"].keys()
    )
    for source, _target, *mode in volumes:
        if source.startswith("./"):
            assert (DIRECTORY / source).is_file()
            assert mode == ["ro"]


def test_a_setting_of_ours_exists_and_goes_where_it_is_needed_only() -> None:
    """The host's token is in one service; a misspelt variable would be ignored without a word."""
    ours = {
        name: {key for key in service.get("environment", {}) if key.startswith("REDS_")}
        for name, service in SERVICES.items()
    }
    assert {name for name, variables in ours.items() if variables} == {"pipeline", "page"}
    everywhere = {"REDS_LEDGER_URL", "REDS_TRACKING_URI"}
    assert ours["pipeline"] & ours["page"] == everywhere
    assert "REDS_HOST_TOKEN" in ours["pipeline"]
    known = {f"REDS_{name.upper()}" for name in Settings.model_fields}
    own = {name for name in image_environment() if name.startswith("REDS_")}
    assert ours["pipeline"] | ours["page"] | own <= known


@pytest.mark.parametrize(
    ("variable", "services"),
    [
        ("POSTGRES_PASSWORD", {"postgres"}),
        ("MLFLOW_PASSWORD", {"postgres", "mlflow"}),
        ("DAGSTER_PASSWORD", {"postgres", "pipeline", "webserver", "daemon"}),
        ("LEDGER_PASSWORD", {"postgres", "pipeline", "page"}),
    ],
)
def test_a_password_is_known_where_it_is_needed_only(variable: str, services: set[str]) -> None:
    marked = compose_file({**dict.fromkeys(PASSWORDS, "other"), variable: "marked"})["services"]
    assert {name for name, service in marked.items() if "marked" in str(service)} == services
    in_commands = [s for s in marked.values() if "marked" in str(s.get("command"))]
    assert in_commands == [], "every process of the machine can read arguments"


def test_dagster_is_configured_as_everywhere_but_for_postgres() -> None:
    configured = yaml.safe_load((DIRECTORY / "dagster.yaml").read_text(encoding="utf-8"))
    storage = configured.pop("storage")
    assert storage == {"postgres": {"postgres_url": {"env": "DAGSTER_POSTGRES_URL"}}}
    assert configured == yaml.safe_load(CONFIGURATION)
