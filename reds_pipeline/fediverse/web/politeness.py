"""Who we say we are, and what hosts ask of programs like us.

What belongs here: the User-Agent, the robots.txt files of the hosts met, ``X-Robots-Tag`` and
``<meta name="robots">`` (fediverse.md 5.2). What does not: what one robots.txt says
(``robots_rules.py``), pacing (``transport.py``) and whose posts may be kept (``consent.py``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from reds_pipeline.fediverse.web.robots_rules import FORBIDDEN, RobotsRules

PRODUCT = "reds-pipeline"
ROBOTS_MAX_BYTES = 512 * 1024

TRAINING_DIRECTIVES = frozenset({"noai", "noimageai"})
REFUSING_DIRECTIVES = TRAINING_DIRECTIVES | {"noindex", "noimageindex", "none"}

_CACHE_SECONDS = 24 * 3600.0
_FAILURE_SECONDS = 600.0


@dataclass(frozen=True)
class Politeness:
    """How REDS introduces itself and whose refusals it obeys.

    Attributes:
        contact: Where the operator can be reached and what the program does, such as
            ``https://example.org/bot; mailto:bot@example.org``.
        obey_ai_refusals: Also treat a refusal of any known AI-training agent, or of AI training
            by ``Content-Signal``, as addressed to us, because training is what we do.
    """

    contact: str = ""
    obey_ai_refusals: bool = True

    @property
    def user_agent(self) -> str:
        """The one name under which REDS asks for anything."""
        return user_agent(self.contact)


def user_agent(contact: str = "") -> str:
    """Return ``reds-pipeline/<version> (+<contact>)``, or without the brackets.

    Characters that a header cannot carry are dropped from the contact.
    """
    try:
        number = version(PRODUCT)
    except PackageNotFoundError:
        number = "0"
    about = _header_safe(contact)
    return f"{PRODUCT}/{number} (+{about})" if about else f"{PRODUCT}/{number}"


def robots_refusal(robots: str, url: str, politeness: Politeness) -> str:
    """Return why a robots.txt forbids ``url`` to us, or "" where it does not.

    Args:
        robots: The text of the file; "" forbids nothing.
        url: The whole address that would be asked for.
        politeness: Whose refusals count.
    """
    rules = RobotsRules(robots)
    return rules.refusal(url, PRODUCT, obey_ai_refusals=politeness.obey_ai_refusals)


def refusal_sentence(host: str, refusal: str) -> str:
    """Return the sentence for the operator of REDS about a refusal by robots.txt.

    Args:
        host: The host as people write it.
        refusal: What ``Robots.refusal`` returned.
    """
    if refusal == FORBIDDEN:
        return (
            f"{host} does not want REDS: {refusal}; ask its operator for permission, or choose "
            "another host."
        )
    return (
        f"{host} does not want models trained on what it shows: {refusal}; ask its operators for "
        "permission, set REDS_OBEY_AI_ROBOTS=false once they gave it, or choose another host."
    )


def tag_refusal(header: str, directives: frozenset[str] = REFUSING_DIRECTIVES) -> str:
    """Return the directive of an ``X-Robots-Tag`` header that forbids training, or "".

    A directive addressed to one named agent counts as well: whoever says ``noai`` to anybody
    means training.

    Args:
        header: The header's value.
        directives: Those that count.
    """
    for part in header.lower().split(","):
        directive = part.rpartition(":")[2].strip()
        if directive in directives:
            return directive
    return ""


def page_refusal(html: str, directives: frozenset[str] = REFUSING_DIRECTIVES) -> str:
    """Return the directive of a page's ``<meta name="robots">`` that forbids training, or "".

    Read are the tags addressed to all programs and those addressed to us.

    Args:
        html: The page.
        directives: Those that count.
    """
    from bs4 import BeautifulSoup
    from bs4.filter import SoupStrainer

    page = BeautifulSoup(html, "lxml", parse_only=SoupStrainer("meta"))
    for meta in page.find_all("meta"):
        if str(meta.get("name", "")).strip().lower() in {"robots", PRODUCT}:
            refusal = tag_refusal(str(meta.get("content", "")), directives)
            if refusal:
                return refusal
    return ""


class RobotsUnreadable(Exception):
    """robots.txt could not be read for a reason that may pass; until then the answer is no."""


@dataclass
class _Known:
    """What is known of one host's robots.txt; its lock makes others wait while it is read.

    Attributes:
        lock: Held while the file is read.
        until: When it is read again.
        rules: Its rules, None where it could not be read.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    until: float = float("-inf")
    rules: RobotsRules | None = None


class Robots:
    """The robots.txt files of the hosts met, each read once a day and parsed once.

    Safe to use from several threads: those that need the same file wait until one of them has
    read it, those that need another do not. Nothing outlives the process, because a run reads
    one file per host and a file on disk would be one more thing that can be out of date.

    Args:
        read: Returns ``(status, text)`` of the robots.txt at an address; raises
            RobotsUnreadable where there is no answer.
        politeness: Whose refusals count.
        clock: Seconds, for the age of what is remembered.
    """

    def __init__(
        self,
        read: Callable[[str], tuple[int, str]],
        politeness: Politeness,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._politeness = politeness
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def refusal(self, url: str) -> str:
        """Return why ``url`` must not be asked for, or "".

        An absent file (4xx) forbids nothing.

        Raises:
            RobotsUnreadable: The host fails (5xx, 429) or does not answer.
        """
        return self._rules(url).refusal(
            url, PRODUCT, obey_ai_refusals=self._politeness.obey_ai_refusals
        )

    def seconds_between_requests(self, url: str) -> float:
        """Return the pause that the host of ``url`` asks for between requests; 0 if none.

        Raises:
            RobotsUnreadable: The host fails (5xx, 429) or does not answer.
        """
        return self._rules(url).seconds_between_requests(PRODUCT)

    def _rules(self, url: str) -> RobotsRules:
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.netloc}/robots.txt"
        with self._lock:
            known = self._known.setdefault(address, _Known())
        with known.lock:
            if self._clock() >= known.until:
                known.rules = self._fetched(address)
                # A failing host is asked again soon, but not once per picture.
                age = _FAILURE_SECONDS if known.rules is None else _CACHE_SECONDS
                known.until = self._clock() + age
            if known.rules is None:
                raise RobotsUnreadable(address)
            return known.rules

    def _fetched(self, address: str) -> RobotsRules | None:
        try:
            status, text = self._read(address)
        except RobotsUnreadable:
            return None
        if status == 429 or status >= 500 or 300 <= status < 400:
            return None
        return RobotsRules(text if status < 300 else "")


def _header_safe(text: str) -> str:
    return "".join(
        character for character in text if character.isascii() and character.isprintable()
    ).strip(" ()")
