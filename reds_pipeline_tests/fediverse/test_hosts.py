from __future__ import annotations

from collections.abc import Mapping

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.hosts import HostProfile, probe, require_approval
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import AuthenticationRequired, BotCheck, HostRefused
from reds_pipeline_tests.fediverse.makers import IMPATIENT, MASTODON, PIXELFED, TOKEN
from reds_pipeline_tests.fediverse.scripted_host import (
    NOT_FOUND,
    Asked,
    Reply,
    ScriptedHost,
    as_html,
    as_json,
    redirect,
)

NODEINFO = "/.well-known/nodeinfo"
NO_RESULTS = as_json({"error": "No query results for model [App\\Hashtag]."}, 500)
CLOSED = as_json({"error": "This method requires an authenticated user"}, 422)


@pytest.mark.parametrize(
    ("url", "approved"),
    [
        ("http://127.0.0.1:4000", []),
        ("http://localhost:4000", []),
        ("https://pix.example", ["https://pix.example/"]),
        ("https://PIX.example/about", ["pix.example"]),
    ],
)
def test_this_machine_and_approved_hosts_pass(url: str, approved: list[str]) -> None:
    require_approval(url, approved)


@pytest.mark.parametrize(
    ("url", "approved"),
    [
        ("https://pix.example", []),
        ("https://evil.example", ["https://pix.example"]),
        ("https://sub.pix.example", ["pix.example"]),
        ("https://pix.example:8443", ["pix.example"]),
        ("http://10.0.0.1", []),
        ("https://pix.example", ["nonsense://"]),
    ],
)
def test_any_other_host_is_refused_with_the_way_to_approve_it(
    url: str, approved: list[str]
) -> None:
    with pytest.raises(RedsError, match="reds hosts approve"):
        require_approval(url, approved)


def host(routes: Mapping[str, Reply], software: str = "", version: str = "1.2.3") -> ScriptedHost:
    """A host with fixed answers by path; with a software name it has nodeinfo."""
    server = ScriptedHost()
    document = as_json({"software": {"name": software, "version": version}})
    links = as_json({"links": [{"href": f"{server.url}/nodeinfo.json"}]})
    known = {NODEINFO: links, "/nodeinfo.json": document} if software else {}

    def answer(asked: Asked) -> Reply:
        return {**known, **routes}.get(asked.path, NOT_FOUND)

    server.answer = answer
    return server


PUBLIC = "/api/v1/timelines/public"
TAG = "/api/v1/timelines/tag/photography"
POST = "/api/v1/statuses/1"


def test_a_pixelfed_host_needs_a_token_without_being_asked() -> None:
    routes = {
        "/api/v2/instance": as_json({"title": "Pix", "version": "3.5.3"}),
        "/api/v1/accounts/verify_credentials": as_json({"id": "1"}),
    }
    with host(routes, "pixelfed") as server, ApiClient(server.url, TOKEN) as client:
        profile = probe(client)
    assert (profile.flavour, profile.version, profile.title) == ("pixelfed", "1.2.3", "Pix")
    assert (profile.public_timeline, profile.tag_timeline) == ("needs_token", "needs_token")
    assert not any(path.startswith("/api/v1/timelines") for path in server.paths())


@pytest.mark.parametrize(
    ("routes", "public", "tag"),
    [
        ({PUBLIC: as_json([]), TAG: as_json([])}, "anonymous", "anonymous"),
        ({PUBLIC: CLOSED, TAG: as_json([])}, "needs_token", "anonymous"),
        ({PUBLIC: as_html("<p>wall</p>"), TAG: CLOSED}, "unavailable", "needs_token"),
        ({}, "unavailable", "unavailable"),
    ],
)
def test_any_other_host_is_asked_for_one_post(
    routes: Mapping[str, Reply], public: str, tag: str
) -> None:
    with host(routes, "mastodon") as server:
        profile = probe(ApiClient(server.url, pace=IMPATIENT))
    assert profile.flavour == "mastodon"
    assert (profile.public_timeline, profile.tag_timeline) == (public, tag)


@pytest.mark.parametrize(
    ("version", "flavour"),
    [
        ("3.5.3 (compatible; Pixelfed 0.12.6)", "pixelfed"),
        ("2.7.2 (compatible; Akkoma 3.10)", "compatible"),
        (None, "compatible"),
    ],
)
def test_without_nodeinfo_the_version_decides(version: str | None, flavour: str) -> None:
    with host({"/api/v1/instance": as_json({"version": version})}) as server:
        assert probe(ApiClient(server.url, pace=IMPATIENT)).flavour == flavour


