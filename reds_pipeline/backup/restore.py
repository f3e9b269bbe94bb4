"""A home out of a backup.

What belongs here: the order of a restoration, and what a restored home has to forget before
anybody uses it. What does not: reading the file (``archive.py``). All of it happens in a directory
that nobody knows; only when every checksum was right, and what was withdrawn is gone, does it
become the home.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reds_pipeline.backup.archive import ArchiveReader
from reds_pipeline.backup.later_withdrawals import (
    leave_out_given_photos,
    open_newer_ledger,
    require_confirmation,
    take_over,
    take_over_exports,
)
from reds_pipeline.backup.manifest import Manifest
from reds_pipeline.backup.mlflow_paths import files_elsewhere, move_files
from reds_pipeline.backup.places import DAGSTER, KEY, LEDGER, MLFLOW
from reds_pipeline.backup.scratch import remove_unfinished, scratch_directory
from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.settings import Settings, load_settings
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.workers import at_work
from reds_pipeline.tracking import EXPERIMENT
from reds_pipeline.withdrawal.host import erase_host
from reds_pipeline.withdrawal.withdraw import WithdrawalReport, finish_withdrawals

RESTORED = "restored"


@dataclass
class RestoreReport:
    """What was restored, and what was not.

    Attributes:
        home: The home that is there now.
        made_at: When the backup was begun.
        files: How many files came out of it.
        knows_withdrawals: Whether what people took back after the backup is known.
        posts_to_confirm: Posts that their host has to show again before they are learnt from.
        given_photos_left_out: Photos that people had given, and of which nobody can tell.
        removed: What was withdrawn and therefore taken out again, with its number.
        notes: What belonged to the installation and was not in the backup, or lies elsewhere now.
    """

    home: str
    made_at: str
    files: int
    knows_withdrawals: bool = False
    posts_to_confirm: int = 0
    given_photos_left_out: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as ``reds restore --json`` prints it."""
        return asdict(self)

    def sentences(self) -> list[str]:
        """Return what its operator has to know, one sentence each."""
        told = [f"{self.home} holds what was backed up on {self.made_at}: {self.files} files."]
        if self.removed:
            gone = ", ".join(f"{number} {what}" for what, number in self.removed.items())
            told.append(f"Taken out again, because people took it back since: {gone}.")
        if not self.knows_withdrawals:
            told.append(
                "Nobody can tell what people took back after the backup: nothing is learnt from "
                f"{self.posts_to_confirm} posts until their host has shown them again, which the "
                "next `reds run` or `reds retrain` asks it; withdrawals that came by mail since "
                "then have to be repeated with `reds withdraw`, and hosts that were revoked since "
                "with `reds hosts revoke`."
            )
        if self.given_photos_left_out:
            told.append(
                f"{self.given_photos_left_out} photos that people gave were left out, because "
                "their givers may have deleted them since; only the old ledger could tell "
                "(--withdrawals-from)."
            )
        return [*told, *self.notes]


def restore_backup(file: Path, directory: Path, withdrawals_from: str = "") -> RestoreReport:
    """Make a home of a backup, without what people have taken back since.

    Args:
        file: The backup.
        directory: The home to make: an empty directory, or none yet.
        withdrawals_from: The home that was backed up, its ledger file, or the ledger's SQLAlchemy
            address; without it nobody knows what was taken back after the backup.

    Raises:
        RedsError: The backup is not whole or not what it was, the directory holds something, or
            the ledger is that of another installation. Then nothing was restored.
    """
    directory = directory.absolute()
    with _writable(directory):
        if directory.is_dir():
            remove_unfinished(directory, directory.name)
        _require_empty(directory)
    with _writable(directory), ArchiveReader(file) as archive:
        # A directory that is there may be a disk of its own, onto which nothing can be renamed.
        exists = directory.is_dir()
        parent = directory if exists else directory.parent
        parent.mkdir(parents=True, exist_ok=True)
        with scratch_directory(parent, directory.name) as staging:
            archive.extract(staging)
            report = _as_installation(archive.manifest, staging, directory, withdrawals_from)
            if exists:
                # Somebody may have begun to use it meanwhile.
                _require_empty(directory, but_for=staging)
                _move_up(staging)
            else:
                staging.rename(directory)
    return report


def mend_moved_home(home: Home) -> int:
    """Let MLflow find the files of a home that was moved or copied by hand.

    Returns:
        How many addresses were changed; 0 if all was well.

    Raises:
        RedsError: The files did not come along, or somebody works on the home.
    """
    database = home.root / MLFLOW
    with at_work(home.lock("run"), "`reds restore --moved`"):
        if files_elsewhere(database, EXPERIMENT, home.artifacts) and not home.artifacts.is_dir():
            raise RedsError(
                f"{home.artifacts} is not there, so the models did not come along; move or copy "
                "the whole home, and try again."
            )
        return move_files(database, EXPERIMENT, home.artifacts)


