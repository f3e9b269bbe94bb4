"""What this machine gives to a computation: its processor, its cores, its accelerator.

What belongs here: asking the operating system. What does not: what
anybody does with the answer. Asking about memory and processor needs Linux; elsewhere the answers
are coarser and never an error.
"""

from __future__ import annotations

import math
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PROCESSORS = Path("/proc/cpuinfo")
_OWN_MEMORY = Path("/proc/self/statm")
_DEVICES = Path("/proc/driver/nvidia/gpus")
_DEVICE_FILE = Path("/dev/nvidiactl")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def processor_name() -> str:
    """Return the processor's model as its maker names it, or its architecture."""
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or platform.machine()


def processor_features() -> frozenset[str]:
    """Return the processor's instruction sets as Linux names them, such as ``avx512_bf16``."""
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    named = (line.partition(":") for line in lines)
    return frozenset(
        next(
            (value for name, _, value in named if name.strip() in {"flags", "Features"}), ""
        ).split()
    )


def usable_cores() -> int:
    """Return how many cores this process may keep busy, at least one.

    A container may be allowed fewer than the machine has, by affinity or by a quota.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        if quota != "max":
            cores = min(cores, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass
    return max(cores, 1)


def resident_megabytes() -> float | None:
    """Return the memory that this process holds now in megabytes; None where nobody says."""
    try:
        pages = int(_OWN_MEMORY.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def accelerator_name() -> str:
    """Return the name of the first NVIDIA device as its driver gives it, or the empty string.

    The driver's own file is read because asking torch would load it.
    """
    for path in sorted(_DEVICES.glob("*/information")):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() == "Model":
                return value.strip()
    return "NVIDIA device" if _DEVICE_FILE.exists() else ""


def installed_version(package: str) -> str:
    """Return a package's version, or the empty string where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
