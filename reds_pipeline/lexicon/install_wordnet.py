"""Put WordNet on this machine: ``python -m reds_pipeline.lexicon.install_wordnet``.

What belongs here: the remedies, in the order in which they are worth trying. What does not:
finding and reading the dictionary (``wordnet.py``).

The order: nothing if a dictionary is there; NLTK's download; Debian's package installed, as root;
Debian's package downloaded and unpacked into the local environment, which needs no root. A remedy
has worked when the dictionary is found afterwards, whatever its commands said.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from reds_pipeline.lexicon.wordnet import unpacked_directory, wordnet_location

PACKAGE = "wordnet-base"
_logger = logging.getLogger(__name__)

# Asking for the index alone tells within seconds whether the host can be reached; the download
# itself may then take its time on a slow line.
_ASK_NLTK = "from nltk.downloader import Downloader; Downloader().info('wordnet')"
_DOWNLOAD_NLTK = (
    "import sys, nltk; sys.exit(not nltk.download('wordnet', download_dir=sys.argv[1], quiet=True))"
)


class Remedy(Enum):
    """A way to get WordNet; the value says in words what it did."""

    NLTK_DOWNLOAD = "downloaded by NLTK"
    PACKAGE_INSTALL = f"installed from Debian's package {PACKAGE}"
    PACKAGE_UNPACK = f"unpacked from Debian's package {PACKAGE} into the local environment"


@dataclass(frozen=True)
class Machine:
    """What decides which remedies can work here."""

    is_root: bool
    has_apt_get: bool
    has_dpkg_deb: bool


@dataclass(frozen=True)
class Command:
    """One program to run.

    Attributes:
        arguments: The program and its arguments.
        seconds: How long it may take before it is ended.
        must_succeed: False for a help that later commands may do without.
    """

    arguments: tuple[str, ...]
    seconds: float
    must_succeed: bool = True


@dataclass(frozen=True)
class Commands:
    """The programs of each remedy.

    Attributes:
        nltk_download: Leave NLTK's corpus on NLTK's data path.
        package_install: Install Debian's package.
        package_download: Leave the package as a ``.deb`` file in the working directory.
    """

    nltk_download: tuple[Command, ...]
    package_install: tuple[Command, ...]
    package_download: tuple[Command, ...]


def this_machine() -> Machine:
    """Look at the machine this process runs on."""
    return Machine(
        is_root=hasattr(os, "geteuid") and os.geteuid() == 0,
        has_apt_get=shutil.which("apt-get") is not None,
        has_dpkg_deb=shutil.which("dpkg-deb") is not None,
    )


def remedies_for(machine: Machine) -> tuple[Remedy, ...]:
    """The remedies that can work on a machine, in the order in which to try them."""
    remedies = [Remedy.NLTK_DOWNLOAD]
    if machine.is_root and machine.has_apt_get:
        remedies.append(Remedy.PACKAGE_INSTALL)
    if machine.has_apt_get and machine.has_dpkg_deb:
        remedies.append(Remedy.PACKAGE_UNPACK)
    return tuple(remedies)


def default_commands(prefix: Path) -> Commands:
    """The real commands.

    Args:
        prefix: The local environment, which NLTK has on its data path as ``<prefix>/nltk_data``.
    """
    # Lists and cache of our own: the system's may be empty, and only root can fill them. The
    # dot makes them relative to the working directory; without it apt starts from its root.
    private = (
        *("-o", "Dir::State=./state", "-o", "Dir::State::status=/var/lib/dpkg/status"),
        *("-o", "Dir::Cache=./cache", "-o", "APT::Sandbox::User="),
    )
    quietly = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq")
    return Commands(
        nltk_download=(
            Command((sys.executable, "-c", _ASK_NLTK), 10),
            Command((sys.executable, "-c", _DOWNLOAD_NLTK, str(prefix / "nltk_data")), 300),
        ),
        package_install=(
            Command((*quietly, "update"), 120, must_succeed=False),
            Command((*quietly, "install", "--no-install-recommends", "-y", PACKAGE), 300),
        ),
        package_download=(
            Command(("mkdir", "-p", "state/lists/partial", "cache/archives/partial"), 10),
            Command(("apt-get", *private, "-qq", "update"), 120, must_succeed=False),
            Command(("apt-get", *private, "-qq", "download", PACKAGE), 300),
        ),
    )


def unpack_package(package: Path, destination: Path) -> bool:
    """Take the dictionary out of a Debian package without root.

    Args:
        package: A ``.deb`` file that holds ``usr/share/wordnet``.
        destination: The directory that becomes that dictionary; it appears whole or not at all.

    Returns:
        Whether the package could be unpacked and held a dictionary.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent) as scratch:
        unpacked = Command(("dpkg-deb", "-x", str(package.resolve()), "."), 120)
        dictionary = Path(scratch) / "usr" / "share" / "wordnet"
        if not run_all([unpacked], Path(scratch)) or not dictionary.is_dir():
            return False
        # What is there was not recognised as a dictionary, or nobody would have come here.
        shutil.rmtree(destination, ignore_errors=True)
        dictionary.rename(destination)
    return True


def run_all(commands: Sequence[Command], directory: Path) -> bool:
    """Run commands in a directory, in order, until one that must succeed fails."""
    return all(_run(command, directory) or not command.must_succeed for command in commands)


def _run(command: Command, directory: Path) -> bool:
    try:
        outcome = subprocess.run(
            command.arguments,
            cwd=directory,
            timeout=command.seconds,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _logger.info("%s: %s", command.arguments[0], error)
        return False
    if outcome.returncode != 0:
        _logger.info("%s: %s", command.arguments[0], outcome.stderr.strip())
    return outcome.returncode == 0


def apply_remedy(remedy: Remedy, commands: Commands, destination: Path) -> None:
    """Run one remedy; whether it worked shows in whether a dictionary is found afterwards.

    Args:
        remedy: Which one.
        commands: The programs to run.
        destination: Where ``PACKAGE_UNPACK`` puts the dictionary.
    """
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        if remedy is Remedy.NLTK_DOWNLOAD:
            run_all(commands.nltk_download, directory)
        elif remedy is Remedy.PACKAGE_INSTALL:
            run_all(commands.package_install, directory)
        elif run_all(commands.package_download, directory):
            for package in directory.glob("*.deb"):
                unpack_package(package, destination)


def install(
    machine: Machine,
    commands: Commands,
    destination: Path,
    locate: Callable[[], str | None] = wordnet_location,
) -> tuple[bool, str]:
    """Make sure that a dictionary is there.

    Args:
        machine: What can work here.
        commands: The programs of each remedy.
        destination: Where an unpacked dictionary goes.
        locate: Tells where a dictionary is, None if there is none.

    Returns:
        Whether there is one now, and one sentence for the operator.
    """
    location = locate()
    if location is not None:
        return True, f"WordNet is already there: {location}"
    for remedy in remedies_for(machine):
        apply_remedy(remedy, commands, destination)
        location = locate()
        if location is not None:
            return True, f"WordNet was {remedy.value}: {location}"
    return False, (
        "WordNet could be had neither from NLTK's host nor from a Debian mirror: run this again "
        f"with a network, or install {PACKAGE} by hand (`apt-get install {PACKAGE}`)."
    )


def main() -> int:
    """Install WordNet if it is missing, say in one line what was done; 0 if it is there."""
    found, sentence = install(
        this_machine(), default_commands(Path(sys.prefix)), unpacked_directory()
    )
    (sys.stdout if found else sys.stderr).write(f"{sentence}\n")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
