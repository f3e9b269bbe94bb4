"""Files that are either whole or absent.

What belongs here: the one way in which REDS writes a file. What does not: formats. A write goes
to a temporary name in the same directory and is then renamed, so that a kill at any point
leaves the old file or the new one and never a half.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reds_pipeline.errors import RedsError

TEMPORARY_PREFIX = ".writing-"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes ``path`` when the block succeeds.

    Args:
        path: The file to create or replace; missing parent directories are made.

    Yields:
        A path in the same directory that does not exist yet.

    Raises:
        RedsError: The disk is full, or the directory cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=TEMPORARY_PREFIX, suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in a sentence when writing ``path`` fails.

    Raises:
        RedsError: The disk is full, or the directory cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RedsError(
            f"{path} could not be written ({error.strerror or error}); make room on that disk or "
            "set REDS_HOME to another place, then run again: nothing that was finished is lost."
        ) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that readers see all of it or nothing."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8 so that readers see all of it or nothing."""
    write_bytes(path, text.encode("utf-8"))
