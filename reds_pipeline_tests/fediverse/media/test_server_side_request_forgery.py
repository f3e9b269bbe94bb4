"""A post names an address, and REDS is asked to visit it: nothing on this machine or near it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import pytest

from reds_pipeline.fediverse.media.fetcher import MediaFailed, MediaFetcher, MediaRefused
from reds_pipeline.fediverse.media.media_hosts import MediaManners
from reds_pipeline.fediverse.web.politeness import Politeness
from reds_pipeline_tests.fediverse.makers import IMPATIENT
from reds_pipeline_tests.fediverse.scripted_host import Asked, Reply, ScriptedHost, redirect

HASTE = MediaManners(IMPATIENT)
PICTURE = Reply(200, b"\xff\xd8 bytes of a picture", {"Content-Type": "image/jpeg"})
PUBLIC = "8.8.8.8"

THIS_MACHINE = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7F.1",
    "0177.0.0.1",
    "0x7f.0.0.0x1",
    "0177.0.0x0.1",
    "0",
    "0.0.0.0",
    "localhost",
    "LocalHost",
    "localhost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::1%25lo]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:0]",
    "[2002:7f00:1::]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
]
NEARBY = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0xa9fea9fe",
    "2852039166",
    "0xc0.0xa8.1",
    "224.0.0.1",
    "255.255.255.255",
    "[fe80::1]",
    "[fc00::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
]


@pytest.fixture
def inner() -> Iterator[ScriptedHost]:
    """A service on this machine that nobody outside may reach."""
    with ScriptedHost(lambda _asked: PICTURE) as running:
        yield running


@pytest.fixture
def own() -> Iterator[ScriptedHost]:
    """The approved host, which is on this machine too."""

    def answer(asked: Asked) -> Reply:
        return PICTURE if asked.path == "/a.jpg" else Reply(404)

    with ScriptedHost(answer) as running:
        yield running


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that sockets were connected to; those elsewhere are refused on the spot."""
    connected: list[str] = []

    class Watched(socket.socket):
        def connect(self, address: Any, /) -> None:
            connected.append(address[0])
            if not address[0].startswith("127."):
                raise ConnectionRefusedError
            super().connect(address)

    monkeypatch.setattr(socket, "socket", Watched)
    return connected


def name_server(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """Let every name ending in .example have these answers in turn, the last one for ever.

    A hostile name server is the one thing here that cannot be run on loopback.
    """
    real: Callable[..., Any] = socket.getaddrinfo
    turns = chain(answers, repeat(answers[-1]))

    def resolve(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        if not str(host).endswith(".example"):
            return real(host, port, *rest, **options)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(turns)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def fetcher(api_url: str) -> MediaFetcher:
    return MediaFetcher(api_url, Politeness(), manners=HASTE, own_manners=HASTE)


def refused(fetch: MediaFetcher, url: str) -> str:
    with pytest.raises((MediaRefused, MediaFailed)) as raised:
        fetch(url)
    assert isinstance(raised.value, MediaRefused | MediaFailed)
    return raised.value.reason


def port_of(host: ScriptedHost) -> str:
    return host.url.rpartition(":")[2]


@pytest.mark.parametrize("name", THIS_MACHINE)
def test_no_spelling_of_this_machine_reaches_another_service(
    own: ScriptedHost, inner: ScriptedHost, name: str
) -> None:
    """Whether the approved host is here or elsewhere."""
    for api_url in (own.url, "https://pix.example"):
        with fetcher(api_url) as fetch:
            assert refused(fetch, f"http://{name}:{port_of(inner)}/a.jpg")
            assert refused(fetch, f"https://{name}:{port_of(inner)}/a.jpg")
    assert inner.asked == []
    assert own.asked == []


@pytest.mark.parametrize("name", NEARBY)
def test_no_spelling_of_a_private_network_is_connected_to(
    own: ScriptedHost, connections: list[str], name: str
) -> None:
    with fetcher(own.url) as fetch:
        assert refused(fetch, f"http://{name}/latest/meta-data/a.jpg") == "private_address"
    assert connections == []


def test_the_approved_host_on_this_machine_is_open_under_exactly_its_origin(
    own: ScriptedHost,
) -> None:
    with fetcher(own.url) as fetch:
        assert fetch(f"{own.url}/a.jpg") == PICTURE.body
        before = len(own.asked)
        for other in ("2130706433", "127.1", "localhost", "[::ffff:127.0.0.1]", "127.0.0.2"):
            assert refused(fetch, f"http://{other}:{port_of(own)}/a.jpg") == "private_address"
        assert refused(fetch, f"https://127.0.0.1:{port_of(own)}/a.jpg") == "private_address"
        assert len(own.asked) == before


@pytest.mark.parametrize(
    "disguise",
    [
        "http://{own}@{inner}/a.jpg",
        "http://{own}:80@{inner}/a.jpg",
        "http://{own}%40@{inner}/a.jpg",
        "http://{inner}\\@{own}/a.jpg",
        "http://{inner}#@{own}/a.jpg",
        "http://{inner}?@{own}/a.jpg",
        "http://{inner}/a.jpg#{own}",
        "HTTP://{inner}/a.jpg",
        "http:\\\\{inner}\\a.jpg",
        "http:/{inner}/a.jpg",
        "http://{inner} /a.jpg",
        "http://{inner}\t/a.jpg",
        "\nhttp://{inner}/a.jpg",
        "//{inner}/a.jpg",
    ],
)
def test_no_disguised_address_reaches_another_service(
    own: ScriptedHost, inner: ScriptedHost, disguise: str
) -> None:
    places = {"own": own.url.removeprefix("http://"), "inner": inner.url.removeprefix("http://")}
    with fetcher(own.url) as fetch:
        assert refused(fetch, disguise.format(**places)) in {"bad_url", "private_address"}
    assert inner.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/a.jpg",
        "gopher://127.0.0.1:6379/_INFO",
        "unix:///var/run/docker.sock",
        "http+unix://%2Fvar%2Frun%2Fdocker.sock/a.jpg",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "http://",
        "http:///a.jpg",
        "",
    ],
)
def test_only_web_addresses_with_a_host_are_visited(
    own: ScriptedHost, connections: list[str], url: str
) -> None:
    with fetcher(own.url) as fetch:
        assert refused(fetch, url) == "bad_url"
    assert connections == []


