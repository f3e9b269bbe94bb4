from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.lexicon.class_memory import (
    COLLECTING,
    LEARNING,
    LEFT,
    ClassChange,
    Classes,
    Memory,
    MemoryRules,
    Remembered,
    Supply,
    classes_by_name,
    first_classes,
)
from reds_pipeline.lexicon.class_turnover import remembered_classes
from reds_pipeline.lexicon.selection import Candidate, SelectionRules

START = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
RULES = MemoryRules(SelectionRules(count=3), patience=3, minimum_pictures=50)
MANY = Supply(kept=200, authors=40, new=10)
NOTHING_NEW = replace(MANY, new=0)


def word(name: str, authors: int, posts: int | None = None, against: str = "") -> Candidate:
    return Candidate(
        lemma=name,
        synset=f"{name}.n.01",
        rank=1 if authors else 0,
        posts=2 * authors if posts is None else posts,
        authors=authors,
        accepted=not against,
        reason=against or "passes every rule",
        query_tags=(name,),
    )


def no_overlap(one: Candidate, others: Iterable[Candidate]) -> str:
    return ""


@dataclass
class Weeks:
    """One home, refreshed week after week."""

    rules: MemoryRules = RULES
    now: datetime = START
    memory: Memory = field(default_factory=Memory)
    changes: list[ClassChange] = field(default_factory=list)

    def first(self, *names: str) -> Weeks:
        self._keep(first_classes([word(name, 20) for name in names], self.now, self._at()))
        self.changes.clear()
        return self

    def week(
        self,
        sample: Mapping[str, object],
        supply: Mapping[str, Supply] | None = None,
        after: timedelta = WEEK,
        **others: object,
    ) -> list[tuple[str, str]]:
        """Refresh, and return what changed; a class has many new pictures unless it is said."""
        self.now += after
        before = len(self.changes)
        words = {row.lemma: word(row.lemma, 0) for row in self.memory.rows} | {
            name: found if isinstance(found, Candidate) else word(name, int(str(found)))
            for name, found in sample.items()
        }
        known = {row.lemma: MANY for row in self.memory.rows if row.state}
        self._keep(
            remembered_classes(
                self.memory,
                list(words.values()),
                known | dict(supply or {}),
                self.rules,
                overlap=others.get("overlap", no_overlap),  # type: ignore[arg-type]
                forgotten=(),
                now=self.now,
                at=self._at(),
            )
        )
        return [(change.lemma, change.change) for change in self.changes[before:]]

    def states(self) -> dict[str, str]:
        return {row.lemma: row.state for row in self.memory.rows if row.state}

    def _keep(self, classes: Classes) -> None:
        self.changes += classes.changes
        self.memory = Memory(
            tuple(
                Remembered(
                    row.lemma,
                    row.state,
                    row.since,
                    row.dry_refreshes,
                    row.ahead_refreshes,
                    row.candidate.query_tags,
                    reason=row.candidate.reason,
                )
                for row in classes.rows
            ),
            classes.counted_at,
        )

    def _at(self) -> str:
        return self.now.isoformat()


ALL = {"cat": 20, "dog": 20, "owl": 20}


@pytest.fixture
def weeks() -> Weeks:
    return Weeks().first("cat", "dog", "owl")


def test_the_first_refresh_learns_what_was_chosen() -> None:
    chosen = [word("cat", 9), word("love", 9, against="abstract"), word("dog", 9)]
    classes = first_classes(chosen, START, "2026-01-05T03:00:00Z")
    assert classes.names(LEARNING) == ["cat", "dog"]
    assert [(each.lemma, each.change) for each in classes.changes] == [
        ("cat", "learning"),
        ("dog", "learning"),
    ]
    assert classes.counted_at == START


def test_classes_do_not_flap_with_the_weeks_sample(weeks: Weeks) -> None:
    """Their own timelines bring pictures, whatever the newest posts are about."""
    for number in range(8):
        loud = {f"word{number}": 25, "cat": 0}
        assert weeks.week(ALL | loud) == []
    assert weeks.states() == dict.fromkeys(("cat", "dog", "owl"), LEARNING)


def test_a_class_leaves_after_it_was_dry_for_long_enough_in_a_row(weeks: Weeks) -> None:
    dry = {"owl": NOTHING_NEW}
    without = {"cat": 20, "dog": 20}
    assert weeks.week(without, dry) == [("owl", "drying")]
    assert weeks.week(without, dry) == []
    assert weeks.week(without) == [("owl", "recovered")]
    assert weeks.week(without, dry) == [("owl", "drying")]
    assert weeks.week(without, dry) == []
    assert weeks.week(without, dry) == [("owl", "left")]
    assert weeks.states() == {"cat": LEARNING, "dog": LEARNING, "owl": LEFT}
    assert (
        "no new picture came, and the sample carries too few posts: 0" in weeks.changes[-1].reason
    )
    assert "for 3 refreshes in a row" in weeks.changes[-1].reason


