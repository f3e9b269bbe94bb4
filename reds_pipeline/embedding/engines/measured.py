"""What was measured on this machine, remembered.

What belongs here: the file in the home, and when it may be believed. What does not: measuring.
A measurement counts only on the machine and with the library versions it was made with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reds_pipeline.embedding.engines.machine import (
    accelerator_name,
    installed_version,
    processor_name,
)
from reds_pipeline.embedding.engines.measurement import EngineMeasurement
from reds_pipeline.storage.atomic import write_text
from reds_pipeline.storage.clock import utc_now

FILE_NAME = "measured.json"
RECIPE = 2
"""Counted up when engines or their measurement change, so that it is made again."""

_LIBRARIES = ("torch", "timm", "onnxruntime", "onnx", "openvino", "nncf")


@dataclass(frozen=True)
class MeasuredEngines:
    """What engines did with one encoder on one machine.

    Attributes:
        machine: What it counts for: processor, cores, accelerator, versions.
        pictures: How many the sample had.
        at: When, as UTC text.
        engines: By name.
    """

    machine: Mapping[str, Any]
    pictures: int
    at: str
    engines: Mapping[str, EngineMeasurement]


def this_machine(threads: int) -> dict[str, Any]:
    """Return what a measurement depends on."""
    return {
        "recipe": RECIPE,
        "processor": processor_name(),
        "cores": threads,
        "accelerator": accelerator_name(),
        "versions": {name: installed_version(name) for name in _LIBRARIES},
    }


def recall(directory: Path, threads: int) -> MeasuredEngines | None:
    """Return what was measured on a machine like this one, or None."""
    machine = this_machine(threads)
    for entry in _entries(directory):
        if entry.machine == machine:
            return entry
    return None


def remember(directory: Path, measured: MeasuredEngines) -> None:
    """Keep a measurement in place of an earlier one of the same machine."""
    others = [entry for entry in _entries(directory) if entry.machine != measured.machine]
    text = json.dumps([_as_json(entry) for entry in (*others, measured)], indent=2)
    write_text(directory / FILE_NAME, text)


def now_measured(
    threads: int, pictures: int, engines: Mapping[str, EngineMeasurement]
) -> MeasuredEngines:
    """Return a measurement that was made here and now."""
    return MeasuredEngines(this_machine(threads), pictures, utc_now(), engines)


def _as_json(entry: MeasuredEngines) -> dict[str, Any]:
    return asdict(entry) | {"engines": [asdict(engine) for engine in entry.engines.values()]}


def _entries(directory: Path) -> list[MeasuredEngines]:
    """Return what the file holds; one that is damaged or from another version holds nothing."""
    try:
        rows = json.loads((directory / FILE_NAME).read_text(encoding="utf-8"))
        return [
            MeasuredEngines(
                machine=row["machine"],
                pictures=row["pictures"],
                at=row["at"],
                engines={
                    engine["engine"]: EngineMeasurement(**engine) for engine in row["engines"]
                },
            )
            for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []
