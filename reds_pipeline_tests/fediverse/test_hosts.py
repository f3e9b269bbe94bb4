from __future__ import annotations

from collections.abc import Mapping

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.client import ApiClient
from reds_pipeline.fediverse.failures import AuthenticationRequired, HostRefused
from reds_pipeline.fediverse.hosts import probe, require_approval
from reds_pipeline_tests.fediverse.makers import IMPATIENT, TOKEN
from reds_pipeline_tests.fediverse.scripted_host import (
    NOT_FOUND,
    Asked,
    Reply,
    ScriptedHost,
    as_html,
    as_json,
)

NODEINFO = "/.well-known/nodeinfo"
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


def host(routes: Mapping[str, Reply], software: str = "") -> ScriptedHost:
    """A host with fixed answers by path; with a software name it has nodeinfo."""
    server = ScriptedHost()
    document = as_json({"software": {"name": software, "version": "1.2.3"}})
    links = as_json({"links": [{"href": f"{server.url}/nodeinfo.json"}]})
    known = {NODEINFO: links, "/nodeinfo.json": document} if software else {}

    def answer(asked: Asked) -> Reply:
        return {**known, **routes}.get(asked.path, NOT_FOUND)

    server.answer = answer
    return server


PUBLIC = "/api/v1/timelines/public"
TAG = "/api/v1/timelines/tag/photography"


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
