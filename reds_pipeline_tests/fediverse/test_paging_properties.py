"""Timelines that change, fail and filter while they are read: what is collected is the truth."""

from __future__ import annotations

import functools
import itertools
import json
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reds_pipeline.fediverse.collection import Collected, Known, collect_posts
from reds_pipeline.fediverse.hosts import HostProfile
from reds_pipeline.fediverse.timelines import PagingRules
from reds_pipeline.fediverse.web.transport import RequestPace
from reds_pipeline.storage.journal import Journal
from reds_pipeline_tests.fediverse.makers import MASTODON, PIXELFED, entity, reader
from reds_pipeline_tests.fediverse.power_cuts import FragileJournal, Killed, MortalClient
from reds_pipeline_tests.fediverse.scripted_host import (
    NOT_FOUND,
    Asked,
    Reply,
    ScriptedHost,
    as_json,
)

TAGS = ("cat", "cats")
ONCE = RequestPace(per_second=None, retries=0, backoff_seconds=0.001, longest_wait_seconds=0.01)
# A minute in Pixelfed's ids; posts of a test lie some minutes apart.
MINUTE = 60_000 << 22
BEGINNING = 200_000_000_000 << 22
OPEN_PIXELFED = replace(PIXELFED, tag_timeline="anonymous")


class Feed:
    """Timelines of two tags on a host with habits."""

    def __init__(self, server: ScriptedHost, client: MortalClient) -> None:
        self.server = server
        self.client = client
        self.posts: dict[str, dict[int, dict[str, Any]]] = {tag: {} for tag in TAGS}
        self.window = 10**9
        self.filtered: set[int] = set()
        self.broken: set[int] = set()
        self.before_each_answer: Callable[[], None] = lambda: None
        client.requests_left = 10**9
        server.asked.clear()
        server.answer = self._answer

    def _answer(self, asked: Asked) -> Reply:
        if asked.path == "/robots.txt":
            return NOT_FOUND
        self.before_each_answer()
        below = int(asked.query.get("max_id", 2**63))
        posts = self.posts[asked.path.rpartition("/")[2]]
        rows = sorted((number for number in posts if number < below), reverse=True)
        shown = [number for number in rows[: self.window] if number not in self.filtered]
        page = shown[: int(asked.query["limit"])]
        if not self.broken.isdisjoint(page):
            return as_json({"error": "Server Error"}, 500)
        return as_json([posts[number] for number in page])

    def put(self, number: int, *, tags: tuple[str, ...] = TAGS, sensitive: bool = False) -> None:
        for tag in tags:
            self.posts[tag][number] = entity(str(number), sensitive=sensitive)

    def remove(self, number: int) -> list[int]:
        """Delete a post and return its id, or nothing where there is none."""
        return [number for posts in self.posts.values() if posts.pop(number, None)]

    def collect(
        self,
        journal: Journal,
        known: Known,
        *,
        page: int,
        wanted: int = 10**6,
        max_pages: int = 1000,
        profile: HostProfile = OPEN_PIXELFED,
    ) -> Collected:
        return collect_posts(
            self.client,
            profile,
            tags=TAGS,
            reader=reader(),
            wanted_images=wanted,
            journal=journal,
            known=known,
            rules=PagingRules(limit=page, max_pages=max_pages),
        )

    def truth(self) -> dict[int, bool]:
        """Every post that can be seen, and whether it may be kept."""
        return {
            number: not post["sensitive"]
            for posts in self.posts.values()
            for number, post in posts.items()
            if number not in self.filtered and number not in self.broken
        }


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[ScriptedHost, MortalClient]]:
    with ScriptedHost() as server:
        client = MortalClient(server.url, pace=ONCE)
        with client:
            client.robots_refusal("/")
            yield server, client


def kept_ids(collected: Collected) -> set[int]:
    return {int(row["post_id"]) for row in collected.rows if row["status"] == "kept"}


def as_known(collected: Collected) -> Known:
    return Known(collected.rows, collected.cursors)


def may_be_kept(truth: dict[int, bool]) -> set[int]:
    return {number for number, keep in truth.items() if keep}


def _each_time(act: Callable[[int], None], numbers: Iterator[int]) -> None:
    act(next(numbers))


