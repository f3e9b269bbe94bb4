"""What the review gallery shows, as plain data made from the tables.

What belongs here: joining what is known of each cleaned picture. What does not: what people
decided (``decision_log.py``), serving it, and anything that says who posted a picture or where.

A picture is its content: several posts of the same bytes are one entry.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reds_pipeline.review.blurring import is_sensitive, starts_blurred
from reds_pipeline.review.contributed import (
    CONTRIBUTED_FLAG,
    WAITS_FOR_REVIEW,
    contributed_rows,
)
from reds_pipeline.review.decisions import DISCARD, Decision
from reds_pipeline.review.explanations import KEEPER_REASONS, why_reviewed
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import (
    CLEAN_IMAGES,
    CONTRIBUTED,
    CONTRIBUTED_IMAGES,
    CURATED,
    LABEL_SUSPECTS,
    read_rows,
)

Row = Mapping[str, Any]

NOT_CONFIRMED = "not_confirmed"
EXACT_DUPLICATE = "exact_duplicate"
LABELLED_OTHERWISE = "labelled_otherwise"
# No class is called like these: names of classes begin with a letter or a digit.
DISCARDED, OTHERWISE = "-", "?"

_ADDRESS = re.compile(r"https?://\S+|@?[\w.+-]+@[\w.-]+\.\w+|@\w[\w.-]*")
_LAST_WORD = ("class_name", "kept", "drop_reason", "cluster", "keeper", "keeper_rule", "decision")
_MAYBE_NULL = ("keeper", "keeper_rule", "decision")


@dataclass(frozen=True)
class GalleryPicture:
    """One picture as a reviewer sees it, before anything that was decided since the last run.

    Attributes:
        sha256: Its name.
        extension: Of the stored file, without a dot.
        class_name: The class it is in now.
        collected_as: The class it was collected for.
        is_kept: Whether it is in the data set.
        reason: Why it is not; empty if it is.
        flags: Names of the quality gates that it hit.
        rank: Place in the order of review, 0 first; None where no order is known.
        is_suspect: Whether its label is probably wrong.
        guess: The class that it looks like, if that is another one.
        guess_probability: 0 to 1, of the guess.
        class_probability: 0 to 1, of the class it is in.
        is_outlier: Whether it is unlike its class and all others.
        applied: The decision that the data set was made with, as ``effect_of`` writes it.
        why: Why it is up for review, a sentence; empty for an ordinary picture.
        group: Name of the group of its duplicates; empty if it has none.
        is_keeper: Whether it is the one of its group that should stay.
        keeper_why: What makes it the one, such as ``larger``.
        author: A number that stands for its author here and nowhere else; 0 if not known.
        width: In pixels.
        height: In pixels.
        bytes: Size of the stored file.
        alt: The description that its author gave, without addresses.
        posted: The day of the post, ``YYYY-MM-DD``; empty if not known.
        is_blurred: Whether it is shown blurred until asked for.
        is_contributed: Whether somebody gave it on the page; otherwise it is a post's.
    """

    sha256: str
    extension: str
    class_name: str
    collected_as: str
    is_kept: bool
    reason: str
    flags: tuple[str, ...]
    rank: int | None
    is_suspect: bool
    guess: str
    guess_probability: float | None
    class_probability: float | None
    is_outlier: bool
    applied: str
    why: str
    group: str
    is_keeper: bool
    keeper_why: str
    author: int
    width: int
    height: int
    bytes: int
    alt: str
    posted: str
    is_blurred: bool
    is_contributed: bool = False


@dataclass(frozen=True)
class Gallery:
    """All pictures that can be reviewed.

    Attributes:
        classes: The classes they were collected for, in alphabetical order.
        pictures: By the class they were collected for, then by age.
        by_sha256: The same pictures by name.
    """

    classes: tuple[str, ...]
    pictures: tuple[GalleryPicture, ...]
    by_sha256: Mapping[str, GalleryPicture]


def load_gallery(home: Home) -> Gallery:
    """Read the tables of a home and join them.

    Shown are the pictures of the classes that the data set was last made of or, before there is
    one, of all classes that were cleaned.

    Raises:
        RedsError: A table is damaged.
    """
    cleaned = [
        row
        for path in sorted((home.root / "tables" / "clean_images").glob("[!.]*.parquet"))
        for row in read_rows(path, CLEAN_IMAGES)
    ]
    curated = read_rows(home.table("curated_dataset"), CURATED)
    suspects = read_rows(home.table("label_suspects"), LABEL_SUSPECTS)
    contributed = contributed_rows(
        read_rows(home.table("contributed_images"), CONTRIBUTED_IMAGES),
        read_rows(home.table("contributed_dataset"), CONTRIBUTED),
    )
    return join_gallery(cleaned, curated, suspects, contributed)


def join_gallery(
    cleaned: Sequence[Row],
    curated: Sequence[Row],
    suspects: Sequence[Row],
    contributed: Sequence[Row] = (),
) -> Gallery:
    """Join rows of ``clean_images``, ``curated_dataset`` and ``label_suspects``.

    Args:
        cleaned: Of all classes.
        curated: May be empty, or lack rows: then the verdict of cleaning stands.
        suspects: May be empty, or be about an older data set.
        contributed: From ``contributed_rows``.
    """
    verdict_of = _Verdicts(curated)
    selected = {row["collected_as"] or row["class_name"] for row in curated}
    of_posts = [
        _joined(row, verdict_of(row))
        for row in cleaned
        if not selected or row["class_name"] in selected
    ]
    # A picture that a withdrawal emptied keeps its row and has no name any more.
    rows: list[Row] = [row for row in (*of_posts, *contributed) if row["sha256"]]
    suspect_of = {(row["sha256"], row["class_name"]): row for row in suspects}
    shown = sorted(_one_a_content(rows), key=_shown_place)
    clusters = _Clusters(rows, shown)
    authors: dict[str, int] = {}
    pictures = []
    for row in shown:
        author = row["author_key"] or ""
        if author:
            authors.setdefault(author, len(authors) + 1)
        suspect = suspect_of.get((row["sha256"], row["class_name"]))
        pictures.append(_picture(row, suspect, clusters, authors.get(author, 0)))
    return Gallery(
        classes=tuple(sorted({row["collected_as"] for row in rows})),
        pictures=tuple(pictures),
        by_sha256={picture.sha256: picture for picture in pictures},
    )


class _Verdicts:
    """The last word on each cleaned picture."""

    def __init__(self, curated: Iterable[Row]) -> None:
        self._of_media: dict[tuple[str, str], Row] = {}
        self._of_content: dict[tuple[str, str], Row] = {}
        for row in curated:
            if row["media_key"]:
                self._of_media[row["collected_as"], row["media_key"]] = row
            else:
                # An older version wrote it: nobody could move a picture to another class then,
                # and only the one that cleaning kept of each content has a row.
                self._of_content[row["class_name"], row["sha256"]] = row

    def __call__(self, cleaned: Row) -> Row | None:
        """Return the row of ``curated_dataset`` about a row of ``clean_images``, if there is."""
        class_name = cleaned["class_name"]
        verdict = self._of_media.get((class_name, cleaned["media_key"]))
        if verdict is None and cleaned["kept"]:
            verdict = self._of_content.get((class_name, cleaned["sha256"]))
        return verdict


class _Clusters:
    """Which pictures are copies of one another, and which of them should stay."""

    def __init__(self, rows: Iterable[Row], shown: Iterable[Row]) -> None:
        self.classes: dict[str, set[str]] = {}
        self._sizes = Counter(row["cluster"] for row in shown)
        self._rule_of_keeper: dict[str, str] = {}
        has_keeper: set[str] = set()
        for row in rows:
            # What a person discarded is evidence of nothing, as in curation.
            of_cluster = self.classes.setdefault(row["cluster"], set())
            if row["decision"] != DISCARD:
                of_cluster.add(row["class_name"])
            keeper = row["keeper"]
            if keeper and keeper != row["sha256"]:
                self._rule_of_keeper.setdefault(keeper, row["keeper_rule"])
                has_keeper.add(row["sha256"])
        for sha256 in has_keeper:
            self._rule_of_keeper.pop(sha256, None)

    def group(self, row: Row) -> str:
        """Return the name of a row's group; empty if nothing else is in it."""
        return row["cluster"] if self._sizes[row["cluster"]] > 1 else ""

    def keeper_rule(self, row: Row) -> str | None:
        """Return the rule by which a row's picture is the one of its group to stay, if it is."""
        return self._rule_of_keeper.get(row["sha256"]) if self.group(row) else None


