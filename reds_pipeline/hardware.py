"""The machine that a training ran on, for everybody who reads its times (R-EXP-7).

What belongs here: what makes a time comparable or not. What does not: measuring one. No name of
the machine or of its user is among it, because records are shown to others.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reds_pipeline.embedding.engines.machine import processor_name, usable_cores

_NVIDIA = Path("/proc/driver/nvidia/gpus")
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Hardware:
    """What computations had at their disposal.

    Attributes:
        cpu: The processor, as its maker names it.
        cores: How many cores this process may keep busy.
        threads: How many threads the linear algebra uses.
        memory_gib: Memory that this process may use, in GiB; 0 where nobody says.
        gpu: The accelerators, or ``none``.
        system: Operating system and architecture.
    """

    cpu: str
    cores: int
    threads: int
    memory_gib: float
    gpu: str
    system: str

    def as_params(self) -> dict[str, str]:
        """Return the parameters that say so in MLflow."""
        return {
            "hardware_cpu": self.cpu,
            "hardware_cores": str(self.cores),
            "hardware_threads": str(self.threads),
            "hardware_memory_gib": f"{self.memory_gib:g}" if self.memory_gib else "not known",
            "hardware_gpu": self.gpu,
            "hardware_system": self.system,
        }


@cache
def this_machine() -> Hardware:
    """Return the hardware of this process."""
    return Hardware(
        cpu=processor_name(),
        cores=usable_cores(),
        threads=_algebra_threads(),
        memory_gib=_memory_gib(),
        gpu=_accelerators(),
        system=f"{platform.system()} {platform.machine()}",
    )


def _algebra_threads() -> int:
    from threadpoolctl import threadpool_info

    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return max(pools, default=usable_cores())


def _memory_gib() -> float:
    """Return the machine's memory, or what a container leaves of it, to a tenth of a GiB."""
    try:
        amount = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0.0
    try:
        limit = _MEMORY_LIMIT.read_text(encoding="ascii").strip()
        amount = min(amount, int(limit)) if limit != "max" else amount
    except (OSError, ValueError):
        pass
    return round(amount / 2**30, 1)


def _accelerators() -> str:
    """Return the names of the GPUs that the driver lists.

    Asking torch would take seconds to import it in a retraining that has nothing to embed.
    """
    models = []
    for information in sorted(_NVIDIA.glob("*/information")):
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "Model":
                models.append(value.strip())
    return ", ".join(models) or "none"
