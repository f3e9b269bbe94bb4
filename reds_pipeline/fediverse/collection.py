"""Collecting posts: the sample of the newest ones, and the posts of one class.

What belongs here: which walks to make, and keeping what they bring safe against a kill. What
does not: HTTP (``timelines.py``), the gates (``consent.py``), pictures (``media/download.py``).

Each page is judged in memory and then appended to the journal as rows together with the cursors
after it, in one record. A kill therefore loses at most the page in flight and the next attempt
goes on below the last record. Raw answers of a host are never written anywhere. The caller
writes rows and cursors to their tables and then deletes the journal; killed in between, the
journal is read again over the tables, which changes nothing. A post that is shown again as it is
known costs the journal its key at most, and that once an hour.

Posts that appear among those already walked (a post edited to carry the tag, or one that came
late from elsewhere with the id of its day) are found where they stand on a page that is read
anyway; a change of policy walks everything again.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from tqdm import tqdm

from reds_pipeline.fediverse.hosts import HostProfile
from reds_pipeline.fediverse.known_posts import KnownPosts
from reds_pipeline.fediverse.posts import PostReader, Row
from reds_pipeline.fediverse.sources import public_posts, tag_posts
from reds_pipeline.fediverse.timelines import Page, PagingRules, id_order
from reds_pipeline.fediverse.walks import Cursor, by_tag, extended, joined, shortened
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import BudgetSpent
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.journal import Journal

PUBLIC = ""


@dataclass(frozen=True)
class Known:
    """What earlier runs left: the rows and cursors of the tables."""

    rows: Sequence[Row] = ()
    cursors: Sequence[Cursor] = ()


@dataclass(frozen=True)
class Collected:
    """What is known after a collection, old and new.

    Attributes:
        rows: Rows of the posts table, each post once.
        cursors: How far each timeline has been walked.
        new_posts: Posts seen for the first time in this run (a resumed run included).
        counts: ``{"seen": n, "kept": n, "dropped": {reason: n}}`` over ``rows``.
        unreadable: Places in timelines that the host could not show in this run (a resumed run
            included) and that were stepped over, or where a walk had to stop.
        stopped_by: Why the run ended early though nothing failed, "" where it did not: a
            sentence for people.
    """

    rows: list[Row]
    cursors: list[Cursor]
    new_posts: int
    counts: dict[str, Any]
    unreadable: int = 0
    stopped_by: str = ""


class _Collector:
    """One collection: the host, what to keep, and where progress is recorded."""

    def __init__(
        self,
        client: ApiClient,
        profile: HostProfile,
        reader: PostReader,
        *,
        rules: PagingRules | None,
        known: Known | None,
        journal: Journal,
        bar: tqdm,
    ) -> None:
        known = known or Known()
        self._started_at = utc_now()
        self._client = client
        self._profile = profile
        self._reader = reader
        self._rules = rules or PagingRules()
        self._journal = journal
        self._bar = bar
        # Worked out once: it is compared with that of every row on every page.
        self._policy = reader.policy.digest
        self._posts = KnownPosts(self._policy)
        self._posts.take(known.rows)
        self._known_before = set(self._posts.rows)
        self._stretches = by_tag(filter(self._still_holds, known.cursors))
        self._unreadable = 0
        self._stopped_by = ""
        # Tags whose newest stretch reaches up to where the timeline ended as this run began.
        self._walked: set[str] = set()
        for record in journal.records():
            # Older versions of REDS left other records; their pages are read again.
            if "confirmed" in record:
                self._take_up(record)

    def catch_up(self, tag: str) -> None:
        """Collect what is newer than the newest stretch of a tag, and close gaps below it."""
        self._close_gaps(tag)
        stretches = self._stretches.get(tag, [])
        if not stretches or not (stretches[0].newest_id or stretches[0].exhausted):
            return
        self._descend(tag, self._top(tag), stretches)
        self._walked.add(tag)

    def go_deeper(self, tag: str, enough: Callable[[list[Row]], bool]) -> None:
        """Collect older posts of a tag until the kept ones are enough, or there are no more."""
        *newer, stretch = self._stretches.get(tag) or [self._top(tag)]
        if newer or not stretch.goes_on_below(self._started_at) or enough(self._kept()):
            return
        if not stretch.oldest_id:
            stretch = self._top(tag)
        is_top = not stretch.oldest_id
        for page in self._pages(tag, stretch.oldest_id):
            rows = self._judged(page, tag)
            stretch = extended(stretch, rows, page, self._started_at)
            self._record(tag, rows, [stretch], page)
            if is_top:
                self._walked.add(tag)
            if enough(self._kept()):
                return

    def result(self) -> Collected:
        """Return everything known now."""
        rows = list(self._posts.rows.values())
        return Collected(
            rows=rows,
            cursors=[
                replace(stretch, walked_at=self._started_at)
                if place == 0 and tag in self._walked
                else stretch
                for tag, stretches in self._stretches.items()
                for place, stretch in enumerate(stretches)
            ],
            new_posts=sum(row["post_key"] not in self._known_before for row in rows),
            counts=funnel(rows),
            unreadable=self._unreadable,
            stopped_by=self._stopped_by,
        )

    @contextmanager
    def as_far_as_the_budget_goes(self) -> Iterator[None]:
        """Take the end of the request budget for the end of the run: nothing has failed."""
        try:
            yield
        except BudgetSpent as spent:
            self._stopped_by = str(spent)

    def _take_up(self, record: Mapping[str, Any]) -> None:
        """Go on from a record of an earlier attempt."""
        self._posts.take(record["rows"])
        self._posts.confirm(record["confirmed"], record["at"])
        self._unreadable += record["unreadable"]
        stretches = [Cursor(**row) for row in record["cursors"]]
        if all(self._is_ours(stretch) for stretch in stretches):
            self._stretches[record["tag"]] = stretches

    def _close_gaps(self, tag: str) -> None:
        """Walk down from the newest stretch to the next until one is left or a budget ends."""
        while len(stretches := self._stretches.get(tag, [])) > 1:
            self._descend(tag, stretches[0], stretches[1:])
            if len(self._stretches[tag]) >= len(stretches):
                return

    def _descend(self, tag: str, stretch: Cursor, older: list[Cursor]) -> None:
        """Grow a stretch downwards until it meets the first of ``older``."""
        for page in self._pages(tag, stretch.oldest_id):
            rows = self._judged(page, tag)
            met = page.exhausted or self._has_met(rows, page, older[0])
            stretch = extended(stretch, rows, page, self._started_at)
            if met:
                self._record(tag, rows, [joined(stretch, older[0]), *older[1:]], page)
                return
            self._record(tag, rows, [stretch, *older] if stretch.newest_id else older, page)

    def _is_ours(self, stretch: Cursor) -> bool:
        """Say whether a stretch is of this host's timeline, judged as posts are judged today.

        A home may be pointed at another host, and its policy may change: the posts it has stay,
        places in timelines do not.
        """
        return (stretch.host, stretch.policy) == (self._reader.host, self._policy)

    def _still_holds(self, stretch: Cursor) -> bool:
        """Say whether a stretch also describes rows that are still here.

        A table of posts may have been lost or come back from an old copy.
        """
        return self._is_ours(stretch) and (
            not stretch.newest_key or stretch.newest_key in self._posts.rows
        )

    def _kept(self) -> list[Row]:
        """Return the kept posts that count towards what is wanted.

        Not those of this host that were judged under another policy and not seen since: whether
        they are still wanted is open, and a run that counted them would not look.
        """
        return [
            row
            for row in self._posts.rows.values()
            if row["status"] == "kept"
            and (row["policy"] == self._policy or row["host"] != self._reader.host)
        ]

    def _top(self, tag: str) -> Cursor:
        """Return the empty stretch above the newest post."""
        return Cursor(tag, host=self._reader.host, policy=self._policy)

    def _has_met(self, rows: list[Row], page: Page, older: Cursor) -> bool:
        newest = id_order(older.newest_id)
        # An old post that got its tag late may stand among the newest: no kept post below the
        # stretch's newest says anything about where we are.
        if any(
            row["post_key"] == older.newest_key
            and (row["status"] == "gated" or id_order(row["post_id"]) >= newest)
            for row in rows
        ):
            return True
        # The post may be gone; then where the next page would begin decides.
        if page.cursor is None or not older.newest_id:
            return False
        return id_order(page.cursor) <= newest

    def _pages(self, tag: str, below: str) -> Iterator[Page]:
        start = below or None
        if tag == PUBLIC:
            return public_posts(self._client, self._profile, start=start, rules=self._rules)
        return tag_posts(self._client, self._profile, tag, start=start, rules=self._rules)

    def _judged(self, page: Page, tag: str) -> list[Row]:
        now = utc_now()
        self._bar.update(len(page.entities))
        return [self._reader.row(entity, tag, now) for entity in page.entities]

    def _record(self, tag: str, rows: list[Row], stretches: list[Cursor], page: Page) -> None:
        news = self._posts.news(rows)
        unchanged = stretches == self._stretches.get(tag)
        if not (news.changed or news.confirmed or page.unreadable) and unchanged:
            return
        record = {
            "tag": tag,
            "at": utc_now(),
            "rows": news.changed,
            "confirmed": news.confirmed,
            "unreadable": page.unreadable,
            "cursors": [asdict(stretch) for stretch in stretches],
        }
        self._journal.append(record)
        self._take_up(record)


def sample_public(
    client: ApiClient,
    profile: HostProfile,
    *,
    reader: PostReader,
    wanted_posts: int,
    journal: Journal,
    known: Known | None = None,
    rules: PagingRules | None = None,
) -> Collected:
    """Collect the newest posts of a host (R-TAG-1).

    Args:
        client: The host.
        profile: What ``probe`` found.
        reader: Turns a post into a row.
        wanted_posts: Kept posts to have; a host may have fewer to give.
        journal: Where progress is recorded.
        known: What earlier runs left.
        rules: How to page.

    Returns:
        At most ``wanted_posts`` kept rows, the newest, and the gated rows collected since the
        oldest of them was.

    Raises:
        HostError: The host stopped answering; what came before is in the journal.
    """
    with _progress_bar() as bar:
        collector = _Collector(
            client, profile, reader, rules=rules, known=known, journal=journal, bar=bar
        )
        with collector.as_far_as_the_budget_goes():
            collector.catch_up(PUBLIC)
            collector.go_deeper(PUBLIC, lambda kept: len(kept) >= wanted_posts)
    result = collector.result()
    rows = newest_posts(result.rows, wanted_posts)
    if len(rows) == len(result.rows):
        return result
    oldest = min((row["post_id"] for row in rows if row["status"] == "kept"), key=id_order)
    cursors = [shortened(cursor, oldest) for cursor in result.cursors]
    return replace(result, rows=rows, cursors=list(filter(None, cursors)), counts=funnel(rows))


def collect_posts(
    client: ApiClient,
    profile: HostProfile,
    *,
    tags: Sequence[str],
    reader: PostReader,
    wanted_images: int,
    journal: Journal,
    known: Known | None = None,
    rules: PagingRules | None = None,
) -> Collected:
    """Collect the posts of one class (R-SCR-1, 2).

    New posts of every tag already begun are always collected; older ones, tag after tag in the
    order given, until the kept posts hold enough pictures.

    Args:
        client: The host.
        profile: What ``probe`` found.
        tags: Hashtags of the class, the most telling first.
        reader: Turns a post into a row.
        wanted_images: Pictures that the kept posts should hold together.
        journal: Where progress is recorded.
        known: What earlier runs left.
        rules: How to page; its budget holds for each walk of a tag.

    Raises:
        HostError: The host stopped answering; what came before is in the journal.
    """
    names = list(dict.fromkeys(tags))
    with _progress_bar() as bar:
        collector = _Collector(
            client, profile, reader, rules=rules, known=known, journal=journal, bar=bar
        )
        with collector.as_far_as_the_budget_goes():
            for tag in names:
                collector.catch_up(tag)
            for tag in names:
                collector.go_deeper(tag, lambda kept: _pictures(kept) >= wanted_images)
    return collector.result()


def funnel(rows: Iterable[Row]) -> dict[str, Any]:
    """Return ``{"seen", "kept", "dropped": {reason: count}}`` of posts rows."""
    reasons = Counter(row["reason"] for row in rows)
    kept = reasons.pop("", 0)
    return {
        "seen": kept + reasons.total(),
        "kept": kept,
        "dropped": dict(sorted(reasons.items())),
    }


def newest_posts(rows: Sequence[Row], maximum: int) -> list[Row]:
    """Return the ``maximum`` newest kept rows and the gated rows collected since.

    Newest is by id, the order in which the host itself lists them; times are claims.
    """
    kept = sorted(
        (row for row in rows if row["status"] == "kept"),
        key=lambda row: id_order(row["post_id"]),
        reverse=True,
    )
    if len(kept) <= maximum:
        return list(rows)
    chosen = {row["post_key"] for row in kept[:maximum]}
    since = min(row["collected_at"] for row in kept[:maximum])
    return [
        row
        for row in rows
        if row["post_key"] in chosen or (row["status"] == "gated" and row["collected_at"] >= since)
    ]


def _progress_bar() -> tqdm:
    return tqdm(desc="Reading timelines", unit=" posts", disable=None, file=sys.stderr, leave=False)


def _pictures(kept: Iterable[Row]) -> int:
    return sum(len(row["media"]) for row in kept)
