"""Decoding a picture once for everything: REDS, plain Pillow and other libraries, in one run.

What belongs here: the pictures, the environment with the other libraries, and the table. What does
not: what each of them does and the clock (``picture_ways.py``). Run
``python -m benchmarks.pictures_pass --help`` in the repository.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sysconfig
import tempfile
import venv
from collections.abc import Sequence
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import click
from PIL import Image

from benchmarks.pictures import make_pictures

_REPOSITORY = Path(__file__).resolve().parent.parent
_LIBRARIES = ("simplejpeg", "opencv-python-headless", "imagededup", "cleanvision")
_TITLES = {
    "plain": "Pillow: decode, turn, cut, resize",
    "plain_without_copies": "Pillow: decode, resize with box=, turn",
    "plain_with_figures": "the same, ImageHash twice, NumPy figures",
    "imagehash": "ImageHash alone",
    "imagededup": "imagededup PHash alone",
    "cleanvision": "CleanVision, all checks",
    "simplejpeg": "simplejpeg at 448 or more, Pillow",
    "opencv": "OpenCV reduced, INTER_AREA",
    "reds_square": "REDS, the square alone",
    "reds_everything": "REDS, everything",
}


@click.command()
@click.option("--pictures", "count", default=60, show_default=True, help="Drawn pictures.")
@click.option("--rounds", default=5, show_default=True, help="The median of these counts.")
@click.option(
    "--photos",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A directory with photographs in directories, which are measured too.",
)
@click.option(
    "--environment",
    type=click.Path(path_type=Path),
    help="A virtual environment with the other libraries; one is made if none is given.",
)
def main(count: int, rounds: int, photos: Path | None, environment: Path | None) -> None:
    """Measure what it costs to decode, check, hash, score and resize a picture."""
    with tempfile.TemporaryDirectory(prefix="reds-benchmark-") as temporary:
        root = Path(temporary)
        python = _python_with_libraries(environment or root / "venv")
        sets = {"drawn, JPEG": root / "drawn"}
        make_pictures(sets["drawn, JPEG"], count)
        for file_format in ("WebP", "PNG"):
            # A third of them: these take several times as long.
            sets[f"drawn, {file_format}"] = _converted(
                sets["drawn, JPEG"], root / file_format, file_format, max(1, count // 3)
            )
        if photos:
            sets["photographs"] = _some_photos(photos, root / "photographs", 3 * count)
        click.echo(
            f"{platform.platform()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.2f}, "
            f"Pillow {version('pillow')}; median of {rounds} rounds, processor time\n"
        )
        for title, directory in sets.items():
            command = [python, "-m", "benchmarks.picture_ways", str(directory), str(rounds)]
            done = subprocess.run(
                command, check=True, cwd=_REPOSITORY, stdout=subprocess.PIPE, text=True
            )
            _show(title, json.loads(done.stdout.splitlines()[-1]))


def _python_with_libraries(environment: Path) -> str:
    """Return the interpreter of an environment that sees ours and the other libraries.

    They are measured with the same Pillow and NumPy as we are, and bring no second PyTorch.
    """
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
        places = sysconfig.get_paths(vars={"base": str(environment)})
        ours = sysconfig.get_path("purelib")
        (Path(places["purelib"]) / "reds_environment.pth").write_text(f"{ours}\n")
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        for library in _LIBRARIES:
            if subprocess.run([*pip, library], check=False).returncode:
                click.echo(f"{library} could not be installed; it is left out.")
    return str(python)


def _converted(source: Path, directory: Path, file_format: str, count: int) -> Path:
    directory.mkdir()
    for path in sorted(source.iterdir())[:count]:
        file = BytesIO()
        with Image.open(path) as image:
            image.save(file, file_format)
        (directory / f"{path.stem}.{file_format.lower()}").write_bytes(file.getvalue())
    return directory


def _some_photos(source: Path, directory: Path, count: int) -> Path:
    directory.mkdir()
    paths = sorted(path for path in source.rglob("*.jpg"))
    for number, path in enumerate(paths[:: max(1, len(paths) // count)]):
        (directory / f"{number}.jpg").symlink_to(path.resolve())
    return directory


def _show(title: str, measured: dict[str, Any]) -> None:
    milliseconds: dict[str, float] = measured["milliseconds"]
    decibels: dict[str, Sequence[float]] = measured["decibels"]
    click.echo(
        f"**{title}**: {measured['pictures']} files of {measured['kilobytes']:.0f} kB; examined "
        f"by {measured['threads']} threads {measured['thread_gain']:.2f} times as fast as by one"
        f"{'; absent: ' + ', '.join(measured['absent']) if measured['absent'] else ''}\n"
        "\n| way | ms/picture | x plain | dB against plain, median / minimum |\n|---|---|---|---|"
    )
    for name, words in _TITLES.items():
        if name in milliseconds:
            fidelity = " / ".join(f"{value:.1f}" for value in decibels.get(name, ()))
            ratio = milliseconds["plain"] / milliseconds[name]
            click.echo(f"| {words} | {milliseconds[name]:.2f} | {ratio:.2f} | {fidelity or '-'} |")
    click.echo()


if __name__ == "__main__":
    main()
