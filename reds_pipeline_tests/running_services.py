"""The services of a stage as processes: started in order, awaited, stopped.

What belongs here: processes. What does not: what they run (``compose_services.py``).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from reds_pipeline_tests.compose_files import REPOSITORY
from reds_pipeline_tests.compose_services import Stage

HEALTHY_WITHIN_SECONDS = 120.0
# A check starts a program of its own, which takes from the one that is checked.
SECONDS_BETWEEN_CHECKS = 0.5
# For telling where it stands, to one that did not stop in time.
SECONDS_TO_ABORT = 10.0


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
                    self._await(other)
                self._start(service)
            for service in self._stage.order:
                self._await(service)
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
        for service, process in reversed(stopping.items()):
            if process.poll() is None:
                process.send_signal(self._stage.stop_signal(service))
            try:
                process.wait(self._stage.grace_seconds(service))
            except subprocess.TimeoutExpired:
                # Makes it print where it stands.
                os.killpg(process.pid, signal.SIGABRT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(SECONDS_TO_ABORT)
            # The group outlives its leader while any process of it is left.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._stage.close()
        return {name: process.returncode for name, process in stopping.items()}

    def kill(self, service: str) -> None:
        """Kill a service as the kernel does when memory runs out."""
        process = self._running.pop(service)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def start_again(self, service: str) -> None:
        """Start a service that was killed, as the engine does, and wait until it is healthy."""
        self._healthy.discard(service)
        self._start(service)
        self._await(service)

    def log(self, service: str) -> str:
        """Return what a service printed, so far or until it stopped."""
        return self._log(service).read_text(encoding="utf-8", errors="replace")

    def ask(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command where a service runs, as ``docker compose exec`` does."""
        return subprocess.run(
            [self._stage.here(service, word) for word in command],
            env=self._stage.environment(service),
            cwd=self._stage.working_directory(service),
            capture_output=True,
            text=True,
            timeout=HEALTHY_WITHIN_SECONDS,
            check=False,
        )

    def _log(self, service: str) -> Path:
        return self._stage.root / f"{service}.log"

    def _start(self, service: str) -> None:
        environment = self._stage.environment(service)
        if "reds_pipeline_tests.postgres_server" in self._stage.command(service):
            environment["PYTHONPATH"] = str(REPOSITORY)
        with self._log(service).open("wb") as output, _interrupts_not_ignored():
            process = subprocess.Popen(
                self._stage.command(service),
                env=environment,
                cwd=self._stage.working_directory(service),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[service] = process

    def _await(self, service: str) -> None:
        """Wait until a service is healthy, or has done what it is there for."""
        if service in self._healthy:
            return
        check = self._stage.health_check(service)
        until = time.monotonic() + HEALTHY_WITHIN_SECONDS
        while True:
            ended = self._running[service].poll()
            if check is None:
                if ended == 0:
                    break
                answer = ""
            else:
                outcome = self.ask(service, *check)
                if outcome.returncode == 0:
                    break
                answer = outcome.stderr
            assert ended is None, f"{service} ended with {ended}:\n{self.log(service)}"
            assert time.monotonic() < until, f"{answer}\n{self.log(service)}"
            time.sleep(SECONDS_BETWEEN_CHECKS)
        self._healthy.add(service)
