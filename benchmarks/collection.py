"""Collecting 2,000 posts with their pictures: REDS, img2dataset and a plain loop, in one run.

What belongs here: starting the host and the programs, and the table. What does not: what each
program does (``clients.py``). Run ``python -m benchmarks.collection --help`` in the repository.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.clients import CLIENTS

_REPOSITORY = Path(__file__).resolve().parent.parent
_IMG2DATASET = "img2dataset"
# Different pictures; the others are further files of the same ones.
_DRAWN = 100
_TITLES = {
    "loop": "requests.get loop",
    "examining_loop": "requests.get loop, examining",
    _IMG2DATASET: "img2dataset, keeping sizes",
    "reds_unexamined": "REDS, not examining",
    "reds": "REDS",
    "reds_posts": "REDS, posts only (JSON)",
}


@dataclass(frozen=True)
class Measured:
    """What one program did.

    Attributes:
        name: Of the program.
        done: Pictures (or posts) that it ended with.
        seconds: Wall clock, from its first line to its last for programs of ours, of the whole
            process for others.
        fetching_seconds: Between the first and the last picture asked of the host.
        processor_seconds: Of the process and its children, with their start.
        busy_cores: Cores that this and everything else on the machine kept busy meanwhile; near
            the number of cores, the clock measures the others as well.
        peak_mib: Largest resident memory of a single process.
    """

    name: str
    done: int
    seconds: float
    fetching_seconds: float
    processor_seconds: float
    busy_cores: float
    peak_mib: float

    @property
    def per_second(self) -> float:
        """Pictures a second of wall clock."""
        return self.done / self.seconds


@click.command()
@click.option("--pictures", "count", default=2000, show_default=True, help="Posts to collect.")
@click.option("--latency-ms", default=20.0, show_default=True, help="Before each answer.")
@click.option("--work", type=click.Path(path_type=Path), help="Keep the drawn pictures here.")
@click.option(
    "--img2dataset",
    "environment",
    type=click.Path(path_type=Path),
    help="A virtual environment that holds img2dataset; one is made if none is given.",
)
@click.option(
    "--only", multiple=True, type=click.Choice(list(_TITLES)), help="Programs; all by default."
)
def main(
    count: int,
    latency_ms: float,
    work: Path | None,
    environment: Path | None,
    only: tuple[str, ...],
) -> None:
    """Measure how fast pictures are collected from a host on this machine."""
    with tempfile.TemporaryDirectory(prefix="reds-benchmark-") as temporary:
        root = Path(temporary)
        pictures = (work or root) / "pictures"
        # In a process of its own, because children begin with the peak memory of their parent.
        drawing = [sys.executable, "-m", "benchmarks.pictures", str(pictures), str(_DRAWN)]
        subprocess.run(drawing, check=True, cwd=_REPOSITORY)
        sizes = [path.stat().st_size for path in pictures.glob("*.jpg")]
        click.echo(
            f"{platform.platform()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.2f}; "
            f"{count} pictures of {sum(sizes) / len(sizes) / 1000:.0f} kB, {latency_ms:g} ms"
        )
        with _host(pictures, count, latency_ms / 1000) as url:
            results = []
            for name in only or tuple(_TITLES):
                directory = root / name
                directory.mkdir()
                if name == _IMG2DATASET:
                    command = _img2dataset(environment or root / "venv", url, count, directory)
                else:
                    command = [sys.executable, "-m", "benchmarks.clients", name, url]
                    command += [str(count), str(directory)]
                if not command:
                    click.echo("img2dataset could not be installed; it is left out.")
                    continue
                results.append(_measured(name, command, url, count, directory))
                click.echo(f"{_TITLES[name]}: {results[-1].seconds:.1f} s")
        _show(results)


@contextmanager
def _host(pictures: Path, count: int, latency: float) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.host", str(pictures), str(count), str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_REPOSITORY) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _measured(name: str, command: list[str], url: str, count: int, directory: Path) -> Measured:
    _clock(url)
    output = directory / "output.txt"
    began, busy_before = os.times().elapsed, _busy_seconds()
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=_REPOSITORY)
        # wait4 and not Popen.wait: it says what the process and its children cost.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = os.times().elapsed - began
    busy = (_busy_seconds() - busy_before) / seconds
    text = output.read_text(errors="replace")
    if process.returncode:
        raise click.ClickException(f"{name} failed: {text[-2000:]}")
    if name in CLIENTS:
        said = json.loads(text.splitlines()[-1])
        done, seconds = said["done"], said["seconds"]
    else:
        done = sum(1 for _ in directory.rglob("*.jpg"))
    if done != count:
        click.echo(f"{name} ended with {done} of {count}.")
    clock = _clock(url)
    return Measured(
        name,
        done,
        seconds,
        clock["seconds"],
        used.ru_utime + used.ru_stime,
        busy,
        used.ru_maxrss / 1024,
    )


def _busy_seconds() -> float:
    """Return the seconds that all cores together have worked since the machine started (Linux)."""
    with Path("/proc/stat").open() as file:
        user, nice, system, _idle, _waiting, *interrupts = map(int, file.readline().split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _clock(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/clock") as answer:
        clock: dict[str, float] = json.load(answer)
    return clock


def _img2dataset(environment: Path, url: str, count: int, directory: Path) -> list[str]:
    """Return the command that fetches the same addresses, or [] where it cannot be installed.

    It keeps the pictures' sizes, as REDS does, and uses every processor; a shard is the unit that
    its processes share.
    """
    program = environment / "bin" / "img2dataset"
    if not program.exists():
        venv.create(environment, with_pip=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        if subprocess.run([*pip, "img2dataset"], check=False).returncode:
            return []
    addresses = directory / "addresses.txt"
    addresses.write_text("\n".join(f"{url}/media/{number}.jpg" for number in range(count)))
    processors = os.cpu_count() or 1
    return [
        str(program),
        f"--url_list={addresses}",
        f"--output_folder={directory / 'pictures'}",
        "--output_format=files",
        "--resize_mode=no",
        f"--processes_count={processors}",
        "--thread_count=32",
        f"--number_sample_per_shard={max(1, count // (4 * processors))}",
    ]


def _show(results: list[Measured]) -> None:
    by_name = {measured.name: measured for measured in results}
    click.echo(
        "\n| program | images/s | while fetching | CPU ms/image | busy cores | peak MiB "
        "| x loop | x img2dataset |"
        "\n|---|---|---|---|---|---|---|---|"
    )
    for measured in results:
        ratios = [
            f"{measured.per_second / by_name[other].per_second:.1f}" if other in by_name else "-"
            for other in ("loop", _IMG2DATASET)
        ]
        fetching = measured.fetching_seconds
        click.echo(
            f"| {_TITLES[measured.name]} | {measured.per_second:.0f} "
            f"| {f'{measured.done / fetching:.0f}' if fetching else '-'} "
            f"| {1000 * measured.processor_seconds / measured.done:.1f} "
            f"| {measured.busy_cores:.1f} | {measured.peak_mib:.0f} | {' | '.join(ratios)} |"
        )


if __name__ == "__main__":
    main()
