"""What is remembered of the classes from one refresh to the next, and the rules by which they go.

What belongs here: states, the numbers of the rules, and the two simple cases: the first refresh,
and classes that a person named. What does not: the decisions about a standing selection
(``class_turnover.py``), judging a word (``selection.py``, ``class_rules.py``), counting pictures
(``class_states.py``), or writing anything down.

A week's sample is small, and a class that came and went with it would throw away what was
collected and learnt. So:

* The first refresh of a home learns what ``select_classes`` chooses, at once.
* A class **stays** while it is supplied. A refresh finds it **dry** if not one usable picture came
  since the last one, and either the sample hardly carries it or it has too few pictures. After
  ``patience`` dry refreshes in a row it leaves; at once only if its word is no longer allowed.
* A newcomer is **collected** first, which takes nothing from anybody. It enters when a place is
  free; or else when ``AHEAD_RATIO`` times as many authors as those of the weakest learnt class,
  and ``AHEAD_AUTHORS`` more, used it in each of ``patience`` refreshes in a row. A class that left
  comes back only after so many, too.
* It is **learnt** once enough pictures of enough authors are kept; if there is no free place, only
  if it is clearly ahead of the weakest learnt class then, which leaves.

Authors are counted, not posts: one person who floods a tag is one author, and what is flooded
away from a sample does not dry up, because each class's own timeline is read too. Refreshes that
follow one another within ``LEAST_BETWEEN`` count as one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from reds_pipeline.lexicon.selection import Candidate, SelectionRules

AHEAD_RATIO = 1.5
"""How many times the authors of the weakest learnt class a newcomer must have in a sample."""
AHEAD_AUTHORS = 3
"""And how many more than that class; of few authors half as many again is chance."""
LEAST_AUTHORS = 6
"""Authors whose pictures a newcomer needs: one for each of five folds and the test."""
LEAST_LEARNT = 2
"""A classifier needs two classes, so of the last two none leaves."""
LEAST_BETWEEN = timedelta(days=1)
"""Refreshes closer than this count once: somebody ran it by hand again."""

State = Literal["", "collecting", "learning", "left"]
NOT_A_CLASS: State = ""
COLLECTING: State = "collecting"
LEARNING: State = "learning"
LEFT: State = "left"

Change = Literal["entered", "learning", "drying", "recovered", "left"]


@dataclass(frozen=True)
class Remembered:
    """What an earlier refresh decided about a word.

    Attributes:
        lemma: The word.
        state: What it was then.
        since: Since when, ISO 8601 in UTC.
        dry_refreshes: How many refreshes in a row had spoken against it.
        ahead_refreshes: How many in a row it would have deserved a place.
        query_tags: What its posts were asked for by.
        synset: Its sense.
        reason: Why it was what it was.
    """

    lemma: str
    state: State
    since: str = ""
    dry_refreshes: int = 0
    ahead_refreshes: int = 0
    query_tags: tuple[str, ...] = ()
    synset: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Memory:
    """What the last refresh left.

    Attributes:
        rows: Its words.
        counted_at: When the last refresh was that counted; None before the first.
    """

    rows: tuple[Remembered, ...] = ()
    counted_at: datetime | None = None


@dataclass(frozen=True)
class Supply:
    """The pictures of a class.

    Attributes:
        kept: Those that cleaning or a person keeps, but for what is too much of one author.
        authors: Distinct authors of those.
        new: How many of those came since the last refresh that counted; None where nothing was
            collected since, so that nothing can be said.
    """

    kept: int = 0
    authors: int = 0
    new: int | None = None


@dataclass(frozen=True)
class MemoryRules:
    """How classes stay, come and go.

    Attributes:
        selection: How words are chosen; its count is how many classes are learnt at most.
        patience: Refreshes in a row after which a class leaves, or a newcomer far ahead enters.
        minimum_pictures: Kept pictures with which a newcomer is learnt.
    """

    selection: SelectionRules
    patience: int
    minimum_pictures: int


@dataclass(frozen=True)
class ClassRow:
    """A word as this refresh leaves it.

    Attributes:
        candidate: The word in the sample; accepted if its posts are to be collected.
        state: What it is now.
        since: Since when, ISO 8601 in UTC; empty for what is no class.
        dry_refreshes: How many refreshes in a row speak against it.
        ahead_refreshes: How many in a row it deserves a place that it does not have.
    """

    candidate: Candidate
    state: State = NOT_A_CLASS
    since: str = ""
    dry_refreshes: int = 0
    ahead_refreshes: int = 0

    @property
    def lemma(self) -> str:
        """The name of the class."""
        return self.candidate.lemma


@dataclass(frozen=True)
class ClassChange:
    """Something that happened to a class, with the reason in words."""

    lemma: str
    change: Change
    reason: str


@dataclass(frozen=True)
class Classes:
    """What a refresh decided.

    Attributes:
        rows: Classes that are learnt, those that are collected, the other words by rank, and the
            classes that left.
        changes: What became different, in the order in which it did.
        counted_at: When the last refresh was that counts.
    """

    rows: tuple[ClassRow, ...]
    changes: tuple[ClassChange, ...]
    counted_at: datetime

    def names(self, *states: State) -> list[str]:
        """Return the classes in these states, in the order of the rows."""
        return [row.lemma for row in self.rows if row.state in states]


def first_classes(candidates: Sequence[Candidate], now: datetime, at: str) -> Classes:
    """Return the classes of a home that had none: all that were chosen are learnt."""
    rows = [
        ClassRow(each, LEARNING, at) if each.accepted else ClassRow(each) for each in candidates
    ]
    changes = [
        ClassChange(row.lemma, "learning", f"chosen by the first refresh: {row.candidate.reason}")
        for row in rows
        if row.state == LEARNING
    ]
    return Classes(ordered(rows), tuple(changes), now)


def classes_by_name(
    memory: Memory,
    named: Sequence[Candidate],
    forgotten: Collection[str],
    now: datetime,
    at: str,
) -> Classes:
    """Return the classes that a person named, which are always learnt.

    Args:
        memory: What the last refresh left.
        named: The candidates of ``named_classes``.
        forgotten: Classes that left of which nothing is held any more.
        now: The present moment.
        at: The same as tables hold it.
    """
    before = {row.lemma: row for row in memory.rows}
    names = {each.lemma for each in named}
    rows, changes = [], []
    for each in named:
        was = before.get(each.lemma)
        if was is not None and was.state == LEARNING:
            rows.append(ClassRow(each, LEARNING, was.since))
        else:
            rows.append(ClassRow(each, LEARNING, at))
            changes.append(ClassChange(each.lemma, "learning", "a person named it"))
    for was in memory.rows:
        if was.lemma in names or was.state == NOT_A_CLASS:
            continue
        if was.state == LEFT:
            if was.lemma not in forgotten:
                rows.append(left_before(was, None))
        else:
            reason = "not among the classes that a person named"
            changes.append(ClassChange(was.lemma, "left", reason))
            rows.append(ClassRow(gone(was, None, reason), LEFT, at))
    return Classes(ordered(rows), tuple(changes), now)


def left_before(was: Remembered, word: Candidate | None) -> ClassRow:
    """Return the row of a class that left earlier, with its word in the sample if that is known."""
    return ClassRow(
        gone(was, word, was.reason), LEFT, was.since, ahead_refreshes=was.ahead_refreshes
    )


def gone(was: Remembered, word: Candidate | None, reason: str) -> Candidate:
    """Return the word of a class that left, with the reason; its hashtags are remembered."""
    if word is None:
        word = Candidate(was.lemma, was.synset, 0, 0, 0, accepted=False, reason="", query_tags=())
    return replace(
        word, accepted=False, reason=reason, query_tags=was.query_tags or word.query_tags
    )


def ordered(rows: Iterable[ClassRow]) -> tuple[ClassRow, ...]:
    """Return rows by state, otherwise as they come."""
    places = {LEARNING: 0, COLLECTING: 1, NOT_A_CLASS: 2, LEFT: 3}
    return tuple(sorted(rows, key=lambda row: places[row.state]))
