"""Directories in which backups and homes are put together before anybody sees them.

What belongs here: their names, and finding those that a kill left. What does not: what is in them.
They hold what people may take back, so none may lie about for ever.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reds_pipeline.storage.atomic import TEMPORARY_PREFIX

# What ``tempfile`` makes up, so that "home" does not answer for "home-2".
_MADE_UP = "[a-z0-9_]{8}"


@contextmanager
def scratch_directory(place: Path, name: str) -> Iterator[Path]:
    """Offer a directory that goes at the end, and remove what killed ones of that name left.

    Args:
        place: The directory to make it in.
        name: Of what is put together.
    """
    remove_unfinished(place, name)
    scratch = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY_PREFIX}{name}-", dir=place))
    # Held as long as this process lives; where the disk knows no locks, nobody removes it either.
    handle = os.open(scratch, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield scratch
    finally:
        os.close(handle)
        shutil.rmtree(scratch, ignore_errors=True)


def remove_unfinished(place: Path, name: str) -> None:
    """Remove the scratch directories of a name whose process is gone."""
    wanted = re.compile(re.escape(f"{TEMPORARY_PREFIX}{name}-") + _MADE_UP)
    for path in [path for path in place.iterdir() if wanted.fullmatch(path.name)]:
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
        except BlockingIOError:
            continue
        finally:
            os.close(handle)
