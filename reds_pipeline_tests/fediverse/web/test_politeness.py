from __future__ import annotations

import threading

import pytest

from reds_pipeline.fediverse.web.politeness import (
    Politeness,
    Robots,
    RobotsUnreadable,
    page_refusal,
    refusal_sentence,
    robots_refusal,
    tag_refusal,
    user_agent,
)

PIXELFED_DEFAULT = (
    "User-agent: *\nDisallow: /discover/places/\nDisallow: /stories/\nDisallow: /i/\n"
)
MASTODON_DEFAULT = (
    "User-agent: GPTBot\nDisallow: /\n\nUser-agent: *\nDisallow: /media_proxy/\n"
    "Disallow: /interact/\n"
)
URL = "https://pix.example/api/v1/timelines/public"


@pytest.mark.req("R-SCR-12")
@pytest.mark.parametrize(
    ("robots", "obey", "refused", "why"),
    [
        ("", True, False, "no file"),
        (PIXELFED_DEFAULT, True, False, "stock Pixelfed lets programs read the API"),
        (MASTODON_DEFAULT, True, True, "stock Mastodon refuses AI training"),
        (MASTODON_DEFAULT, False, False, "the operator may take that narrowly"),
        ("User-agent: *\nDisallow: /", False, True, "nobody is welcome"),
        ("User-agent: reds-pipeline\nDisallow: /", False, True, "we are named"),
        ("User-agent: Reds-Pipeline\nDisallow: /api/", False, True, "names have no case"),
        (
            "User-agent: reds-pipeline\nDisallow:\n\nUser-agent: *\nDisallow: /",
            True,
            False,
            "we are named and welcome, and no AI agent is named",
        ),
        ("User-agent: CCBot\nDisallow: /private/", True, False, "another part of the site"),
        ("User-agent: *\nContent-Signal: search=yes, ai-train = no", True, True, "ai-train=no"),
        ("User-agent: *\nContent-Signal: search=yes, ai-train=no", False, False, "not obeyed"),
        ("User-agent: *\nContent-Signal: ai-train=yes", True, False, "explicitly welcome"),
        ("\x00\xff nonsense: : :", True, False, "no rules in it"),
    ],
)
def test_robots_txt_is_read_for_us_and_for_ai_training(
    robots: str, obey: bool, refused: bool, why: str
) -> None:
    refusal = robots_refusal(robots, URL, Politeness(obey_ai_refusals=obey))
    assert bool(refusal) is refused, why


@pytest.mark.parametrize(
    ("header", "directive"),
    [
        ("", ""),
        ("all", ""),
        ("nofollow, noarchive", ""),
        ("noai, noimageai", "noai"),
        ("NoImageAI", "noimageai"),
        ("noindex", "noindex"),
        ("none", "none"),
        ("otherbot: noai", "noai"),
        ("unavailable_after: 25 Jun 2030 15:00:00 PST", ""),
    ],
)
def test_a_header_can_forbid_training(header: str, directive: str) -> None:
    assert tag_refusal(header) == directive


@pytest.mark.parametrize(
    ("html", "directive", "why"),
    [
        ("", "", "no page"),
        ('<meta name="robots" content="noindex, nofollow">', "noindex", "Pixelfed's opt-out"),
        ('<META NAME="ROBOTS" CONTENT="NoAI">', "noai", "letters of any case"),
        ('<meta name="reds-pipeline" content="none">', "none", "addressed to us"),
        ('<meta name="googlebot" content="noindex">', "", "addressed to somebody else"),
        ('<meta name="description" content="noindex">', "", "another meta"),
        ('<meta name="robots">', "", "no content"),
        ("&lt;meta name='robots' content='noai'&gt;", "", "text that looks like a tag"),
    ],
)
def test_a_page_can_forbid_training(html: str, directive: str, why: str) -> None:
    assert page_refusal(f"<html><head>{html}</head></html>") == directive, why


def test_a_refusal_says_what_the_operator_can_do() -> None:
    plain = robots_refusal("User-agent: *\nDisallow: /", URL, Politeness())
    training = robots_refusal(MASTODON_DEFAULT, URL, Politeness())
    assert "REDS_OBEY_AI_ROBOTS" not in refusal_sentence("pix.example", plain)
    assert "REDS_OBEY_AI_ROBOTS=false" in refusal_sentence("pix.example", training)
    assert "gptbot" in refusal_sentence("pix.example", training)


def test_the_user_agent_names_us_and_the_operator_and_nobody_else() -> None:
    assert user_agent("https://example.org/bot; mailto:bot@example.org").startswith(
        "reds-pipeline/"
    )
    assert "bot@example.org" in user_agent("mailto:bot@example.org")
    assert "mozilla" not in user_agent().lower()
    assert user_agent("a\r\nX-Injected: ü\n").isprintable()


class Reader:
    """Hands out one prepared answer and counts how often it is asked."""

    def __init__(self, status: int, text: str = "") -> None:
        self.status, self.text, self.times = status, text, 0

    def __call__(self, address: str) -> tuple[int, str]:
        self.times += 1
        if self.status == 0:
            raise RobotsUnreadable(address)
        return self.status, self.text


@pytest.mark.parametrize("status", [404, 403, 410])
def test_an_absent_robots_txt_forbids_nothing(status: int) -> None:
    robots = Robots(Reader(status, "User-agent: *\nDisallow: /"), Politeness())
    assert robots.refusal(URL) == ""


@pytest.mark.parametrize("status", [500, 503, 429, 302, 0])
def test_an_unreadable_robots_txt_means_no_for_now(status: int) -> None:
    robots = Robots(Reader(status), Politeness())
    with pytest.raises(RobotsUnreadable):
        robots.refusal(URL)


def test_robots_txt_is_read_once_a_day_and_failures_are_remembered_for_minutes() -> None:
    now = 0.0
    reader = Reader(200, "User-agent: *\nDisallow: /i/")
    robots = Robots(reader, Politeness(), clock=lambda: now)
    for moment, times in [(0.0, 1), (3600.0, 1), (24 * 3600.0, 2)]:
        now = moment
        assert robots.refusal(URL) == ""
        assert reader.times == times
    failing = Reader(503)
    robots = Robots(failing, Politeness(), clock=lambda: now)
    for moment, times in [(0.0, 1), (60.0, 1), (900.0, 2)]:
        now = moment
        with pytest.raises(RobotsUnreadable):
            robots.refusal(URL)
        assert failing.times == times


def test_one_slow_robots_txt_holds_up_no_other_host() -> None:
    slow_is_read, go_on = threading.Event(), threading.Event()
    held_up: list[str] = []

    def read(address: str) -> tuple[int, str]:
        if "slow" in address:
            slow_is_read.set()
            if not go_on.wait(5):
                held_up.append(address)
        return 200, ""

    robots = Robots(read, Politeness())
    waiting = threading.Thread(target=robots.refusal, args=("https://slow.example/a",))
    waiting.start()
    assert slow_is_read.wait(10)
    assert robots.refusal("https://quick.example/a") == ""
    go_on.set()
    waiting.join()
    assert not held_up


def test_threads_that_need_the_same_file_read_it_once() -> None:
    reader = Reader(200)
    robots = Robots(reader, Politeness())
    threads = [threading.Thread(target=robots.refusal, args=(URL,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reader.times == 1


def test_the_pause_a_host_asks_for_is_known() -> None:
    robots = Robots(Reader(200, "User-agent: *\nCrawl-delay: 3"), Politeness())
    assert robots.seconds_between_requests(URL) == 3.0
