"""What the quality gates find in photographs and in planted faults, beside cleanvision.

What belongs here: running both over the same files, and the tables. What does not: making the
faults (``planted_faults.py``). Run ``python -m benchmarks.quality_gates PHOTOS`` in the repository.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random

import click
from PIL import Image

from benchmarks.planted_faults import Fault, all_faults
from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.imaging.quality import GATES, flags

_PHOTOGRAPHS = "photographs"
_SMALLER_SIDES = (320, 220, 192, 160, 128)
# What cleanvision calls the fault that a gate looks for; it knows no others.
_CLEANVISION_ISSUES = {
    "greyscale": "grayscale",
    "extreme_aspect": "odd_aspect_ratio",
    "tiny": "odd_size",
    "dark": "dark",
    "bright": "light",
    "flat": "low_information",
    "blurry": "blurry",
}
# Runs in an environment of its own: prints, by path, the names of the issues that were found.
_CLEANVISION = f"""
import json, sys
from cleanvision import Imagelab
issues = {sorted(_CLEANVISION_ISSUES.values())!r}
if __name__ == "__main__":
    lab = Imagelab(data_path=sys.argv[1], verbose=False)
    lab.find_issues({{name: {{}} for name in issues}}, n_jobs=1, verbose=False)
    found = lab.issues
    json.dump({{path: [name for name in issues if found.loc[path, f"is_{{name}}_issue"]]
               for path in found.index}}, open(sys.argv[2], "w"))
