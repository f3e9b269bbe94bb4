"""Original pictures, named by what is in them.

What belongs here: where the bytes of a picture lie. What does not: fetching, checking or
stripping them; by the time bytes come here they hold no metadata.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from reds_pipeline.storage import atomic


class ImageStore:
    """Content-addressed files ``<root>/ab/cd/<sha256>.<extension>``.

    Args:
        root: The directory; made on first use.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes, extension: str) -> str:
        """Store ``data`` once and return its SHA-256 in hexadecimal.

        What is there already becomes young again, so that ``remove_unchanged`` leaves it alone.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256, extension)
        try:
            os.utime(path)
        except FileNotFoundError:
            atomic.write_bytes(path, data)
        return sha256

    def path(self, sha256: str, extension: str) -> Path:
        """Return where a picture lies, whether or not it is there."""
        return self.root / sha256[:2] / sha256[2:4] / f"{sha256}.{extension}"

    def remove(self, sha256: str, extension: str) -> bool:
        """Erase a picture; returns whether it was there."""
        path = self.path(sha256, extension)
        was_there = path.exists()
        path.unlink(missing_ok=True)
        return was_there

    def remove_unchanged(self, path: Path, since: float) -> bool:
        """Erase a stored file unless somebody has put it there since; returns whether it went.

        Args:
            path: One of ``files``.
            since: Seconds since 1970; what changed later stays.
        """
        leaving = path.with_name(f"{atomic.TEMPORARY_PREFIX}{path.name}")
        try:
            # Whoever stores the same picture from here on finds none and writes it again; whoever
            # did so before has made it young.
            path.rename(leaving)
            if leaving.stat().st_mtime > since:
                leaving.rename(path)
                return False
            leaving.unlink()
        except FileNotFoundError:
            return False
        return True

    def files(self) -> Iterator[Path]:
        """Yield every stored picture; the stem of its name is its SHA-256."""
        return self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/[!.]*")

    def read(self, sha256: str, extension: str) -> bytes:
        """Return the bytes of a stored picture.

        Raises:
            FileNotFoundError: It is not stored.
        """
        return self.path(sha256, extension).read_bytes()
