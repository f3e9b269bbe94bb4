from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from reds_pipeline.fediverse.media.fetcher import (
    MediaFailed,
    MediaFetcher,
    MediaLimits,
    MediaRefused,
)
from reds_pipeline.fediverse.media.media_hosts import MediaManners
from reds_pipeline.fediverse.web.politeness import Politeness
from reds_pipeline_tests.fediverse.makers import IMPATIENT
from reds_pipeline_tests.fediverse.scripted_host import (
    Asked,
    Reply,
    ScriptedHost,
    as_html,
    redirect,
)

HASTE = MediaManners(IMPATIENT)
PICTURE = Reply(200, b"\xff\xd8 bytes of a picture", {"Content-Type": "image/jpg"})
ABSENT = Reply(404)


class Host(ScriptedHost):
    """Answers by path; has no robots.txt unless given one."""

    def __init__(self) -> None:
        self.routes: dict[str, Reply] = {"/a.jpg": PICTURE}
        super().__init__(self._route)

    def _route(self, asked: Asked) -> Reply:
        return self.routes.get(asked.path, ABSENT)


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as running:
        yield running


def fetcher(api_url: str, **options: Any) -> MediaFetcher:
    return MediaFetcher(
        api_url,
        options.pop("politeness", Politeness()),
        **({"manners": HASTE, "own_manners": HASTE} | options),
    )


def refusal(fetch: MediaFetcher, url: str) -> str:
    with pytest.raises(MediaRefused) as raised:
        fetch(url)
    return raised.value.reason


def failure(fetch: MediaFetcher, url: str) -> str:
    with pytest.raises(MediaFailed) as raised:
        fetch(url)
    return raised.value.reason


def test_a_picture_comes_as_it_is_and_robots_txt_is_read_first_and_once(host: Host) -> None:
    fetch = fetcher(host.url)
    assert fetch(f"{host.url}/a.jpg") == PICTURE.body
    assert fetch(f"{host.url}/a.jpg") == PICTURE.body
    assert host.paths() == ["/robots.txt", "/a.jpg", "/a.jpg"]
    assert fetch.files_requested == 2
    for asked in host.asked:
        assert asked.headers["User-Agent"].startswith("reds-pipeline/")
        assert not {"Authorization", "Referer", "Cookie"} & set(asked.headers)


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "[::1]", "2130706433", "127.1", "0.0.0.0"]
)
def test_another_port_of_this_machine_is_refused_unasked(host: Host, name: str) -> None:
    with Host() as other:
        port = other.url.rpartition(":")[2]
        fetch = fetcher(host.url)
        assert refusal(fetch, f"http://{name}:{port}/a.jpg") == "private_address"
        assert other.asked == []


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "2130706433"])
def test_with_a_host_elsewhere_this_machine_is_closed_entirely(host: Host, name: str) -> None:
    port = host.url.rpartition(":")[2]
    fetch = fetcher("https://pix.example")
    assert refusal(fetch, f"http://{name}:{port}/a.jpg") == "private_address"
    assert host.asked == []


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "10.0.0.1", "[fe80::1]", "[fc00::1]", "[::ffff:10.0.0.1]"]
)
def test_private_networks_are_refused(host: Host, address: str) -> None:
    assert refusal(fetcher(host.url), f"http://{address}/a.jpg") == "private_address"