@dataclass(frozen=True)
class Run:
    """One run of a collection, and what happens to the host before and during it."""

    arrivals: int
    arrivals_meanwhile: int
    removals: tuple[int, ...]
    appends: int
    dies_after_append: bool
    table_written: bool
    wanted: int
    max_pages: int


_RUNS = st.builds(
    Run,
    arrivals=st.integers(0, 25),
    arrivals_meanwhile=st.integers(0, 4),
    removals=st.lists(st.integers(0, 100), max_size=4).map(tuple),
    appends=st.integers(0, 6),
    dies_after_append=st.booleans(),
    table_written=st.booleans(),
    wanted=st.sampled_from([1, 20, 10**6]),
    max_pages=st.sampled_from([2, 150]),
)
_PROPERTY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@_PROPERTY
@given(
    history=st.lists(_RUNS, max_size=5),
    page=st.integers(3, 9),
    gated_every=st.integers(1, 5),
    profile=st.sampled_from([MASTODON, OPEN_PIXELFED]),
)
def test_whatever_is_killed_when_the_collected_set_is_the_truth(
    *,
    running: tuple[ScriptedHost, MortalClient],
    tmp_path_factory: pytest.TempPathFactory,
    history: list[Run],
    page: int,
    gated_every: int,
    profile: HostProfile,
) -> None:
    """Posts come and go between the requests of runs that are killed."""
    path = tmp_path_factory.mktemp("journals") / "cat.jsonl"
    feed = Feed(*running)
    known = Known()
    arrived = 0
    removed: set[int] = set()

    def arrive(number: int) -> None:
        nonlocal arrived
        for place in range(arrived + 1, arrived + number + 1):
            feed.put(
                BEGINNING + place * 7 * MINUTE,
                tags=TAGS[: 1 + place % 3],
                sensitive=gated_every > 1 and place % gated_every == 0,
            )
        arrived += number

    arrive(20)
    for run in history:
        arrive(run.arrivals)
        for place in run.removals:
            removed.update(feed.remove(BEGINNING + place * 7 * MINUTE))
        late = itertools.chain([1] * run.arrivals_meanwhile, itertools.repeat(0))
        feed.before_each_answer = functools.partial(_each_time, arrive, late)
        try:
            done = feed.collect(
                FragileJournal(path, run.appends, after=run.dies_after_append),
                known,
                page=page,
                wanted=run.wanted,
                max_pages=run.max_pages,
                profile=profile,
            )
        except Killed:
            continue
        # Killed between writing the tables and deleting the journal, or not killed at all.
        known = as_known(done)
        if run.table_written:
            Journal(path).delete()
    feed.before_each_answer = lambda: None
    # Once to close what was open, once more for what arrived meanwhile.
    done = feed.collect(Journal(path), known, page=page, profile=profile)
    done = feed.collect(Journal(path), as_known(done), page=page, profile=profile)
    truth = feed.truth()
    # Posts that were deleted after they had been seen stay until they are checked again.
    assert kept_ids(done) - removed == may_be_kept(truth)
    assert kept_ids(done) <= may_be_kept(truth) | removed
    assert {row["post_key"] for row in done.rows if row["status"] == "gated"} >= {
        reader().key("pix.example", str(number)) for number, keep in truth.items() if not keep
    }
    assert all(cursor.exhausted for cursor in done.cursors)
    feed.server.asked.clear()
    feed.collect(Journal(path), as_known(done), page=page, profile=profile)
    assert len(feed.server.asked) == len(TAGS)


@_PROPERTY
@given(
    gaps=st.lists(st.integers(1, 400), min_size=1, max_size=60),
    broken_places=st.sets(st.integers(0, 10), max_size=3),
    page=st.integers(1, 40),
    late=st.lists(st.integers(0, 60), max_size=3),
)
def test_of_posts_that_break_their_pages_nothing_else_is_lost(
    *,
    running: tuple[ScriptedHost, MortalClient],
    tmp_path_factory: pytest.TempPathFactory,
    gaps: list[int],
    broken_places: set[int],
    page: int,
    late: list[int],
) -> None:
    """Broken posts six places apart and a quarter of an hour from the post above.

    Nearer to each other than to the post above, one can hide what lies between. Posts that got
    their tag late stand among those that were not walked yet.
    """
    feed = Feed(*running)
    numbers = [BEGINNING]
    for place, gap in enumerate(gaps):
        numbers.append(numbers[-1] + (15 if (place + 1) % 6 < 2 else 15 + gap) * MINUTE)
    for number in numbers:
        feed.put(number)
    # Not the oldest: below it there is nothing by which it could be told from a failing host.
    feed.broken = {numbers[6 * place] for place in broken_places if 0 < 6 * place < len(numbers)}
    pending = iter(late)

    def tag_late() -> None:
        place = next(pending, None)
        if place is not None and len(feed.server.asked) < 2:
            feed.put(numbers[place % len(numbers)] + 1)

    feed.before_each_answer = tag_late
    path = tmp_path_factory.mktemp("journals") / "cat.jsonl"
    done = feed.collect(Journal(path), Known(), page=page)
    assert kept_ids(done) == may_be_kept(feed.truth())
    assert done.unreadable == len(feed.broken) * len(TAGS)
    assert all(cursor.exhausted for cursor in done.cursors)


