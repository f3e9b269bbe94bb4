"""Which Dagster daemons work on an instance, and whether that is more than one.

What belongs here: finding out, by what daemons leave in the instance and by the processes of this
machine. What does not: starting or stopping any. Dagster does not keep a second daemon from
starting and only complains in its log. What two of them start twice is executed once
(``executor.py``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reds_pipeline.storage.clock import as_text

if TYPE_CHECKING:
    import dagster as dg

# Each of its threads says every half minute that it lives, later while it is busy.
_SECONDS_OF_A_BEAT = 30.0
_SECONDS_UNTIL_MISSED = 90.0
_PROCESSES = Path("/proc")
_PROGRAMS = frozenset({"dagster-daemon", "dagster._daemon"})


@dataclass(frozen=True)
class Daemons:
    """What is known of the daemons of an instance.

    Attributes:
        last_heard_at: When one of them said that it lives, ISO 8601 in UTC; "" if none ever did.
        alive: Whether that was lately.
        several: Whether more than one works.
        processes: Process ids of those on this machine, where that can be seen.
        errors: What they complained of lately, each in one line.
    """

    last_heard_at: str
    alive: bool
    several: bool
    processes: tuple[int, ...]
    errors: tuple[str, ...]


def daemons_of(instance: dg.DagsterInstance, directory: Path) -> Daemons:
    """Look at the daemons of the instance in ``directory`` (``DAGSTER_HOME``)."""
    beats = list(instance.get_daemon_heartbeats().values())
    now = datetime.now(UTC).timestamp()
    last = max((beat.timestamp for beat in beats), default=0.0)
    # Whoever starts writes all of them anew, so two names among the newest are two daemons.
    recent = {beat.daemon_id for beat in beats if now - beat.timestamp < 1.5 * _SECONDS_OF_A_BEAT}
    processes = daemon_processes(directory)
    lines = {
        error.message.strip().splitlines()[0]
        for beat in beats
        for error in beat.errors or ()
        if error.message.strip()
    }
    return Daemons(
        last_heard_at=as_text(datetime.fromtimestamp(last, UTC)) if last else "",
        alive=now - last < _SECONDS_UNTIL_MISSED,
        several=len(recent) > 1 or len(processes) > 1,
        processes=processes,
        errors=tuple(sorted(lines)),
    )


def daemon_processes(directory: Path) -> tuple[int, ...]:
    """Return the ids of this machine's daemons whose ``DAGSTER_HOME`` is ``directory``.

    None where the system does not show processes (other than Linux), or they are others' own.
    """
    wanted = f"DAGSTER_HOME={directory.resolve()}".encode()
    return tuple(
        int(process.name)
        for process, words in _commands()
        if _is_daemon(words) and wanted in _environment(process)
    )


def _commands() -> Iterator[tuple[Path, list[str]]]:
    for process in sorted(_PROCESSES.glob("[0-9]*")):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        yield process, [os.fsdecode(word) for word in words]


def _is_daemon(words: Sequence[str]) -> bool:
    # Not what only starts one, such as `timeout 60 dagster-daemon run`.
    first = Path(words[0]).name if words else ""
    return (
        (first in _PROGRAMS or first.startswith("python"))
        and "run" in words
        and any(Path(word).name in _PROGRAMS for word in words)
    )


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
