"""The reviewer's desk: the gallery, the decisions about its pictures, and what joins the two.

What belongs here: everything a page or a command does with the review of one home. What does
not: HTTP, and the rules by which a data set follows the decisions (``imaging.curation``).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from reds_pipeline.review.decision_log import DecisionLog, NewDecision, Origin, RecordedBatch
from reds_pipeline.review.decisions import KEEP, Decision, RecordedDecision
from reds_pipeline.review.gallery import Gallery, GalleryPicture, effect_of, load_gallery
from reds_pipeline.review.imports import ImportedDecision
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger

Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Progress:
    """How far a review has come.

    Attributes:
        decided: Pictures about which something was decided.
        total: Pictures.
    """

    decided: int
    total: int


@dataclass(frozen=True)
class ReviewedGallery:
    """The gallery with what holds now.

    Attributes:
        gallery: The pictures.
        decisions: What was decided, by SHA-256; only about pictures of the gallery.
        revision: 16 hexadecimal digits that change whenever anything here does.
    """

    gallery: Gallery
    decisions: Mapping[str, RecordedDecision]
    revision: str

    @cached_property
    def progress(self) -> Progress:
        """How far the review has come."""
        return Progress(len(self.decisions), len(self.gallery.pictures))

    @cached_property
    def waiting(self) -> int:
        """Number of pictures whose decision the data set does not follow yet."""
        classes = self.gallery.classes
        return sum(
            effect_of(recorded.decision if recorded else None, classes) != picture.applied
            for picture in self.gallery.pictures
            for recorded in [self.decisions.get(picture.sha256)]
        )

    def decided(self) -> list[tuple[str, RecordedDecision]]:
        """Return (SHA-256, what was decided) of posts' pictures, in their order.

        That goes into files for other installations, which contributed photos do not concern.
        """
        return [
            (picture.sha256, self.decisions[picture.sha256])
            for picture in self.gallery.pictures
            if picture.sha256 in self.decisions and not picture.is_contributed
        ]

    def class_of(self, picture: GalleryPicture) -> str:
        """Return the class under which a picture is shown now."""
        recorded = self.decisions.get(picture.sha256)
        return (recorded.decision.label if recorded else "") or picture.class_name


@dataclass(frozen=True)
class ImportReport:
    """What became of the decisions in a file.

    Attributes:
        recorded: Pictures about which something new was recorded.
        unknown: Pictures that this home does not have.
        unchanged: Pictures about which the same had been decided before.
    """

    recorded: int
    unknown: int
    unchanged: int

    @property
    def sentence(self) -> str:
        """The same in words."""
        return (
            f"Recorded {self.recorded} decision{'' if self.recorded == 1 else 's'}; "
            f"{self.unchanged} {'was' if self.unchanged == 1 else 'were'} known already, and "
            + (
                "1 is about a picture that is not here."
                if self.unknown == 1
                else f"{self.unknown} are about pictures that are not here."
            )
        )


class ReviewDesk:
    """The review of one home; safe to use from several threads.

    Args:
        home: Whose pictures are reviewed.
        ledger: Where the decisions are kept.
    """

    def __init__(self, home: Home, ledger: Ledger) -> None:
        self._home = home
        self._log = DecisionLog(ledger, home.keyed_hash)
        self._lock = threading.Lock()
        self._signature: Signature | None = None
        self._gallery = Gallery((), (), {})
        self._sha256_of: dict[str, str] = {}

    def gallery(self) -> Gallery:
        """Return the pictures as the tables have them now; tables are read when they changed.

        Raises:
            RedsError: A table is damaged.
        """
        return self._present()[0]

    def reviewed(self) -> ReviewedGallery:
        """Return the pictures with what was decided about them.

        Raises:
            RedsError: A table is damaged.
        """
        gallery, signature, sha256_of = self._present()
        number, latest = self._log.latest()
        decisions = {
            sha256_of[subject]: recorded
            for subject, recorded in latest.items()
            if subject in sha256_of
        }
        revision = hashlib.sha256(repr((signature, number)).encode()).hexdigest()[:16]
        return ReviewedGallery(gallery, decisions, revision)

    def decide(
        self,
        decisions: Iterable[tuple[str, Decision | None]],
        origin: Origin = "person",
        batch: str = "",
    ) -> tuple[RecordedBatch, int]:
        """Record what was decided in one go.

        Args:
            decisions: (SHA-256, decision, or None to take one back). A ``keep`` without a label
                means the class under which the picture is shown.
            origin: Where they come from.
            batch: The sender's name for them; see ``DecisionLog.record``.

        Returns:
            (what was recorded, number of pictures that this home does not have).
        """
        reviewed = self.reviewed()
        new: list[NewDecision] = []
        unknown = 0
        for sha256, decision in decisions:
            picture = reviewed.gallery.by_sha256.get(sha256)
            if picture is None:
                unknown += 1
                continue
            shown_as = reviewed.class_of(picture)
            new.append(NewDecision(sha256, _with_label(decision, shown_as), shown_as))
        return self._log.record(new, origin, batch), unknown

    def undo(self) -> tuple[str, list[str]] | None:
        """Put back what held before the latest batch.

        Returns:
            (name of the batch that did it, SHA-256 of the pictures concerned that are still
            here); None if there is nothing to undo.
        """
        undone = self._log.undo()
        if undone is None:
            return None
        _, _, sha256_of = self._present()
        here = [sha256_of[subject] for subject in undone.subjects if subject in sha256_of]
        return undone.batch, here

    def take_in(self, decisions: Iterable[ImportedDecision]) -> ImportReport:
        """Record the decisions of a file, as one batch.

        Args:
            decisions: What ``imports.read_decisions`` gave.
        """
        batch, unknown = self.decide(
            ((imported.sha256, imported.decision) for imported in decisions), "import"
        )
        return ImportReport(batch.recorded, unknown, batch.unchanged)

    def _present(self) -> tuple[Gallery, Signature, Mapping[str, str]]:
        with self._lock:
            signature = self._table_signature()
            if signature != self._signature:
                self._gallery = load_gallery(self._home)
                self._sha256_of = {
                    self._log.subject_of(sha256): sha256 for sha256 in self._gallery.by_sha256
                }
                self._signature = signature
            return self._gallery, signature, self._sha256_of

    def _table_signature(self) -> Signature:
        """Return what changes whenever one of the tables is written."""
        tables = self._home.root / "tables"
        paths = [
            *sorted((tables / "clean_images").glob("[!.]*.parquet")),
            self._home.table("curated_dataset"),
            self._home.table("label_suspects"),
            self._home.table("contributed_images"),
            self._home.table("contributed_dataset"),
        ]
        states = ((path.name, path.stat()) for path in paths if path.exists())
        return tuple((name, state.st_mtime_ns, state.st_ino) for name, state in states)


def _with_label(decision: Decision | None, shown_as: str) -> Decision | None:
    if decision is not None and decision.verdict == KEEP and not decision.label:
        return Decision(KEEP, shown_as)
    return decision
