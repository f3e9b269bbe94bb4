"""From a photo to tags: one at a time against the bare encoder, and under load.

What belongs here: the measurement and its tables. What does not: what is measured. Run ``python -m
benchmarks.serving --help`` in the repository.

Everything that is compared takes turns, so that other work on the machine slows all of it alike.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.serving_home import (
    encoder_of,
    make_home,
    measure_engine_of,
    pictures_of,
    trained_bundle,
)
from reds_pipeline.imaging.photo import read_photo
from reds_pipeline.imaging.resize import square
from reds_pipeline.modeling.bundle import save_bundle
from reds_pipeline.resources import Platform
from reds_pipeline.tagging import running_encoder
from reds_pipeline.tagging.photo_tagger import PhotoTagger
from reds_pipeline.tagging.running_encoder import RunningEncoder

_EVERY_NTH = 17
_ROUNDS = 3
_SLICE_SECONDS = 10.0
_SECONDS_ALONE = 20.0
_START_SECONDS = 120.0
_BARE = "bare endpoint, PyTorch"


@dataclass
class Seen:
    """What clients saw of one server.

    Attributes:
        latencies: Seconds of every answer.
        failures: Everything that was no answer, by kind.
        seconds: Under load.
        megabytes: Resident memory of the server after each slice.
        processor_seconds: Of the server under load, which other programs change less than the
            clock.
    """

    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    megabytes: list[float] = field(default_factory=list)
    processor_seconds: float = 0.0

    def row(self, name: str, clients: int) -> str:
        """Return the line of a table."""
        points = np.percentile(np.array(self.latencies) * 1000, [50, 95, 99])
        memory = [self.megabytes[0], max(self.megabytes), self.megabytes[-1]]
        cells = [
            name,
            str(clients),
            str(len(self.latencies)),
            str(len(self.failures)),
            f"{len(self.latencies) / self.seconds:.1f}",
            f"{1000 * self.processor_seconds / len(self.latencies):.1f}",
            *(f"{point:.0f}" for point in points),
            " / ".join(f"{each:.0f}" for each in memory),
        ]
        return f"| {' | '.join(cells)} |"


def one_photo(files: list[Path], taggers: Mapping[str, PhotoTagger]) -> None:
    """Print the time of each step of one photo, each tagger's as a multiple of its encoder's."""
    bodies = [path.read_bytes() for path in files]
    squares = [square(body, 224)[0][None] for body in bodies]
    ways: dict[str, Callable[[int], object]] = {
        "reading the photo, and its square": lambda n: read_photo(bodies[n]).square(224)
    }
    for name, tagger in taggers.items():
        (encoder,) = tagger._watch.serving.encoders
        ways[f"bare encoder, {name}"] = partial(_embed, encoder, squares)
        ways[f"photo to tags, {name}"] = partial(_tag, tagger, bodies)
    clock: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for number in range(len(files)):
            for name, way in ways.items():
                began, used = time.perf_counter(), time.process_time()
                way(number)
                processor[name].append(time.process_time() - used)
                clock[name].append(time.perf_counter() - began)
    click.echo("\n| step | ms, median | CPU ms, median | x its encoder, CPU / clock, median |")
    click.echo("|---|---|---|---|")
    for name in ways:
        ratio = "-"
        if name.startswith("photo to tags"):
            bare = name.replace("photo to tags", "bare encoder")
            pairs = [
                statistics.median(np.array(taken[name]) / np.array(taken[bare]))
                for taken in (processor, clock)
            ]
            ratio = f"{pairs[0]:.2f} / {pairs[1]:.2f}"
        click.echo(
            f"| {name} | {1000 * statistics.median(clock[name]):.1f} "
            f"| {1000 * statistics.median(processor[name]):.1f} | {ratio} |"
        )


def _embed(encoder: RunningEncoder, squares: list[NDArray[np.uint8]], number: int) -> None:
    # As a program would that has nothing but the encoder: in its own thread.
    encoder._run(squares[number])


def _tag(tagger: PhotoTagger, bodies: list[bytes], number: int) -> None:
    tagger.recommend(read_photo(bodies[number]))


def together(files: list[Path], taggers: Mapping[str, PhotoTagger], clients: int) -> None:
    """Print what running waiting requests together gives, against one at a time."""
    bodies = [path.read_bytes() for path in files]
    usual = running_encoder.MOST_TOGETHER
    done: dict[tuple[str, int], list[float]] = {}
    for _ in range(3):
        for name, tagger in taggers.items():
            for most in (1, usual):
                running_encoder.MOST_TOGETHER = most
                done.setdefault((name, most), []).append(_rate(bodies, tagger, clients))
    running_encoder.MOST_TOGETHER = usual
    click.echo(f"\n| {clients} threads | together at most | photos a CPU-second, best of 3 |")
    click.echo("|---|---|---|")
    for (name, most), rates in done.items():
        click.echo(f"| {name} | {most} | {max(rates):.1f} |")


def _rate(bodies: list[bytes], tagger: PhotoTagger, clients: int) -> float:
    used = time.process_time()
    with ThreadPoolExecutor(clients) as pool:
        for _ in pool.map(lambda body: tagger.recommend(read_photo(body)), bodies * 4):
            pass
    return 4 * len(bodies) / (time.process_time() - used)


def under_load(
    servers: Mapping[str, tuple[list[str], str, int]], photos: Path, clients: int, seconds: float
) -> None:
    """Print what so many clients saw of each server, in slices that take turns.

    Args:
        servers: Name to command, path of the address and port.
        photos: Directory of the photos that are sent.
        clients: At once.
        seconds: Of load for each server.
    """
    seen: dict[str, Seen] = {name: Seen() for name in servers}
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(_running(command, port))
            for name, (command, _, port) in servers.items()
        }
        for name, (_, path, port) in servers.items():
            _wait_until_it_tags(f"http://127.0.0.1:{port}{path}", photos)
            seen[name].megabytes.append(_resident(processes[name].pid))
        for _ in range(max(1, round(seconds / _SLICE_SECONDS))):
            for name, (_, path, port) in servers.items():
                url = f"http://127.0.0.1:{port}{path}"
                used = _processor_seconds(processes[name].pid)
                result = _load(url, photos, clients, min(seconds, _SLICE_SECONDS))
                seen[name].processor_seconds += _processor_seconds(processes[name].pid) - used
                seen[name].latencies += result["latencies"]
                seen[name].failures += result["failures"]
                seen[name].seconds += result["seconds"]
                seen[name].megabytes.append(_resident(processes[name].pid))
    click.echo(
        "\n| server | clients | answers | failures | photos/s | CPU ms/photo | p50 ms "
        "| p95 ms | p99 ms | MB before / most / after |"
    )
    click.echo("|---|---|---|---|---|---|---|---|---|---|")
    for name, what in seen.items():
        click.echo(what.row(name, clients))
        if what.failures:
            click.echo(f"{name}: {sorted(set(what.failures))}", err=True)


def _load(url: str, photos: Path, clients: int, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.http_load", url, str(photos)]
    result = subprocess.run(
        [*command, str(clients), str(seconds)], check=True, capture_output=True, text=True
    )
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


@contextmanager
def _running(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_it_tags(url: str, photos: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while not _load(url, photos, 1, 0.2)["latencies"]:
        if time.monotonic() > until:
            raise click.ClickException(f"{url} tags nothing.")


def _resident(process: int) -> float:
    """Return the memory that a process holds, in megabytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1000