def _joined(cleaned: Row, verdict: Row | None) -> dict[str, Any]:
    """Return a row of ``clean_images`` with the last word on it."""
    row = {**cleaned, "collected_as": cleaned["class_name"], "decision": ""}
    if verdict is not None:
        row |= {column: verdict[column] for column in _LAST_WORD}
    row |= {column: row[column] or "" for column in _MAYBE_NULL}
    row["cluster"] = row["cluster"] or row["sha256"]
    return row


def _one_a_content(rows: Sequence[Row]) -> Iterable[Row]:
    """Return for each content the row that says most: kept, or not just a repetition, or older."""
    chosen: dict[str, Row] = {}
    for row in sorted(rows, key=_telling):
        chosen.setdefault(row["sha256"], row)
    return chosen.values()


def _telling(row: Row) -> tuple[bool, bool, str, str, str]:
    age = row["created_at"] or "", row["media_key"] or ""
    return not row["kept"], row["drop_reason"] == EXACT_DUPLICATE, *age, row["collected_as"]


def _shown_place(row: Row) -> tuple[str, str, str]:
    return row["collected_as"], row["created_at"] or "", row["sha256"]


def _picture(row: Row, suspect: Row | None, clusters: _Clusters, author: int) -> GalleryPicture:
    rule = clusters.keeper_rule(row)
    is_outlier = bool(suspect is not None and suspect["is_outlier"])
    score = suspect["outlier_score"] if suspect is not None and is_outlier else None
    guess = suspect["guess"] or "" if suspect is not None else ""
    is_other_guess = guess != row["class_name"]
    is_contributed = CONTRIBUTED_FLAG in (row["flags"] or ())
    waits = row["drop_reason"] == WAITS_FOR_REVIEW
    return GalleryPicture(
        sha256=row["sha256"],
        extension=row["extension"],
        class_name=row["class_name"],
        collected_as=row["collected_as"],
        is_kept=row["kept"],
        reason=row["drop_reason"] or "",
        flags=tuple(row["flags"] or ()),
        # Nothing comes of it until somebody looks, so it comes first.
        rank=0 if waits else suspect["review_rank"] if suspect is not None else None,
        is_suspect=bool(suspect is not None and suspect["is_suspect"]),
        guess=guess if is_other_guess else "",
        guess_probability=suspect["guess_probability"]
        if suspect is not None and guess and is_other_guess
        else None,
        class_probability=suspect["class_probability"] if suspect is not None else None,
        is_outlier=is_outlier,
        applied=_applied(row),
        why=why_reviewed(
            class_name=row["class_name"],
            drop_reason=row["drop_reason"] or "",
            flags=[flag for flag in row["flags"] or () if flag != CONTRIBUTED_FLAG],
            classes_of_copies=sorted(clusters.classes[row["cluster"]]),
            suspect=suspect,
            discarded=row["decision"] == DISCARD,
        ),
        group=clusters.group(row),
        is_keeper=rule is not None,
        keeper_why=KEEPER_REASONS.get(rule or "", ""),
        author=author,
        width=row["width"],
        height=row["height"],
        bytes=row["bytes"],
        alt=without_addresses(row["alt_text"] or ""),
        posted=(row["created_at"] or "")[:10],
        is_blurred=starts_blurred(
            sensitive=is_sensitive(row["alt_text"] or "", row["tags"] or ()),
            confirmed=row["drop_reason"] != NOT_CONFIRMED,
            outlier_score=score,
        )
        or (is_contributed and not row["decision"]),
        is_contributed=is_contributed,
    )


def _applied(row: Row) -> str:
    """Return what the data set was told about a picture by a person."""
    if row["decision"] in ("", DISCARD):
        return row["decision"] and DISCARDED
    return OTHERWISE if row["drop_reason"] == LABELLED_OTHERWISE else str(row["class_name"])


def effect_of(decision: Decision | None, classes: Collection[str]) -> str:
    """Return what a decision makes of a picture in a data set of these classes.

    Returns:
        The class that it is learnt as, ``DISCARDED``, ``OTHERWISE`` for a class that is not among
        them, or an empty string without a decision. To keep a cat among the cats and to put it
        there has the same effect.
    """
    if decision is None:
        return ""
    if decision.verdict == DISCARD:
        return DISCARDED
    return decision.label if decision.label in classes else OTHERWISE


def without_addresses(description: str) -> str:
    """Return a description without handles, mail and web addresses, which say who somebody is."""
    return _ADDRESS.sub("…", description)
