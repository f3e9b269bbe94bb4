"""The steps by which what was withdrawn leaves tables, journals, arrays and files.

What belongs here: the order of the steps, locks, and counting. What does not: what becomes of a
single row (``rows.py``).

Each step reads what is there and writes only what differs, and the later ones see the outcome
of the earlier ones in memory. So the same code counts without writing, and repeats what a kill
left undone: the SHA-256 by which a file is found goes from its row only after the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from reds_pipeline.contact_sheets import note_sheets
from reds_pipeline.dataset.remembered import exports_holding, forget
from reds_pipeline.errors import RedsError
from reds_pipeline.retraining.kept_samples import take_out_of_samples
from reds_pipeline.storage.home import Home, file_name
from reds_pipeline.storage.journal import Journal
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.leftovers import LEFTOVER_SECONDS
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.storage.partitions import Partition, partitions
from reds_pipeline.storage.tables import (
    CLEAN_IMAGES,
    CURATED,
    CURSORS,
    HASHTAGS,
    IMAGES,
    LABEL_SUSPECTS,
    LEMMAS,
    POSTS,
    PREDICTIONS,
    SIMILAR_PAIRS,
    TEST_PICTURES,
    read_rows,
    write_rows,
)
from reds_pipeline.withdrawal.contributed import ContributedPurge
from reds_pipeline.withdrawal.cursors import CursorPurge
from reds_pipeline.withdrawal.erasure import erase_pictures, remove_leftovers
from reds_pipeline.withdrawal.requests import post_rows_in
from reds_pipeline.withdrawal.rows import (
    ERASED_REASONS,
    PicturePurge,
    PostPurge,
    ShownPictures,
    without_keepers,
    without_names,
)
from reds_pipeline.withdrawal.tombstones import Tombstones, record_erasure

Row = dict[str, Any]

# Tables about the pictures of the data set, with the columns that name pictures.
_FINDINGS = (
    ("similar_pairs", SIMILAR_PAIRS, ("one", "other")),
    ("label_suspects", LABEL_SUSPECTS, ("sha256",)),
    ("test_pictures", TEST_PICTURES, ("sha256",)),
)


class WithdrawalSteps:
    """One pass over a home; ``run`` it once.

    Args:
        home: What is kept.
        ledger: Where erased pictures are remembered.
        tombstones: What is withdrawn.
        now: The time of the rows that change.
        write: Whether to change anything, or only to count.

    Attributes:
        removed: How many of each kind were, or would be, removed.
        classes: File names of the classes of which a picture went.
        busy: Tables that could not be written because somebody else works on them.
        gone: SHA-256 of the pictures that no post shows any more.
        exports: Exports of the data set, for people, that hold such a picture and are out of
            reach here.
        since: When REDS got the oldest of what was removed, as far as rows say; "" if they do
            not. Backups made after that may hold it.
    """

    def __init__(
        self, home: Home, ledger: Ledger, tombstones: Tombstones, *, now: str, write: bool
    ) -> None:
        self.removed: Counter[str] = Counter()
        self.classes: set[str] = set()
        self.busy: set[str] = set()
        self.gone: frozenset[str] = frozenset()
        self.exports: tuple[str, ...] = ()
        self.since = ""
        self._home = home
        self._ledger = ledger
        self._write = write
        self._posts = PostPurge(tombstones, home.keyed_hash, home.seal, now)
        self._tombstones = tombstones
        self._shown = ShownPictures(home.keyed_hash)
        self._contributed = ContributedPurge(home, ledger, tombstones.keys, write=write)
        # Media key and SHA-256 of what the images table will hold as stored, by class.
        self._held: dict[str, set[tuple[str, str]]] = {}
        self._extensions: dict[str, str] = {}
        self._stored: frozenset[str] = frozenset()

    def run(self) -> None:
        """Take everything withdrawn out of everything."""
        self._take_out_of_posts()
        self._take_out_of_sample()
        self._take_out_of_rechecks()
        self._take_out_of_images()
        self._take_out_of_datasets()
        self._contributed.take_out_of_dataset(self.gone, self._at_work)
        self._erase_files()
        self._forget_hashes()
        self.removed += self._contributed.removed
        if self._write:
            referenced = frozenset(self._extensions) | self._curated_pictures()
            self.removed["leftovers"] += remove_leftovers(self._home, referenced, LEFTOVER_SECONDS)

    def _take_out_of_posts(self) -> None:
        for part in partitions(self._home, "posts"):
            with self._at_work(part.lock, f"posts of {part.stem}") as may_write:
                rows = self._revised(part.table, POSTS, self._posts.row, "rows of posts", may_write)
                self._revise(part.journal, self._posts.record, may_write)
                cursors = self._home.root / "tables" / "cursors" / part.table.name
                self._take_out_of_cursors(cursors, part.journal, rows, may_write)
            for row in rows:
                self._shown.add(row)
            for record in part.journal.records():
                for row in post_rows_in(record):
                    self._shown.add(self._posts.row(row))
        self._shown.settle()

    def _take_out_of_sample(self) -> None:
        table = self._home.table("sample_posts")
        with self._at_work(self._home.lock("sample"), "the sample of posts") as may_write:
            before = read_rows(table, POSTS)
            sample = [self._posts.row(row) for row in before]
            self.removed["names in kept samples"] += take_out_of_samples(
                self._home, before, sample, write=may_write
            )
            # Before the sample itself: afterwards nobody knows which words only they used.
            if sample:
                self._drop_words({tag for row in sample for tag in row["tags"] or ()}, may_write)
            rows = self._revised(table, POSTS, self._posts.row, "rows of the sample", may_write)
            journal = self._home.journal("sample", "public")
            self._revise(journal, self._posts.record, may_write)
            cursors = self._home.table("sample_cursors")
            self._take_out_of_cursors(cursors, journal, rows, may_write)

    def _take_out_of_cursors(
        self, cursors: Path, journal: Journal, rows: list[Row], may_write: bool
    ) -> None:
        unfinished = [
            self._posts.row(row) for record in journal.records() for row in post_rows_in(record)
        ]
        purge = CursorPurge(self._home.keyed_hash, [*rows, *unfinished])
        self._revised(cursors, CURSORS, purge.row, "ends of walks", may_write)
        self._revise(journal, purge.record, may_write)

    def _take_out_of_rechecks(self) -> None:
        """Take posts out of the notes of sweeps, whoever holds them.

        A sweep withdraws what it found while it goes on. Should it note something down at this
        very moment, that post is asked about once more.
        """
        for name in ("recheck", "recheck_sample"):
            for part in partitions(self._home, name):
                self._revise(part.journal, self._posts.record, self._write)

    def _drop_words(self, used: set[str], may_write: bool) -> None:
        """Drop hashtags that no post of the sample uses any more; counts are made anew later."""
        hashtags, lemmas = self._home.table("hashtags"), self._home.table("lemmas")
        words = read_rows(hashtags, HASHTAGS)
        left = [row for row in words if row["tag"] in used]
        if len(left) == len(words):
            return
        self.removed["hashtags"] += len(words) - len(left)
        if not may_write:
            return
        sources = [
            row | {"sources": [source for source in row["sources"] if source["tag"] in used]}
            for row in read_rows(lemmas, LEMMAS)
        ]
        write_rows(lemmas, [row for row in sources if row["sources"]], LEMMAS)
        write_rows(hashtags, left, HASHTAGS)

    def _take_out_of_images(self) -> None:
        purge = PicturePurge(self._tombstones, self._home.keyed_hash, self._shown)
        stored = dict(self._contributed.held)
        erased = dict(self._contributed.lost)
        for part in partitions(self._home, "images"):
            with self._at_work(part.lock, f"pictures of {part.stem}") as may_write:
                rows = self._revised(part.table, IMAGES, purge.row, "rows of pictures", may_write)
                self._revise(part.journal, purge.row, may_write)
            self._held[part.stem] = {
                (row["media_key"], row["sha256"]) for row in rows if row["status"] == "stored"
            }
            unfinished = filter(None, map(purge.row, part.journal.records()))
            for row in (*rows, *unfinished):
                if row["status"] == "stored":
                    stored[row["sha256"]] = row["extension"]
                elif row["reason"] in ERASED_REASONS and row["sha256"]:
                    erased[row["sha256"]] = row["extension"]
        self._stored = frozenset(stored)
        self.gone = frozenset(erased) - self._stored
        self._extensions = stored | {sha256: erased[sha256] for sha256 in self.gone}

    def _take_out_of_datasets(self) -> None:
        """Take pictures out of what was made of the images table, the last table made first.

        A row goes when the images table no longer holds its picture as stored.
        """
        cleaned: dict[Partition, tuple[list[Row], list[Row]]] = {}
        for part in partitions(self._home, "clean_images"):
            if part.stem in self._held:
                rows = read_rows(part.table, CLEAN_IMAGES)
                held = self._held[part.stem]
                left = [row for row in rows if (row["media_key"], row["sha256"]) in held]
                cleaned[part] = (rows, left)
        before = {_identity(row) for rows, _ in cleaned.values() for row in rows}
        after = {_identity(row) for _, left in cleaned.values() for row in left}
        self._rewrite_dataset(before - after)
        for part, (rows, left) in cleaned.items():
            if len(left) == len(rows):
                continue
            self.removed["rows of cleaned pictures"] += len(rows) - len(left)
            self.classes.add(part.stem)
            if self._write:
                # First, because afterwards nothing tells whose contact sheets show the pictures.
                note_sheets(self._home, part.stem)
                nowhere = self._nowhere(rows, left)
                named = without_names(left, nowhere, ["cluster"])
                write_rows(part.table, without_keepers(named, nowhere), CLEAN_IMAGES)

    def _rewrite_dataset(self, lost: set[tuple[str, str, str]]) -> None:
        table = self._home.table("curated_dataset")
        rows = read_rows(table, CURATED)
        left = [
            row for row in rows if _identity_in_dataset(row) not in lost and not self._has_gone(row)
        ]
        staying = {row["sha256"] for row in left}
        self._take_out_of_findings({row["sha256"] for row in rows} - staying, staying)
        if len(left) == len(rows):
            return
        self.removed["rows of the data set"] += len(rows) - len(left)
        if self._write:
            nowhere = self._nowhere(rows, left)
            named = without_names(left, nowhere, ["cluster", "group"])
            write_rows(table, without_keepers(named, nowhere), CURATED)

    def _has_gone(self, row: Row) -> bool:
        """Say whether a picture of the data set is stored no more, whenever that happened.

        A stage that was at work during a withdrawal writes down what it had read before. Where
        the images table itself was lost, nothing can be told by it.
        """
        held = self._held.get(file_name(row["collected_as"] or row["class_name"]))
        if row["sha256"] in self.gone or held is None:
            return row["sha256"] in self.gone
        # An older version of REDS did not write down by which post a picture came.
        if not row["media_key"]:
            return row["sha256"] not in self._stored
        return (row["media_key"], row["sha256"]) not in held

    def _nowhere(self, rows: list[Row], left: list[Row]) -> frozenset[str]:
        """Return the pictures that a table is losing and that are stored no more."""
        lost = {row["sha256"] for row in rows} - {row["sha256"] for row in left}
        return self.gone | (lost - self._stored)

    def _take_out_of_findings(self, lost: set[str], staying: set[str]) -> None:
        """Take pictures out of what was found out about the data set.

        First of all tables, because which pictures the data set has lost is not seen again.

        Args:
            lost: SHA-256 of pictures that the data set had until now.
            staying: Of those that it keeps.
        """
        gone = lost | self.gone
        # Without any, the tables were lost.
        held = self._stored | staying
        for name, schema, columns in _FINDINGS:

            def left(row: Row, columns: tuple[str, ...] = columns) -> Row | None:
                named = {row[column] for column in columns}
                return row if named.isdisjoint(gone) and (not held or named <= held) else None

            self._revised(self._home.table(name), schema, left, f"rows of {name}", self._write)
        for table in sorted((self._home.root / "tables" / "predictions").glob("*.parquet")):
            self._take_out_of_predictions(table, gone, held)

    def _take_out_of_predictions(
        self, table: Path, gone: Collection[str], held: Collection[str]
    ) -> None:
        """Take pictures out of what the heads of one backbone said."""
        rows = read_rows(table, PREDICTIONS)
        left = [
            row for row in rows if row["sha256"] not in gone and (not held or row["sha256"] in held)
        ]
        named = without_names(left, frozenset(gone), ["group"])
        self.removed["rows of predictions"] += len(rows) - len(left)
        if self._write and named != rows:
            write_rows(table, named, PREDICTIONS)

    def _erase_files(self) -> None:
        if not self.gone:
            return
        if self._write:
            # Models are told by this, so it has to be known before the last trace is lost.
            record_erasure(self._ledger, self._home.keyed_hash, self.gone)
        for store in self._home.array_stores():
            kind = f"rows of {store.root.parent.name} {store.root.name}"
            self.removed[kind] += len(self.gone & store.keys())
        # Photographs are JPEG; what is drawn from numbers is PNG.
        shown = sorted(self._home.figures.glob("*.jpg"))
        self.removed["figures"] += len(shown)
        pictures = [(sha256, self._extensions[sha256]) for sha256 in sorted(self.gone)]
        if self._write:
            for figure in shown:
                figure.unlink(missing_ok=True)
            self.removed["picture files"] += erase_pictures(self._home, pictures)
        else:
            self.removed["picture files"] += sum(
                self._home.images.path(*picture).exists() for picture in pictures
            )
        # After the files: an export that is being written remembers its pictures first and looks
        # last whether all of them are there still, so that one of the two sees the other.
        self.exports = tuple(
            f"{export.directory} ({export.format}, {export.at[:10]})"
            for export in exports_holding(self._home, self.gone)
        )
        self.removed["entries of exports"] += forget(self._home, self.gone, write=self._write)

    def _forget_hashes(self) -> None:
        """Take the SHA-256 out of the rows of pictures whose file is gone."""
        if not self._write:
            return
        for part in partitions(self._home, "images"):
            with self._at_work(part.lock, f"pictures of {part.stem}") as may_write:
                self._revised(part.table, IMAGES, _without_hash, "", may_write)
                part.journal.rewrite(_without_hash, write=may_write)
        self._contributed.forget(self._at_work)

    def _curated_pictures(self) -> frozenset[str]:
        rows = read_rows(self._home.table("curated_dataset"), CURATED)
        return frozenset(row["sha256"] for row in rows)

    def _revised(
        self,
        table: Path,
        schema: pa.Schema,
        revised: Callable[[Row], Row | None],
        kind: str,
        may_write: bool,
    ) -> list[Row]:
        """Return the rows of a table as they will be; write them if they differ and we may."""
        rows = read_rows(table, schema)
        results = [revised(row) for row in rows]
        left = [row for row in results if row is not None]
        differing = [old for new, old in zip(results, rows, strict=True) if new != old]
        changed = len(differing)
        if kind:
            self.removed[kind] += changed
            self._note_age(differing)
        if changed and may_write:
            write_rows(table, left, schema)
        return left

    def _note_age(self, rows: list[Row]) -> None:
        times = [row["collected_at"] for row in rows if row.get("collected_at")]
        self.since = min([*times, *filter(None, [self.since])], default="")

    def _revise(
        self, journal: Journal, revised: Callable[[Row], Row | None], may_write: bool
    ) -> None:
        self.removed["records of work in progress"] += journal.rewrite(revised, write=may_write)

    @contextmanager
    def _at_work(self, lock: Path, what: str) -> Iterator[bool]:
        """Hold a lock and yield whether to write; what is in use is remembered and left alone."""
        with ExitStack() as held:
            may_write = self._write
            if may_write:
                try:
                    held.enter_context(exclusive(lock, f"working on the {what}"))
                except RedsError:
                    self.busy.add(what)
                    may_write = False
            yield may_write


def _identity(row: Row) -> tuple[str, str, str]:
    return row["sha256"], row["class_name"], row["author_key"]


def _identity_in_dataset(row: Row) -> tuple[str, str, str]:
    """Return the identity of a row under the class that brought it, whatever its label is now."""
    return row["sha256"], row["collected_as"] or row["class_name"], row["author_key"]


def _without_hash(row: Row) -> Row:
    if row["status"] == "stored" or row["reason"] not in ERASED_REASONS:
        return row
    return row | {"sha256": "", "extension": ""}
