"""Going through everything that REDS keeps, and removing what nobody needs any more.

What belongs here: the order, the record, and what one kind means for the next. What does not:
finding things (a module a kind), the terminal, and when it runs.

Everything is found first, then written down, then removed: a kill in between leaves a record of
what was meant to go, and the next call finds what is left. What is in somebody's use stays, and
the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from reds_pipeline.class_states import left_classes
from reds_pipeline.errors import RedsError
from reds_pipeline.housekeeping import dagster_runs, encoders, orphans, trainings
from reds_pipeline.housekeeping.chore import Chore, in_the_way, removing
from reds_pipeline.housekeeping.databases import databases, shrink, slack
from reds_pipeline.housekeeping.disk_use import DiskUse, complaint, disk_use, taken
from reds_pipeline.housekeeping.kinds import KINDS
from reds_pipeline.housekeeping.left_classes import classes_to_forget, forget, size_of
from reds_pipeline.housekeeping.old_pictures import OldPictures, let_old_pictures_go
from reds_pipeline.housekeeping.old_posts import let_old_posts_go
from reds_pipeline.pruning import PruningReport, latest_training_runs, prune
from reds_pipeline.resources import Platform
from reds_pipeline.retraining.kept_samples import outdated_samples
from reds_pipeline.stage_inputs import selected_classes
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import file_name
from reds_pipeline.tracking import HASHTAG_MODEL, REGISTERED_MODEL, RegisteredVersion
from reds_pipeline.withdrawal.lineage import pictures_of_models

HOUSEKEEPING = "housekeeping"
"""Kind of the ledger's events: what was about to be removed."""

OLD_POSTS = "posts that are looked for at their host every day"

# Bytes; databases always hold a little that was deleted a moment ago.
_WORTH_SHRINKING = 1_000_000

_MODELS = (REGISTERED_MODEL, HASHTAG_MODEL)


@dataclass(frozen=True)
class HousekeepingReport:
    """What was removed, or would be.

    Attributes:
        applied: Whether it was done.
        chores: What was found, in the order in which it goes.
        versions: Of each registered model, what becomes of its versions.
        disk: What the home takes now.
        complaint: What is wrong with the disk, or nothing.
        notes: Sentences on what could not be done, beside those of the chores.
    """

    applied: bool
    chores: tuple[Chore, ...]
    versions: tuple[PruningReport, ...]
    disk: DiskUse
    complaint: str
    notes: tuple[str, ...] = field(default=())

    @property
    def going(self) -> tuple[Chore, ...]:
        """What goes."""
        return tuple(each for each in self.chores if each.count and not each.left_alone)

    @property
    def freed(self) -> int:
        """Bytes that this gives back."""
        return sum(each.size for each in self.going)

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        if not self.going:
            return "Nothing may go: everything that is there is needed."
        count = sum(each.count for each in self.going)
        if self.applied:
            return f"{count} things were removed, which frees about {self.freed / 1e6:.1f} MB."
        return f"{count} things may go, which would free about {self.freed / 1e6:.1f} MB."

    def as_dict(self) -> dict[str, Any]:
        """Return it as ``reds prune --json`` prints it."""
        return {
            "applied": self.applied,
            "freed_bytes": self.freed,
            "found": [each.as_dict() for each in self.chores],
            "models": [each.as_dict() for each in self.versions],
            "disk": self.disk.as_dict(),
            "complaint": self.complaint,
            "notes": list(self.notes),
        }


