"""The main job in one process: refresh, collect each class, retrain.

What belongs here: executing the spine's jobs in order on the home's own Dagster instance, so that
they show in the UI like scheduled ones. What does not: what a job does, or printing.
"""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import dagster as dg

from reds_pipeline.definitions import build_defs
from reds_pipeline.errors import RedsError
from reds_pipeline.full_disk import full_disk_sentence
from reds_pipeline.instance import close_interrupted_runs, open_instance
from reds_pipeline.jobs import (
    COLLECT_CLASS,
    COMMAND_LINE,
    DRIVER_TAG,
    RETRAIN,
    SELECTION_TAG,
    WEEKLY_REFRESH,
    is_driven_by_command_line,
)
from reds_pipeline.resources import HOST_REQUESTS, NEW_WORK, Platform
from reds_pipeline.settings import Settings
from reds_pipeline.stage_inputs import selected_classes
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.workers import WorkerAtWork, at_work, worker_at

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class RunOutcome:
    """What one pass of the main job did and could not do.

    Attributes:
        failed_classes: Class to the sentence that says why its collection failed.
        notices: Sentences on what ended early though nothing failed.
        cost: What was done that was not there before, such as ``{"models trained": 2}``.
    """

    failed_classes: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    cost: Mapping[str, int] = field(default_factory=dict)

    def sentences(self) -> list[str]:
        """Return what the person who started the run should read, failures first."""
        failures = [f"{name}: {sentence}" for name, sentence in self.failed_classes.items()]
        return [*failures, *self.notices]

    def cost_sentence(self) -> str:
        """Say in one line what this run did anew; a run without news says so."""
        parts = ", ".join(f"{count} {what}" for what, count in self.cost.items())
        done = any(self.cost.get(what, 0) for what in NEW_WORK)
        return f"This run: {parts}." if done else f"Nothing was new: {parts}."


def run_main_job(
    settings: Settings,
    announce: Callable[[str], None],
    *,
    work: str = "`reds run`",
    wait: bool = False,
) -> RunOutcome:
    """Run the whole spine once.

    A class whose collection fails falls back to what was collected before and is reported; the
    run goes on. It stops only when nothing could be collected for any class.

    Args:
        settings: The installation to run.
        announce: Called with one line at the start of each part.
        work: What others who must wait for it are told.
        wait: Whether to wait for somebody else who works on the home, instead of giving up.

    Returns:
        What it did and could not do.

    Raises:
        RedsError: Somebody else works on the home, or a part failed in a way that leaves nothing
            to go on with.
    """
    platform = Platform(settings, attended=True)
    outcome = RunOutcome()
    with _executor(platform, work, announce, wait=wait) as execute:
        announce("Sampling the newest posts and choosing classes")
        refresh = execute(WEEKLY_REFRESH)
        names = selected_classes(platform.home)
        for number, name in enumerate(names, 1):
            announce(f"Collecting and cleaning {name} ({number} of {len(names)})")
            try:
                execute(COLLECT_CLASS, partition=name, tags={SELECTION_TAG: refresh})
            except RedsError as error:
                outcome.failed_classes[name] = str(error)
        if len(outcome.failed_classes) == len(names):
            raise RedsError(next(iter(outcome.failed_classes.values())))
        _retrain(execute, platform, outcome, announce, {SELECTION_TAG: refresh})
    return outcome


def run_retraining(
    settings: Settings, announce: Callable[[str], None], *, wait: bool = False
) -> RunOutcome:
    """Run only the last part of the spine, on what is there: nothing new is collected.

    Posts are re-checked, as before every training, and decisions of reviewers take effect.

    Args:
        settings: The installation to run.
        announce: Called with one line at the start of each part.
        wait: Whether to wait for somebody else who works on the home, instead of giving up.

    Returns:
        What it did and could not do.

    Raises:
        RedsError: Nothing has been collected yet, somebody else works on the home, or a part
            failed.
    """
    platform = Platform(settings, attended=True)
    outcome = RunOutcome()
    if not selected_classes(platform.home):
        raise RedsError(
            f"{platform.home.root} holds no collected pictures yet, so there is nothing to train "
            "with; run `reds run` first."
        )
    with _executor(platform, "`reds retrain`", announce, wait=wait) as execute:
        _retrain(execute, platform, outcome, announce, {})
    return outcome


