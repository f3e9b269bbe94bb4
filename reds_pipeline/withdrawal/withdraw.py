"""Withdrawing posts, people and pictures from everything that REDS keeps.

What belongs here: the operations that commands and stages call, and the order of their steps.
What does not: reading what somebody asks for (``requests.py``), the ledger's side
(``tombstones.py``), and the tables and files themselves (``steps.py``).

Tombstones go into the ledger first. Everything after that can be told from the ledger and the
tables at any time, so a withdrawal that was killed, or that found a table in use, is finished
by the next call of ``finish_withdrawals`` and needs no memory of how far it came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from reds_pipeline.backup.remembered import backup_sentence, backups_since
from reds_pipeline.contact_sheets import noted_sheets
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.tracking import Tracking
from reds_pipeline.withdrawal.lineage import MarkedModels, mark_models
from reds_pipeline.withdrawal.requests import (
    SUBJECT_NAMES,
    RecheckedPosts,
    WithdrawalRequest,
    account_address,
    picture,
    post_address,
    tombstones_for,
)
from reds_pipeline.withdrawal.steps import WithdrawalSteps
from reds_pipeline.withdrawal.tombstones import (
    Tombstones,
    record_withdrawal,
    recorded_tombstones,
    withdrawn_keys,
)

__all__ = [
    "RecheckedPosts",
    "WithdrawalReport",
    "WithdrawalRequest",
    "account_address",
    "finish_withdrawals",
    "picture",
    "post_address",
    "withdraw",
    "withdrawn_keys",
]


@dataclass(frozen=True)
class WithdrawalReport:
    """What was removed or, in a dry run, would be.

    Attributes:
        dry_run: Whether everything is still there.
        removed: How many of each kind: rows by table, records of journals, rows of numbers by
            store, ``picture files``, ``figures``; only what is not zero.
        classes: File names of the classes of which a picture went, now or in a withdrawal that
            was cut short, without an extension: their contact sheets, which Dagster's event log
            keeps, show what must not be seen (``run_history.remove_withdrawn_photographs``).
        busy: Tables that another process had in use and that are still to be done, by
            ``finish_withdrawals``.
        models: What was trained with the pictures.
        exports: Exports that hold one of the pictures, where nobody but their owner can erase it.
        backups: Backups that may hold something of it, likewise.
    """

    dry_run: bool
    removed: Mapping[str, int] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    models: MarkedModels = field(default_factory=MarkedModels)
    exports: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()

    @property
    def copies_sentences(self) -> list[str]:
        """What to do about the exports and backups that hold it, a sentence each."""
        return [*filter(None, (self.export_sentence, backup_sentence(self.backups)))]

    @property
    def export_sentence(self) -> str:
        """What to do about the exports, or an empty string."""
        if not self.exports:
            return ""
        return (
            f"These exports hold a picture that was taken back: {', '.join(self.exports)}. "
            "`reds export --check DIRECTORY` names the files to delete there."
        )

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to be done."""
        return not self.busy


def withdraw(
    home: Home,
    ledger: Ledger,
    tracking: Tracking,
    request: WithdrawalRequest,
    *,
    dry_run: bool = False,
) -> WithdrawalReport:
    """Withdraw what a request covers, now and for good (fediverse.md 5.3).

    Nobody who calls this may hold the lock of a table: what is locked is left for later.

    Args:
        home: What is kept.
        ledger: Where the tombstones stand.
        tracking: Where models stand.
        request: What to withdraw, and why.
        dry_run: Whether only to say what would be removed.

    Raises:
        RedsError: A table is damaged, or the disk is full.
    """
    found = tombstones_for(home, request.subject)
    if not dry_run:
        record_withdrawal(
            ledger,
            found,
            subject=SUBJECT_NAMES[type(request.subject)],
            why=request.why,
            asked_by=request.asked_by,
        )
    return _erase(home, ledger, tracking, recorded_tombstones(ledger) | found, dry_run=dry_run)


def finish_withdrawals(home: Home, ledger: Ledger, tracking: Tracking) -> WithdrawalReport:
    """Do what a withdrawal, a re-check or a collection that was cut short left undone.

    To be called before anything is learnt, and after every collection: a collection that was
    running during a withdrawal knew nothing of it. Where nothing is left this only reads.

    Raises:
        RedsError: A table is damaged, or the disk is full.
    """
    return _erase(home, ledger, tracking, recorded_tombstones(ledger), dry_run=False)


def _erase(
    home: Home, ledger: Ledger, tracking: Tracking, tombstones: Tombstones, *, dry_run: bool
) -> WithdrawalReport:
    steps = WithdrawalSteps(home, ledger, tombstones, now=utc_now(), write=not dry_run)
    steps.run()
    models = mark_models(
        tracking, ledger, home.keyed_hash, to_come=steps.gone if dry_run else frozenset()
    )
    removed = steps.removed + Counter({"sheets of wrong answers": models.sheets})
    backups = backups_since(ledger, steps.since) if steps.since or steps.gone else []
    return WithdrawalReport(
        dry_run=dry_run,
        removed={kind: count for kind, count in removed.items() if count},
        classes=tuple(sorted(steps.classes.union(noted_sheets(home)))),
        busy=tuple(sorted(steps.busy)),
        models=models,
        exports=steps.exports,
        backups=tuple(backup.shown for backup in backups),
    )