def keep_house(
    platform: Platform,
    instance: dg.DagsterInstance,
    *,
    apply: bool = False,
    only: Collection[str] = (),
    say: Callable[[str], None] = lambda _line: None,
) -> HousekeepingReport:
    """Find what nobody needs any more, and remove it if asked to.

    Whoever applies it has to be the only one at work on the home (``storage.workers``): then no
    step can be in need of what is found. Withdrawals, exports and the page may go on.

    Args:
        platform: The installation.
        instance: Its Dagster instance, as the daemon uses it.
        apply: Whether to remove anything.
        only: Kinds to look at (``kinds.KINDS``); all of them if empty.
        say: Called with a line when a kind is gone about.
    """
    house = _House(platform, instance, frozenset(only or KINDS))
    found = [chore for kind in KINDS if kind in house.kinds for chore in house.chores(kind)]
    notes: list[str] = []
    versions = house.versions
    if apply:
        going = [chore for chore in found if chore.count and not chore.left_alone]
        if going:
            _record(platform, going)
            found = [_removed(chore, say) if chore in going else chore for chore in found]
            notes += shrink(house.databases())
        found = [chore for chore in found if chore.what != OLD_POSTS] + house.old_posts()
        versions = [replace(each, applied=True) for each in versions]
    disk = disk_use(platform.home.root)
    return HousekeepingReport(
        apply, tuple(found), tuple(versions), disk, complaint(disk, platform.settings), tuple(notes)
    )


def _record(platform: Platform, going: Sequence[Chore]) -> None:
    body = {
        "removed": [
            {"kind": each.kind, "what": each.what, "count": each.count, "bytes": each.size}
            for each in going
        ]
    }
    platform.ledger.append(HOUSEKEEPING, "home", body)


def _removed(chore: Chore, say: Callable[[str], None]) -> Chore:
    say(f"Removing {chore.what} ({chore.count})")
    return chore.done()


