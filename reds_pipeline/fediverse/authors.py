"""What authors say about themselves where the posts do not say it: Pixelfed's own pages.

What belongs here: asking for an author's wishes, remembering the answers, and the pseudonym
under which they are remembered. What does not: the wishes that come with every post
(``consent.py``).

Pixelfed's REST API never says whether an author wants to be indexed, and calls everybody
discoverable (fediverse.md 2.6). The author's ActivityPub actor does say it; where that cannot be
had, the profile page does, by a ``<meta name="robots">`` that is there if and only if the author
switched indexing off (2.7). Mastodon's flags come with every post and cost no request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from reds_pipeline.fediverse.consent import ConsentPolicy, opts_out, remote_host
from reds_pipeline.fediverse.hosts import ACTIVITY_JSON, actor_path
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import (
    AuthenticationRequired,
    BadRequest,
    BotCheck,
    CircuitOpen,
    HostRefused,
    HostUnavailable,
    NotFound,
)
from reds_pipeline.fediverse.web.politeness import page_refusal
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.keys import KeyedHash

# What is remembered of an author who neither objects nor says that indexing is welcome.
UNSAID = "unsaid"

# Less than a day, or a daily sweep would find what it asked the day before just fresh enough.
_FRESH = timedelta(hours=20)
# The client tries each failing page again for minutes; after so many in a row it is no accident.
_TOLERATED_FAILURES = 3
_UNSET = (False, None)


class AuthorWishes:
    """Whether the authors of one Pixelfed host object to what REDS does.

    Each local author is asked about once a day, with one request, or two where the actor cannot
    be had; pages of a kind that keep failing are given up for the life of this object. Authors
    of other hosts cannot be asked about here: their own host would have to be asked, and the
    posts table is re-checked there. Not for use from several threads.

    Args:
        client: The host; its token is not sent along.
        policy: What counts as consent.
        key: The pseudonym function of this installation.
        known: Rows that ``rows`` returned earlier.
        now: The time as the tables hold it; tests replace it.
    """

    # The flag that the posts of this host leave out and that is asked for here instead.
    ANSWERS = frozenset({"indexable"})

    def __init__(
        self,
        client: ApiClient,
        policy: ConsentPolicy,
        key: KeyedHash,
        *,
        known: Iterable[Mapping[str, Any]] = (),
        now: Callable[[], str] = utc_now,
    ) -> None:
        self._client = client
        self._policy = policy
        self._key = key
        self._now = now
        self._answers = {
            row["author_key"]: (row["checked_at"], row["reason"])
            for row in known
            if self._is_fresh(row["checked_at"])
        }
        # Of this run only: the next one asks again rather than take silence for consent.
        self._silent: set[str] = set()
        self._failures = {self._by_actor: 0, self._by_profile_page: 0}

    @property
    def unanswered(self) -> int:
        """Authors about whom nothing could be learnt in this run.

        They are on another host, or their pages cannot be had. A strict policy refuses them, any
        other lets them pass.
        """
        return len(self._silent)

    def refusal(self, entity: Mapping[str, Any]) -> str:
        """Return why the author of a post objects, a slug of ``consent.REASONS``, or "".

        Args:
            entity: A post that passed every gate of ``consent.gate``.

        Raises:
            HostError: The host as a whole does not answer any more (CircuitOpen, BudgetSpent,
                BotCheck); nothing is known of the author then.
        """
        author = author_key(self._key, entity, self._client.host)
        checked_at, reason = self._answers.get(author, ("", ""))
        if not self._is_fresh(checked_at):
            if author in self._silent:
                return self._by_policy(UNSAID)
            found = self._asked(entity)
            if found is None:
                self._silent.add(author)
                return self._by_policy(UNSAID)
            reason = found
            self._answers[author] = (self._now(), reason)
        return self._by_policy(reason)

    def rows(self) -> list[dict[str, Any]]:
        """Return what is known, as rows ``{"author_key", "checked_at", "reason"}`` to be kept."""
        return [
            {"author_key": author, "checked_at": checked_at, "reason": reason}
            for author, (checked_at, reason) in self._answers.items()
        ]

    def _by_policy(self, reason: str) -> str:
        if reason == UNSAID:
            strict = self._policy.require_indexable == "strict"
            return "account_not_indexable" if strict else ""
        return reason

    def _asked(self, entity: Mapping[str, Any]) -> str | None:
        """Return what the author's pages say, or None where they cannot be had."""
        account = entity["account"]
        username = account.get("username")
        if remote_host(entity, account) is not None or not isinstance(username, str):
            return None
        if not username or username in {".", ".."}:
            return None
        for ask, failures in self._failures.items():
            if failures == _TOLERATED_FAILURES:
                continue
            try:
                found = ask(username)
            except (BotCheck, CircuitOpen):
                raise
            except HostUnavailable:
                self._failures[ask] += 1
                continue
            except (AuthenticationRequired, BadRequest, HostRefused, NotFound):
                found = None
            self._failures[ask] = 0
            if found is not None:
                return found
        return None

    def _by_actor(self, username: str) -> str | None:
        actor = self._client.get(actor_path(username), anonymous=True, accept=ACTIVITY_JSON)
        return actor_refusal(actor, self._policy) if _is_about(username, actor) else None

    def _by_profile_page(self, username: str) -> str:
        page = self._client.document(f"/{quote(username, safe='')}")
        return "account_not_indexable" if page_refusal(page) else UNSAID

    def _is_fresh(self, checked_at: str) -> bool:
        if not checked_at:
            return False
        age = datetime.fromisoformat(self._now()) - datetime.fromisoformat(checked_at)
        return timedelta(0) <= age < _FRESH


def author_key(key: KeyedHash, entity: Mapping[str, Any], host: str) -> str:
    """Return the keyed hash of a post's author: one per account and host of origin.

    Args:
        key: The pseudonym function of this installation.
        entity: A status with an ``account`` that is an object.
        host: The host asked, as people write it.
    """
    account = entity["account"]
    return key(remote_host(entity, account) or host, str(account.get("id")))


def actor_refusal(actor: Mapping[str, Any], policy: ConsentPolicy) -> str:
    """Return why an ActivityPub actor objects: a slug of ``REASONS``, ``UNSAID``, or "".

    Args:
        actor: The actor, of any shape.
        policy: Which words in a profile say no; whether flags may be missing is not judged here.
    """
    if any(actor.get(flag) not in _UNSET for flag in ("suspended", "memorial", "movedTo")):
        return "account_suspended"
    if actor.get("type") == "Tombstone":
        return "account_suspended"
    if actor.get("manuallyApprovesFollowers") not in _UNSET:
        return "account_locked"
    if any(actor.get(flag) not in (True, None) for flag in ("indexable", "discoverable")):
        return "account_not_indexable"
    if opts_out(_actor_texts(actor), policy):
        return "account_opted_out"
    return UNSAID if actor.get("indexable") is None else ""


def _is_about(username: str, actor: Any) -> bool:
    """Say whether an answer is the actor asked for; a list, an error or another one is not."""
    name = actor.get("preferredUsername") if isinstance(actor, dict) else None
    return isinstance(name, str) and name.casefold() == username.casefold()


def _actor_texts(actor: Mapping[str, Any]) -> Iterator[Any]:
    yield from (actor.get("summary"), actor.get("name"))
    for part in ("attachment", "tag"):
        entries = actor.get(part)
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, dict):
                yield from (entry.get("name"), entry.get("value"))