def test_nodeinfo_on_another_host_is_not_followed() -> None:
    with ScriptedHost(lambda _asked: as_json({})) as other:
        links = as_json({"links": ["odd", {"href": f"{other.url}/x"}, {"href": "http://["}]})
        with host({NODEINFO: links}) as server:
            assert probe(ApiClient(server.url, pace=IMPATIENT)).software == ""
        assert other.asked == []


def test_a_refused_token_stops_the_probe() -> None:
    routes = {"/api/v1/accounts/verify_credentials": as_json({"error": "Unauthenticated."}, 500)}
    with host(routes, "pixelfed") as server, pytest.raises(AuthenticationRequired):
        probe(ApiClient(server.url, TOKEN))


@pytest.mark.req("R-SCR-12")
@pytest.mark.parametrize("robots", ["User-agent: *\nDisallow: /", "User-agent: CCBot\nDisallow: /"])
def test_a_refusal_in_robots_txt_comes_before_any_other_request(robots: str) -> None:
    with host({"/robots.txt": Reply(200, robots.encode())}, "pixelfed") as server:
        with pytest.raises(HostRefused, match="robots"):
            probe(ApiClient(server.url, TOKEN))
        assert server.paths() == ["/robots.txt"]


@pytest.mark.req("R-SCR-12")
@pytest.mark.parametrize(
    ("robots", "sentence"),
    [
        ("User-agent: GPTBot\nDisallow: /", "once they gave it"),
        ("User-agent: *\nContent-Signal: ai-train=no", "once they gave it"),
        ("User-agent: *\nDisallow: /", "ask its operator for permission"),
    ],
)
def test_a_refusal_tells_what_the_operator_can_do(robots: str, sentence: str) -> None:
    with (
        host({"/robots.txt": Reply(200, robots.encode())}, "mastodon") as server,
        pytest.raises(HostRefused, match=sentence) as caught,
    ):
        probe(ApiClient(server.url))
    assert ("REDS_OBEY_AI_ROBOTS=false" in str(caught.value)) is ("gave it" in sentence)


FEED = "/api/v2/discover/tag"
OFF = as_json({"error": ""}, 403)
ADMIN = {"contact": {"account": {"username": "ad min"}}}


@pytest.mark.parametrize(
    ("routes", "tag_feed", "author", "why"),
    [
        ({FEED: OFF}, "unavailable", "anonymous", "the default, which no token changes"),
        ({FEED: as_json({"tags": []})}, "anonymous", "anonymous", "switched on"),
        ({FEED: as_json([])}, "anonymous", "anonymous", "a banned tag"),
        ({FEED: NO_RESULTS}, "anonymous", "anonymous", "on, and nobody uses the tag"),
        ({FEED: as_html("x", 403)}, "unavailable", "anonymous", "closed by a proxy"),
        ({FEED: as_json({"error": "Server Error"}, 500)}, "unavailable", "anonymous", "broken"),
        (
            {FEED: OFF, "/api/v2/instance": as_json(ADMIN), "/users/ad%20min": as_json({"id": 1})},
            "unavailable",
            "anonymous",
            "asked about the administrator",
        ),
        (
            {FEED: OFF, "/api/v2/instance": as_json(ADMIN), "/users/ad%20min": OFF},
            "unavailable",
            "needs_token",
            "closed to guests",
        ),
    ],
)
def test_a_pixelfed_host_is_asked_what_guests_may_see(
    routes: Mapping[str, Reply], tag_feed: str, author: str, why: str
) -> None:
    with host(routes, "pixelfed") as server, ApiClient(server.url, pace=IMPATIENT) as client:
        profile = probe(client)
    assert (profile.tag_feed, profile.author) == (tag_feed, author), why
    assert (profile.post, profile.post_batch) == ("needs_token", "unavailable")


ACCESS = {"public": "anonymous", "authenticated": "needs_token", "disabled": "unavailable"}


