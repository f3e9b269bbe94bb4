"""The services of docker/compose.yaml as plain processes, for machines without a Docker engine.

What belongs here: reading the compose file and the Dockerfile, and doing what an engine would do
with them: environments, order of start, health checks, stopping. What does not: what is expected
of the services. Only what a process cannot have is exchanged: the volume by a directory, the names
of services by loopback, ports by free ones.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

REPOSITORY = Path(__file__).parents[1]
COMPOSE_FILE = REPOSITORY / "docker" / "compose.yaml"
DOCKERFILE = REPOSITORY / "docker" / "Dockerfile"
VOLUME = "/data"
LOOPBACK = "127.0.0.1"
HEALTHY_WITHIN_SECONDS = 60.0
# What an engine grants between asking a container to stop and ending it.
GRACE_SECONDS = 10.0


def compose_file() -> dict[str, Any]:
    """Return the compose file; variables are refused because nothing here would fill them in."""
    text = COMPOSE_FILE.read_text(encoding="utf-8")
    assert "$" not in text, "compose would interpolate a variable here"
    return yaml.safe_load(text)


def instructions() -> list[tuple[str, str]]:
    """Return keyword and argument of every instruction of the Dockerfile."""
    lines = [
        line
        for line in DOCKERFILE.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [(keyword, rest) for keyword, _, rest in (x.partition(" ") for x in whole.splitlines())]


def arguments_of(keyword: str) -> list[str]:
    """Return the argument of every instruction with this keyword, in order."""
    return [argument for found, argument in instructions() if found == keyword]


def image_environment() -> dict[str, str]:
    """Return the variables that the image sets."""
    words = [word for argument in arguments_of("ENV") for word in shlex.split(argument)]
    return {name: value for name, _, value in (word.partition("=") for word in words)}


class Stage:
    """Where the services stand: a directory for their volume and a free port for each of theirs.

    Args:
        volume: What stands for the volume.
        outside: The environment that compose itself would run in.
    """

    def __init__(self, volume: Path, outside: Mapping[str, str]) -> None:
        self.volume = volume
        self._outside = outside
        self._services: dict[str, Any] = compose_file()["services"]

    @cached_property
    def ports(self) -> dict[str, int]:
        """The free port that stands for each port a service listens on."""
        names = sorted(set(re.findall(r"--port=(\d+)", COMPOSE_FILE.read_text(encoding="utf-8"))))
        with ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in names]
            for free in sockets:
                free.bind((LOOPBACK, 0))
            return {name: free.getsockname()[1] for name, free in zip(names, sockets, strict=True)}

    def url(self, port: str) -> str:
        """Return where the service that listens on ``port`` in its container answers here."""
        return f"http://{LOOPBACK}:{self.ports[port]}"

    def here(self, text: str) -> str:
        """Return a word of a command or an environment as it must read outside a container."""
        text = re.sub(rf"{VOLUME}(?=/|$)", str(self.volume), text).replace("0.0.0.0", LOOPBACK)
        names = "|".join(self._services)
        text = re.sub(rf"((?<=://)|(?<=-host=))({names})\b", LOOPBACK, text)
        ports = "|".join(self.ports)
        return re.sub(
            rf"(?<![\d.])({ports})(?!\d)", lambda port: str(self.ports[port.group()]), text
        )

    def command(self, service: str) -> list[str]:
        """Return what a service runs."""
        described = self._services[service]
        return [
            self.here(word) for word in (*described["entrypoint"], *described.get("command", ()))
        ]

    def health_check(self, service: str) -> list[str]:
        """Return the command that tells whether a service is healthy."""
        kind, *command = self._services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        return [self.here(word) for word in command]

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment of a service: the image's, then its own, and nothing else."""
        own = {
            # Without a value, a variable is passed on from outside if it is set there.
            name: value if value is not None else self._outside.get(name)
            for name, value in self._services[service].get("environment", {}).items()
        }
        given = {name: value for name, value in own.items() if value is not None}
        return {
            "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "HOME": str(self.volume.parent),
            **{name: self.here(value) for name, value in (image_environment() | given).items()},
        }

    def needed_by(self, service: str) -> list[str]:
        """Return the services that must be healthy before a service starts."""
        rules = self._services[service].get("depends_on", {})
        assert all(rule == {"condition": "service_healthy"} for rule in rules.values())
        return list(rules)

    @property
    def order(self) -> list[str]:
        """The services in an order of start."""
        return [
            *TopologicalSorter(
                {name: self.needed_by(name) for name in self._services}
            ).static_order()
        ]


@contextmanager
def _interrupts_not_ignored() -> Iterator[None]:
    """Let processes start as in a container, where no signal is ignored.

    A shell that runs the tests in the background has them ignore interrupts, what they start
    inherits that, and Dagster treats a termination like an interrupt.
    """
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class ComposeServices:
    """All services, started as ``depends_on`` asks and healthy; use it as a context manager."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._healthy: set[str] = set()

    def __enter__(self) -> Self:
        """Start everything and wait until all health checks pass."""
        try:
            for service in self._stage.order:
                for other in self._stage.needed_by(service):
                    self._await_health(other)
                self._start(service)
            for service in self._stage.order:
                self._await_health(service)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.stop()

    def stop(self) -> dict[str, int]:
        """Stop every service as compose does: first those that were started last.

        Returns:
            The exit code of each; that of one which did not stop when asked is minus SIGABRT or
            minus SIGKILL.
        """
        stopping, self._running = self._running, {}
        for process in reversed(stopping.values()):
            process.terminate()
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                # Makes it print where it stands.
                os.killpg(process.pid, signal.SIGABRT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(GRACE_SECONDS)
            # The group outlives its leader while any process of it is left.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return {name: process.returncode for name, process in stopping.items()}

    def log(self, service: str) -> str:
        """Return what a service printed, so far or until it stopped."""
        return self._log(service).read_text(encoding="utf-8", errors="replace")

    def _log(self, service: str) -> Path:
        return self._stage.volume.parent / f"{service}.log"

    def _start(self, service: str) -> None:
        with self._log(service).open("wb") as output, _interrupts_not_ignored():
            process = subprocess.Popen(
                self._stage.command(service),
                env=self._stage.environment(service) | {"PYTHONFAULTHANDLER": "1"},
                cwd=self._stage.volume,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[service] = process

    def _await_health(self, service: str) -> None:
        if service in self._healthy:
            return
        until = time.monotonic() + HEALTHY_WITHIN_SECONDS
        while True:
            answer = subprocess.run(
                self._stage.health_check(service),
                env=self._stage.environment(service),
                cwd=self._stage.volume,
                capture_output=True,
                text=True,
                timeout=HEALTHY_WITHIN_SECONDS,
                check=False,
            )
            if answer.returncode == 0:
                self._healthy.add(service)
                return
            ended = self._running[service].poll()
            assert ended is None, f"{service} ended with {ended}:\n{self.log(service)}"
            assert time.monotonic() < until, f"{answer.stderr}\n{self.log(service)}"