def wait_for_others(home: Home, announce: Callable[[str], None], *, wait: bool) -> None:
    """Wait until nobody works on a home, before something is started that others have in use.

    Args:
        home: To be worked on.
        announce: Called with a line now and then while that lasts.
        wait: Whether to wait at all.

    Raises:
        RedsError: Somebody works on it, and nobody wants to wait.
    """
    if worker_at(home.lock("run")) is not None:
        with _alone(home, "somebody who waits", announce, wait=wait):
            pass


def _retrain(
    execute: _Executor,
    platform: Platform,
    outcome: RunOutcome,
    announce: Callable[[str], None],
    tags: Mapping[str, str],
) -> None:
    announce("Embedding what is new, training and comparing")
    outcome.notices = platform.notices
    try:
        execute(RETRAIN, tags=tags)
    except RedsError:
        # What was missing before may be why there is nothing to train with now.
        for sentence in outcome.sentences():
            announce(sentence)
        raise
    outcome.cost = {what: platform.cost[what] for what in (HOST_REQUESTS, *NEW_WORK)}


@contextmanager
def _executor(
    platform: Platform, work: str, announce: Callable[[str], None], *, wait: bool
) -> Iterator[_Executor]:
    """Offer what executes jobs of one home, on which nobody else may work meanwhile."""
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        stack.enter_context(_alone(platform.home, work, announce, wait=wait))
        instance = stack.enter_context(open_instance(platform.settings))
        interrupts = stack.enter_context(_Interrupts())
        # The lock says that no run of this command can be alive.
        close_interrupted_runs(instance, is_driven_by_command_line)
        try:
            yield _Executor(build_defs(platform=platform), instance, interrupts)
        except Exception as error:
            # Dagster's own databases may be the first to notice.
            if not isinstance(error, RedsError) and (
                sentence := full_disk_sentence(error, platform.home.root)
            ):
                raise RedsError(sentence) from error
            raise


@contextmanager
def _alone(home: Home, work: str, announce: Callable[[str], None], *, wait: bool) -> Iterator[None]:
    patience = None if wait else 0.0
    with ExitStack() as stack:
        try:
            stack.enter_context(
                at_work(home.lock("run"), work, patience_seconds=patience, waiting=announce)
            )
        except WorkerAtWork as error:
            raise RedsError(
                f"{error} Try again when that has ended, or add --wait to begin then by itself."
            ) from error
        yield


class _Executor:
    """Executes jobs of one code location on one instance, in this process."""

    def __init__(
        self, definitions: dg.Definitions, instance: dg.DagsterInstance, interrupts: _Interrupts
    ) -> None:
        self._definitions = definitions
        self._instance = instance
        self._interrupts = interrupts

    def __call__(
        self, job: str, *, partition: str | None = None, tags: Mapping[str, str] | None = None
    ) -> str:
        """Execute a job and return its run id; a failure comes out as its own sentence."""
        try:
            result = self._definitions.resolve_job_def(job).execute_in_process(
                instance=self._instance,
                partition_key=partition,
                run_config=_QUIET,
                tags={DRIVER_TAG: COMMAND_LINE, **(tags or {})},
            )
        except dg.Failure as failure:
            raise RedsError(failure.description or f"The job {job} failed.") from failure
        except dg.DagsterExecutionInterruptedError as interrupt:
            raise KeyboardInterrupt from interrupt
        self._interrupts.check()
        return result.run_id


class _Interrupts:
    """Notices a Ctrl+C even where the exception that it raised was lost.

    Python drops exceptions that reach the end of a ``__del__`` method, and a step runs many of
    those. The system also writes every signal's number to a descriptor, which loses none.
    """

    def __enter__(self) -> _Interrupts:
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._before)
        self._reader.close()
        self._writer.close()

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl+C was pressed since the last check."""
        with suppress(BlockingIOError):
            if signal.SIGINT in self._reader.recv(4096):
                raise KeyboardInterrupt
