"""Asking again for posts that we hold: are they still there, open, and their authors willing?

What belongs here: the cheapest way to ask, and whose failure says what (R-SCR-11, fediverse.md
5.3). What does not: choosing posts and writing down the answers (``rows.py``), a single
post's address (``origin_check.py``), and erasing what has to go (``reds_pipeline.withdrawal``).

Gone is what its host says is gone, once. A host that fails over one post may be wrong, so that
takes two sweeps in a row; a host that fails over everything says nothing about any post.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from reds_pipeline.fediverse.consent import remote_host
from reds_pipeline.fediverse.hosts import HostProfile, Verdict
from reds_pipeline.fediverse.posts import PostReader, Row
from reds_pipeline.fediverse.recheck.host_trial import (
    ask_for_what_is_shown,
    post_parameters,
    timeline_pages,
)
from reds_pipeline.fediverse.recheck.notes import HostAnswers, failed_check, recorded_checks
from reds_pipeline.fediverse.recheck.origin_check import NOT_PUBLIC, STATUSES, OriginCheck
from reds_pipeline.fediverse.recheck.permalinks import Permalink, read_permalink
from reds_pipeline.fediverse.recheck.rows import (
    MASS_REMOVAL,
    REMOTE_ORIGIN,
    Check,
    as_mass_removal,
    gated_row,
    lasting_withdrawals,
    mass_removal,
    stale,
    still_shown,
    updated_rows,
)
from reds_pipeline.fediverse.sources import is_open
from reds_pipeline.fediverse.timelines import id_order
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import (
    AuthenticationRequired,
    BadRequest,
    BotCheck,
    BudgetSpent,
    CircuitOpen,
    HostError,
    HostRefused,
    HostUnavailable,
    NotFound,
)
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.journal import Journal

_LOGGER = logging.getLogger(__name__)

__all__ = [
    "MASS_REMOVAL",
    "Check",
    "as_mass_removal",
    "lasting_withdrawals",
    "mass_removal",
    "recheck_posts",
    "recorded_checks",
    "stale",
    "updated_rows",
]

# Mastodon answers 422 to more (fediverse.md 3.1).
_BATCH = 20
# A timeline that shows nothing of ours for so long costs more than asking for the rest singly.
_FRUITLESS_PAGES = 3
_FRUITLESS_BATCHES = 2

Origins = Callable[[str], ApiClient | None]


def recheck_posts(
    client: ApiClient,
    profile: HostProfile,
    rows: Sequence[Row],
    *,
    reader: PostReader,
    tags: Sequence[str],
    journal: Journal,
    origins: Origins,
) -> list[Check]:
    """Ask about posts, in as few requests as their host allows.

    By 20 where the host takes several ids at once; else by the timelines they were found in, 40
    a request, and the rest one by one: from the API or, without a token, at their own address.
    Posts of other hosts are asked about there as well, because relays keep stale copies.

    Args:
        client: The host collected from.
        profile: What ``probe`` found.
        rows: Rows of kept posts, such as ``stale`` returns.
        reader: Judges posts; under the policy in force.
        tags: Timelines worth walking, "" for the public one; others are left out.
        journal: Where each answer is recorded; the caller deletes it once the table is written.
        origins: Returns a client without a token for a host, None where it is not approved.

    Returns:
        One check a post, those of a killed sweep of the last day included. Posts without one
        were not reached: the request budget was spent, or their origin's was.

    Raises:
        HostError: The host collected from does not answer or does not let us in. What was found
            out is in the journal, and the failure counts against no post.
    """
    sweep = _Sweep(client, profile, reader=reader, journal=journal, origins=origins)
    sweep.checks |= {check.post_key: check for check in recorded_checks(journal, rows)}
    try:
        sweep.ask_host(rows, tags)
    except BudgetSpent as spent:
        _LOGGER.info("The sweep ends early: %s", spent)
    sweep.ask_origins(rows)
    return list(sweep.checks.values())


class _NoLongerLetIn(AuthenticationRequired):
    """The token is not accepted any more, whatever it is used for."""


class _Sweep:
    """One sweep over one class."""

    def __init__(
        self,
        client: ApiClient,
        profile: HostProfile,
        *,
        reader: PostReader,
        journal: Journal,
        origins: Origins,
    ) -> None:
        self.checks: dict[str, Check] = {}
        self._client = client
        self._profile = profile
        self._reader = reader
        self._journal = journal
        self._origins = origins
        self._origin_check = OriginCheck(reader.policy)
        self._line = HostAnswers(self._record)
        # Posts of other hosts that this one still shows, as it shows them.
        self._relayed: dict[str, Row] = {}

    def ask_host(self, rows: Sequence[Row], tags: Sequence[str]) -> None:
        """Ask the host collected from about its posts."""
        waiting = {
            row["post_id"]: row
            for row in rows
            if row["host"] == self._reader.host and row["post_key"] not in self.checks
        }
        if not waiting:
            return
        if self._is_open(self._profile.post_batch):
            self._ask_in_batches(waiting)
        else:
            self._walk_timelines(waiting, tags)
        try:
            self._ask_singly(_first_one_of_each_author(waiting.values()), tags)
            if not self._line.is_settled():
                self._ask_whether_alive()
                if not self._line.has_answered:
                    self._ask_for_what_is_shown(tags)
                self._line.settle()
        finally:
            if not self._line.finds_nothing:
                self._line.believe()

    def _ask_singly(self, rows: Sequence[Row], tags: Sequence[str]) -> None:
        for row in rows:
            question = self._question(row)
            if question is None:
                self._relayed[row["post_key"]] = row
                continue
            self._ask(row, self._client, self._line, question)
            if self._line.finds_nothing:
                self._ask_for_what_is_shown(tags)
                self._line.believe()

    def ask_origins(self, rows: Sequence[Row]) -> None:
        """Ask other hosts about their posts.

        One that does not answer cannot vouch for them, and nobody else can: that is a failed
        check of each, unlike with the host collected from, whose own failure ends the sweep.
        """
        at_host: dict[str, list[tuple[Permalink, Row]]] = defaultdict(list)
        for row in rows:
            relayed = self._relayed.get(row["post_key"])
            if row["post_key"] in self.checks or (
                relayed is None and row["host"] == self._reader.host
            ):
                continue
            permalink = self._permalink(relayed or row)
            if permalink is None:
                # Nobody can be asked, now or ever.
                self._record(failed_check(row))
            else:
                at_host[permalink.host].append((permalink, row))
        for host, pairs in at_host.items():
            self._ask_origin(host, pairs)

    def _ask_origin(self, host: str, pairs: list[tuple[Permalink, Row]]) -> None:
        client = self._origins(host)
        if client is None:
            for _, row in pairs:
                self._record(self._changed(row, REMOTE_ORIGIN))
            return
        line = HostAnswers(self._record, is_origin=True)
        for number, (permalink, row) in enumerate(pairs):
            try:
                self._ask(row, client, line, self._question_of_address(row, client, permalink))
            except BudgetSpent as spent:
                _LOGGER.info("%s is left out for now: %s", client.host, spent)
                break
            except HostError as error:
                _LOGGER.info("%s is left alone: %s", client.host, error)
                for _, left in pairs[number:]:
                    line.failed(left)
                break
        line.settle()
        line.believe()

    def _ask(
        self, row: Row, client: ApiClient, line: HostAnswers, question: Callable[[], Check | None]
    ) -> None:
        try:
            check = question()
        except NotFound:
            line.gone(row)
        except (BotCheck, CircuitOpen, _NoLongerLetIn):
            raise
        except (AuthenticationRequired, BadRequest, HostRefused, HostUnavailable) as error:
            _LOGGER.info("%s failed over a post: %s", client.host, type(error).__name__)
            line.failed(row)
            if line.fails_over_everything:
                raise
        else:
            line.found(check)

    def _question(self, row: Row) -> Callable[[], Check | None] | None:
        """Return how to ask the host collected from about a post; None if its origin has to be."""
        if self._is_open(self._profile.post):
            return lambda: self._asked_by_id(row)
        permalink = self._permalink(row)
        if permalink is None or permalink.origin != self._client.origin:
            return None
        return self._question_of_address(row, self._client, permalink)

    def _asked_by_id(self, row: Row) -> Check | None:
        path = f"{STATUSES}/{quote(row['post_id'], safe='')}"
        try:
            entity = self._client.get(path, post_parameters(self._profile))
        except AuthenticationRequired:
            if not self._client.has_token:
                raise
            # Pixelfed answers alike for a private post and for a token that has run out, and
            # only one of them is about the post.
            self._ask_whether_let_in()
            return self._changed(row, NOT_PUBLIC)
        if not isinstance(entity, dict) or str(entity.get("id")) != row["post_id"]:
            raise HostUnavailable(
                f"{self._client.host} sent something other than the post that was asked for; try "
                "again later."
            )
        return self._judged(row, entity)

    def _question_of_address(
        self, row: Row, client: ApiClient, permalink: Permalink
    ) -> Callable[[], Check]:
        def asked() -> Check:
            seen = self._origin_check.seen(client, permalink)
            if seen.reason:
                return self._changed(row, seen.reason)
            return self._vouched_for(row, seen.pictures)

        return asked

    def _ask_in_batches(self, waiting: dict[str, Row]) -> None:
        ids = list(waiting)
        failed = 0
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            try:
                answer = self._client.get(
                    STATUSES, {"id[]": batch, **post_parameters(self._profile)}
                )
            except (CircuitOpen, BotCheck):
                raise
            except HostUnavailable:
                # One of them may be a post that the host cannot show: they are asked for singly,
                # and so are all others where not even the next batch is answered.
                failed += 1
                if not self._line.has_answered and failed == _FRUITLESS_BATCHES:
                    return
                continue
            except (AuthenticationRequired, BadRequest, HostRefused, NotFound):
                return
            self._line.answered()
            self._take(answer, waiting)

    def _walk_timelines(self, waiting: dict[str, Row], tags: Sequence[str]) -> None:
        for tag in dict.fromkeys(tags):
            verdict = self._profile.tag_timeline if tag else self._profile.public_timeline
            if not self._is_open(verdict):
                continue
            try:
                self._walk_timeline(waiting, tag)
            except (CircuitOpen, BotCheck, BudgetSpent):
                raise
            except (
                AuthenticationRequired,
                BadRequest,
                HostRefused,
                HostUnavailable,
                NotFound,
            ) as error:
                _LOGGER.info("%s: a timeline is closed: %s", self._client.host, error)

    def _walk_timeline(self, waiting: dict[str, Row], tag: str) -> None:
        """Walk a timeline for as long as it brings more than asking for each post would."""
        expected = sorted(
            (post_id for post_id, row in waiting.items() if row["query_tag"] == tag), key=id_order
        )
        if len(expected) <= 1:
            return
        fruitless = 0
        start = _just_above(expected[-1])
        for page in timeline_pages(self._client, self._profile, tag, start=start):
            self._line.answered()
            fruitless = 0 if self._take(page.entities, waiting) else fruitless + 1
            reached = id_order(page.cursor or "")
            if fruitless >= _FRUITLESS_PAGES or reached <= id_order(expected[0]):
                return

    def _take(self, entities: Any, waiting: dict[str, Row]) -> int:
        """Judge those posts of an answer that are waited for; returns how many there were."""
        taken = 0
        for entity in entities if isinstance(entities, list) else []:
            if not isinstance(entity, dict):
                continue
            row = waiting.pop(str(entity.get("id")), None)
            if row is not None:
                taken += 1
                if (check := self._judged(row, entity)) is not None:
                    self._record(check)
        return taken

    def _judged(self, row: Row, entity: dict[str, Any]) -> Check | None:
        """Return the check of a post that was read; None where its origin has to be asked too."""
        fresh = self._reader.row(entity, row["query_tag"], utc_now())
        if fresh["status"] != "kept":
            return Check(
                row["post_key"], "changed", fresh["reason"], fresh, at=fresh["collected_at"]
            )
        if remote_host(entity, entity["account"]) is None:
            return Check(row["post_key"], "confirmed", row=fresh, at=fresh["confirmed_at"])
        self._relayed[row["post_key"]] = fresh
        return None

    def _vouched_for(self, row: Row, pictures: Sequence[str]) -> Check:
        """Return the check of a post that is still open at its own address."""
        now = utc_now()
        fresh = self._relayed.get(row["post_key"], row)
        allowed = self._reader.policy.allowed_licences
        media = [
            medium for medium in fresh["media"] if allowed is None or medium["licence"] in allowed
        ]
        if not media:
            return self._changed(row, "licence")
        media = still_shown(media, pictures)
        if not media:
            return self._changed(row, "no_image")
        fresh = fresh | {"media": media, "policy": self._reader.policy.digest}
        return Check(row["post_key"], "confirmed", row=fresh, at=now)

    def _changed(self, row: Row, reason: str) -> Check:
        now = utc_now()
        gated = gated_row(row, reason, now) | {"policy": self._reader.policy.digest}
        return Check(row["post_key"], "changed", reason, gated, at=now)

    def _record(self, check: Check) -> None:
        self._journal.append(asdict(check))
        self.checks[check.post_key] = check

    def _permalink(self, row: Row) -> Permalink | None:
        try:
            return read_permalink(self._reader.seal.opened(row["permalink"] or ""))
        except ValueError:
            return None

    def _ask_whether_let_in(self) -> None:
        """Make sure that the token itself is still good.

        Raises:
            HostError: It is not, or the host does not say.
        """
        try:
            self._client.get("/api/v1/accounts/verify_credentials")
        except AuthenticationRequired as error:
            raise _NoLongerLetIn(str(error)) from error

    def _ask_whether_alive(self) -> None:
        """Make sure that the host itself lives after the last posts failed.

        Raises:
            HostError: It does not, it has let us in nowhere, or we may not ask any more.
        """
        try:
            self._client.get("/api/v1/instance", anonymous=True)
        except (BudgetSpent, HostUnavailable):
            raise
        except HostError:
            # It answers, if only to say no; to everything, though, that is said to us.
            if not self._line.has_answered:
                raise

    def _ask_for_what_is_shown(self, tags: Sequence[str]) -> None:
        ask_for_what_is_shown(self._client, self._profile, self._origin_check, tags)

    def _is_open(self, verdict: Verdict) -> bool:
        return is_open(self._client, verdict)


def _first_one_of_each_author(rows: Iterable[Row]) -> list[Row]:
    """Return rows with one post of each author before the others.

    So five failures in a row are five people's, and not one whose pages the host cannot show.
    """
    first = {row["author_key"]: row["post_key"] for row in reversed(list(rows))}
    return sorted(rows, key=lambda row: first[row["author_key"]] != row["post_key"])


def _just_above(post_id: str) -> str | None:
    """Return an id above which a walk need not start, None for the top of the timeline."""
    if post_id.isascii() and post_id.isdecimal():
        return str(int(post_id) + 1)
    return None