def test_a_name_that_leads_to_this_machine_is_refused(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hostile name server is the one thing that cannot be run on loopback."""
    port = int(host.url.rpartition(":")[2])
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: answer)
    assert refusal(fetcher("https://pix.example"), f"http://cdn.example:{port}/a.jpg") == (
        "private_address"
    )
    assert host.asked == []


def test_each_redirect_is_looked_at_before_it_is_followed(host: Host) -> None:
    with Host() as other:
        host.routes |= {
            "/near": redirect("/a.jpg"),
            "/far": redirect(f"{other.url}/a.jpg", 307),
            "/metadata": redirect("http://169.254.169.254/latest/meta-data/"),
            "/file": redirect("file:///etc/passwd"),
            "/missing": redirect("/storage/no-preview.png"),
            "/proxied": redirect("/media_proxy/1/original"),
        }
        fetch = fetcher(host.url)
        assert fetch(f"{host.url}/near") == PICTURE.body
        assert refusal(fetch, f"{host.url}/far") == "private_address"
        assert refusal(fetch, f"{host.url}/metadata") == "private_address"
        assert refusal(fetch, f"{host.url}/file") == "bad_url"
        assert refusal(fetch, f"{host.url}/missing") == "placeholder"
        assert refusal(fetch, f"{host.url}/proxied") == "media_proxy"
        assert other.asked == []
    assert "/storage/no-preview.png" not in host.paths()


def test_three_redirects_are_followed_and_a_fourth_is_not(host: Host) -> None:
    host.routes |= {f"/{step}": redirect(f"/{step - 1}") for step in range(2, 6)}
    host.routes["/1"] = redirect("/a.jpg")
    fetch = fetcher(host.url)
    assert fetch(f"{host.url}/3") == PICTURE.body
    assert refusal(fetch, f"{host.url}/4") == "too_many_redirects"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(404), "not_found"),
        (Reply(410), "not_found"),
        (Reply(404, b"", {"Location": "/a.jpg"}), "not_found"),
        (Reply(403), "forbidden"),
        (as_html("<p>no picture</p>"), "not_an_image"),
        (Reply(200, b"x" * 2000, {"Content-Type": "image/png"}), "too_many_bytes"),
        (Reply(200, b"x", {"X-Robots-Tag": "noai, noimageai"}), "robots_tag"),
        (Reply(200, b"x", {"X-Robots-Tag": "noindex"}), "robots_tag"),
    ],
)
def test_refusals_for_good(host: Host, reply: Reply, reason: str) -> None:
    host.routes["/b.jpg"] = reply
    fetch = fetcher(host.url, limits=MediaLimits(max_bytes=1000))
    assert refusal(fetch, f"{host.url}/b.jpg") == reason
    assert host.paths().count("/b.jpg") == 1


@pytest.mark.parametrize(
    ("reply", "reason", "requests"),
    [
        (Reply(503), "status_503", IMPATIENT.retries + 1),
        (Reply(429, b"", {"Retry-After": "0"}), "status_429", IMPATIENT.retries + 1),
        (Reply(418), "status_418", 1),
        (Reply(200, b"half", announced_length=4000), "unreachable", 1),
    ],
)
def test_failures_for_now(host: Host, reply: Reply, reason: str, requests: int) -> None:
    host.routes["/b.jpg"] = reply
    assert failure(fetcher(host.url), f"{host.url}/b.jpg") == reason
    assert host.paths().count("/b.jpg") == requests


def test_a_host_that_hangs_or_is_away_is_a_failure_for_now(host: Host) -> None:
    patience = MediaLimits(seconds=-1)
    assert failure(fetcher(host.url, limits=patience), f"{host.url}/a.jpg") == "too_slow"
    host.routes["/robots.txt"] = Reply(200, b"User-agent: *")
    assert failure(fetcher(host.url, limits=patience), f"{host.url}/a.jpg") == "robots_unreadable"
    fetch = fetcher(host.url)
    assert failure(fetch, "http://no-such-host.invalid/a.jpg") == "robots_unreadable"


def test_robots_txt_of_the_media_host_is_obeyed(host: Host) -> None:
    host.routes["/robots.txt"] = Reply(200, b"User-agent: GPTBot\nDisallow: /storage/\n")
    host.routes["/storage/a.jpg"] = PICTURE
    assert refusal(fetcher(host.url), f"{host.url}/storage/a.jpg") == "robots_txt"
    assert "/storage/a.jpg" not in host.paths()
    narrow = fetcher(host.url, politeness=Politeness(obey_ai_refusals=False))
    assert narrow(f"{host.url}/storage/a.jpg") == PICTURE.body


def test_robots_txt_may_redirect_but_not_into_this_machine(host: Host) -> None:
    host.routes["/robots.txt"] = redirect("/moved/robots.txt")
    host.routes["/moved/robots.txt"] = Reply(200, b"User-agent: *\nDisallow: /")
    assert refusal(fetcher(host.url), f"{host.url}/a.jpg") == "robots_txt"
    with Host() as other:
        host.routes["/robots.txt"] = redirect(f"{other.url}/robots.txt")
        assert refusal(fetcher(host.url), f"{host.url}/a.jpg") == "private_address"
        assert other.asked == []
    host.routes["/robots.txt"] = redirect("/robots.txt")
    assert failure(fetcher(host.url), f"{host.url}/a.jpg") == "robots_unreadable"


NO_PREVIEW = Reply(200, b"\x89PNG\r\n\x1a\n no preview", {"Content-Type": "image/png"})


def test_a_placeholder_is_known_by_its_bytes_where_a_cache_hides_the_redirect(host: Host) -> None:
    host.routes |= {
        "/storage/m/lost.jpg": NO_PREVIEW,
        "/storage/m/drawing.png": Reply(200, NO_PREVIEW.body + b"!"),
        "/storage/no-preview.png": NO_PREVIEW,
    }
    fetch = fetcher(host.url)
    assert refusal(fetch, f"{host.url}/storage/m/lost.jpg") == "placeholder"
    assert fetch(f"{host.url}/storage/m/drawing.png").endswith(b"!")
    assert refusal(fetch, f"{host.url}/storage/m/lost.jpg") == "placeholder"
    assert host.paths().count("/storage/no-preview.png") == 1


@pytest.mark.parametrize(
    "reply",
    [Reply(404), Reply(503), Reply(200, b"half", announced_length=4000), redirect("/elsewhere")],
)
def test_a_host_whose_placeholder_cannot_be_had_still_gives_pictures(
    host: Host, reply: Reply
) -> None:
    host.routes |= {"/storage/m/a.png": NO_PREVIEW, "/storage/no-preview.png": reply}
    assert fetcher(host.url)(f"{host.url}/storage/m/a.png") == NO_PREVIEW.body


def test_robots_txt_guards_the_placeholder_too(host: Host) -> None:
    host.routes |= {
        "/robots.txt": Reply(200, b"User-agent: *\nDisallow: /storage/no-preview.png"),
        "/storage/m/a.png": NO_PREVIEW,
        "/storage/no-preview.png": NO_PREVIEW,
    }
    assert fetcher(host.url)(f"{host.url}/storage/m/a.png") == NO_PREVIEW.body
    assert "/storage/no-preview.png" not in host.paths()


def test_a_failure_that_passes_is_tried_again_within_one_fetch(host: Host) -> None:
    answers = iter([Reply(503), Reply(429, b"", {"Retry-After": "0"}), PICTURE])
    host.answer = lambda asked: next(answers) if asked.path == "/b.jpg" else ABSENT
    assert fetcher(host.url)(f"{host.url}/b.jpg") == PICTURE.body


def test_every_request_to_a_host_counts_against_its_budget(host: Host) -> None:
    """robots.txt, a redirect, a failed attempt and the picture: four, and then no more."""
    answers = iter([Reply(503), PICTURE])
    host.routes["/1"] = redirect("/b.jpg")
    route = host.answer
    host.answer = lambda asked: next(answers) if asked.path == "/b.jpg" else route(asked)
    fetch = fetcher(host.url, own_manners=MediaManners(IMPATIENT, budget=4))
    assert fetch(f"{host.url}/1") == PICTURE.body
    assert failure(fetch, f"{host.url}/a.jpg") == "budget_spent"
    assert host.paths() == ["/robots.txt", "/1", "/b.jpg", "/b.jpg"]
    assert fetch.files_requested == 2, "what there was no budget for was not requested"


def test_a_wait_that_is_too_long_leaves_the_host_to_the_next_run(host: Host) -> None:
    host.routes["/b.jpg"] = Reply(429, b"", {"Retry-After": "3600"})
    fetch = fetcher(host.url)
    assert failure(fetch, f"{host.url}/b.jpg") == "host_resting"
    assert failure(fetch, f"{host.url}/a.jpg") == "host_resting"
    assert host.paths() == ["/robots.txt", "/b.jpg"]


def test_a_crawl_delay_beyond_patience_is_not_ignored(host: Host) -> None:
    host.routes["/robots.txt"] = Reply(200, b"User-agent: *\nCrawl-delay: 600\n")
    fetch = fetcher(host.url)
    assert fetch(f"{host.url}/a.jpg") == PICTURE.body
    assert failure(fetch, f"{host.url}/a.jpg") == "host_resting"
    assert host.paths() == ["/robots.txt", "/a.jpg"]