def test_the_sample_or_a_new_picture_alone_keeps_a_class(weeks: Weeks) -> None:
    for _ in range(4):
        assert weeks.week(ALL, {"owl": NOTHING_NEW}) == []
        assert weeks.week({"cat": 20, "dog": 20}, {"owl": replace(MANY, new=1)}) == []


@pytest.mark.req("R-SCR-11")
def test_a_class_whose_pictures_were_withdrawn_leaves_though_people_use_its_word(
    weeks: Weeks,
) -> None:
    few = {"owl": Supply(kept=7, authors=4, new=0)}
    assert [weeks.week(ALL, few) for _ in range(3)] == [[("owl", "drying")], [], [("owl", "left")]]
    assert "7 are fewer than 50" in weeks.changes[-1].reason


def test_a_collection_that_failed_says_nothing_about_the_supply(weeks: Weeks) -> None:
    unknown = {"owl": replace(MANY, new=None)}
    for _ in range(5):
        assert weeks.week({"cat": 20, "dog": 20}, unknown) == []


def test_refreshes_on_one_day_count_once(weeks: Weeks) -> None:
    dry = {"owl": NOTHING_NEW}
    weeks.week({"cat": 20, "dog": 20}, dry)
    for _ in range(6):
        assert weeks.week({"cat": 20, "dog": 20}, dry, after=timedelta(hours=1)) == []
    assert weeks.states()["owl"] == LEARNING
    assert {row.dry_refreshes for row in weeks.memory.rows} == {0, 1}


def test_two_classes_always_stay() -> None:
    weeks = Weeks().first("cat", "dog")
    gone = {"cat": NOTHING_NEW, "dog": NOTHING_NEW}
    changes = [change for _ in range(6) for change in weeks.week({}, gone)]
    assert changes == [("cat", "drying"), ("dog", "drying")]
    assert set(weeks.states().values()) == {LEARNING}


def test_what_is_no_longer_allowed_leaves_at_once(weeks: Weeks) -> None:
    rejected = word("owl", 20, against="political: on the reviewed list")
    assert weeks.week(ALL | {"owl": rejected}) == [("owl", "left")]
    assert weeks.changes[-1].reason == "no longer allowed: political: on the reviewed list"


@pytest.mark.req("R-CLS-8")
def test_what_became_a_kind_of_another_leaves_at_once(weeks: Weeks) -> None:
    def overlap(one: Candidate, others: Iterable[Candidate]) -> str:
        names = [other.lemma for other in others]
        return "a kind of the class cat" if one.lemma == "owl" and "cat" in names else ""

    assert weeks.week(ALL, overlap=overlap) == [("owl", "left")]


def test_a_free_place_is_filled_by_collecting_first(weeks: Weeks) -> None:
    weeks.rules = replace(RULES, selection=SelectionRules(count=4))
    assert weeks.week(ALL | {"fox": 8, "bee": 9}) == [("bee", "entered")]
    assert weeks.states()["bee"] == COLLECTING
    few = {"bee": Supply(kept=49, authors=20, new=49)}
    assert weeks.week(ALL | {"bee": 9}, few) == []
    of_one = {"bee": Supply(kept=300, authors=5, new=251)}
    assert weeks.week(ALL | {"bee": 9}, of_one) == [], "five authors cannot fill five folds"
    enough = {"bee": Supply(kept=50, authors=6, new=50)}
    assert weeks.week(ALL | {"bee": 9}, enough) == [("bee", "learning")]
    assert "50 pictures of 6 authors" in weeks.changes[-1].reason


def test_a_newcomer_that_never_gets_enough_pictures_makes_room_for_the_next(weeks: Weeks) -> None:
    weeks.rules = replace(RULES, selection=SelectionRules(count=4))
    sample = ALL | {"fox": 8, "bee": 9}
    weeks.week(sample)
    none = {"bee": Supply(kept=3, authors=2, new=0)}
    changes = [change for _ in range(3) for change in weeks.week(sample, none)]
    assert changes == [("bee", "drying"), ("bee", "left"), ("fox", "entered")]
    assert weeks.week(sample) == [("fox", "learning")]


def test_a_newcomer_must_be_clearly_and_repeatedly_ahead(weeks: Weeks) -> None:
    """29 is less than one and a half times 20, 30 is just that."""
    assert [weeks.week(ALL | {"fox": 29}) for _ in range(5)] == [[]] * 5
    assert [weeks.week(ALL | {"fox": 30}) for _ in range(2)] == [[], []]
    assert weeks.week(ALL | {"fox": 29}) == []
    assert [weeks.week(ALL | {"fox": 30}) for _ in range(2)] == [[], []]
    assert weeks.week(ALL | {"fox": 30}) == [("fox", "entered")]
    assert weeks.states() == dict.fromkeys(ALL, LEARNING) | {"fox": COLLECTING}


def test_a_newcomer_takes_the_place_of_the_weakest_only_when_it_can_be_learnt(weeks: Weeks) -> None:
    sample = {"cat": 30, "dog": 20, "owl": 18, "fox": 40}
    for _ in range(3):
        weeks.week(sample)
    few = {"fox": Supply(kept=20, authors=10, new=20)}
    assert weeks.week(sample, few) == []
    assert weeks.week(sample) == [("fox", "learning"), ("owl", "left")]
    assert "fox with 40 takes its place" in weeks.changes[-1].reason


