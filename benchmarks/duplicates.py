"""All pairs of 64-bit hashes within a radius: REDS, NumPy, ImageHash, faiss and imagededup.

What belongs here: drawing the hashes, running each search and the table. What does not: whether
duplicates of photographs are found (``copied_photos.py``). Run
``python -m benchmarks.duplicates --help`` in the repository.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import click
import imagehash
import numpy as np
from numpy.typing import NDArray

from reds_pipeline.imaging.clusters import Components
from reds_pipeline.imaging.hashing import hamming_pairs, near_parts

Hashes = NDArray[np.uint64]

# Beyond these many hashes a search of quadratic time is estimated from its largest measured size.
_MOST_MEASURED = {"NumPy, all pairs": 100_000, "ImageHash objects": 800, "imagededup": 2_000}
_IMAGEHASH = "ImageHash objects"
_FAISS = "faiss BinaryFlat"
_IMAGEDEDUP = "imagededup"
_BLOCK = 512

# Run by the Python of another environment, which has the named libraries; prints the seconds.
_FAISS_PROGRAM = """
import sys, time, numpy, faiss
hashes = numpy.load(sys.argv[1]); radius = int(sys.argv[2])
faiss.omp_set_num_threads(1)
codes = hashes.view(numpy.uint8).reshape(len(hashes), 8)
began = time.process_time()
index = faiss.IndexBinaryFlat(64); index.add(codes)
limits, distances, labels = index.range_search(codes, radius + 1)
print(time.process_time() - began, (len(labels) - len(hashes)) // 2)
"""
_IMAGEDEDUP_PROGRAM = """
import sys, time, numpy
from imagededup.handlers.search.bktree import BKTree
hashes = numpy.load(sys.argv[1]); radius = int(sys.argv[2])
named = {str(number): f"{value:016x}" for number, value in enumerate(hashes.tolist())}
distance = lambda one, other: (int(one, 16) ^ int(other, 16)).bit_count()
began = time.process_time()
tree = BKTree(named, distance)
found = sum(len(tree.search(value, radius)) for value in named.values())
print(time.process_time() - began, (found - len(named)) // 2)
"""


@click.command()
@click.option("--sizes", default="10000,100000,1000000", show_default=True, help="Hashes.")
@click.option("--radius", default=8, show_default=True)
@click.option("--slowest", default=100_000, show_default=True, help="Hashes for others than REDS.")
@click.option(
    "--environment",
    type=click.Path(path_type=Path),
    help="A virtual environment with faiss-cpu and imagededup; one is made if none is given.",
)
def main(sizes: str, radius: int, slowest: int, environment: Path | None) -> None:
    """Measure the search for near hashes in seconds of one core."""
    click.echo(f"radius {radius}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.2f}\n")
    click.echo("| hashes | search | CPU s | pairs | x REDS |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="reds-benchmark-") as temporary:
        python = _python(environment or Path(temporary) / "venv")
        for count in (int(size) for size in sizes.split(",")):
            hashes = _planted(count)
            ours, pairs = _timed(
                lambda near, within: len(hamming_pairs(near, within)), hashes, radius
            )
            _row(count, "REDS", ours, pairs, ours)
            for name, search in (("NumPy, all pairs", _all_pairs), (_IMAGEHASH, _objects)):
                measured = hashes[: min(_MOST_MEASURED[name], slowest)]
                seconds, pairs = _timed(search, measured, radius)
                _row(count, *_estimated(name, seconds, pairs, measured, count), ours)
            for name, program in ((_FAISS, _FAISS_PROGRAM), (_IMAGEDEDUP, _IMAGEDEDUP_PROGRAM)):
                measured = hashes[: min(_MOST_MEASURED.get(name, slowest), slowest)]
                file = Path(temporary) / "hashes.npy"
                np.save(file, measured)
                command = [str(python), "-c", program, str(file), str(radius)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    click.echo(f"{name} is left out: {done.stderr.strip().splitlines()[-1]}")
                    continue
                seconds, found = (float(number) for number in done.stdout.split())
                _row(count, *_estimated(name, seconds, int(found), measured, count), ours)
    _show_adversaries(radius)


def _planted(count: int) -> Hashes:
    """Return random hashes, a tenth of which have a neighbour within eight bits."""
    generator = np.random.default_rng(count)
    hashes = generator.integers(0, 2**64, count, dtype=np.uint64)
    change = np.zeros(count // 10, np.uint64)
    for _ in range(8):
        change |= np.uint64(1) << generator.integers(0, 64, len(change), dtype=np.uint64)
    hashes[: len(change)] = hashes[len(change) : 2 * len(change)] ^ change
    # The first hashes, which slow searches get, hold neighbours in the same share.
    return generator.permutation(hashes)


def _show_adversaries(radius: int) -> None:
    """Say what the search and the grouping cost where nearly all hashes are alike."""
    generator = np.random.default_rng(0)
    click.echo("\n| hashes that are alike | CPU s | pairs | largest part |\n|---|---|---|---|")
    for bits, count in ((10, 1_000), (14, 10_000), (20, 20_000)):
        places = np.sort(generator.choice(64, bits, replace=False)).astype(np.uint64)
        hashes = np.zeros(count, np.uint64)
        for place in places:
            hashes |= generator.integers(0, 2, count, dtype=np.uint64) << place
        hashes = np.unique(hashes)
        components = Components(len(hashes))
        began = time.process_time()
        total = largest = 0
        for part in near_parts(hashes, radius):
            components.add(part)
            total += len(part)
            largest = max(largest, len(part))
        components.labels()
        seconds = time.process_time() - began
        click.echo(
            f"| {len(hashes):,}, {bits} bits vary | {seconds:.1f} | {total:,} | {largest:,} |"
        )


def _all_pairs(hashes: Hashes, radius: int) -> int:
    found = 0
    for start in range(0, len(hashes), _BLOCK):
        rows = hashes[start : start + _BLOCK, None]
        near = np.bitwise_count(rows ^ hashes[None, start:]) <= radius
        found += int(np.triu(near, 1).sum())
    return found


def _objects(hashes: Hashes, radius: int) -> int:
    held = [imagehash.hex_to_hash(f"{int(value):016x}") for value in hashes]
    return sum(
        one - other <= radius for place, one in enumerate(held) for other in held[place + 1 :]
    )


def _timed(search: Callable[[Hashes, int], int], hashes: Hashes, radius: int) -> tuple[float, int]:
    began = time.process_time()
    pairs = search(hashes, radius)
    return time.process_time() - began, pairs


def _estimated(
    name: str, seconds: float, pairs: int, measured: Hashes, count: int
) -> tuple[str, float, int | None]:
    """Return what a search would take for ``count`` hashes, growing with the square."""
    if len(measured) == count:
        return name, seconds, pairs
    return f"{name} (from {len(measured):,})", seconds * (count / len(measured)) ** 2, None


def _row(count: int, name: str, seconds: float, pairs: int | None, ours: float) -> None:
    shown = "-" if pairs is None else f"{pairs:,}"
    click.echo(f"| {count:,} | {name} | {seconds:.3g} | {shown} | {seconds / ours:.1f} |")


def _python(environment: Path) -> Path:
    """Return the interpreter of an environment with the other libraries, making it if absent."""
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "numpy", "faiss-cpu", "tqdm"], check=False)
        # Without what it needs for its networks, which is larger than all the rest together.
        subprocess.run([*pip, "--no-deps", "imagededup"], check=False)
    return python


if __name__ == "__main__":
    main()
