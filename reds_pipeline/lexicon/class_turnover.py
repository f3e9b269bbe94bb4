"""Which classes of a standing selection stay, go, and come.

What belongs here: the rule, as a pure function of what was decided before, what the new sample
says and what was collected since. What does not: its numbers and the rule in words
(``class_memory.py``), or judging a word by itself (``selection.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reds_pipeline.lexicon.class_memory import (
    AHEAD_AUTHORS,
    AHEAD_RATIO,
    COLLECTING,
    LEARNING,
    LEAST_AUTHORS,
    LEAST_BETWEEN,
    LEAST_LEARNT,
    LEFT,
    NOT_A_CLASS,
    Change,
    ClassChange,
    Classes,
    ClassRow,
    Memory,
    MemoryRules,
    Remembered,
    Supply,
    left_before,
    ordered,
)
from reds_pipeline.lexicon.selection import Candidate, too_few

Overlap = Callable[[Candidate, Iterable[Candidate]], str]


def remembered_classes(
    memory: Memory,
    words: Sequence[Candidate],
    supply: Mapping[str, Supply],
    rules: MemoryRules,
    *,
    overlap: Overlap,
    forgotten: Collection[str],
    now: datetime,
    at: str,
) -> Classes:
    """Decide which classes stay, come and go.

    Args:
        memory: What the last refresh left; at least one class of it is learnt or collected.
        words: ``judged_words`` of the sample and of every class of the memory.
        supply: Pictures of each class that was ever collected; of others nothing is known.
        rules: How classes stay, come and go.
        overlap: Says how a word and one of others include each other, or "" (R-CLS-8).
        forgotten: Classes that left of which nothing is held any more.
        now: The present moment.
        at: The same as tables hold it.
    """
    counts = memory.counted_at is None or now - memory.counted_at >= LEAST_BETWEEN
    refresh = _Refresh(memory, words, supply, rules, overlap, counts, at)
    refresh.leave_what_is_not_allowed()
    refresh.leave_what_is_dry()
    refresh.leave_what_is_too_much()
    refresh.learn_what_is_ready()
    refresh.let_newcomers_enter()
    counted_at = now if counts or memory.counted_at is None else memory.counted_at
    return Classes(refresh.rows(forgotten), tuple(refresh.changes), counted_at)


@dataclass
class _Refresh:
    """One refresh at work; ``standing`` holds what is learnt or collected, in its order."""

    memory: Memory
    words: Sequence[Candidate]
    supply: Mapping[str, Supply]
    rules: MemoryRules
    overlap: Overlap
    counts: bool
    at: str
    standing: dict[str, ClassRow] = field(default_factory=dict)
    left: dict[str, ClassRow] = field(default_factory=dict)
    others: dict[str, ClassRow] = field(default_factory=dict)
    changes: list[ClassChange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._word = {word.lemma: word for word in self.words}
        self._before = {row.lemma: row for row in self.memory.rows}
        for was in self.memory.rows:
            if was.state in (LEARNING, COLLECTING):
                word = self._word[was.lemma]
                if not word.rank and was.query_tags:
                    # The sample does not hold it now; what its timelines are called still holds.
                    word = replace(word, query_tags=was.query_tags)
                self.standing[was.lemma] = ClassRow(
                    word, was.state, was.since, was.dry_refreshes, was.ahead_refreshes
                )

    def leave_what_is_not_allowed(self) -> None:
        """Let go what the rules about words or about other classes reject now."""
        for name, row in list(self.standing.items()):
            others = [other.candidate for key, other in self.standing.items() if key != name]
            older = others[: list(self.standing).index(name)]
            against = "" if row.candidate.accepted else row.candidate.reason
            if against := against or self.overlap(row.candidate, older):
                self._leave(name, f"no longer allowed: {against}")

    def leave_what_is_dry(self) -> None:
        """Count the refreshes that speak against a class, and let it go after enough of them."""
        for name, row in list(self.standing.items()):
            if not self.counts:
                continue
            against = self._against(row)
            if against is None:
                continue
            dry = row.dry_refreshes + 1 if against else 0
            word = replace(row.candidate, reason=against) if against else row.candidate
            self.standing[name] = replace(row, candidate=word, dry_refreshes=dry)
            if dry >= self.rules.patience:
                self._leave(name, f"{against}; so it was for {_times(dry)} in a row")
            elif dry == 1:
                more = self.rules.patience - 1
                self._say(name, "drying", f"{against}; it leaves if that lasts {_times(more)} more")
            elif not dry and row.dry_refreshes:
                self._say(name, "recovered", "it is supplied again")

    def leave_what_is_too_much(self) -> None:
        """Follow a lowered number of classes."""
        while len(self._learnt()) > self.rules.selection.count:
            count = self.rules.selection.count
            weakest = self._weakest().lemma
            if not self._leave(
                weakest, f"it has the fewest authors, and {count} classes are wanted"
            ):
                return

    def learn_what_is_ready(self) -> None:
        """Learn what has enough pictures and a place, or clearly deserves the weakest one's."""
        for row in self._collected():
            supply = self.supply.get(row.lemma, Supply())
            if not self._is_ready(supply):
                continue
            if len(self._learnt()) < self.rules.selection.count:
                self._learn(row, supply)
                continue
            weakest = self._weakest()
            if _is_ahead(row.candidate, weakest.candidate):
                self._learn(row, supply)
                self._leave(
                    weakest.lemma,
                    f"it has the fewest authors in the sample, {weakest.candidate.authors}, and "
                    f"{row.lemma} with {row.candidate.authors} takes its place",
                )

    def let_newcomers_enter(self) -> None:
        """Count who deserves a place, and begin to collect the first of them."""
        newcomers = [word for word in self.words if word.lemma not in self.standing]
        newcomers.sort(key=lambda word: (-word.authors, word.rank))
        for word in newcomers:
            if word.lemma in self.left:
                continue
            self._judge_newcomer(word)

    def rows(self, forgotten: Collection[str]) -> tuple[ClassRow, ...]:
        """Return every word as it is now."""
        earlier = {
            was.lemma: replace(
                left_before(was, self._word.get(was.lemma)),
                ahead_refreshes=self.others[was.lemma].ahead_refreshes,
            )
            for was in self.memory.rows
            if was.state == LEFT and was.lemma not in self.standing and was.lemma not in forgotten
        }
        gone = earlier | self.left
        standing = [
            replace(row, candidate=replace(row.candidate, accepted=True))
            for row in self.standing.values()
        ]
        others = [row for name, row in self.others.items() if name not in gone]
        return ordered([*standing, *others, *gone.values()])

    def _judge_newcomer(self, word: Candidate) -> None:
        """Let a word enter, or say why it does not and how long it has deserved to."""
        was = self._before.get(word.lemma, Remembered(word.lemma, NOT_A_CLASS))
        standing = [row.candidate for row in self.standing.values()]
        against = (
            ("" if word.accepted else word.reason)
            or too_few(word.posts, word.authors, self.rules.selection)
            or self.overlap(word, standing)
        )
        free = self.rules.selection.count - len(self._learnt())
        has_place = len(self._collected()) < free
        deserves = not against and (has_place or _is_ahead(word, self._weakest().candidate))
        ahead = max(was.ahead_refreshes + self.counts, 1) if deserves else 0
        needed = 1 if has_place and was.state != LEFT else self.rules.patience
        # One more than there are places: a newcomer that is to take the place of the weakest.
        has_room = len(self._collected()) <= max(free, 0)
        if deserves and ahead >= needed and has_room:
            self._enter(word, has_place, ahead)
            return
        reason = against or self._not_yet(word, deserves, ahead, needed)
        self.others[word.lemma] = ClassRow(
            replace(word, accepted=False, reason=reason), ahead_refreshes=ahead
        )

    def _enter(self, word: Candidate, has_place: bool, ahead: int) -> None:
        weakest = self._weakest().candidate
        reason = (
            f"a place is free, and {word.authors} authors of the sample use it"
            if has_place
            else f"{word.authors} authors of the sample use it, {weakest.authors} use "
            f"{weakest.lemma}, and it was as far ahead for {_times(ahead)} in a row"
        )
        row = ClassRow(word, COLLECTING, self.at)
        self.standing[word.lemma] = row
        self._say(word.lemma, "entered", reason)
        supply = self.supply.get(word.lemma, Supply())
        # One that left comes back with all that was collected then.
        if has_place and self._is_ready(supply):
            self._learn(row, supply)

    def _not_yet(self, word: Candidate, deserves: bool, ahead: int, needed: int) -> str:
        if deserves and ahead < needed:
            return (
                f"passes every rule and has deserved a place for {_times(ahead)}; it enters after "
                f"{needed} in a row"
            )
        if deserves:
            return "passes every rule, but another is being collected first"
        weakest = self._weakest().candidate
        return (
            f"passes every rule, but no place is free, and its {word.authors} authors are not "
            f"clearly more than the {weakest.authors} of {weakest.lemma}"
        )

    def _against(self, row: ClassRow) -> str | None:
        """Say why a class is dry now, "" if it is not, and None if nobody can know."""
        supply = self.supply.get(row.lemma, Supply())
        if supply.new is None:
            return None
        if supply.new == 0:
            absent = too_few(row.candidate.posts, row.candidate.authors, self.rules.selection)
            if absent:
                return f"no new picture came, and the sample carries {absent}"
            if supply.kept < self.rules.minimum_pictures:
                return (
                    f"no new picture came, and {supply.kept} are fewer than "
                    f"{self.rules.minimum_pictures}"
                )
        if row.state == COLLECTING and not self._has_place(row):
            weakest = self._weakest().candidate
            if not _is_ahead(row.candidate, weakest):
                return f"no place is free, and it is no longer clearly ahead of {weakest.lemma}"
        return ""

    def _has_place(self, row: ClassRow) -> bool:
        """Whether a collected class stands before as many others as there are free places."""
        free = self.rules.selection.count - len(self._learnt())
        return [each.lemma for each in self._collected()].index(row.lemma) < free

    def _is_ready(self, supply: Supply) -> bool:
        return supply.kept >= self.rules.minimum_pictures and supply.authors >= LEAST_AUTHORS

    def _learn(self, row: ClassRow, supply: Supply) -> None:
        self.standing[row.lemma] = replace(
            row, state=LEARNING, since=self.at, dry_refreshes=0, ahead_refreshes=0
        )
        reason = f"{supply.kept} pictures of {supply.authors} authors are there"
        self._say(row.lemma, "learning", reason)

    def _leave(self, name: str, reason: str) -> bool:
        """Let a class go unless too few would be left; return whether it went."""
        row = self.standing[name]
        if row.state == LEARNING and len(self._learnt()) <= LEAST_LEARNT:
            return False
        del self.standing[name]
        self.left[name] = ClassRow(
            replace(row.candidate, accepted=False, reason=reason), LEFT, self.at
        )
        self._say(name, "left", reason)
        return True

    def _say(self, name: str, change: Change, reason: str) -> None:
        self.changes.append(ClassChange(name, change, reason))

    def _learnt(self) -> list[ClassRow]:
        return [row for row in self.standing.values() if row.state == LEARNING]

    def _collected(self) -> list[ClassRow]:
        return [row for row in self.standing.values() if row.state == COLLECTING]

    def _weakest(self) -> ClassRow:
        """The learnt class that the fewest authors of the sample use."""
        return min(self._learnt(), key=lambda row: (row.candidate.authors, row.candidate.posts))


def _is_ahead(one: Candidate, weakest: Candidate) -> bool:
    """Whether clearly more authors use one word than another."""
    return (
        one.authors >= AHEAD_RATIO * weakest.authors
        and one.authors >= weakest.authors + AHEAD_AUTHORS
    )


def _times(refreshes: int) -> str:
    return "one refresh" if refreshes == 1 else f"{refreshes} refreshes"
