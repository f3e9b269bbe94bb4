"""The services of docker/compose.yaml as plain processes, for machines without a Docker engine.

What belongs here: doing what an engine would do with them: environments, volumes, order of start,
health checks, stopping. What does not: reading the files (``compose_files.py``), and what is
expected of the services. Only what a process cannot have is exchanged: volumes by directories,
names of services by loopback, ports by free ones, and the two images that are not ours by programs
that behave alike.
"""

from __future__ import annotations

import re
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from reds_pipeline_tests.compose_files import (
    DIRECTORY,
    compose_file,
    environment_of,
    image_environment,
)

LOOPBACK = "127.0.0.1"
STOP_SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM}
POSTGRES_SCRIPTS = "/docker-entrypoint-initdb.d/"
_OWN_PORT = re.compile(r"--port=:?(\d+)")


class Stage:
    """Where the services stand: a directory for each volume and a free port for each of theirs.

    Args:
        root: Where the volumes are, what the services print, and their temporary files.
        variables: What docker/.env would hold.
        only: The services that are run; all of the profiles that the variables choose by default.
    """

    def __init__(
        self, root: Path, variables: Mapping[str, str], only: Collection[str] | None = None
    ) -> None:
        self.root = root
        self._variables = variables
        profiles = set(variables.get("COMPOSE_PROFILES", "").split(","))
        self._services: dict[str, Any] = {
            name: service
            for name, service in compose_file(variables)["services"].items()
            if profiles.issuperset(service.get("profiles", ())) and (only is None or name in only)
        }
        # Postgres runs as another user, who cannot enter the directories that pytest makes.
        self._databases = Path(tempfile.mkdtemp(prefix="reds-postgres-"))
        for service in self._services:
            self._set_up(service)

    def _set_up(self, service: str) -> None:
        self.temporary(service).mkdir(parents=True)
        self.working_directory(service).mkdir(parents=True)
        for source, target in self._mounts(service):
            place = self._place_of(source)
            if not source.startswith("./"):
                place.mkdir(parents=True, exist_ok=True)
            elif not target.startswith(POSTGRES_SCRIPTS):
                # A file mounted into a volume, whose line stands before this one.
                mounted = Path(self._outside(service, target))
                if not mounted.is_symlink():
                    mounted.symlink_to(place)

    def close(self) -> None:
        """Remove what does not lie below the root."""
        shutil.rmtree(self._databases, ignore_errors=True)

    @cached_property
    def ports(self) -> dict[str, dict[str, int]]:
        """By service: the free port that stands for each port it listens on."""
        with ExitStack() as stack:
            found: dict[str, dict[str, int]] = {}
            for name, service in self._services.items():
                words = [*service.get("command", ()), *service["healthcheck"].get("test", ())]
                for port in sorted(set(_OWN_PORT.findall(" ".join(words)))):
                    free = stack.enter_context(socket.socket())
                    free.bind((LOOPBACK, 0))
                    found.setdefault(name, {})[port] = free.getsockname()[1]
            return found

    def port(self, service: str) -> int:
        """Return the port of a service that listens on one."""
        (port,) = self.ports[service].values()
        return port

    def url(self, service: str) -> str:
        """Return where a service answers here."""
        return f"http://{LOOPBACK}:{self.port(service)}"

    def volume(self, name: str) -> Path:
        """Return the directory that stands for a volume."""
        return self._databases if name == "postgres" else self.root / "volumes" / name

    def temporary(self, service: str) -> Path:
        """Return what stands for a service's /tmp."""
        return self.root / "tmp" / service

    def working_directory(self, service: str) -> Path:
        """Return what stands for the directory that a service starts in."""
        return self.root / "work" / service

    @property
    def unmounted(self) -> Path:
        """What stands for places that no volume is mounted at: nothing may be written there."""
        return self.root / "unmounted"

    def _mounts(self, service: str) -> list[tuple[str, str]]:
        """Return source and target of everything that a service has mounted."""
        volumes = self._services[service].get("volumes", ())
        return [(source, target) for source, target, *_ in (v.split(":") for v in volumes)]

    def _place_of(self, source: str) -> Path:
        return DIRECTORY / source if source.startswith("./") else self.volume(source)

    def _outside(self, service: str, path: str) -> str:
        """Return where a path in a container lies here."""
        places = {"/tmp": self.temporary(service)}
        for source, target in self._mounts(service):
            if not source.startswith("./"):
                places[target] = self._place_of(source)
        for inside, outside in places.items():
            if path == inside or path.startswith(f"{inside}/"):
                return f"{outside}{path.removeprefix(inside)}"
        return f"{self.unmounted}{path}"

    def here(self, service: str, text: str) -> str:
        """Return a word of a command or an environment as it must read outside a container."""
        text = re.sub(
            r"(?<![\w/])/(data|tmp|var)(/[\w.-]+)*",
            lambda path: self._outside(service, path.group()),
            text.replace("0.0.0.0", LOOPBACK),
        )
        names = "|".join(self._services)
        for name, ports in self.ports.items():
            for port, free in ports.items():
                text = re.sub(rf"\b{name}:{port}\b", f"{name}:{free}", text)
        # What is left belongs to the service itself, or to the only one that has such a port.
        everyone = {port: free for ports in self.ports.values() for port, free in ports.items()}
        for port, free in (everyone | self.ports.get(service, {})).items():
            text = re.sub(rf"(?<=[:=]){port}(?!\w)", str(free), text)
        # Whoever stands before an @ is a user, though of the same name.
        return re.sub(rf"((?<=://)|(?<=@)|(?<=-host=))({names})\b(?![^/]*@)", LOOPBACK, text)

    def command(self, service: str) -> list[str]:
        """Return what a service runs."""
        described = self._services[service]
        image = described["image"].partition(":")[0]
        if image == "postgres":
            scripts = [
                str(self._place_of(source))
                for source, target in self._mounts(service)
                if target.startswith(POSTGRES_SCRIPTS)
            ]
            data = str(self.volume("postgres") / "data")
            port = str(self.port(service))
            return [
                *(sys.executable, "-m", "reds_pipeline_tests.postgres_server", data, port),
                *scripts,
            ]
        if image == "versity/versitygw":
            return [
                *(sys.executable, "-m", "moto.server"),
                *("--host", LOOPBACK, "--port", str(self.port(service))),
            ]
        words = (*described["entrypoint"], *described.get("command", ()))
        return [self.here(service, word) for word in words]

    def health_check(self, service: str) -> list[str] | None:
        """Return the command that tells whether a service is healthy; None if it just ends."""
        described = self._services[service]["healthcheck"]
        if described.get("disable"):
            return None
        kind, *command = described["test"]
        assert kind == "CMD"
        if "wget" in command:
            # The image has it; the program that stands for it answers at another address.
            program = f"import urllib.request as web; web.urlopen('{self.url(service)}/moto-api/')"
            command = ["python", "-c", program]
        return [self.here(service, word) for word in command]

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment of a service: the image's, then its own, and nothing else."""
        from reds_pipeline_tests.postgres_server import PROGRAMS

        own = environment_of(self._services[service], self._variables)
        given = {name: self.here(service, x) for name, x in (image_environment() | own).items()}
        return {
            **given,
            "PATH": f"{Path(sys.prefix) / 'bin'}:{PROGRAMS}:/usr/bin:/bin",
            # There is no home in the image, not even for root to make one.
            "HOME": "/dev/null",
            "TMPDIR": str(self.temporary(service)),
            "PYTHONFAULTHANDLER": "1",
        }

    def needed_by(self, service: str) -> list[str]:
        """Return the services that must be healthy, or at their end, before a service starts."""
        rules = self._services[service].get("depends_on", {})
        for other, rule in rules.items():
            assert other in self._services or not rule.get("required", True), (service, other)
            if other in self._services:
                ends = self.health_check(other) is None
                condition = "service_completed_successfully" if ends else "service_healthy"
                assert rule["condition"] == condition
        return [other for other in rules if other in self._services]

    def stop_signal(self, service: str) -> signal.Signals:
        """Return what asks a service to stop."""
        return STOP_SIGNALS[self._services[service].get("stop_signal", "SIGTERM")]

    def grace_seconds(self, service: str) -> float:
        """Return what an engine grants between asking a service to stop and ending it."""
        number, unit = re.fullmatch(
            r"(\d+)([sm])", self._services[service].get("stop_grace_period", "10s")
        ).groups()  # type: ignore[union-attr]
        return float(number) * {"s": 1, "m": 60}[unit]

    @property
    def order(self) -> list[str]:
        """The services in an order of start."""
        return [
            *TopologicalSorter(
                {name: self.needed_by(name) for name in self._services}
            ).static_order()
        ]
