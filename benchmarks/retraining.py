"""What a retraining with 5 % new posts costs, against the first training: CPU time by stage.

What belongs here: a host in a process of its own, the pipeline in further ones (as ``reds run``
starts it), and the table. What does not: what a stage does. The host draws its pictures anew for
every request, so its time is no part of what is measured. Run
``python -m benchmarks.retraining --help`` in the repository.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import click
import numpy as np

_REPOSITORY = Path(__file__).resolve().parent.parent
_SAMPLING_SECONDS = 0.01
_BEFORE, _BETWEEN = "start of the program, imports", "Dagster, between the steps"


@dataclass(frozen=True)
class Measured:
    """What one run of the main job cost.

    Attributes:
        name: Of the run.
        stages: CPU seconds by stage, with those that belong to none.
        seconds: CPU seconds of the process and its children, from its start to the end of the
            run; reading Dagster's event log afterwards is the measurement's own.
        wall_seconds: Of the whole process.
        sentence: What the run says that it did anew.
        peak_mib: Largest resident memory of a single process.
    """

    name: str
    stages: Mapping[str, float]
    seconds: float
    wall_seconds: float
    sentence: str
    peak_mib: float


@click.command()
@click.option(
    "--pictures", default=2000, show_default=True, help="Clean pictures that the host shows."
)
@click.option("--new", "new_share", default=0.05, show_default=True, help="Held back at first.")
@click.option(
    "--photos",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Show the photographs of DIR/CLASS/FILE, all there are, in place of drawn pictures.",
)
@click.option("--weights", type=click.Path(path_type=Path), help="Directory of weights files.")
@click.option("--backbones", default="mobilenetv2_100", show_default=True)
@click.option("--work", type=click.Path(path_type=Path), help="Keep the home here.")
@click.option(
    "--source",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=_REPOSITORY,
    help="A checkout to run in place of this one.",
)
def main(
    *,
    pictures: int,
    new_share: float,
    photos: Path | None,
    weights: Path | None,
    backbones: str,
    work: Path | None,
    source: Path,
) -> None:
    """Run the main job on an empty home, again with new posts, and again with nothing new."""
    with tempfile.TemporaryDirectory() as temporary, _host(pictures, photos, new_share) as host:
        home = (work or Path(temporary)) / "home"
        settings = {
            "REDS_HOME": str(home.resolve()),
            "REDS_BACKBONES": backbones,
            **({"REDS_WEIGHTS_DIR": str(weights.resolve())} if weights else {}),
            **host.settings,
        }
        first = _run("first", settings, source)
        added = host.publish()
        second = _run(f"{added} new posts", settings, source)
        third = _run("nothing new", settings, source)
    shown = "photographs" if photos else "drawn pictures"
    click.echo(f"{host.shown} posts with {shown} at first, {added} more before the second run;")
    click.echo(f"{backbones}; {platform.platform()}, {os.cpu_count()} cores, load ", nl=False)
    click.echo(f"{os.getloadavg()[0]:.1f} at the end\n")
    _show((first, second, third))


class _Host:
    """The host's process, as the program that measures sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.shown, self.settings = connection.recv()

    def publish(self) -> int:
        """Show what was held back; return how many posts that are."""
        self._connection.send("publish")
        return int(self._connection.recv())


@contextmanager
def _host(pictures: int, photos: Path | None, new_share: float) -> Iterator[_Host]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, pictures, photos, new_share))
    process.start()
    try:
        yield _Host(ours)
    finally:
        ours.close()
        process.join()


def _serve(connection: Connection, pictures: int, photos: Path | None, new_share: float) -> None:
    """Show all but the newest posts; the others when asked; end with the connection."""
    from reds_pipeline.demo.instance import EmbeddedInstance
    from reds_pipeline.demo.town.town import Town

    classes = len(Town.build(images_per_class=1).class_names)
    town = Town.build(images_per_class=pictures // classes, photos=photos)
    newest = sorted(town.posts, key=lambda post: int(post.post_id))
    held_back = newest[round(len(newest) * (1 - new_share)) :]
    instance = EmbeddedInstance(town)
    for post in held_back:
        instance.remove_post(post.post_id)
    with instance:
        connection.send(
            (
                len(instance.posts),
                {"REDS_HOST_URL": instance.url, "REDS_HOST_TOKEN": instance.token},
            )
        )
        try:
            while connection.recv() == "publish":
                for post in held_back:
                    instance.put_post(post)
                connection.send(len(held_back))
        except EOFError:
            return


def _run(name: str, settings: Mapping[str, str], source: Path) -> Measured:
    """Run the main job once in a process of its own."""
    kept = {
        variable: value
        for variable, value in os.environ.items()
        if not variable.startswith(("REDS_", "DAGSTER_", "MLFLOW_"))
    }
    started = time.perf_counter()
    process = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).resolve()), "--one-run"],
        env={**kept, **settings, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(source.resolve())},
        cwd=source,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    wall_seconds = time.perf_counter() - started
    said = json.loads(process.stdout.splitlines()[-1])
    stages: dict[str, float] = said["stages"]
    return Measured(
        name, stages, sum(stages.values()), wall_seconds, said["sentence"], said["peak_kib"] / 1024
    )


