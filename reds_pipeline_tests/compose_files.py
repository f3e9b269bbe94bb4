"""The files of docker/, read as compose and the builder read them.

What belongs here: the compose file with its variables filled in, and the Dockerfile's stages. What
does not: running anything (``compose_services.py``), or what is expected of them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dockerfile_parse import DockerfileParser

REPOSITORY = Path(__file__).parents[1]
DIRECTORY = REPOSITORY / "docker"
COMPOSE_FILE = DIRECTORY / "compose.yaml"
DOCKERFILE = DIRECTORY / "Dockerfile"
PASSWORDS = ("POSTGRES_PASSWORD", "MLFLOW_PASSWORD", "DAGSTER_PASSWORD", "LEDGER_PASSWORD")
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<operator>[-?])(?P<text>[^}]*))?\}")


class MissingVariableError(Exception):
    """A variable that the compose file demands is not set; compose prints this and ends."""


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Fill in ``${NAME:-default}`` and ``${NAME:?sentence}`` as compose does."""

    def value(found: re.Match[str]) -> str:
        given = variables.get(found["name"], "")
        if given or found["operator"] == "-":
            return given or found["text"]
        raise MissingVariableError(
            f"required variable {found['name']} is missing a value: {found['text'] or ''}"
        )

    filled = _VARIABLE.sub(value, text)
    assert "$" not in filled, f"compose would interpolate {filled}"
    return filled


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return interpolated(value, variables)
    if isinstance(value, dict):
        return {name: _filled(part, variables) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, variables) for part in value]
    return value


def compose_file(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the compose file.

    Args:
        variables: What docker/.env would hold; any passwords by default.
    """
    if variables is None:
        variables = dict.fromkeys(PASSWORDS, "secret")
    return _filled(yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8")), variables)


def environment_of(service: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, str]:
    """Return what a service gets; a variable without a value is passed on if it is set outside."""
    own = {
        name: value if value is not None else variables.get(name)
        for name, value in service.get("environment", {}).items()
    }
    return {name: value for name, value in own.items() if value is not None}


@dataclass(frozen=True)
class BuildStage:
    """One stage of the Dockerfile.

    Attributes:
        name: What ``--target`` calls it.
        base: The image, or the stage, that it starts from.
        instructions: (keyword, argument) of each after FROM, in order.
    """

    name: str
    base: str
    instructions: tuple[tuple[str, str], ...]

    def arguments_of(self, keyword: str) -> list[str]:
        """Return the argument of every instruction with this keyword, in order."""
        return [argument for found, argument in self.instructions if found == keyword]


def build_stages() -> dict[str, BuildStage]:
    """Return the stages of the Dockerfile by name, in order."""
    with DOCKERFILE.open("rb") as file:
        structure = DockerfileParser(fileobj=file).structure
    stages: dict[str, BuildStage] = {}
    for line in structure:
        keyword, argument = line["instruction"], line["value"]
        if keyword == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", argument).groups()  # type: ignore[union-attr]
            stages[name] = BuildStage(name, base, ())
        elif keyword != "COMMENT":
            last = stages[name]
            stages[name] = BuildStage(
                last.name, last.base, (*last.instructions, (keyword, argument))
            )
    return stages


def image_environment() -> dict[str, str]:
    """Return the variables that the images set."""
    words = [
        word
        for argument in build_stages()["service"].arguments_of("ENV")
        for word in shlex.split(argument)
    ]
    return {name: value for name, _, value in (word.partition("=") for word in words)}
