"""What a backup says about itself.

What belongs here: the list of contents that stands at the end of a backup, and reading it safely.
What does not: the files (``archive.py``). It comes last, so a backup that was cut short has none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from reds_pipeline.backup.places import PLACES
from reds_pipeline.errors import RedsError

FORMAT = 1
"""Raised when an older version of REDS could no longer restore what this one writes."""

MEMBER = "MANIFEST.json"
_PACKED = ".gz"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class BackupFile:
    """One file of a home.

    Attributes:
        size: Bytes of the file.
        sha256: Of the file.
        packed: Whether the backup holds it compressed by gzip.
    """

    size: int
    sha256: str
    packed: bool = False


@dataclass(frozen=True)
class Manifest:
    """What is in a backup.

    Attributes:
        backup_id: A random name, by which the ledger remembers it.
        made_at: When it was begun, ISO 8601 in UTC.
        reds: Version of REDS that made it.
        packages: Versions of the packages whose databases are in it.
        pictures: Whether the pictures are in it.
        notes: What is not in it though it belongs to the installation, one sentence each.
        files: By name, relative to the home.
    """

    backup_id: str
    made_at: str
    reds: str
    packages: Mapping[str, str]
    pictures: bool
    notes: tuple[str, ...]
    files: Mapping[str, BackupFile]

    @property
    def total_bytes(self) -> int:
        """Bytes of all files once they are restored."""
        return sum(file.size for file in self.files.values())

    def count(self, place: str) -> int:
        """Return how many files lie at or below one place of the home."""
        return sum(PurePosixPath(name).parts[0] == place for name in self.files)

    def has(self, name: str) -> bool:
        """Say whether a file is in it."""
        return name in self.files

    def members(self) -> Iterator[tuple[str, str, BackupFile]]:
        """Yield name in the archive, name in the home, and facts of every file."""
        for name, file in self.files.items():
            yield member_name(name, file.packed), name, file

    def as_json(self) -> str:
        """Return it as it stands in a backup."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=0, sort_keys=True)


def member_name(name: str, packed: bool) -> str:
    """Return the name in the archive of a file of the home; packed ones end as gzip's do."""
    return f"home/{name}{_PACKED if packed else ''}"


def read_manifest(text: bytes) -> Manifest:
    """Return what a backup says about itself.

    Raises:
        RedsError: It is damaged, a newer REDS wrote it, or it names what no backup may hold.
    """
    try:
        values: dict[str, Any] = json.loads(text)
        written_as = int(values.pop("format"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged() from error
    if written_as > FORMAT:
        raise RedsError(
            f"The backup was made by a newer REDS ({values.get('reds', 'unknown version')}), whose "
            "format this one does not know; install that version or a later one, and restore again."
        )
    try:
        files = {name: BackupFile(**file) for name, file in values.pop("files").items()}
        manifest = Manifest(**values | {"notes": tuple(values["notes"])}, files=files)
        sound = all(
            isinstance(file.size, int) and file.size >= 0 and _SHA256.fullmatch(file.sha256)
            for file in files.values()
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged() from error
    if not sound:
        raise _damaged()
    for name in files:
        if not _is_ours(name):
            raise RedsError(
                f"The backup holds {name!r}, which is no file of a home, so nothing was restored; "
                "it was not made by `reds backup`, or was changed since."
            )
    return manifest


def _is_ours(name: str) -> bool:
    """Say whether a name stays inside the home, below a place that backups hold."""
    path = PurePosixPath(name)
    return (
        name == str(path)
        and not path.is_absolute()
        and ".." not in path.parts
        and "\\" not in name
        and "\0" not in name
        and bool(path.parts)
        and path.parts[0] in PLACES
    )


def _damaged() -> RedsError:
    return RedsError(
        "The list of contents of the backup is damaged, so nothing was restored; take another "
        "copy of it, or an older backup."
    )