@_PROPERTY
@given(
    lengths=st.tuples(st.integers(0, 36), st.integers(0, 36)),
    window=st.integers(3, 12),
    page=st.integers(4, 12),
)
def test_whole_windows_of_filtered_posts_hide_nothing_below_them(
    running: tuple[ScriptedHost, MortalClient],
    tmp_path_factory: pytest.TempPathFactory,
    lengths: tuple[int, int],
    window: int,
    page: int,
) -> None:
    """As Pixelfed filters the rows that it looked at, here up to twelve days of three rows each.

    What is between two such stretches, and below them, is longer than a leap.
    """
    feed = Feed(*running)
    numbers = [BEGINNING + place * 480 * MINUTE for place in range(160)]
    for number in numbers:
        feed.put(number, tags=("cat",))
    feed.window = window
    feed.filtered = {*numbers[40 : 40 + lengths[0]], *numbers[115 : 115 + lengths[1]]}
    path = tmp_path_factory.mktemp("journals") / "cat.jsonl"
    assert kept_ids(feed.collect(Journal(path), Known(), page=page)) == set(feed.truth())


def test_a_kill_at_any_request_resumes(
    running: tuple[ScriptedHost, MortalClient], tmp_path: Path
) -> None:
    feed = Feed(*running)
    for place in range(60):
        feed.put(
            BEGINNING + place * 5 * MINUTE, tags=TAGS[: 1 + place % 2], sensitive=place % 7 == 3
        )
    feed.broken = {BEGINNING + 20 * 5 * MINUTE}
    unbroken = feed.collect(Journal(tmp_path / "unbroken.jsonl"), Known(), page=8)
    requests = len(feed.server.asked)
    assert kept_ids(unbroken) == may_be_kept(feed.truth())
    for cut in range(0, requests, 7):
        path = tmp_path / f"{cut}.jsonl"
        feed.client.requests_left = cut
        with pytest.raises(Killed):
            feed.collect(Journal(path), Known(), page=8)
        feed.client.requests_left = 10**9
        resumed = feed.collect(Journal(path), Known(), page=8)
        assert kept_ids(resumed) == kept_ids(unbroken), cut
        assert resumed.counts == unbroken.counts, cut
        assert [cursor.oldest_id for cursor in resumed.cursors] == [
            cursor.oldest_id for cursor in unbroken.cursors
        ]


def test_ten_thousand_posts_are_collected_in_bounded_memory(
    running: tuple[ScriptedHost, MortalClient], tmp_path: Path
) -> None:
    """Rows and ids only: no answer of the host stays (posts here are 2 kB, answers 20 MB)."""
    server, client = running
    template = json.dumps(entity("ID"))

    def answer(asked: Asked) -> Reply:
        top = min(int(asked.query.get("max_id", 10**9)), 10_001)
        page = (template.replace("ID", str(number)) for number in range(top - 1, top - 41, -1))
        body = f"[{','.join(page)}]" if top > 1 else "[]"
        return Reply(200, body.encode(), {"Content-Type": "application/json"})

    server.answer = answer
    tracemalloc.start()
    try:
        done = collect_posts(
            client,
            MASTODON,
            tags=["cat"],
            reader=reader(),
            wanted_images=10**6,
            journal=Journal(tmp_path / "cat.jsonl"),
            rules=PagingRules(max_pages=300),
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.counts["kept"] == 10_000
    assert peak < 60 * 1024 * 1024
