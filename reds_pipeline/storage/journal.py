"""Work in progress that survives a kill: one JSON object a line, appended as it happens.

What belongs here: the append-only file a long stage writes while it works, so that the next
attempt starts where this one stopped. What does not: finished results; those are tables
(``tables.py``), and a stage deletes its journal once its table is in place.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reds_pipeline.storage.atomic import replacing, writing


class Journal:
    """An append-only list of records in one file.

    A kill may leave a torn last line: it is ignored on reading and cut off by the next append,
    so the record it held counts as never written. The same goes for everything from the first
    line on that a failing machine has garbled: later records build on earlier ones. Appends from
    several threads of one process are safe; two processes must not share a journal (Dagster runs
    a partition once at a time).

    Args:
        path: The file; it is created by the first append.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._mended = False

    def append(self, record: Mapping[str, Any]) -> None:
        """Add one JSON-serialisable record and hand it to the operating system.

        Raises:
            RedsError: The disk is full, or the directory cannot be written.
        """
        line = _line(record)
        with self._lock, writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if not self._mended:
                self._cut_torn_line()
            # Should the disk be full, the next append cuts off what arrived of this one.
            self._mended = False
            with self._path.open("ab") as file:
                file.write(line)
            self._mended = True

    def records(self) -> list[dict[str, Any]]:
        """Return the whole records in the order in which they were appended."""
        if not self._path.exists():
            return []
        return [record for record, _ in _sound_records(self._path.read_bytes())]

    def rewrite(
        self, revised: Callable[[dict[str, Any]], dict[str, Any] | None], *, write: bool = True
    ) -> int:
        """Put ``revised(record)`` in the place of each record, or leave out None, all at once.

        A torn last line goes too: what it holds would otherwise outlast its withdrawal. Nobody
        else may append meanwhile.

        Args:
            revised: Returns the record to keep and leaves the one it gets as it is.
            write: Whether to change the file, or only to count.

        Returns:
            How many records differ now.
        """
        with self._lock:
            if not self._path.exists():
                return 0
            data = self._path.read_bytes()
            sound = list(_sound_records(data))
            records = [revised(record) for record, _ in sound]
            changed = sum(new != old for new, (old, _) in zip(records, sound, strict=True))
            torn = len(data) != (sound[-1][1] if sound else 0)
            if write and (changed or torn):
                with replacing(self._path) as temporary:
                    kept = [record for record in records if record is not None]
                    temporary.write_bytes(b"".join(map(_line, kept)))
                self._mended = False
        return changed

    def delete(self) -> None:
        """Forget everything; the results now live in a table."""
        with self._lock:
            self._path.unlink(missing_ok=True)
            self._mended = False

    def _cut_torn_line(self) -> None:
        if not self._path.exists():
            return
        data = self._path.read_bytes()
        end = max((end for _, end in _sound_records(data)), default=0)
        if end != len(data):
            with self._path.open("r+b") as file:
                file.truncate(end)


def _line(record: Mapping[str, Any]) -> bytes:
    return (json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8")


def _sound_records(data: bytes) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield each record before the first damage, and where its line ends."""
    end = 0
    *whole, _torn = data.split(b"\n")
    for line in whole:
        try:
            record = json.loads(line)
        except ValueError:
            return
        end += len(line) + 1
        yield record, end
