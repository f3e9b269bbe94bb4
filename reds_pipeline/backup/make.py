"""Putting a home into one file while others may be working in it.

What belongs here: the order of the copy, what must not change meanwhile, and what is said of
things that lie elsewhere. What does not: the file's form (``archive.py``). The copy is what a
kill might have left at some moment of it, which every stage can go on from: each file is whole,
and the ledger, which is copied last, knows of everything that was taken back until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from reds_pipeline.backup.archive import ArchiveReader, ArchiveWriter, is_database
from reds_pipeline.backup.databases import copy_database
from reds_pipeline.backup.manifest import Manifest
from reds_pipeline.backup.places import DATA, KEY, LEDGER, MODELS, PICTURES, files_at
from reds_pipeline.backup.remembered import FAILED, forget, remember
from reds_pipeline.backup.scratch import scratch_directory
from reds_pipeline.errors import RedsError
from reds_pipeline.model_history import champion_lock
from reds_pipeline.resources import Platform
from reds_pipeline.settings import Settings
from reds_pipeline.software import this_software
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.locks import exclusive

_STORAGES = frozenset({"storage", "run_storage", "event_log_storage", "schedule_storage"})


@dataclass(frozen=True)
class BackupReport:
    """A backup that was made, or checked.

    Attributes:
        file: Where it is.
        size: Its bytes.
        manifest: What it says about itself.
    """

    file: Path
    size: int
    manifest: Manifest

    def as_dict(self) -> dict[str, Any]:
        """Return it as ``reds backup --json`` prints it."""
        held = self.manifest
        return {
            "file": str(self.file),
            "bytes": self.size,
            "bytes_restored": held.total_bytes,
            "files": len(held.files),
            "pictures": held.count("images"),
            "given_photos": held.count("contributions") // 2,
            "made_at": held.made_at,
            "reds": held.reds,
            "has_key": held.has(KEY),
            "not_in_it": list(held.notes),
        }


def make_backup(platform: Platform, file: Path, *, pictures: bool = True) -> BackupReport:
    """Write everything that a home needs into one file, readable by its owner only.

    Nobody has to stop working; only a change of the champion waits until the models are copied.

    Args:
        platform: The installation.
        file: The file to make.
        pictures: Whether the pictures go in; without them the next collection fetches them again.

    Raises:
        RedsError: The file exists, it cannot be written, or the home holds nothing or is damaged.
    """
    home, file = platform.home, file.absolute()
    _require_sensible(home, file)
    backup_id = uuid4().hex
    with exclusive(home.lock("backup"), "making a backup"), _writable(file):
        remember(platform.ledger, backup_id, file.name, pictures=pictures)
        try:
            with scratch_directory(file.parent, file.name) as scratch:
                made = scratch / "backup"
                manifest = _write(platform, backup_id, made, scratch, pictures=pictures)
                made.rename(file)
        except BaseException:
            forget(platform.ledger, [backup_id], file.name, FAILED)
            raise
    return BackupReport(file, file.stat().st_size, manifest)


def check_backup(file: Path) -> BackupReport:
    """Read a backup and compare every file in it with its checksum.

    Raises:
        RedsError: It is not whole, or not what it was.
    """
    with ArchiveReader(file) as reader:
        reader.check()
        return BackupReport(file, file.stat().st_size, reader.manifest)


def what_is_elsewhere(settings: Settings, home: Home) -> list[str]:
    """Return what belongs to an installation and is not in its home, a sentence each."""
    import sqlalchemy as sa

    sentences = []
    if settings.ledger_url:
        shown = sa.make_url(settings.ledger_url).render_as_string(hide_password=True)
        sentences.append(
            f"The ledger is not in it, which knows what people took back: it is {shown}; copy "
            f"{_advice(shown)}."
        )
    if settings.tracking_uri:
        shown = _without_password(settings.tracking_uri)
        sentences.append(
            f"Models and their history are not in it: MLflow is {shown}; copy {_advice(shown)}, "
            "and the place where it keeps its files."
        )
    configuration = _dagster_of(settings, home) / "dagster.yaml"
    if _keeps_history_elsewhere(configuration):
        sentences.append(
            f"Dagster's history is not in it: {configuration} names another storage; copy that "
            "too, with pg_dump if it is Postgres."
        )
    return sentences


def _write(
    platform: Platform, backup_id: str, made: Path, scratch: Path, *, pictures: bool
) -> Manifest:
    home, began = platform.home, utc_now()
    dagster = _dagster_of(platform.settings, home)
    with ArchiveWriter(made) as archive:
        for place in DATA:
            if pictures or place not in PICTURES:
                _add(archive, files_at(home.root, place, dagster), scratch)
        # Whoever changes the champion or removes a version holds this too.
        with champion_lock(home):
            for place in MODELS:
                _add(archive, files_at(home.root, place, dagster), scratch)
            if not platform.settings.ledger_url:
                _add(archive, files_at(home.root, LEDGER, dagster), scratch)
        manifest = Manifest(
            backup_id=backup_id,
            made_at=began,
            reds=this_software().reds,
            packages=this_software().packages,
            pictures=pictures,
            notes=tuple(what_is_elsewhere(platform.settings, home)),
            files=archive.files,
        )
        archive.finish(manifest)
    return manifest


def _add(archive: ArchiveWriter, files: Iterable[tuple[str, Path]], scratch: Path) -> None:
    """Add files, each as it is now."""
    for name, path in files:
        # What goes while its directory is read was taken back, or is of no use any more.
        with suppress(FileNotFoundError):
            if is_database(path):
                copy = scratch / "database"
                try:
                    copy_database(path, copy)
                    with copy.open("rb") as source:
                        archive.add(name, source)
                finally:
                    copy.unlink(missing_ok=True)
            else:
                with path.open("rb") as source:
                    archive.add(name, source)


def _require_sensible(home: Home, file: Path) -> None:
    if not (home.root / "tables").is_dir():
        raise RedsError(f"{home.root} holds nothing to back up yet; name another home with --home.")
    if file.exists():
        raise RedsError(
            f"{file} is there already and is not overwritten, because it may be the only good "
            "backup; choose another name, such as one with the date."
        )
    if not file.parent.is_dir():
        raise RedsError(f"{file.parent} is no directory; make it, or choose another place.")
    if file.parent.resolve().is_relative_to(home.root):
        raise RedsError(
            f"{file} would lie inside the home that it shall save; choose a place outside "
            f"{home.root}, better on another disk."
        )
    # Raises where the key is gone, without which the rest could not be read again.
    _ = home.keyed_hash


def _dagster_of(settings: Settings, home: Home) -> Path:
    return (settings.dagster_home or home.dagster).resolve()


def _keeps_history_elsewhere(configuration: Path) -> bool:
    try:
        configured = yaml.safe_load(configuration.read_text(encoding="utf-8")) or {}
    except (FileNotFoundError, yaml.YAMLError):
        return False
    return not _STORAGES.isdisjoint(configured)


def _advice(address: str) -> str:
    return "it with pg_dump" if address.startswith("postgresql") else "it too"


def _without_password(uri: str) -> str:
    import sqlalchemy as sa

    try:
        return sa.make_url(uri).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return uri


@contextmanager
def _writable(file: Path) -> Iterator[None]:
    """Say in a sentence why a backup cannot be written.

    Raises:
        RedsError: It cannot.
    """
    try:
        yield
    except OSError as error:
        raise RedsError(
            f"The backup {file} could not be written ({error.strerror or error}) and is not "
            "there; make room on that disk or choose another place, then try again."
        ) from error
