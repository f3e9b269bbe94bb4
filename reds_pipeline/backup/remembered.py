"""Which backups were made, and which of them may hold what was taken back since.

What belongs here: what the ledger knows of backups. What does not: making them (``make.py``) and
withdrawing (``withdrawal``). A backup has left the reach of this program, so the least it owes a
person who takes something back is to say which backups may hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.withdrawal.tombstones import PICTURES_ERASED, WITHDRAWAL

BACKUP = "backup"
MADE, FAILED, DELETED = "made", "failed", "deleted"


@dataclass(frozen=True)
class RememberedBackup:
    """One backup of which, as far as anybody said, a copy may exist.

    Attributes:
        backup_id: A random name.
        file: Name of the file; not its place, which may have changed.
        at: When it was begun, ISO 8601 in UTC.
        is_outdated: Whether something was withdrawn since.
    """

    backup_id: str
    file: str
    at: str
    is_outdated: bool = False

    @property
    def shown(self) -> str:
        """As people are told of it."""
        return f"{self.file} ({self.at[:10]})"


def remember(ledger: Ledger, backup_id: str, file: str, *, pictures: bool) -> None:
    """Write down a backup, before the first file is copied.

    A backup that was then never finished costs nothing; one that nobody knows of would.
    """
    ledger.append(BACKUP, file, {"event": MADE, "backup_id": backup_id, "pictures": pictures})


def forget(ledger: Ledger, backup_ids: Iterable[str], file: str, why: str) -> None:
    """Take back that backups are there, because they failed or were deleted."""
    ledger.append_many(
        BACKUP, [(file, {"event": why, "backup_id": backup_id}) for backup_id in backup_ids]
    )


def forget_deleted(ledger: Ledger, file: str) -> None:
    """Take out the backups of a name of which, somebody says, no copy is left.

    Raises:
        RedsError: No backup of the name is remembered.
    """
    named = [backup.backup_id for backup in remembered_backups(ledger) if backup.file == file]
    if not named:
        raise RedsError(
            f"No backup named {file} is remembered; `reds backup --list` lists those that are."
        )
    forget(ledger, named, file, DELETED)


def remembered_backups(ledger: Ledger) -> list[RememberedBackup]:
    """Return every backup that may exist, the oldest first."""
    events = ledger.events_after(BACKUP, 0)
    gone = {event["backup_id"] for _, event in events if event["event"] != MADE}
    there = [(number, event) for number, event in events if event["backup_id"] not in gone]
    last = _last_withdrawal(ledger, there[0][0]) if there else 0
    return [
        RememberedBackup(event["backup_id"], event["subject"], event["at"], number < last)
        for number, event in there
    ]


def backups_since(ledger: Ledger, collected_at: str) -> list[RememberedBackup]:
    """Return the backups that may hold something, the oldest first.

    Args:
        ledger: Of the installation.
        collected_at: When REDS got it, ISO 8601 in UTC with whole seconds; "" if nobody knows.
    """
    # Alike down to the second, within which nobody knows what was first.
    digits = len("2026-11-21T10:00:00")
    return [
        backup
        for backup in remembered_backups(ledger)
        if backup.at[:digits] >= collected_at[:digits]
    ]


def backup_sentence(backups: Sequence[str]) -> str:
    """Say what to do about backups that hold something that was taken back; "" if there are none.

    Args:
        backups: ``RememberedBackup.shown`` of each.
    """
    if not backups:
        return ""
    one = len(backups) == 1
    return (
        f"{'One backup' if one else f'{len(backups)} backups'} made before still "
        f"{'holds' if one else 'hold'} it: {', '.join(backups)}. Make a new one, delete "
        f"{'that one' if one else 'those'} with every copy, and say so with "
        "`reds backup --deleted FILE`."
    )


def _last_withdrawal(ledger: Ledger, after: int) -> int:
    """Return the number of the last event by which something was withdrawn; 0 if none was."""
    numbers = [
        number
        for kind in (WITHDRAWAL, PICTURES_ERASED)
        for number, _ in ledger.events_after(kind, after)
    ]
    return max(numbers, default=0)