class _House:
    """One look at everything that a home keeps."""

    def __init__(
        self, platform: Platform, instance: dg.DagsterInstance, kinds: frozenset[str]
    ) -> None:
        self.kinds = kinds
        self.versions: list[PruningReport] = []
        self._platform = platform
        self._instance = instance
        self._home = platform.home
        self._settings = platform.settings
        self._now = utc_now()
        self._forgotten: list[str] = []
        self._unused: set[Path] = set()

    def chores(self, kind: str) -> list[Chore]:
        """Return what of a kind may go; where it cannot be told, that is what is returned."""
        try:
            return list(getattr(self, f"_{kind}")())
        except RedsError as error:
            return [in_the_way(kind, kind, str(error))]

    def databases(self) -> list[str]:
        """Return the addresses of the databases that things were deleted from."""
        addresses = []
        if "trainings" in self.kinds or "models" in self.kinds:
            addresses.append(self._platform.tracking.uri)
        return databases(self._instance, *addresses)

    def _models(self) -> Iterator[Chore]:
        for model in _MODELS:
            report = prune(self._platform, model=model)
            self.versions.append(report)
            if report.removed:
                names = ", ".join(fate.version for fate in report.removed)
                yield Chore(
                    "models",
                    f"versions of {model}: {names}",
                    len(report.removed),
                    report.freed,
                    "newer ones are kept, and none of these serves or did last",
                    partial(self._prune, model),
                )

    def _prune(self, model: str) -> None:
        prune(self._platform, apply=True, model=model)

    def _trainings(self) -> Iterator[Chore]:
        runs = {version.run_id for version in self._staying_versions()}
        runs |= latest_training_runs(self._platform)
        yield from trainings.chores(
            self._platform.tracking, self._home.artifacts, self._settings.keep_run_days, runs
        )

    def _runs(self) -> Iterator[Chore]:
        yield from dagster_runs.chores(self._instance, self._settings.keep_run_days)
        unused = {address: slack(address) for address in self.databases()}
        if (size := sum(unused.values())) >= _WORTH_SHRINKING:
            yield Chore(
                "runs",
                "databases that can be made smaller",
                sum(bool(each) for each in unused.values()),
                size,
                "rows were deleted from them",
                lambda: None,
            )

    def _pictures(self) -> Iterator[Chore]:
        old = self._let_go(dry_run=True)
        if old.pictures or old.busy:
            yield Chore(
                "pictures",
                "pictures that newer ones have taken the place of",
                old.pictures,
                old.bytes,
                f"more than the newest {self._settings.raw_per_class} of a class, and no data "
                "set or person needs them; squares and embeddings go too",
                self._remove_old_pictures,
                "" if old.pictures else f"{', '.join(old.busy)}: in use",
            )
        posts = let_old_posts_go(self._home, self._platform.tracking, dry_run=True).posts
        if posts:
            yield self._old_posts(posts)
        self._forgotten = classes_to_forget(
            self._home,
            left_classes(self._home),
            self._settings.keep_run_days,
            self._now,
            lambda: pictures_of_models(self._platform.tracking),
        )
        if names := self._forgotten:
            yield Chore(
                "pictures",
                f"classes that left: {', '.join(names)}",
                len(names),
                size_of(self._home, names),
                f"they left more than {self._settings.keep_run_days:g} days ago and no kept "
                "training has used them",
                lambda: forget(self._home, names),
            )

    def old_posts(self) -> list[Chore]:
        """Remove the posts of which nothing is left now that pictures and trainings have gone."""
        if "pictures" not in self.kinds:
            return []
        try:
            posts = let_old_posts_go(self._home, self._platform.tracking).posts
        except RedsError as error:
            return [in_the_way("pictures", OLD_POSTS, str(error))]
        return [self._old_posts(posts)] if posts else []

    def _old_posts(self, count: int) -> Chore:
        return Chore(
            "pictures",
            OLD_POSTS,
            count,
            0,
            "none of their pictures is kept, and no model or export has seen one",
            lambda: None,
        )

    def _remove_old_pictures(self) -> None:
        self._let_go(dry_run=False)

    def _let_go(self, *, dry_run: bool) -> OldPictures:
        platform = self._platform
        return let_old_pictures_go(
            self._home,
            platform.ledger,
            platform.tracking,
            platform.decisions,
            self._settings.raw_per_class,
            dry_run=dry_run,
        )

    def _orphans(self) -> Iterator[Chore]:
        classes = [*selected_classes(self._home), *left_classes(self._home)]
        forgotten = [file_name(name) for name in self._forgotten]
        # Stores that go as a whole need not lose single rows before.
        stores = [store for store in self._home.array_stores() if store.root not in self._unused]
        yield from orphans.chores(self._home, classes, stores, forgotten)

    def _encoders(self) -> Iterator[Chore]:
        client = self._platform.tracking.client
        needed = set()
        for version in self._staying_versions():
            run = client.get_run(version.run_id) if version.run_id else None
            encoder = run.data.params.get("encoder") if run else None
            if encoder is None:
                yield in_the_way(
                    "encoders",
                    "embeddings",
                    f"nobody knows what encoder version {version.version} of {version.model} needs",
                )
                return
            needed.add(encoder)
        for what, paths in encoders.unused(self._home, self._settings.backbones, needed).items():
            self._unused |= set(paths)
            yield Chore(
                "encoders",
                f"{what}: {', '.join(path.name for path in paths)}",
                len(paths),
                sum(map(taken, paths)),
                "no configured backbone and no registered version uses them",
                removing(paths),
            )

    def _samples(self) -> Iterator[Chore]:
        paths = outdated_samples(self._home, self._now)
        if paths:
            yield Chore(
                "samples",
                "kept samples of hashtags",
                len(paths),
                sum(map(taken, paths)),
                "the study of trends needs newer ones only, and of old ones one a week",
                removing(paths),
            )

    def _staying_versions(self) -> list[RegisteredVersion]:
        """Return the versions that there are, without those that this call removes."""
        going = {
            (report.model, fate.version) for report in self.versions for fate in report.removed
        }
        tracking = self._platform.tracking
        return [
            version
            for model in _MODELS
            for version in tracking.versions(model)
            if (model, version.version) not in going
        ]