def _one_run() -> None:
    """Run the main job in this process and print what each stage cost, as one JSON line."""
    with _Clock() as clock:
        # What the command does before it imports anything; older checkouts do not.
        with suppress(ModuleNotFoundError):
            from reds_pipeline.garbage_collection import collect_garbage_less_often

            collect_garbage_less_often()
        from reds_pipeline.runner import run_main_job
        from reds_pipeline.settings import load_settings

        settings = load_settings()
        begun = time.time()
        outcome = run_main_job(settings, lambda line: click.echo(line, err=True))
    peak = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    stages = _by_stage(clock, _steps(begun))
    sys.stdout.write(
        json.dumps({"stages": stages, "sentence": outcome.cost_sentence(), "peak_kib": peak}) + "\n"
    )


class _Clock:
    """Notes the CPU time of this process and its ended children at short intervals."""

    def __init__(self) -> None:
        self._moments: list[tuple[float, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Clock:
        self._note()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._note()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLING_SECONDS):
            self._note()

    def _note(self) -> None:
        used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        self._moments.append((time.time(), sum(sum(usage[:2]) for usage in used)))

    def at(self, moment: float) -> float:
        """Return the CPU seconds used until a moment, between the nearest two notes."""
        moments, used = zip(*self._moments, strict=True)
        return float(np.interp(moment, moments, used))

    @property
    def total(self) -> float:
        """CPU seconds used until the end."""
        return self._moments[-1][1]


def _steps(since: float) -> list[tuple[str, float, float]]:
    """Return name, start and end of every step that Dagster has run since a moment."""
    from reds_pipeline.instance import open_instance
    from reds_pipeline.settings import load_settings

    steps = []
    with open_instance(load_settings()) as instance:
        for record in instance.get_run_records():
            if record.start_time is None or record.start_time < since:
                continue
            for each in instance.get_run_step_stats(record.dagster_run.run_id):
                if each.start_time is not None and each.end_time is not None:
                    steps.append((each.step_key, each.start_time, each.end_time))
    return sorted(steps, key=lambda step: step[1])


def _by_stage(clock: _Clock, steps: Sequence[tuple[str, float, float]]) -> dict[str, float]:
    """Return CPU seconds by stage; a stage that ran once a class is one stage."""
    seconds = {_BEFORE: clock.at(steps[0][1]), _BETWEEN: 0.0}
    until = clock.at(steps[0][1])
    for name, start, end in steps:
        seconds[_BETWEEN] += clock.at(start) - until
        until = clock.at(end)
        seconds[name] = seconds.get(name, 0.0) + until - clock.at(start)
    seconds[_BETWEEN] += clock.total - until
    return seconds


def _show(runs: Sequence[Measured]) -> None:
    names = list(dict.fromkeys(name for run in runs for name in run.stages))
    first = runs[0]
    click.echo("| stage | " + " | ".join(run.name for run in runs) + " |")
    click.echo("|---|" + "---|" * len(runs))
    for name in names:
        cells = [f"{run.stages.get(name, 0.0):.2f}" for run in runs]
        click.echo(f"| {name} | " + " | ".join(cells) + " |")
    for title, cells in {
        "**CPU seconds**": [f"**{run.seconds:.1f}**" for run in runs],
        "share of the first": [f"{run.seconds / first.seconds:.1%}" for run in runs],
        "seconds of the clock": [f"{run.wall_seconds:.1f}" for run in runs],
        "peak MiB": [f"{run.peak_mib:.0f}" for run in runs],
    }.items():
        click.echo(f"| {title} | " + " | ".join(cells) + " |")
    for run in runs:
        click.echo(f"\n{run.name}: {run.sentence}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--one-run"]:
        _one_run()
    else:
        main()
