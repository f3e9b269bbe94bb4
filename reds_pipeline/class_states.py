"""The classes of a home: which are learnt, collected or gone, since when, and why.

What belongs here: reading what the class selection remembers, counting what each class has, and
the ledger's record of changes. What does not: deciding (``lexicon.class_turnover``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reds_pipeline.imaging.author_share import beyond_share
from reds_pipeline.lexicon.class_memory import (
    COLLECTING,
    LEARNING,
    LEFT,
    NOT_A_CLASS,
    ClassChange,
    Classes,
    Memory,
    Remembered,
    State,
    Supply,
)
from reds_pipeline.review.decisions import DecisionBook
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import CLASS_SELECTION, CLEAN_IMAGES, read_rows

CLASS_CHANGE = "class_change"
TABLE = "class_selection"

Row = Mapping[str, Any]

_IN_WORDS: dict[str, str] = {
    "entered": "is collected from now on",
    "learning": "is learnt from now on",
    "drying": "is drying up",
    "recovered": "has recovered",
    "left": "has left",
}


@dataclass(frozen=True)
class ClassState:
    """A class as people see it.

    Attributes:
        name: The class.
        state: ``learning``, ``collecting`` or ``left``.
        since: Since when, ISO 8601 in UTC; empty where an older version of REDS chose it.
        dry_refreshes: How many refreshes in a row spoke against it.
        reason: Why it is a class or none, as the last refresh put it.
    """

    name: str
    state: State
    since: str
    dry_refreshes: int
    reason: str


def state_of(row: Row) -> State:
    """Return the state of a row of the selection, also of one by an older version of REDS."""
    if row.get("state") is None:
        return LEARNING if row["accepted"] else NOT_A_CLASS
    state: State = row["state"]
    return state


def class_states(home: Home) -> list[ClassState]:
    """Return every class, those that left too, in the order of the selection."""
    return [
        ClassState(
            name=row["lemma"],
            state=state_of(row),
            since=row["since"] or "",
            dry_refreshes=row["dry_refreshes"] or 0,
            reason=row["reason"],
        )
        for row in _selection(home)
        if state_of(row) != NOT_A_CLASS
    ]


def classes_in(home: Home, *states: State) -> list[str]:
    """Return the names of the classes in these states, in the order of the selection."""
    return [row["lemma"] for row in _selection(home) if state_of(row) in states]


def left_classes(home: Home) -> dict[str, str]:
    """Return the classes that left of which something may be held, and since when."""
    return {each.name: each.since for each in class_states(home) if each.state == LEFT}


def learnt_rows_of(selection: Iterable[Row]) -> list[Row]:
    """Return the rows of a selection whose classes are learnt."""
    return [row for row in selection if state_of(row) == LEARNING]


def remembered(home: Home) -> Memory:
    """Return what the last refresh left."""
    rows = _selection(home)
    counted = max((row["counted_at"] or "" for row in rows), default="")
    return Memory(
        rows=tuple(
            Remembered(
                lemma=row["lemma"],
                state=state_of(row),
                since=row["since"] or "",
                dry_refreshes=row["dry_refreshes"] or 0,
                ahead_refreshes=row["ahead_refreshes"] or 0,
                query_tags=tuple(row["query_tags"] or ()),
                synset=row["synset"] or "",
                reason=row["reason"],
            )
            for row in rows
        ),
        counted_at=datetime.fromisoformat(counted) if counted else None,
    )


def forgotten(home: Home, memory: Memory) -> set[str]:
    """Return the classes that left and of which housekeeping has removed everything."""
    return {
        row.lemma
        for row in memory.rows
        if row.state == LEFT and not home.table("posts", row.lemma).exists()
    }


def class_supply(
    home: Home, name: str, decisions: DecisionBook, *, since: str, collected: bool
) -> Supply:
    """Count the pictures of a class.

    Args:
        home: Where the tables are.
        name: The class.
        decisions: What people decided.
        since: The time of the last refresh that counted.
        collected: Whether a collection of the class has finished since; if not, nobody knows
            whether there is anything new.
    """
    rows, unchosen = {}, {}
    for row in read_rows(home.table("clean_images", name), CLEAN_IMAGES):
        decision = decisions.of(row["sha256"])
        if row["kept"] if decision is None else decision.label == name:
            rows[row["sha256"]] = row
            if decision is None:
                unchosen[row["sha256"]] = row["author_key"]
    new = sum(row["collected_at"] > since for row in rows.values())
    return Supply(
        # As the data set will see it, or one who floods a class would bring it in.
        kept=len(rows) - len(beyond_share(list(unchosen.values()), len(unchosen))),
        authors=len({row["author_key"] for row in rows.values()}),
        new=new if collected else None,
    )


def table_rows(classes: Classes, counted_at: str) -> list[dict[str, Any]]:
    """Return the rows of the table ``CLASS_SELECTION``.

    Args:
        classes: What a refresh decided.
        counted_at: ``classes.counted_at`` as tables hold it.
    """
    return [
        {
            "lemma": row.lemma,
            "synset": row.candidate.synset,
            "rank": row.candidate.rank,
            "posts": row.candidate.posts,
            "authors": row.candidate.authors,
            "accepted": row.state in (LEARNING, COLLECTING),
            "reason": row.candidate.reason,
            "query_tags": list(row.candidate.query_tags),
            "state": row.state,
            "since": row.since,
            "dry_refreshes": row.dry_refreshes,
            "ahead_refreshes": row.ahead_refreshes,
            "counted_at": counted_at,
        }
        for row in classes.rows
    ]


def record_changes(ledger: Ledger, changes: Sequence[ClassChange]) -> list[ClassChange]:
    """Write changes down, before the selection itself, and return those that were new.

    No class does the same thing twice in a row, so a refresh that was killed after this and is
    repeated writes nothing twice.
    """
    last = {event["subject"]: event["change"] for event in ledger.events(CLASS_CHANGE)}
    new = []
    for change in changes:
        if last.get(change.lemma) != change.change:
            new.append(change)
            last[change.lemma] = change.change
    ledger.append_many(
        CLASS_CHANGE,
        [(each.lemma, {"change": each.change, "reason": each.reason}) for each in new],
    )
    return new


def in_words(change: str) -> str:
    """Return what happened to a class, as the rest of a sentence that begins with its name."""
    return _IN_WORDS[change]


def class_changes(ledger: Ledger, classes: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the events ``class_change``, oldest first; of some classes or of all.

    Each holds ``at``, ``subject`` (the class), ``change`` and ``reason``.
    """
    return [
        event for event in ledger.events(CLASS_CHANGE) if not classes or event["subject"] in classes
    ]


def _selection(home: Home) -> list[dict[str, Any]]:
    return read_rows(home.table(TABLE), CLASS_SELECTION)
