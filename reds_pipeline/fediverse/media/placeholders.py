"""Recognising the picture that says "no preview".

What belongs here: comparing what a host sent with its own placeholder. What does not: addresses
that name the placeholder (``attachments.py``). A Pixelfed server that lost a file redirects to
``/storage/no-preview.png``, and a cache in front of it may hide that redirect and answer 200 under
the file's own address (fediverse.md 4).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

_PATH = "/storage/no-preview.png"
_PNG_START = b"\x89PNG\r\n\x1a\n"


class Placeholders:
    """The placeholders of the hosts met, each read once and only when there is need.

    The placeholder is a PNG and lies beside the uploads, so nothing is asked of a host that sends
    no PNG from there.

    Args:
        read: Returns the bytes at an address, b"" where there is nothing to be had.
    """

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read
        self._digests: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._reading: dict[str, threading.Lock] = {}

    def shows(self, origin: str, path: str, data: bytes) -> bool:
        """Return whether the file that ``origin`` sent for ``path`` is its placeholder."""
        if not data.startswith(_PNG_START) or not path.startswith("/storage/"):
            return False
        with self._lock:
            reading = self._reading.setdefault(origin, threading.Lock())
        # Threads that wait for the same placeholder must not each ask for it; a slow host is no
        # reason for the others to wait.
        with reading:
            if origin not in self._digests:
                self._digests[origin] = _digest(self._read(origin + _PATH))
        return self._digests[origin] == _digest(data)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