def _processor_seconds(process: int) -> float:
    """Return the processor time that a process has used, its threads included."""
    # The name in brackets may hold spaces; user and system time are the 14th and 15th fields.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@click.command()
@click.option("--photos", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path))
@click.option("--backbone", default="mobilenetv2_100", show_default=True)
@click.option("--engine", default="openvino", show_default=True, help="Measured beside PyTorch.")
@click.option("--clients", default=32, show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="Of load for each server.")
@click.option("--load-only", is_flag=True, help="Leave out what is measured in one process.")
def main(  # noqa: PLR0917
    photos: Path,
    weights: Path | None,
    backbone: str,
    engine: str,
    clients: int,
    seconds: float,
    *,
    load_only: bool,
) -> None:
    """Measure serving with photographs in ``PHOTOS/<class>/<file>``."""
    files = sorted(path for path in photos.glob("*/*") if path.is_file())[::_EVERY_NTH]
    encoder = encoder_of(backbone, weights)
    bundle = trained_bundle(pictures_of(files, encoder), encoder)
    size = statistics.mean(path.stat().st_size for path in files) / 1000
    click.echo(f"{len(files)} photographs of {size:.0f} kB on average, {backbone}")
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        homes = {name: make_home(work / name, bundle, weights) for name in ("pytorch", engine)}
        refusal = measure_engine_of(homes[engine], encoder, files, engine)
        if refusal:
            click.echo(f"{engine} may not be used: {refusal}")
            del homes[engine]
        if not load_only:
            _in_this_process(files, homes, clients)
        sent = work / "sent"
        sent.mkdir()
        for number, path in enumerate(files):
            shutil.copy(path, sent / f"{number:04d}.jpg")
        save_bundle(bundle, work / "bundle")
        bare = [sys.executable, "-m", "benchmarks.bare_endpoint", str(work / "bundle"), backbone]
        port = _free_port()
        servers = {_BARE: ([*bare, str(weights or ""), str(port)], "/tags", port)}
        for name, platform in homes.items():
            port = _free_port()
            serve = [sys.executable, "-m", "reds_pipeline.cli", "serve", "--quiet"]
            where = ["--home", str(platform.settings.home), "--port", str(port)]
            servers[f"reds serve, {name}"] = ([*serve, *where], "/api/v1/tags", port)
        for count, duration in ((clients, seconds), (1, min(seconds, _SECONDS_ALONE))):
            under_load(servers, sent, count, duration)


def _in_this_process(files: list[Path], homes: Mapping[str, Platform], clients: int) -> None:
    with ExitStack() as stack:
        taggers = {
            name: stack.enter_context(PhotoTagger(platform)) for name, platform in homes.items()
        }
        one_photo(files, taggers)
        together(files, taggers, clients)


if __name__ == "__main__":
    main()