def test_a_newcomer_that_falls_back_while_it_is_collected_takes_nobodys_place(
    weeks: Weeks,
) -> None:
    for _ in range(3):
        weeks.week(ALL | {"fox": 40})
    changes = [change for _ in range(3) for change in weeks.week(ALL | {"fox": 21})]
    assert changes == [("fox", "drying"), ("fox", "left")]
    assert set(weeks.states().values()) == {LEARNING, LEFT}


def test_what_left_comes_back_after_as_long_and_with_what_it_has(weeks: Weeks) -> None:
    for _ in range(3):
        weeks.week({"cat": 20, "dog": 20}, {"owl": NOTHING_NEW})
    assert weeks.states()["owl"] == LEFT
    assert [weeks.week(ALL) for _ in range(2)] == [[], []]
    [why] = [row.reason for row in weeks.memory.rows if row.lemma == "owl"]
    assert "no new picture came" in why, "people are told why it left for as long as it is gone"
    assert weeks.week(ALL) == [("owl", "entered"), ("owl", "learning")]


@pytest.mark.parametrize("authors", [1, 2])
def test_one_author_who_floods_a_tag_brings_nothing_in_and_throws_nothing_out(
    weeks: Weeks, authors: int
) -> None:
    """900 of 1000 posts are theirs, so little else is in the sample."""
    weeks.rules = replace(RULES, selection=SelectionRules(count=4))
    flooded = {"cat": 2, "dog": 1, "owl": 0, "poison": word("poison", authors, posts=900)}
    for _ in range(6):
        assert weeks.week(flooded) == []
    assert weeks.states() == dict.fromkeys(ALL, LEARNING)


def test_few_authors_who_flood_do_not_outrank_a_class_that_they_drowned(weeks: Weeks) -> None:
    """One and a half times nearly nothing is nothing; three authors more are asked for."""
    flooded = {"cat": 2, "dog": 2, "owl": 1, "poison": word("poison", 3, posts=900)}
    for _ in range(6):
        assert weeks.week(flooded) == []


def test_fewer_places_let_the_weakest_go(weeks: Weeks) -> None:
    weeks.rules = replace(RULES, selection=SelectionRules(count=2))
    assert weeks.week({"cat": 20, "dog": 9, "owl": 12}) == [("dog", "left")]


def test_named_classes_are_always_learnt(weeks: Weeks) -> None:
    named = [word("cat", 0), word("sunset", 0)]
    classes = classes_by_name(weeks.memory, named, (), START + WEEK, "later")
    assert classes.names(LEARNING) == ["cat", "sunset"]
    assert [(each.lemma, each.change) for each in classes.changes] == [
        ("sunset", "learning"),
        ("dog", "left"),
        ("owl", "left"),
    ]
    since = {row.lemma: row.since for row in classes.rows}
    assert since["cat"] == START.isoformat()
    assert since["sunset"] == "later"


def test_what_left_is_forgotten_once_nothing_of_it_is_held(weeks: Weeks) -> None:
    named = [word("cat", 0), word("dog", 0)]
    weeks._keep(classes_by_name(weeks.memory, named, (), START + WEEK, "later"))
    kept = classes_by_name(weeks.memory, named, (), START + 2 * WEEK, "later")
    assert kept.names(LEFT) == ["owl"]
    assert not kept.changes
    assert classes_by_name(weeks.memory, named, {"owl"}, START, "later").names(LEFT) == []


_NAMES = ("ant", "bee", "cat", "dog", "elk", "fox")
_SUPPLIES = st.builds(
    Supply,
    kept=st.integers(0, 120),
    authors=st.integers(0, 12),
    new=st.none() | st.integers(0, 2),
)


@given(
    weekly=st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(_NAMES), st.integers(0, 60), max_size=6),
            st.dictionaries(st.sampled_from(_NAMES), _SUPPLIES, max_size=6),
        ),
        max_size=14,
    )
)
def test_whatever_happens_the_selection_stays_sound(
    weekly: Sequence[tuple[dict[str, int], dict[str, Supply]]],
) -> None:
    weeks = Weeks().first("ant", "bee", "cat")
    last: dict[str, str] = dict.fromkeys(("ant", "bee", "cat"), "learning")
    for sample, supply in weekly:
        before = weeks.states()
        for name, change in weeks.week(sample, supply):
            assert last.get(name) != change, "a change is told once"
            last[name] = change
        states = weeks.states()
        learnt = [name for name, state in states.items() if state == LEARNING]
        assert 2 <= len(learnt) <= 3
        assert sum(state == COLLECTING for state in states.values()) <= 2
        for name in set(learnt) - {n for n, state in before.items() if state == LEARNING}:
            assert supply.get(name, MANY).kept >= 50
        assert all(each.reason for each in weeks.changes)
