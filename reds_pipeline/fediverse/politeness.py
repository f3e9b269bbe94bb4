"""Who we say we are, and what hosts ask of programs like us.

What belongs here: the User-Agent, robots.txt, ``X-Robots-Tag`` (fediverse.md 5.2). What does
not: pacing (``transport.py``) and whose posts may be kept (``consent.py``). Protego reads
robots.txt, because the standard library's parser knows no wildcards; ``Content-Signal`` lines
are read here, because Protego ignores them.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from protego import Protego

PRODUCT = "reds-pipeline"
ROBOTS_MAX_BYTES = 512 * 1024

AI_TRAINING_AGENTS = (
    "ai2bot",
    "amazonbot",
    "anthropic-ai",
    "applebot-extended",
    "bytespider",
    "ccbot",
    "claudebot",
    "claude-web",
    "cohere-ai",
    "cohere-training-data-crawler",
    "diffbot",
    "facebookbot",
    "google-extended",
    "gptbot",
    "img2dataset",
    "meta-externalagent",
    "omgili",
    "timpibot",
)
REFUSING_DIRECTIVES = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})

_NAMED_AGENT = re.compile(r"^\s*user-agent\s*:\s*([^#\r\n]+)", re.IGNORECASE | re.MULTILINE)
_CONTENT_SIGNAL = re.compile(r"^\s*content-signal\s*:\s*([^#\r\n]+)", re.IGNORECASE | re.MULTILINE)
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
    rules = Protego.parse(robots)
    if not rules.can_fetch(url, PRODUCT):
        return "robots.txt forbids it"
    if not politeness.obey_ai_refusals:
        return ""
    # Only agents that the file names: for any other the rules of "*" apply, as they do to us.
    named = {match.strip().lower() for match in _NAMED_AGENT.findall(robots)}
    for agent in AI_TRAINING_AGENTS:
        if agent in named and not rules.can_fetch(url, agent):
            return f"robots.txt forbids it to {agent}, which trains models as we do"
    for signal in _CONTENT_SIGNAL.findall(robots):
        if "ai-train=no" in signal.replace(" ", "").lower().split(","):
            return "robots.txt says ai-train=no"
    return ""


def tag_refusal(header: str) -> str:
    """Return the directive of an ``X-Robots-Tag`` header that forbids training, or "".

    A directive addressed to one named agent counts as well: whoever says ``noai`` to anybody
    means training.
    """
    for part in header.lower().split(","):
        directive = part.rpartition(":")[2].strip()
        if directive in REFUSING_DIRECTIVES:
            return directive
    return ""


class RobotsUnreadable(Exception):
    """robots.txt could not be read for a reason that may pass; until then the answer is no."""


class Robots:
    """The robots.txt files of the hosts met, each read once a day.

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
        self._known: dict[str, tuple[float, str | None]] = {}
        self._lock = threading.Lock()

    def refusal(self, url: str) -> str:
        """Return why ``url`` must not be asked for, or "".

        An absent file (4xx) forbids nothing.

        Raises:
            RobotsUnreadable: The host fails (5xx, 429) or does not answer.
        """
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.netloc}/robots.txt"
        # One lock for all hosts: threads that wait for the same file must not each ask for it.
        with self._lock:
            until, text = self._known.get(address, (0.0, None))
            if address not in self._known or self._clock() >= until:
                text = self._text(address)
                # A failing host is asked again soon, but not once per picture.
                age = _CACHE_SECONDS if text is not None else _FAILURE_SECONDS
                self._known[address] = (self._clock() + age, text)
        if text is None:
            raise RobotsUnreadable(address)
        return robots_refusal(text, url, self._politeness)

    def _text(self, address: str) -> str | None:
        try:
            status, text = self._read(address)
        except RobotsUnreadable:
            return None
        if status == 429 or status >= 500 or 300 <= status < 400:
            return None
        return text if status < 300 else ""


def _header_safe(text: str) -> str:
    return "".join(
        character for character in text if character.isascii() and character.isprintable()
    ).strip(" ()")