def _as_installation(
    manifest: Manifest, staging: Path, directory: Path, withdrawals_from: str
) -> RestoreReport:
    """Do in a home that is nobody's yet what has to be done before it is somebody's."""
    settings = load_settings(home=staging)
    _require_ledger(manifest, settings)
    platform = Platform(settings)
    home, ledger = platform.home, platform.ledger
    report = RestoreReport(
        str(directory),
        manifest.made_at,
        len(manifest.files),
        notes=(*manifest.notes, *_about_dagster(manifest, settings, directory)),
    )
    try:
        # Models are told of what was withdrawn, so MLflow has to find them here meanwhile.
        move_files(home.root / MLFLOW, EXPERIMENT, home.artifacts)
        revoked: list[str] = []
        if withdrawals_from:
            newer = open_newer_ledger(withdrawals_from, home, manifest.backup_id)
            try:
                revoked = take_over(newer, home, ledger)
            finally:
                newer.close()
            if Path(withdrawals_from).is_dir():
                take_over_exports(Home(Path(withdrawals_from).resolve()), home)
        # A ledger that was not in the backup is the living one and knows everything.
        report.knows_withdrawals = bool(withdrawals_from) or not manifest.has(LEDGER)
        if not report.knows_withdrawals:
            report.posts_to_confirm = require_confirmation(home)
            report.given_photos_left_out = leave_out_given_photos(home, ledger)
        report.removed = _withdraw(platform, revoked)
        ledger.append(
            RESTORED,
            manifest.backup_id,
            {"made_at": manifest.made_at, "knows_withdrawals": report.knows_withdrawals},
        )
        move_files(home.root / MLFLOW, EXPERIMENT, Home(directory).artifacts)
    finally:
        ledger.close()
    return report


def _withdraw(platform: Platform, revoked: list[str]) -> dict[str, int]:
    """Take out what was withdrawn, and the posts of hosts that are not approved any more."""
    home, ledger, tracking = platform.home, platform.ledger, platform.tracking
    removed: dict[str, int] = {}
    reports: list[WithdrawalReport] = [finish_withdrawals(home, ledger, tracking)]
    reports += [erase_host(home, ledger, tracking, host) for host in revoked]
    for report in reports:
        for what, number in report.removed.items():
            removed[what] = removed.get(what, 0) + number
    if any(report.classes for report in reports):
        from reds_pipeline.instance import open_instance
        from reds_pipeline.run_history import remove_withdrawn_photographs

        with open_instance(platform.settings) as instance:
            remove_withdrawn_photographs(instance, home)
    return removed


def _require_empty(directory: Path, but_for: Path | None = None) -> None:
    if directory.is_dir() and all(path == but_for for path in directory.iterdir()):
        return
    if directory.exists() or directory.is_symlink():
        raise RedsError(
            f"{directory} is not empty, and a restoration overwrites nothing; name an empty or a "
            "new directory with --home."
        )


def _require_ledger(manifest: Manifest, settings: Settings) -> None:
    if not manifest.has(KEY):
        raise RedsError(
            f"The backup holds no {KEY}, without which nothing in it can be recognised; take "
            "another backup."
        )
    if not manifest.has(LEDGER) and not settings.ledger_url:
        raise RedsError(
            "The backup holds no ledger, because it was kept elsewhere, and without it nobody "
            "knows what people took back; set REDS_LEDGER_URL to where it is now and try again."
        )


def _about_dagster(manifest: Manifest, settings: Settings, directory: Path) -> Iterator[str]:
    """Say where Dagster's history is, where nobody would look for it."""
    own, configured = Home(directory).dagster, settings.dagster_home
    if configured is not None and configured.resolve() != own and manifest.count(DAGSTER):
        yield (
            f"Dagster's history is in {own}, while DAGSTER_HOME is {configured}: move it there, or "
            "unset DAGSTER_HOME."
        )


def _move_up(staging: Path) -> None:
    """Move everything into the directory above, the key last.

    Without the key nothing works in a home, so that one which a kill left half moved is noticed.
    """
    names = sorted(path.name for path in staging.iterdir())
    for name in sorted(names, key=lambda name: name == KEY):
        (staging / name).rename(staging.parent / name)


@contextmanager
def _writable(directory: Path) -> Iterator[None]:
    """Say in a sentence why a home cannot be written.

    Raises:
        RedsError: It cannot.
    """
    try:
        yield
    except OSError as error:
        raise RedsError(
            f"{directory} could not be written ({error.strerror or error}), so nothing was "
            "restored; make room on that disk or choose another place, then try again."
        ) from error
