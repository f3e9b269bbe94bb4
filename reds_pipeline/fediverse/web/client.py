"""Asking one Fediverse host: one origin, one name, one request at a time, no redirects.

What belongs here: sending a request to one host if it may be sent, and trying again where that
can help. What does not: which requests make sense (``hosts.py``, ``timelines.py``), media files
(``media/fetcher.py``) and the meaning of an answer (``failures.py``).

Mastodon.py was considered and does not fit: it cannot pass Pixelfed's ``_pe`` parameter, pages
by ``Link`` headers that Pixelfed omits or gets wrong, and judges errors by status code where
Pixelfed needs the body (a missing token is a 500). For the same reason retries are counted here
and not by urllib3's Retry, which never sees the body. Our own pace is
requests-ratelimiter's (``transport.py``), the waits that a host asks for are ``patience.py``'s.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.web.addresses import host_name, is_loopback, origin_of
from reds_pipeline.fediverse.web.answers import Answer
from reds_pipeline.fediverse.web.discreet_paths import discreet
from reds_pipeline.fediverse.web.failures import (
    AuthenticationRequired,
    BotCheck,
    BudgetSpent,
    HostError,
    HostRefused,
    HostUnavailable,
    document_failure_of,
    failure_of,
    token_refused,
)
from reds_pipeline.fediverse.web.patience import Patience, in_words
from reds_pipeline.fediverse.web.politeness import (
    ROBOTS_MAX_BYTES,
    TRAINING_DIRECTIVES,
    Politeness,
    Robots,
    RobotsUnreadable,
    refusal_sentence,
    tag_refusal,
)
from reds_pipeline.fediverse.web.request_budget import RequestBudget
from reds_pipeline.fediverse.web.transport import (
    RequestPace,
    TooManyBytesError,
    TooSlowError,
    new_session,
    plain_adapter,
    read_bounded,
)

_LOGGER = logging.getLogger(__name__)
_ANSWER_MAX_BYTES = 32 * 1024 * 1024
_ANSWER_SECONDS = 120.0
_ROBOTS_RETRIES = 2
_ROBOTS_REDIRECTS = 5
# A host that wants longer pauses than this does not want to be collected from.
_LONGEST_PAUSE_SECONDS = 120.0

Parameters = Mapping[str, str | int | Sequence[str]]


@dataclass(frozen=True)
class _Question:
    """What is asked of the host.

    Attributes:
        path: From the root of the host.
        parameters: The query.
        headers: Those that differ from request to request.
        address: Host and path as errors and logs may name them.
    """

    path: str
    parameters: Parameters | None
    headers: Mapping[str, str]
    address: str


class ApiClient:
    """A client of one host; threads that share it take turns, also while one waits.

    The token goes to that host's origin and nowhere else: addresses are built from the origin
    and a path, redirects are not followed, and it appears in no text or log. A host that failed
    too often, or asks for a longer pause than ours, is left alone for a while, and one that
    answers with a bot check for as long as this client lives.

    Args:
        url: The host's address, such as ``https://pix.example``; a path is ignored.
        token: Bearer token of a user with the scope ``read``, or "".
        politeness: Our name and whose refusals count.
        pace: How hard to ask; by default as ``RequestPace.towards`` says.
        sleep: Waits some seconds; tests replace it.
        budget: Requests that may be sent, failed attempts and robots.txt included; None means
            any number.

    Attributes:
        origin: ``scheme://host:port``.
        host: The host as people write it.
        politeness: As given.

    Raises:
        RedsError: The address cannot be used, or would carry the token unencrypted.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        politeness: Politeness | None = None,
        pace: RequestPace | None = None,
        sleep: Callable[[float], None] = time.sleep,
        budget: int | None = None,
    ) -> None:
        self.origin = _usable_origin(url)
        self.host = host_name(self.origin)
        self._token = _usable_token(token, self.origin, self.host)
        self.politeness = politeness or Politeness()
        self._pace = pace or RequestPace.towards(self.origin)
        self._budget = RequestBudget(budget)
        self._patience = Patience(self.host, self._pace, sleep)
        self._bot_check = ""
        # Held while a request is sent, tried again and waited for: one at a time per host.
        self._turn = threading.RLock()
        self._session = new_session(self.politeness.user_agent)
        self._session.mount(f"{urlsplit(self.origin).scheme}://", plain_adapter(self._pace))
        self._robots = Robots(self._read_robots, self.politeness)

    def __enter__(self) -> ApiClient:
        """Return the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def __repr__(self) -> str:
        """Name the host; the token never becomes text."""
        return f"ApiClient({self.origin!r}, token={'given' if self._token else 'none'})"

    @property
    def has_token(self) -> bool:
        """Whether an access token was given."""
        return bool(self._token)

    @property
    def requests_made(self) -> int:
        """Requests sent so far, failed attempts and robots.txt included."""
        return self._budget.taken

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(
        self,
        path: str,
        parameters: Parameters | None = None,
        *,
        anonymous: bool = False,
        accept: str = "application/json",
        retries: int | None = None,
    ) -> Any:
        """Return the list or object that the host answers.

        Args:
            path: From the root of the host, beginning with one ``/``.
            parameters: The query; a list repeats its name, as in ``{"id[]": ["1", "2"]}``.
            anonymous: Whether to leave the token out.
            accept: What is wanted; ``application/activity+json`` for ActivityPub. Whatever it
                is, the host has to declare its answer as JSON.
            retries: Further attempts after a failure that may pass, if fewer than the pace has:
                whoever looks for what breaks a page is not to wait minutes for each answer.

        Raises:
            HostError: Its kind says what the host meant; BudgetSpent and CircuitOpen mean that
                it was not asked.
        """
        question = self._question(path, parameters, accept, anonymous)
        return self._answer(question, failure_of, retries).json()

    def document(
        self,
        path: str,
        parameters: Parameters | None = None,
        *,
        accept: str = "text/html,*/*",
        anonymous: bool = True,
    ) -> str:
        """Return the text of a page or feed (HTML, RSS, Atom); arguments as ``get``.

        What the page itself says to programs is the caller's to read
        (``politeness.page_refusal``): it may have been asked for to learn just that.

        Args:
            path: From the root of the host, beginning with one ``/``.
            parameters: The query.
            accept: What is wanted.
            anonymous: Whether to leave the token out.

        Raises:
            HostError: As ``get``; redirects are not followed here either.
        """
        question = self._question(path, parameters, accept, anonymous)
        return self._answer(question, document_failure_of).text

    def robots_refusal(self, path: str) -> str:
        """Return why robots.txt forbids a path of this host to us, or "".

        Args:
            path: From the root of the host; it may carry a query.

        Raises:
            HostUnavailable: robots.txt cannot be read, which for now means no.
            HostRefused: It is elsewhere or behind a bot check.
        """
        with self._turn:
            try:
                return self._robots.refusal(f"{self.origin}{path}")
            except RobotsUnreadable as error:
                raise HostUnavailable(
                    f"{self.host} does not answer or fails to hand out its robots.txt, without "
                    "which REDS may not ask it for anything; check the address and the network, "
                    "or try again later."
                ) from error

    def _question(
        self, path: str, parameters: Parameters | None, accept: str, anonymous: bool
    ) -> _Question:
        if not path.startswith("/") or path.startswith("//"):
            raise ValueError("a path begins with one slash")
        headers = {"Accept": accept}
        if self._token and not anonymous:
            headers["Authorization"] = f"Bearer {self._token}"
        return _Question(path, parameters, headers, f"{self.host}{discreet(path)}")

    def _answer(
        self,
        question: _Question,
        failure_in: Callable[[Answer, str], HostError | None],
        retries: int | None = None,
    ) -> Answer:
        """Return the host's answer to a question that may be asked, or raise what it means."""
        most = self._pace.retries
        retries = most if retries is None else min(retries, most)
        with self._turn:
            spacing = self._permitted_spacing(question)
            for attempt in range(retries + 1):
                self._patience.wait_for_turn(spacing)
                answer = self._sent(question)
                if answer is None:
                    failure: HostError | None = self._unavailable(question.address)
                else:
                    failure = failure_in(answer, question.address)
                self._patience.learn(answer, failure)
                if answer is not None and failure is None:
                    return self._untagged(answer)
                if not isinstance(failure, HostUnavailable):
                    break
                asked_wait = self._patience.asked_wait(answer, question.address)
                if attempt == retries or self._patience.exhausted:
                    break
                self._patience.wait_to_retry(attempt, asked_wait, question.address)
        if isinstance(failure, AuthenticationRequired) and "Authorization" in question.headers:
            raise token_refused(question.address)
        raise self._remembered(failure or self._unavailable(question.address))

    def _remembered(self, failure: HostError) -> HostError:
        """Return a failure, having noted a bot check: it is meant for all requests."""
        if isinstance(failure, BotCheck):
            self._bot_check = str(failure)
        return failure

    def _permitted_spacing(self, question: _Question) -> float:
        """Return the seconds that the host wants between requests, if the question is allowed."""
        if self._bot_check:
            raise BotCheck(self._bot_check)
        # Rules may speak of queries, so that what is checked is the address as it is sent.
        prepared = requests.Request("GET", self.origin, params=question.parameters).prepare()
        query = urlsplit(prepared.url or "").query
        refusal = self.robots_refusal(f"{question.path}{'?' + query if query else ''}")
        if refusal:
            raise HostRefused(refusal_sentence(self.host, refusal))
        spacing = self._robots.seconds_between_requests(self.origin)
        if spacing > _LONGEST_PAUSE_SECONDS:
            raise HostRefused(
                f"{self.host} wants programs to pause for more than "
                f"{in_words(_LONGEST_PAUSE_SECONDS)} between requests (robots.txt), which is too "
                "slow to collect anything; ask its operator whether collecting is welcome."
            )
        return spacing

    def _sent(self, question: _Question) -> Answer | None:
        """Send a question once and return the answer, or None where the connection failed."""
        if not self._budget.take():
            raise BudgetSpent(
                f"{self.host} got the {self._budget.limit} requests that one collection or "
                "re-check may send (REDS_REQUESTS_PER_RUN); nothing is lost, the next run goes on "
                "from here."
            )
        try:
            with self._session.get(
                f"{self.origin}{question.path}",
                params=question.parameters,
                headers=question.headers,
                timeout=self._pace.timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = read_bounded(response, _ANSWER_MAX_BYTES, _ANSWER_SECONDS)
                return Answer(response.status_code, response.headers, body)
        except (requests.RequestException, TooManyBytesError, TooSlowError) as error:
            _LOGGER.info("%s: no answer (%s)", question.address, type(error).__name__)
            return None

    def _untagged(self, answer: Answer) -> Answer:
        """Return the answer unless its header speaks against training.

        Only ``noai`` and ``noimageai`` count here: many set-ups stamp ``noindex`` on everything
        to stay out of search engines, which lists of posts never enter; authors who say it are
        heard through their flags, pages and pictures.
        """
        tag = tag_refusal(answer.headers.get("X-Robots-Tag", ""), TRAINING_DIRECTIVES)
        if tag and self.politeness.obey_ai_refusals:
            raise HostRefused(refusal_sentence(self.host, f"X-Robots-Tag says {tag}"))
        return answer

    def _read_robots(self, address: str) -> tuple[int, str]:
        """Read robots.txt without the token; redirects are followed on this origin only."""
        for _ in range(_ROBOTS_REDIRECTS + 1):
            answer = self._robots_answer(urlsplit(address).path)
            if answer is None:
                raise RobotsUnreadable(address)
            target = _joined(address, answer.headers.get("Location", ""))
            redirected = 300 <= answer.status < 400
            if answer.is_challenge or (redirected and not _lies_on(self.origin, target)):
                failure = failure_of(answer, f"{self.host}/robots.txt")
                raise self._remembered(failure) if failure else RobotsUnreadable(address)
            if not redirected:
                text = answer.body[:ROBOTS_MAX_BYTES].decode("utf-8", "replace")
                return answer.status, text
            address = target
        raise RobotsUnreadable(address)

    def _robots_answer(self, path: str) -> Answer | None:
        # This is the first thing a host is asked: whoever mistyped its address learns it soon.
        retries = min(self._pace.retries, _ROBOTS_RETRIES)
        question = _Question(path, None, {}, f"{self.host}/robots.txt")
        for attempt in range(retries + 1):
            answer = self._sent(question)
            if answer is not None and answer.status < 500 and answer.status != 429:
                break
            if attempt < retries:
                asked_wait = self._patience.asked_wait(answer, question.address)
                self._patience.wait_to_retry(attempt, asked_wait, question.address)
        return answer

    def _unavailable(self, address: str) -> HostUnavailable:
        return HostUnavailable(
            f"{address} does not answer; check the address and the network, then run again, REDS "
            "resumes where it stopped."
        )


def _usable_origin(url: str) -> str:
    try:
        return origin_of(url)
    except ValueError as error:
        raise RedsError(
            f"The host address cannot be used because {error}; "
            "set REDS_HOST_URL to something like https://pix.example."
        ) from error


def _usable_token(token: str, origin: str, host: str) -> str:
    if token and urlsplit(origin).scheme != "https" and not is_loopback(origin):
        raise RedsError(
            f"{host} would get the access token unencrypted over http; "
            "set REDS_HOST_URL to its https address."
        )
    token = token.strip()
    if not token.isascii() or not token.isprintable():
        raise RedsError(
            "The access token holds characters that a token cannot have; copy it again "
            "into REDS_HOST_TOKEN."
        )
    return token


def _joined(address: str, location: str) -> str:
    """Return where a redirect leads, "" where that is no address."""
    try:
        return urljoin(address, location)
    except ValueError:
        return ""


def _lies_on(origin: str, url: str) -> bool:
    try:
        return origin_of(url) == origin
    except ValueError:
        return False
