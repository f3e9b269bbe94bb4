"""One robots.txt: what it forbids, how often it lets us ask, and what it says about training.

What belongs here: the meaning of one file's text (fediverse.md 5.2). What does not: fetching and
remembering files (``politeness.Robots``). Protego reads the rules, because the standard library's
parser knows no wildcards. It passes over lines that it does not know, so the two that speak of
training, ``Content-Signal`` (Cloudflare) and ``Content-Usage`` (the IETF's draft), are read here,
in the groups of RFC 9309: one or more ``User-agent`` lines and everything up to the next ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego

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
    "imagesiftbot",
    "img2dataset",
    "laion-huggingface-processor",
    "meta-externalagent",
    "omgili",
    "omgilibot",
    "pangubot",
    "timpibot",
)
FORBIDDEN = "robots.txt forbids it"

_LINE = re.compile(r"^\s*([A-Za-z-]+)\s*:\s*([^#\r\n]*)", re.MULTILINE)
# Some files name an agent with its version, "GPTBot/1.0": the name ends where the token does.
_TOKEN = re.compile(r"[a-z0-9_-]*")
_USER_AGENT = "user-agent"
# Directive, the word for training in it, and how it says no and yes.
_TRAINING_WORDS = {
    "content-signal": ("ai-train", "no", "yes"),
    "content-usage": ("train-ai", "n", "y"),
}


@dataclass(frozen=True)
class _Wish:
    """What one line says about training.

    Attributes:
        agents: Whom its group addresses, in lower case; empty for a line before any group.
        path: The part of the site it speaks of.
        phrase: What the line says, such as ``ai-train=no``.
        allowed: Whether that is a yes.
    """

    agents: frozenset[str]
    path: str
    phrase: str
    allowed: bool


class RobotsRules:
    """The rules of one robots.txt, parsed once.

    Args:
        text: The file; "" forbids nothing.
    """

    def __init__(self, text: str) -> None:
        # Line ends of any system, and without the mark that some editors put first.
        text = "\n".join(text.removeprefix("\ufeff").splitlines())
        self._rules = Protego.parse(text)
        self._names, self._wishes = _read(text)
        self._trainers = [name for agent in AI_TRAINING_AGENTS for name in self._names_of(agent)]

    def refusal(self, url: str, product: str, *, obey_ai_refusals: bool) -> str:
        """Return why ``url`` must not be asked for, or "".

        Args:
            url: The whole address, query included.
            product: Our name; groups that name it replace those of ``*``.
            obey_ai_refusals: Also obey what the file says to agents that train models, and
                about training.
        """
        ours = self._names_of(product)
        if not all(self._rules.can_fetch(url, name) for name in ours or [product]):
            return FORBIDDEN
        if not obey_ai_refusals:
            return ""
        # Only agents that the file names: for any other the rules of "*" apply, as they do to us.
        for agent in self._trainers:
            if not self._rules.can_fetch(url, agent):
                return f"{FORBIDDEN} to {agent}, which trains models as we do"
        path = urlsplit(url).path or "/"
        for agent in (*(ours or ["*"]), *self._trainers):
            if phrase := self._training_refusal(agent, path):
                return f"robots.txt says {phrase}"
        return ""

    def seconds_between_requests(self, product: str) -> float:
        """Return the pause that ``Crawl-delay`` and ``Request-rate`` ask for; 0 without them."""
        pause = 0.0
        for name in self._names_of(product) or [product]:
            pause = max(pause, self._rules.crawl_delay(name) or 0.0)
            rate = self._rules.request_rate(name)
            if rate is not None and rate.requests > 0:
                pause = max(pause, rate.seconds / rate.requests)
        return pause

    def _names_of(self, agent: str) -> list[str]:
        """Return how the file writes the name of an agent, in lower case; [] if nowhere."""
        return self._names.get(agent, [])

    def _training_refusal(self, agent: str, path: str) -> str:
        """Return the words that forbid training on ``path``; the longest match decides."""
        matching = [
            wish
            for wish in self._wishes
            if (agent in wish.agents or not wish.agents) and path.startswith(wish.path)
        ]
        # Of two lines that are equally precise the one that says no counts.
        decisive = max(matching, key=lambda wish: (len(wish.path), not wish.allowed), default=None)
        return "" if decisive is None or decisive.allowed else decisive.phrase


def _read(text: str) -> tuple[dict[str, list[str]], tuple[_Wish, ...]]:
    """Return how a file writes the agents that it names, and what it says about training."""
    names: dict[str, list[str]] = {}
    wishes: list[_Wish] = []
    group: frozenset[str] = frozenset()
    naming = False
    for directive, value in _lines(text):
        if directive == _USER_AGENT:
            name = value.lower()
            group = (group if naming else frozenset()) | {name}
            names.setdefault(_token(name), []).append(name)
        naming = directive == _USER_AGENT
        if directive in _TRAINING_WORDS:
            wishes.extend(_wishes_of(directive, value, group))
    return names, tuple(wishes)


def _wishes_of(directive: str, value: str, agents: frozenset[str]) -> Iterator[_Wish]:
    word, refusing, allowing = _TRAINING_WORDS[directive]
    path, separator, rest = value.partition(" ")
    if not (value.startswith("/") and separator):
        path, rest = "/", value
    for part in rest.replace(" ", "").lower().split(","):
        name, _, wish = part.partition("=")
        if name == word and wish in {refusing, allowing}:
            yield _Wish(agents, path, part, wish == allowing)


def _token(name: str) -> str:
    found = _TOKEN.match(name)
    return found.group() if found else ""


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for match in _LINE.finditer(text):
        yield match.group(1).lower(), match.group(2).strip()