"""


@dataclass(frozen=True)
class Found:
    """What was found in one directory of files.

    Attributes:
        files: By file name, the names of the gates (or of cleanvision's issues).
    """

    files: dict[str, list[str]]

    def share(self, name: str) -> float:
        """Return the share of files with a finding of this name."""
        return len(self.named(name)) / len(self.files) if self.files else 0.0

    def named(self, name: str) -> list[str]:
        """Return the files with a finding of this name."""
        return [file for file, names in self.files.items() if name in names]


@click.command()
@click.argument("photos", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--every", default=14, show_default=True, help="Spoil every so many photographs.")
@click.option("--start", default=4, show_default=True, help="Beginning with this one.")
@click.option("--seed", default=1, show_default=True, help="Of the faults.")
@click.option(
    "--cleanvision",
    "environment",
    type=click.Path(path_type=Path),
    help="A virtual environment that holds cleanvision; one is made if none is given.",
)
def main(photos: Path, every: int, start: int, seed: int, environment: Path | None) -> None:
    """Count hits, false hits and what is missed, on PHOTOS and on faults planted in them."""
    originals = sorted(path for path in photos.rglob("*") if path.suffix in {".jpg", ".png"})
    with tempfile.TemporaryDirectory(prefix="reds-benchmark-") as temporary:
        root = Path(temporary)
        everything = root / "files"
        _copy(originals, everything / _PHOTOGRAPHS)
        faults = all_faults()
        for number, fault in enumerate(faults):
            _plant(fault, originals[start::every], everything / str(number), seed)
        began = time.perf_counter()
        ours = {each.name: _our_findings(each) for each in sorted(everything.iterdir())}
        click.echo(f"REDS: {time.perf_counter() - began:.0f} s")
        began = time.perf_counter()
        theirs = _cleanvision_findings(everything, environment or root / "venv")
        click.echo(f"cleanvision: {time.perf_counter() - began:.0f} s" if theirs else "left out")
    _show_photographs(ours[_PHOTOGRAPHS], theirs.get(_PHOTOGRAPHS))
    _show_faults(faults, ours, theirs)
    _show_smaller(originals)


def _copy(originals: list[Path], directory: Path) -> None:
    directory.mkdir(parents=True)
    for path in originals:
        (directory / f"{path.parent.name}_{path.name}").write_bytes(path.read_bytes())


def _plant(fault: Fault, originals: list[Path], directory: Path, seed: int) -> None:
    directory.mkdir()
    for path in originals:
        with Image.open(path) as photograph:
            data = fault.make(photograph.convert("RGB"), Random(f"{seed} {fault.name} {path.name}"))
        extension = "png" if data.startswith(b"\x89PNG") else "jpg"
        (directory / f"{path.stem}.{extension}").write_bytes(data)


def _our_findings(directory: Path) -> Found:
    return Found({path.name: _our_flags(path.read_bytes()) for path in sorted(directory.iterdir())})


def _our_flags(data: bytes) -> list[str]:
    try:
        examined = examine_image(data)
    except ImageRejected as rejection:
        return [str(rejection)]
    row = {name: getattr(examined, name) for name in ("width", "height", "colour_spread", "scores")}
    return flags(row)


def _cleanvision_findings(everything: Path, environment: Path) -> dict[str, Found]:
    """Return what cleanvision finds, by directory; empty where it cannot be installed."""
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "cleanvision"]
        if subprocess.run(install, check=False).returncode:
            return {}
    program, answer = everything.parent / "find_issues.py", everything.parent / "answer.json"
    program.write_text(_CLEANVISION)
    command = [str(python), str(program), str(everything), str(answer)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode:
        raise click.ClickException(f"cleanvision failed: {ended.stderr[-2000:]}")
    directories: dict[str, dict[str, list[str]]] = {}
    for name, issues in json.loads(answer.read_text()).items():
        path = Path(name)
        directories.setdefault(path.parent.name, {})[path.name] = issues
    return {name: Found(files) for name, files in directories.items()}


def _show_photographs(ours: Found, theirs: Found | None) -> None:
    click.echo(f"\nHits on {len(ours.files)} photographs as they are:\n")
    click.echo("| gate | drops | REDS | cleanvision | which |\n|---|---|---|---|---|")
    for gate in GATES:
        names = ours.named(gate.name)
        issue = _CLEANVISION_ISSUES.get(gate.name)
        other = len(theirs.named(issue)) if theirs and issue else "-"
        shown = ", ".join(names[:6]) + (" ..." if len(names) > len(names[:6]) else "")
        drops = "yes" if gate.drops else "no"
        click.echo(f"| {gate.name} | {drops} | {len(names)} | {other} | {shown} |")


def _show_faults(faults: list[Fault], ours: dict[str, Found], theirs: dict[str, Found]) -> None:
    click.echo("\nPlanted faults, share of files in which the gate hits:\n")
    click.echo("| gate | fault | should hit | REDS | cleanvision |\n|---|---|---|---|---|")
    for line in _fault_lines(faults, ours, theirs):
        click.echo(line)


def _fault_lines(
    faults: list[Fault], ours: dict[str, Found], theirs: dict[str, Found]
) -> Iterator[str]:
    for number, fault in enumerate(faults):
        issue = _CLEANVISION_ISSUES.get(fault.gate)
        found = theirs.get(str(number))
        other = f"{found.share(issue):.0%}" if found and issue else "-"
        share = f"{ours[str(number)].share(fault.gate):.0%}"
        expected = "yes" if fault.expected else "no"
        yield f"| {fault.gate} | {fault.name} | {expected} | {share} | {other} |"


def _show_smaller(originals: list[Path]) -> None:
    """Say which gates hit photographs that nobody has done more to than make them smaller."""
    click.echo("\nHits on the photographs reduced to a shorter side of so many pixels:\n")
    click.echo("| pixels | photographs | hits |\n|---|---|---|")
    for side in _SMALLER_SIDES:
        found = Found(
            {
                f"{path.parent.name}_{path.name}": _our_flags(data)
                for path in originals
                if (data := _smaller(path, side))
            }
        )
        hits = [f"{gate.name} {len(named)}" for gate in GATES if (named := found.named(gate.name))]
        click.echo(f"| {side} | {len(found.files)} | {', '.join(hits) or 'none'} |")


def _smaller(path: Path, side: int) -> bytes:
    """Return a photograph with a shorter side of so many pixels, or nothing if it has no more."""
    with Image.open(path) as photograph:
        if min(photograph.size) <= side:
            return b""
        scale = side / min(photograph.size)
        size = (round(photograph.width * scale), round(photograph.height * scale))
        file = BytesIO()
        smaller = photograph.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        smaller.save(file, "JPEG", quality=85)
    return file.getvalue()


if __name__ == "__main__":
    main()
