"""The file that a backup is: a tar archive, its members checked by SHA-256.

What belongs here: writing and reading members in bounded memory. What does not: which files of a
home go in (``places.py``) and what becomes of them (``restore.py``). Databases and text are
compressed one by one by gzip; pictures, tables and arrays would hardly become smaller.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from reds_pipeline.backup.manifest import (
    MEMBER,
    BackupFile,
    Manifest,
    member_name,
    read_manifest,
)
from reds_pipeline.errors import RedsError

_CHUNK = 1 << 20
_HELD_IN_MEMORY = 16 << 20
_WELL_PACKED = frozenset({".json", ".jsonl", ".csv", ".md", ".txt", ".yaml", ".toml"})
_SMALLEST_PACKED = 512
_LONGEST_MANIFEST = 1 << 30
_NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR
_SQLITE = b"SQLite format 3\0"


class ArchiveWriter:
    """Writes a backup, readable by its owner only.

    Args:
        path: The file, which must not exist yet.

    Attributes:
        files: What was added so far.
    """

    def __init__(self, path: Path) -> None:
        self.files: dict[str, BackupFile] = {}
        self._scratch = path.parent
        # It holds the key of all pseudonyms and perhaps a token of the host.
        descriptor = os.open(path, _NEW, 0o600)
        self._file = os.fdopen(descriptor, "w+b")
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)

    def __enter__(self) -> ArchiveWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file; without ``finish`` it is no backup."""
        self._file.close()

    def add(self, name: str, source: IO[bytes]) -> None:
        """Add one file as it can be read now, whatever happens to it meanwhile.

        Args:
            name: In the home.
            source: An open file, at its beginning.
        """
        facts = os.fstat(source.fileno())
        first = source.read(_CHUNK)
        packed = len(first) >= _SMALLEST_PACKED and (
            first.startswith(_SQLITE) or Path(name).suffix in _WELL_PACKED
        )
        digest, size = hashlib.sha256(), 0
        # The header of a member says how long it is, and a file may be growing.
        with tempfile.SpooledTemporaryFile(_HELD_IN_MEMORY, dir=str(self._scratch)) as spool:
            held = cast(IO[bytes], spool)
            target = held
            if packed:
                target = cast(IO[bytes], gzip.GzipFile(fileobj=held, mode="wb", mtime=0))
            chunk = first
            while chunk:
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
                chunk = source.read(_CHUNK)
            if packed:
                target.close()
            self._write(member_name(name, packed), held, facts.st_mtime)
        self.files[name] = BackupFile(size, digest.hexdigest(), packed)

    def finish(self, manifest: Manifest) -> None:
        """Write the list of contents and see to it that all of it is on the disk."""
        text = manifest.as_json().encode("utf-8")
        self._write(MEMBER, io.BytesIO(text), 0)
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write(self, member: str, content: IO[bytes], changed_at: float) -> None:
        header = tarfile.TarInfo(member)
        header.size = content.seek(0, os.SEEK_END)
        header.mtime = int(changed_at)
        header.mode = 0o600
        content.seek(0)
        self._tar.addfile(header, content)


class ArchiveReader:
    """Reads a backup that may be damaged, cut short, or made by somebody else.

    Args:
        path: The file.

    Attributes:
        manifest: What it says about itself; the files named there, and no others, are in it.

    Raises:
        RedsError: It is no whole backup, or holds what no backup holds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _readable(path):
            self._tar = tarfile.TarFile(path, mode="r")
            try:
                self._members = self._found()
                self.manifest = self._manifest()
            except BaseException:
                self._tar.close()
                raise

    def __enter__(self) -> ArchiveReader:
        """Return the reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._tar.close()

    def check(self) -> None:
        """Read everything once.

        Raises:
            RedsError: A file is not what the list of contents says.
        """
        for _ in self._copies(None):
            pass

    def extract(self, directory: Path) -> None:
        """Write every file below an empty directory, readable by its owner only.

        Raises:
            OSError: There is no room for it.
            RedsError: A file is not what the list of contents says.
        """
        for _ in self._copies(directory):
            pass

    def _copies(self, directory: Path | None) -> Iterator[str]:
        for member, name, file in self.manifest.members():
            with _readable(self._path):
                source = self._tar.extractfile(self._members[member])
                assert source is not None, "only plain files are among the members"
                if directory is None:
                    _copy(name, source, file, None)
                else:
                    target = directory / name
                    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    with os.fdopen(os.open(target, _NEW, 0o600), "wb") as written:
                        _copy(name, source, file, written)
                    changed_at = self._members[member].mtime
                    os.utime(target, (changed_at, changed_at))
            yield name

    def _found(self) -> dict[str, tarfile.TarInfo]:
        found: dict[str, tarfile.TarInfo] = {}
        for member in self._tar:
            if not member.isreg() or member.name in found:
                raise RedsError(
                    f"{self._path} holds {member.name!r}, which is a link, no plain file, or there "
                    "twice, so nothing was restored; it was not made by `reds backup`, or was "
                    "changed since."
                )
            found[member.name] = member
        return found

    def _manifest(self) -> Manifest:
        member = self._members.pop(MEMBER, None)
        if member is None or member.size > _LONGEST_MANIFEST:
            raise _cut_short(self._path)
        source = self._tar.extractfile(member)
        manifest = read_manifest(source.read() if source is not None else b"")
        expected = {member for member, _, _ in manifest.members()}
        if missing := expected - self._members.keys():
            raise RedsError(
                f"{self._path} lacks {min(missing)!r} and so is not whole; take another copy of "
                "it, or an older backup."
            )
        if foreign := self._members.keys() - expected:
            raise RedsError(
                f"{self._path} holds {min(foreign)!r}, of which its list of contents knows "
                "nothing, so nothing was restored; it was changed after it was made."
            )
        return manifest


def is_database(path: Path) -> bool:
    """Say whether a file is a SQLite database, which must not be copied as a file."""
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except FileNotFoundError:
        return False


def _copy(name: str, source: IO[bytes], file: BackupFile, target: IO[bytes] | None) -> None:
    """Copy one member and compare it with what it should be.

    Raises:
        RedsError: It is something else.
    """
    digest, size = hashlib.sha256(), 0
    reader = cast(IO[bytes], gzip.GzipFile(fileobj=source)) if file.packed else source
    # Never more than was announced: a few bytes can unpack to more than a disk holds.
    while size <= file.size and (chunk := reader.read(min(_CHUNK, file.size - size + 1))):
        size += len(chunk)
        digest.update(chunk)
        if target is not None:
            target.write(chunk)
    if size != file.size or digest.hexdigest() != file.sha256:
        raise RedsError(
            f"{name} in the backup is not what it was when the backup was made, so nothing was "
            "restored; take another copy of it, or an older backup."
        )


def _cut_short(path: Path) -> RedsError:
    return RedsError(
        f"{path} is no whole backup: its list of contents, which comes last, is not there; take "
        "another copy of it, or an older backup."
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say in a sentence why a backup cannot be read.

    Raises:
        OSError: There is no room for what it holds.
        RedsError: It cannot.
    """
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _cut_short(path) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            # That is what it is written to.
            raise
        raise RedsError(
            f"{error.filename or path} could not be read or written "
            f"({error.strerror or error}); see that the backup can be read, and try again."
        ) from error
