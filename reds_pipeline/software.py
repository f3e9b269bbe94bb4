"""Which code computed something: REDS, its commit, and the packages that numbers depend on.

What belongs here: finding that out. What does not: where it is written down.
"""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# Whatever can change a number: not what draws or serves.
_PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "torch",
    "timm",
    "pillow",
    "openvino",
    "nncf",
    "onnxruntime",
    "mlflow",
    "skops",
)
_DIRTY = "-dirty"
_SECONDS = 10


@dataclass(frozen=True)
class Software:
    """The code of this process.

    Attributes:
        reds: REDS's own version.
        commit: Git commit of the checkout it runs from; empty if it was installed otherwise.
        changed: Whether files of the checkout differ from that commit.
        python: Python's version.
        packages: Version of each package that is installed.
    """

    reds: str
    commit: str
    changed: bool
    python: str
    packages: dict[str, str]


@cache
def this_software() -> Software:
    """Return the code of this process."""
    described = _commit()
    return Software(
        reds=_version("reds-pipeline"),
        commit=described.removesuffix(_DIRTY),
        changed=described.endswith(_DIRTY),
        python=platform.python_version(),
        packages={name: found for name in _PACKAGES if (found := _version(name))},
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    """Return the commit of this very file, ending in ``-dirty`` where files differ from it.

    An environment may lie inside a checkout of something else, which does not hold this file.
    """
    here = Path(__file__)
    try:
        _git(here.parent, "ls-files", "--error-unmatch", here.name)
        return _git(here.parent, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(directory: Path, *arguments: str) -> str:
    finished = subprocess.run(
        ["git", "-C", str(directory), *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    return finished.stdout.strip()
