from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.fediverse.web.robots_rules import RobotsRules

OURS = "reds-pipeline"
ORIGIN = "https://pix.example"
NO = "Content-Signal: search=yes, ai-train=no"
YES = "Content-Signal: ai-train=yes"


def refusal(text: str, path: str = "/api/v1/timelines/public") -> str:
    return RobotsRules(text).refusal(f"{ORIGIN}{path}", OURS, obey_ai_refusals=True)


@pytest.mark.req("R-SCR-12")
@pytest.mark.parametrize(
    ("text", "refused", "why"),
    [
        (f"User-agent: *\n{NO}\nAllow: /", True, "said to everybody"),
        (f"User-agent: Googlebot\n{NO}", False, "said to a search engine only"),
        (f"User-agent: GPTBot\n{NO}", True, "said to one that trains, as we do"),
        (f"User-agent: {OURS}\n{NO}", True, "said to us"),
        (f"User-agent: *\n{NO}\n\nUser-agent: {OURS}\n{YES}", False, "we have a group of our own"),
        (f"User-agent: Googlebot\nUser-agent: *\n{NO}", True, "one group with two names"),
        (f"User-agent: *\nDisallow: /i/\n\nUser-agent: Googlebot\n{NO}", False, "a later group"),
        (f"{NO}\nUser-agent: *\nDisallow:", True, "before any group: to everybody"),
        (f"User-agent: *\n{YES}\n{NO}", True, "of two lines the no counts"),
        (f"User-agent: *\n# {NO}", False, "a comment"),
        ("User-agent: *\nContent-Signal: ai-input=no", False, "another use"),
        ("User-agent: *\nContent-Signal: ai-train", False, "says nothing"),
        ("User-agent: *\nContent-Usage: train-ai=n", True, "the IETF's words"),
        ("User-agent: *\nContent-Usage: train-ai=y, search=n", False, "a yes in these words"),
        ("User-agent: *\nContent-Signal: /api/ ai-train=no", True, "for this part of the site"),
        ("User-agent: *\nContent-Signal: /blog/ ai-train=no", False, "for another part"),
        (f"User-agent: *\n{NO}\nContent-Signal: /api/ ai-train=yes", False, "the closer line"),
        (f"user-agent : *\ncontent-signal : {NO[16:]}", True, "spaces and small letters"),
        (f"User-agent: *\r\n{NO}\r\n", True, "line ends of another system"),
        (f"User-agent: *\r{NO}\r", True, "line ends of an old system"),
        (f"\ufeffUser-agent: Googlebot\n{NO}", False, "a mark that an editor left"),
        (f"User-agent: GPTBot/1.1\n{NO}", True, "named with a version"),
        ("User-agent: CCBot/2.0\nDisallow: /", True, "the same for plain rules"),
        (f"User-agent: gptbotany\n{NO}", False, "a longer name is another agent"),
    ],
)
def test_what_is_said_about_training_counts_in_the_groups_that_concern_us(
    text: str, refused: bool, why: str
) -> None:
    assert bool(refusal(text)) is refused, why
    assert not RobotsRules(text).refusal(f"{ORIGIN}/api/", OURS, obey_ai_refusals=False)


@pytest.mark.parametrize(
    ("text", "seconds", "why"),
    [
        ("", 0.0, "nothing said"),
        ("User-agent: *\nCrawl-delay: 10", 10.0, "said to everybody"),
        ("User-agent: *\nCrawl-delay: 0.5", 0.5, "parts of a second"),
        ("User-agent: Googlebot\nCrawl-delay: 10", 0.0, "said to somebody else"),
        (f"User-agent: *\nCrawl-delay: 9\n\nUser-agent: {OURS}\nCrawl-delay: 2", 2.0, "to us"),
        (f"User-agent: {OURS}/0.1\nCrawl-delay: 4", 4.0, "to a version of us"),
        ("User-agent: *\nRequest-rate: 1/5", 5.0, "one document in five seconds"),
        ("User-agent: *\nRequest-rate: 30/1m", 2.0, "thirty a minute"),
        ("User-agent: *\nRequest-rate: 1/5\nCrawl-delay: 8", 8.0, "the slower counts"),
        ("User-agent: *\nCrawl-delay: soon", 0.0, "nonsense"),
        ("User-agent: *\nCrawl-delay: -5", 0.0, "nonsense"),
        ("User-agent: *\nRequest-rate: 0/5", 0.0, "nonsense"),
    ],
)
def test_the_pause_between_requests(text: str, seconds: float, why: str) -> None:
    assert RobotsRules(text).seconds_between_requests(OURS) == seconds, why


@pytest.mark.parametrize("name", [OURS, OURS.title(), f"{OURS}/1.0", f"{OURS} *"])
def test_we_know_our_name(name: str) -> None:
    url = f"{ORIGIN}/api/"
    rules = RobotsRules(f"User-agent: {name}\nDisallow: /")
    assert rules.refusal(url, OURS, obey_ai_refusals=False)


_FRAGMENTS = st.sampled_from(
    ["User-agent: *", "User-agent: gptbot", NO, YES, "Content-Usage: / train-ai=n", "Disallow: /",
     "Crawl-delay: 1e9", "Request-rate: 1/0", "Request-rate: x/y", ":", "\x00", "Allow: /api"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.one_of(_FRAGMENTS, st.text(max_size=40)), max_size=12))
def test_any_text_is_read_without_an_error(lines: list[str]) -> None:
    rules = RobotsRules("\n".join(lines))
    url = f"{ORIGIN}/api/"
    narrow = rules.refusal(url, OURS, obey_ai_refusals=False)
    strict = rules.refusal(url, OURS, obey_ai_refusals=True)
    assert strict or not narrow, "obeying more never allows more"
    assert rules.seconds_between_requests(OURS) >= 0