@pytest.mark.parametrize("hops", [1, 2, 3])
@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/a.jpg",
        "http://2130706433:{port}/a.jpg",
        "http://[::ffff:7f00:1]:{port}/a.jpg",
        "//127.1:{port}/a.jpg",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "http://approved@127.0.0.1:{port}/a.jpg",
    ],
)
def test_no_redirect_leads_inside_at_any_hop(
    own: ScriptedHost, inner: ScriptedHost, target: str, hops: int
) -> None:
    steps = {f"/{step}": redirect(f"/{step - 1}") for step in range(2, hops + 1)}
    steps["/1"] = redirect(target.format(port=port_of(inner)), 308)
    own.answer = lambda asked: steps.get(asked.path, Reply(404))
    with fetcher(own.url) as fetch:
        assert refused(fetch, f"{own.url}/{hops}") in {"bad_url", "private_address"}
    assert inner.asked == []
    assert own.paths() == ["/robots.txt", *(f"/{step}" for step in range(hops, 0, -1))]


def test_a_redirect_carries_nothing_from_one_request_to_the_next(own: ScriptedHost) -> None:
    steps = {
        "/1": Reply(302, b"", {"Location": "/a.jpg", "Set-Cookie": "visitor=7; Path=/"}),
        "/a.jpg": PICTURE,
    }
    own.answer = lambda asked: steps.get(asked.path, Reply(404))
    with fetcher(own.url) as fetch:
        fetch(f"{own.url}/1")
        fetch(f"{own.url}/a.jpg")
    for asked in own.asked:
        assert not {"Authorization", "Referer", "Cookie"} & set(asked.headers)


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], [PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], ["10.0.0.7"], ["::1"]]
)
def test_a_name_with_one_inner_address_is_not_connected_to_at_all(
    inner: ScriptedHost,
    connections: list[str],
    monkeypatch: pytest.MonkeyPatch,
    answers: list[str],
) -> None:
    name_server(monkeypatch, answers)
    with fetcher("https://pix.example") as fetch:
        url = f"http://cdn.example:{port_of(inner)}/a.jpg"
        assert refused(fetch, url) == "private_address"
    assert connections == []
    assert inner.asked == []


def test_a_name_that_changes_its_answer_after_the_check_gains_nothing(
    inner: ScriptedHost, connections: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket goes to the address that was checked, and each new one is checked again."""
    name_server(monkeypatch, [PUBLIC], ["127.0.0.1"])
    with fetcher("https://pix.example") as fetch:
        url = f"http://rebinding.example:{port_of(inner)}/a.jpg"
        assert refused(fetch, url) == "private_address"
    assert connections == [PUBLIC]
    assert inner.asked == []


def test_a_redirect_to_a_name_is_judged_by_where_it_leads(
    own: ScriptedHost,
    inner: ScriptedHost,
    connections: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name_server(monkeypatch, ["127.0.0.1"])
    own.answer = lambda asked: (
        redirect(f"http://cdn.example:{port_of(inner)}/a.jpg") if asked.path == "/1" else Reply(404)
    )
    with fetcher(own.url) as fetch:
        assert refused(fetch, f"{own.url}/1") == "private_address"
    assert set(connections) == {"127.0.0.1"}
    assert inner.asked == []


def test_an_environment_that_names_a_proxy_is_ignored(
    own: ScriptedHost, inner: ScriptedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would connect wherever it is told, behind the back of every check."""
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, inner.url)
    monkeypatch.setenv("no_proxy", "")
    with fetcher(own.url) as fetch:
        assert fetch(f"{own.url}/a.jpg") == PICTURE.body
    assert inner.asked == []