@pytest.mark.parametrize("live", ACCESS)
@pytest.mark.parametrize("topic", ACCESS)
def test_a_new_mastodon_says_itself_which_timelines_are_open(live: str, topic: str) -> None:
    # What others' posts need does not matter: REDS asks for the host's own.
    settings = {
        "live_feeds": {"local": live, "remote": "disabled"},
        "hashtag_feeds": {"local": topic, "remote": "disabled"},
    }
    instance = as_json({"configuration": {"timelines_access": settings}})
    routes = {"/api/v2/instance": instance, "/tags/photography.rss": as_html("<rss/>")}
    with (
        host(routes, "mastodon", "4.5.0-rc.1+glitch") as server,
        ApiClient(server.url, pace=IMPATIENT) as client,
    ):
        profile = probe(client)
    assert (profile.public_timeline, profile.tag_timeline) == (ACCESS[live], ACCESS[topic])
    assert profile.tag_feed == ("anonymous" if topic == "public" else "unavailable")
    assert not any(path.startswith("/api/v1/timelines") for path in server.paths())


@pytest.mark.parametrize(
    ("version", "access"),
    [
        ("4.4.9", {"live_feeds": {"local": "public"}, "hashtag_feeds": {"local": "public"}}),
        ("4.10", None),
        ("4.10", {"live_feeds": "public", "hashtag_feeds": {"local": ["public"]}}),
        ("4.10", {"live_feeds": {"local": "by the moon"}}),
        ("nightly", {"live_feeds": {"local": "public"}, "hashtag_feeds": {"local": "public"}}),
    ],
)
def test_without_a_clear_word_a_mastodon_is_asked(version: str, access: object) -> None:
    routes = {
        "/api/v2/instance": as_json({"configuration": {"timelines_access": access}}),
        PUBLIC: CLOSED,
        TAG: CLOSED,
    }
    with (
        host(routes, "mastodon", version) as server,
        ApiClient(server.url, pace=IMPATIENT) as client,
    ):
        profile = probe(client)
    assert (profile.public_timeline, profile.tag_timeline) == ("needs_token", "needs_token")


@pytest.mark.parametrize(
    ("software", "routes", "verdicts", "why"),
    [
        ("mastodon", {}, ("anonymous", "unavailable", "anonymous"), "an unknown tag, before 4.3"),
        ("akkoma", {}, ("unavailable", "unavailable", "anonymous"), "no such feed"),
        (
            "mastodon",
            {"/tags/photography.rss": as_html("", 401), "/api/v1/statuses": CLOSED, POST: CLOSED},
            ("needs_token", "needs_token", "needs_token"),
            "no guests",
        ),
        (
            "mastodon",
            {"/tags/photography.rss": redirect("/auth/sign_in"), "/api/v1/statuses": as_json([])},
            ("needs_token", "anonymous", "anonymous"),
            "a feed for members",
        ),
    ],
)
def test_any_other_host_is_asked_what_guests_may_see(
    software: str, routes: Mapping[str, Reply], verdicts: tuple[str, ...], why: str
) -> None:
    known = {PUBLIC: as_json([]), TAG: as_json([])}
    with (
        host({**known, **routes}, software) as server,
        ApiClient(server.url, pace=IMPATIENT) as client,
    ):
        profile = probe(client)
    assert (profile.tag_feed, profile.post_batch, profile.post) == verdicts, why


@pytest.mark.parametrize(
    ("software", "version", "most"),
    [("pixelfed", "0.12.6", 6), ("mastodon", "4.5.0", 7), ("mastodon", "4.4.0", 9), ("", "", 10)],
)
def test_a_probe_costs_few_requests(software: str, version: str, most: int) -> None:
    access = {"live_feeds": {"local": "public"}, "hashtag_feeds": {"local": "public"}}
    instance = as_json(
        {"configuration": {"timelines_access": access}, "contact": {"account": {"username": "a"}}}
    )
    routes = {} if software == "" else {"/api/v2/instance": instance}
    with (
        host(routes, software, version) as server,
        ApiClient(server.url, pace=IMPATIENT) as client,
    ):
        probe(client)
        assert client.requests_made <= most


def test_a_bot_check_stops_the_probe_wherever_it_comes() -> None:
    challenge = Reply(403, b"", {"Content-Type": "text/html", "cf-mitigated": "challenge"})
    for path in (NODEINFO, "/api/v2/instance", PUBLIC, "/api/v1/statuses"):
        with host({path: challenge}) as server, pytest.raises(BotCheck):
            probe(ApiClient(server.url, pace=IMPATIENT))


@pytest.mark.parametrize(("profile", "rows"), [(PIXELFED, 6), (MASTODON, 5)])
def test_verdicts_are_words_for_people(profile: HostProfile, rows: int) -> None:
    found = profile.verdicts()
    assert len({name for name, _, _ in found}) == len(found) == rows
    assert found[1][:2] == ("posts of a tag", profile.tag_timeline)
    assert all(use for _, _, use in found)
