"""Everything in one container: ``docker run -p 8080:5000 reds-pipeline:all-in-one``.

What belongs here: choosing what runs, and running it until the container is stopped. What does
not: the programs; they are the same as everywhere else.

On an empty volume without ``REDS_HOST_URL`` it makes the demonstration's model; with one it runs
the schedule. The page answers from the start and says that it has no model until there is one.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from reds_pipeline.deployment.child_processes import (
    Program,
    child_process,
    run_to_its_end,
    watch,
)
from reds_pipeline.errors import RedsError
from reds_pipeline.settings import Settings, load_settings

_CODE_PORT = "4000"
_DEMONSTRATION = Program("The demonstration", ("reds_pipeline.cli", "demo"))
# It ends runs that a stop left open: every run lives and dies with this container.
_INSTANCE = Program("Dagster's instance", ("reds_pipeline.instance",))
_CODE = Program(
    "Dagster's code server",
    (
        *("dagster", "api", "grpc", "--host", "127.0.0.1", "--port", _CODE_PORT),
        *("--module-name", "reds_pipeline.definitions"),
    ),
)
_DAEMON = Program(
    "Dagster's daemon",
    (
        *("dagster._daemon", "run"),
        *("--grpc-host", "127.0.0.1", "--grpc-port", _CODE_PORT),
    ),
)


@dataclass(frozen=True)
class Plan:
    """What runs beside the page.

    Attributes:
        sentence: What that is and why, for people.
        first: Programs that run to their end, one after the other.
        then: Programs that run for as long as the container does.
    """

    sentence: str
    first: tuple[Program, ...] = ()
    then: tuple[Program, ...] = ()


def plan_for(settings: Settings) -> Plan:
    """Choose what runs beside the page.

    Args:
        settings: What the operator chose, and what the volume holds.

    Raises:
        RedsError: The volume holds a demonstration and the configured host is another.
    """
    from reds_pipeline.demo.demo_home import DEMO_FILE, refuse_to_mix

    if settings.host_url:
        refuse_to_mix(settings)
    is_demonstration = (settings.home / DEMO_FILE).exists()
    is_empty = not (settings.home / "tables").exists()
    if is_demonstration or (is_empty and not settings.host_url):
        return Plan(
            "No host is configured (REDS_HOST_URL), so the model comes from a demonstration with "
            "drawn pictures, which takes some minutes the first time.",
            first=(_DEMONSTRATION,),
        )
    if not settings.host_url:
        return Plan(
            "No host is configured (REDS_HOST_URL), so nothing new is learnt; the page serves the "
            "model that is there."
        )
    return Plan(
        f"Learning from {settings.host_url} by the schedule, once somebody has approved it with "
        "`reds hosts approve` in this container; `reds run` there does not wait for the schedule.",
        first=(_INSTANCE,),
        then=(_CODE, _DAEMON),
    )


def run(page: Program, plan: Plan, announce: Callable[[str], None]) -> None:
    """Run the page and what the plan says, until one of them ends or this process is asked to.

    Args:
        page: The page.
        plan: What runs beside it.
        announce: Called with what people should know.

    Raises:
        RedsError: A program failed, or ended though it should not.
        KeyboardInterrupt: This process was asked to stop.
    """
    with ExitStack() as stack:
        processes = {page: stack.enter_context(child_process(page))}
        announce(plan.sentence)
        for program in plan.first:
            run_to_its_end(program)
        for program in plan.then:
            processes[program] = stack.enter_context(child_process(program))
        watch(processes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until the container is stopped; 0 if it was asked to stop, 1 with a sentence if not."""
    parser = argparse.ArgumentParser(description="Run the page and what learns for it.")
    parser.add_argument("--host", default="0.0.0.0", help="Address to listen on.")
    parser.add_argument("--port", default="5000", help="Port to listen on.")
    chosen = parser.parse_args(arguments)
    # As the first process of a container it would otherwise not hear that it is to stop.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    page = Program(
        "The page",
        (
            *("reds_pipeline.cli", "serve", "--host", chosen.host, "--port", chosen.port),
            "--quiet",
        ),
    )
    try:
        run(page, plan_for(load_settings()), _announce)
    except KeyboardInterrupt:
        return 0
    except RedsError as error:
        _announce(str(error))
        return 1
    return 0


def _announce(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
