"""Embedding throughput: every engine against a plain loop of timm and the limit of sgemm.

What belongs here: one process for each network and engine, and the table. What does not: choosing
an engine (``reds_pipeline.embedding.engines.selection``). Run
``python -m benchmarks.embedding --help`` in the repository.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.engines.available import ENGINES, engine_named
from reds_pipeline.embedding.engines.engine import BuildRequest
from reds_pipeline.embedding.engines.machine import processor_name, usable_cores
from reds_pipeline.embedding.engines.measurement import Sample, measure_engine
from reds_pipeline.embedding.timm_backbone import TimmEncoder
from reds_pipeline.imaging.resize import square

_PLAIN_BATCHES = (1, 16)
_PLAIN_PICTURES = 16
# Threads that wait for one another spin, which processor time counts as work.
_THREADS = 1
_GEMM_SIDE = 2048


@click.group(invoke_without_command=True)
@click.pass_context
@click.option(
    "--photos",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="Folder of one folder a class with JPEG photographs.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path, exists=True),
    help="Folder of <timm name>.safetensors; networks without a file get random weights.",
)
@click.option("--networks", default="mobilenetv2_100,vit_base_patch16_224,vgg16", show_default=True)
@click.option("--engines", default="", help="Only these, with commas between; all if empty.")
@click.option("--pictures", default=48, show_default=True, help="Photographs to embed.")
def main(  # noqa: PLR0917
    context: click.Context,
    photos: Path,
    weights: Path | None,
    networks: str,
    engines: str,
    pictures: int,
) -> None:
    """Measure every engine on photographs in images per second of processor time."""
    if context.invoked_subcommand:
        return
    click.echo(
        f"{processor_name()}, {_THREADS} of {usable_cores()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{pictures} photographs\n"
    )
    wanted = [name for name in engines.split(",") if name] or [engine.name for engine in ENGINES]
    for network in networks.split(","):
        with tempfile.TemporaryDirectory() as directory:
            place, origin = _weights_of(network, weights, Path(directory))
            click.echo(f"**{network}, {origin}**\n")
            click.echo(
                "| engine | images a CPU-second | x plain loop | x sgemm limit | lowest cosine "
                "| same predictions | peak MiB | verdict |\n|---|---|---|---|---|---|---|---|"
            )
            for engine in wanted:
                click.echo(_row(engine, network, place, photos, pictures))
        click.echo()


def _row(engine: str, network: str, weights: Path, photos: Path, pictures: int) -> str:
    arguments = [str(photos), str(weights), network, engine, str(pictures)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.embedding", "--photos", str(photos), "one", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return f"| {engine} | - | - | - | - | - | - | its process ended with {done.returncode} |"
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if not found["rate"]:
        return f"| {engine} | - | - | - | - | - | - | {found['refusal']} |"
    same = {True: "yes", False: "no", None: "-"}[found["same"]]
    return (
        f"| {engine} | {found['rate']:.1f} | {found['rate'] / found['plain']:.2f} "
        f"| {found['rate'] / found['limit']:.2f} | {found['cosine']:.6f} | {same} "
        f"| {found['peak']:.0f} | {found['refusal'] or 'may be used'} |"
    )


def _weights_of(network: str, weights: Path | None, directory: Path) -> tuple[Path, str]:
    """Return a folder with the network's weights, made up where there are none."""
    if weights is not None and (weights / f"{network}.safetensors").is_file():
        return weights, "real weights"
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    state = timm.create_model(network, pretrained=False).state_dict()
    save_file(
        {key: value.contiguous() for key, value in state.items()},
        str(directory / f"{network}.safetensors"),
    )
    return directory, "random weights"


@main.command("one", hidden=True)
@click.argument("photos", type=click.Path(path_type=Path))
@click.argument("weights", type=click.Path(path_type=Path))
@click.argument("network")
@click.argument("engine")
@click.argument("pictures", type=int)
def one(photos: Path, weights: Path, network: str, engine: str, pictures: int) -> None:
    """Measure one engine beside the plain loop and sgemm, and print the numbers as JSON."""
    import torch

    torch.set_num_threads(_THREADS)
    encoder = TimmEncoder(network, weights)
    sample = _sample(photos, encoder.input_size, pictures)
    plain = _plain_loop(encoder)
    reference = encoder(sample.images)
    before = max(_rate(plain, sample.images[:_PLAIN_PICTURES], batch) for batch in _PLAIN_BATCHES)
    limit = _gemm_flops() / _flops(encoder)
    with tempfile.TemporaryDirectory() as directory:
        request = BuildRequest(
            encoder=lambda: encoder,
            dimension=encoder.dimension,
            threads=_THREADS,
            directory=Path(directory),
            calibration=lambda: sample.images,
        )
        result = measure_engine(engine_named(engine), request, sample, reference)
    after = max(_rate(plain, sample.images[:_PLAIN_PICTURES], batch) for batch in _PLAIN_BATCHES)
    click.echo(
        json.dumps(
            {
                "rate": result.images_per_cpu_second,
                "plain": max(before, after),
                "limit": max(limit, _gemm_flops() / _flops(encoder)),
                "cosine": result.lowest_cosine,
                "same": result.same_predictions,
                "refusal": result.refusal,
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def _sample(photos: Path, side: int, pictures: int) -> Sample:
    """Return as many photographs of each class, those first whose names come first."""
    classes = sorted(path for path in photos.iterdir() if path.is_dir())
    each = -(-pictures // len(classes))
    files = [file for folder in classes for file in sorted(folder.glob("*.jp*g"))[:each]]
    chosen = files[:: max(1, len(files) // pictures)][:pictures]
    images = np.stack([square(file.read_bytes(), side)[0] for file in chosen])
    return Sample(images, [file.parent.name for file in chosen])


def _plain_loop(encoder: TimmEncoder) -> Callable[[NDArray[np.uint8], int], None]:
    """Return what anybody would write first: batches of channels-first float32 through timm."""
    import copy

    import torch

    network = copy.deepcopy(encoder.network).to(memory_format=torch.contiguous_format)
    mean = torch.tensor(encoder.mean).view(1, 3, 1, 1)
    deviation = torch.tensor(encoder.std).view(1, 3, 1, 1)

    def run(images: NDArray[np.uint8], batch: int) -> None:
        with torch.inference_mode():
            for start in range(0, len(images), batch):
                pixels = torch.tensor(images[start : start + batch])
                pixels = pixels.permute(0, 3, 1, 2).contiguous().float() / 255
                network((pixels - mean) / deviation)

    return run


def _rate(
    run: Callable[[NDArray[np.uint8], int], None], images: NDArray[np.uint8], batch: int
) -> float:
    run(images[:batch], batch)
    began = time.process_time()
    run(images, batch)
    return len(images) / (time.process_time() - began)


def _gemm_flops() -> float:
    """Return the best floating-point operations in a CPU-second of torch's float32 product."""
    import torch

    factor = torch.rand(_GEMM_SIDE, _GEMM_SIDE)
    best = 0.0
    for _ in range(4):
        began = time.process_time()
        torch.mm(factor, factor)
        best = max(best, 2 * _GEMM_SIDE**3 / (time.process_time() - began))
    return best


def _flops(encoder: TimmEncoder) -> float:
    """Return the floating-point operations of one picture, as torch counts them."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    side = encoder.input_size
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        encoder.network(torch.zeros(1, 3, side, side))
    return float(counter.get_total_flops())


if __name__ == "__main__":
    main()
