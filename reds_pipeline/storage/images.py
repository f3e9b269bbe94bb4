"""Original pictures, named by what is in them.

What belongs here: where the bytes of a picture lie. What does not: fetching, checking or
stripping them; by the time bytes come here they hold no metadata.
"""

from __future__ import annotations

import hashlib
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
        """Store ``data`` once and return its SHA-256 in hexadecimal."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256, extension)
        if not path.exists():
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

    def files(self) -> Iterator[Path]:
        """Yield every stored picture; the stem of its name is its SHA-256."""
        return self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/[!.]*")

    def read(self, sha256: str, extension: str) -> bytes:
        """Return the bytes of a stored picture.

        Raises:
            FileNotFoundError: It is not stored.
        """
        return self.path(sha256, extension).read_bytes()
