"""Serving everything that REDS is used through: Dagster's and MLflow's pages, and its own.

What belongs here: starting and stopping them for one home, each as a process. What does not: the
pages of our own (``web``). All listen on loopback only: Dagster and MLflow trust whoever reaches
them.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from reds_pipeline.daemons import daemon_processes
from reds_pipeline.demo.demo_home import demo_instance_of
from reds_pipeline.deployment.child_processes import Program, child_process, watch
from reds_pipeline.errors import RedsError
from reds_pipeline.instance import (
    close_interrupted_runs,
    open_instance,
    prepare_dagster_home,
)
from reds_pipeline.jobs import is_driven_by_command_line
from reds_pipeline.resources import Platform
from reds_pipeline.settings import Settings
from reds_pipeline.storage.locks import exclusive


@dataclass(frozen=True)
class Ports:
    """The loopback ports to listen on.

    Attributes:
        dagster: Of the Dagster UI.
        mlflow: Of the MLflow UI.
        page: Of the pages of our own.
    """

    dagster: int
    mlflow: int
    page: int


def serve(settings: Settings, ports: Ports, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl+C or a termination signal, or until one of the pages ends by itself.

    A home made by ``reds demo`` gets its embedded instance too, so that its assets can be
    materialised from the page.

    Args:
        settings: The installation to show.
        ports: Where to listen.
        announce: Called with each address.

    Raises:
        RedsError: A port is taken, a daemon works on this home already, or one of the pages ended.
    """
    # Also when started in the background, where shells have Ctrl+C ignored: whatever stops this
    # process must stop its children with it.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    for name, port in asdict(ports).items():
        _require_free(port, f"--{name}-port")
    mlflow_page = f"http://127.0.0.1:{ports.mlflow}"
    platform = Platform(settings.model_copy(update={"mlflow_page": mlflow_page}))
    tracking = platform.tracking
    environment = {
        **os.environ,
        "REDS_HOME": str(platform.home.root),
        "REDS_MLFLOW_PAGE": mlflow_page,
        "DAGSTER_HOME": str(prepare_dagster_home(settings)),
        "DAGSTER_DISABLE_TELEMETRY": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Its job runner serves pages for language models only, with processes of its own.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    page = f"http://127.0.0.1:{ports.page}"
    programs = {
        f"Dagster  http://127.0.0.1:{ports.dagster}": Program(
            "Dagster",
            (
                *("dagster", "dev", "--module-name", "reds_pipeline.definitions"),
                *("--host", "127.0.0.1", "--port", str(ports.dagster)),
            ),
        ),
        f"MLflow   {tracking.link()}": Program(
            "MLflow",
            (
                *("mlflow", "ui", "--host", "127.0.0.1", "--port", str(ports.mlflow)),
                *("--backend-store-uri", tracking.uri, "--workers", "1"),
            ),
        ),
        f"Photos   {page}\nReview   {page}/review": Program(
            "The page",
            ("reds_pipeline.cli", "serve", "--port", str(ports.page), "--quiet"),
        ),
    }
    with ExitStack() as stack:
        stack.enter_context(exclusive(platform.home.lock("up"), "serving the pages of this home"))
        _refuse_a_second_daemon(Path(environment["DAGSTER_HOME"]))
        with open_instance(platform.settings) as dagster_instance:
            # Runs that the daemon starts die with it, and the lock says that no other is alive.
            close_interrupted_runs(dagster_instance, lambda run: not is_driven_by_command_line(run))
        instance = demo_instance_of(platform.home)
        if instance is not None:
            stack.enter_context(instance)
            announce(f"Demo instance  {instance.url}")
        processes = {
            program: stack.enter_context(child_process(program, environment))
            for program in programs.values()
        }
        for label in programs:
            announce(label)
        announce("Ctrl+C stops everything.")
        watch(processes)


def _refuse_a_second_daemon(directory: Path) -> None:
    if processes := daemon_processes(directory):
        raise RedsError(
            f"A Dagster daemon (process {processes[0]}) works on {directory} already, and two "
            "would start everything twice; stop that one, and start `reds up` again."
        )


def _require_free(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise RedsError(
                f"Port {port} is taken by another program; choose another with {option}."
            ) from error
