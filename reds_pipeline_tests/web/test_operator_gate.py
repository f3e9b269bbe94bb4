"""What is not for everybody opens to the operator, and there is no way around."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.review.desk import ReviewDesk
from reds_pipeline.settings import load_settings
from reds_pipeline.web.exchange_routes import exchange_router
from reds_pipeline.web.operator_gate import OperatorGate
from reds_pipeline.web.review_routes import review_router
from reds_pipeline_tests.web.serving import served
from reds_pipeline_tests.web.signed_in import (
    PASSWORD_HASH,
    TOKEN,
    script_token,
    sign_in,
)

SHA256 = "0" * 64
GUARDED = [
    ("GET", "/review"),
    ("GET", "/review/api/gallery"),
    ("GET", "/review/thumbnails/{sha256}"),
    ("GET", "/review/pictures/{sha256}"),
    ("POST", "/review/api/decisions"),
    ("POST", "/review/api/undo"),
    ("GET", "/review/api/decisions.csv"),
    ("GET", "/review/api/decisions.json"),
    ("GET", "/review/api/label-studio.xml"),
    ("POST", "/review/api/import"),
]
SECONDS = 60


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a home behind a proxy on this machine, with a password and a token."""
    home = tmp_path_factory.mktemp("home")
    with served(
        home,
        is_public=True,
        page_hosts=("tags.example",),
        trusted_proxies=("127.0.0.1",),
        operator_password_hash=PASSWORD_HASH,
        operator_token=TOKEN,
    ) as address:
        yield address


@pytest.fixture(scope="module")
def new_client() -> Callable[[], dict[str, str]]:
    """Return what gives the headers of one more client, so that no test uses up another's tries."""
    numbers = count(1)
    return lambda: {"X-Forwarded-For": f"198.51.100.{next(numbers)}"}


@pytest.fixture
def client(new_client: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Return the headers of a client of this test's own."""
    return new_client()


def ask(method: str, address: str, path: str, headers: dict[str, str]) -> requests.Response:
    return requests.request(
        method,
        address + path.format(sha256=SHA256),
        headers=headers,
        allow_redirects=False,
        timeout=SECONDS,
    )


def status_of_exact_path(address: str, method: str, path: str) -> int:
    """Return the status for a path that is sent as it stands, which no tidy client would do."""
    place = urlsplit(address).netloc
    connection = http.client.HTTPConnection(place, timeout=SECONDS)
    try:
        connection.putrequest(method, path)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def test_this_list_has_every_address_of_the_review(tmp_path: Path) -> None:
    """A route that is added later is guarded, and tested here, or this fails."""
    platform = Platform(load_settings(home=tmp_path))
    gate = OperatorGate(platform.settings, is_public=True)
    desk = ReviewDesk(platform.home, platform.ledger)

    def no_page(*_arguments: object) -> object:
        raise NotImplementedError

    routes = [
        *review_router(desk, platform.home.images, no_page, 1, gate).routes,  # type: ignore[arg-type]
        *exchange_router(desk, gate).routes,
    ]
    platform.ledger.close()
    assert all(isinstance(route, gate.route_class) for route in routes)
    there = {(method, route.path) for route in routes for method in route.methods}  # type: ignore[attr-defined]
    assert there == set(GUARDED)


@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"Authorization": f"Basic {TOKEN}"}, id="another scheme"),
        pytest.param({"Authorization": TOKEN}, id="no scheme"),
        pytest.param({"Cookie": "reds-operator="}, id="empty cookie"),
        pytest.param({"Cookie": f"reds-operator={TOKEN}"}, id="token as cookie"),
        pytest.param({"Cookie": f"__Host-reds-operator={'A' * 43}"}, id="made-up cookie"),
        pytest.param({"X-Forwarded-For": "127.0.0.1"}, id="forwarded from here"),
        pytest.param({"X-HTTP-Method-Override": "GET", "X-Original-URL": "/"}, id="override"),
    ],
)
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_strangers_get_a_sentence_and_nothing_else(
    closed: str, method: str, path: str, credentials: dict[str, str]
) -> None:
    answer = ask(method, closed, path, credentials)
    assert answer.status_code == 401
    assert set(answer.json()) == {"sentence", "reason"}
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_nothing_of_a_body_is_read_before_the_gate(closed: str) -> None:
    """Neither is a stranger told what the operator's programs may send."""
    answer = requests.post(f"{closed}/review/api/decisions", json={"no": 1}, timeout=SECONDS)
    assert answer.status_code == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "get"])
@pytest.mark.parametrize(
    "path",
    [
        "/review/",
        "//review",
        "/./review",
        "/static/../review",
        "/%72eview",
        "/review%2f",
        "/review;a=b",
        "/review/api/gallery/",
        "/review//api/gallery",
        "/review/api/../api/gallery",
        "/review/api/gallery%00",
        "/REVIEW",
        "/login/../review",
        "http://127.0.0.1/review",
        "/review?authorization=" + TOKEN.replace(" ", "+"),
    ],
)
def test_no_spelling_of_an_address_and_no_method_gets_around(
    closed: str, method: str, path: str
) -> None:
    assert status_of_exact_path(closed, method, path) in {307, 400, 401, 403, 404, 405, 421}


def test_a_browser_is_sent_to_the_login(closed: str) -> None:
    answer = ask("GET", closed, "/review", {"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_the_token_opens_everything_to_programs(closed: str, method: str, path: str) -> None:
    answer = ask(method, closed, path, {"Authorization": f"bearer {TOKEN}"})
    assert answer.status_code in {200, 404, 409, 422}


def test_wrong_tokens_are_counted_by_address(
    closed: str, new_client: Callable[[], dict[str, str]]
) -> None:
    """Somebody else's attempts lock nobody out; one's own do, and only for a while."""
    guesser, program = new_client(), new_client()
    wrong = {"Authorization": f"Bearer {TOKEN}!"}
    right = {"Authorization": f"Bearer {TOKEN}"}
    statuses = [
        ask("GET", closed, "/review/api/gallery", guesser | wrong).status_code for _ in range(6)
    ]
    assert statuses == [401] * 5 + [429]
    assert ask("GET", closed, "/review/api/gallery", guesser | right).status_code == 429
    assert ask("GET", closed, "/review/api/gallery", program | right).status_code == 200


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_session_opens_everything_to_its_own_pages(
    closed: str, client: dict[str, str], method: str, path: str
) -> None:
    browser = sign_in(closed, **client)
    token = script_token(browser.get(f"{closed}/review", timeout=SECONDS).text)
    answer = browser.request(
        method,
        closed + path.format(sha256=SHA256),
        headers={"X-Form-Token": token},
        timeout=SECONDS,
    )
    assert answer.status_code in {200, 404, 409, 422}


def test_a_session_changes_nothing_without_the_token_of_its_pages(
    closed: str, client: dict[str, str]
) -> None:
    """A cookie alone is what another site could make a browser send."""
    browser, other = sign_in(closed, **client), sign_in(closed, **client)
    foreign = script_token(other.get(f"{closed}/review", timeout=SECONDS).text)
    for token in ("", "0" * 64, "\u00e9".encode().decode("latin-1"), foreign):
        answer = browser.post(
            f"{closed}/review/api/undo", headers={"X-Form-Token": token}, timeout=SECONDS
        )
        assert (answer.status_code, answer.json()["reason"]) == (401, "page_outdated")


def test_a_session_of_another_home_opens_nothing_here(
    closed: str, client: dict[str, str], tmp_path: Path
) -> None:
    """Even with the same password: browsers send cookies to every port of a host."""
    with served(tmp_path / "other", operator_password_hash=PASSWORD_HASH) as other:
        browser = sign_in(other, **client)
        assert browser.get(f"{other}/review/api/gallery", timeout=SECONDS).status_code == 200
        assert browser.get(f"{closed}/review/api/gallery", timeout=SECONDS).status_code == 401


def test_an_open_gate_is_for_this_machine_only(tmp_path: Path) -> None:
    """Without a password, as `reds review` has always been; a proxy in front closes it."""
    with served(tmp_path / "home") as address:
        assert ask("GET", address, "/review", {"Accept": "text/html"}).status_code == 200
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            answer = ask("GET", address, "/review/api/gallery", {name: "203.0.113.7"})
            assert (answer.status_code, answer.json()["reason"]) == (403, "no_password_set")


def test_with_a_password_this_machine_signs_in_too(tmp_path: Path) -> None:
    with served(tmp_path / "home", operator_password_hash=PASSWORD_HASH) as address:
        assert ask("GET", address, "/review/api/gallery", {}).status_code == 401
        assert ask("GET", address, "/metrics", {}).status_code == 200


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"is_public": True}, id="address"),
        pytest.param({"page_hosts": ("tags.example",)}, id="name"),
        pytest.param({"trusted_proxies": ("127.0.0.1",)}, id="proxy"),
    ],
)
def test_without_a_password_a_public_page_says_how_to_set_one(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    with served(tmp_path / "home", **settings) as address:
        for path in ("/review/api/gallery", "/metrics"):
            refused = ask("GET", address, path, {})
            assert refused.status_code == 403
            assert "`reds password`" in refused.json()["sentence"]
        sent = ask("GET", address, "/review", {"Accept": "text/html"})
        assert sent.headers["Location"] == "/login"
        page = ask("GET", address, "/login", {"Accept": "text/html"})
        assert page.status_code == 403
        assert "`reds password`" in page.text
        assert "<form" not in page.text


def test_numbers_for_the_operator_open_to_the_token(closed: str) -> None:
    assert ask("GET", closed, "/metrics", {}).status_code == 401
    told = ask("GET", closed, "/metrics", {"Authorization": f"Bearer {TOKEN}"})
    assert told.status_code == 200


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        pytest.param({"operator_password_hash": "password"}, "reds password", id="password"),
        pytest.param(
            {"operator_password_hash": PASSWORD_HASH.replace("$", "")}, "dollar", id="shell ate it"
        ),
        pytest.param({"operator_token": "short"}, "--token", id="short token"),
    ],
)
def test_a_secret_that_cannot_work_is_refused_at_the_start(
    tmp_path: Path, settings: dict[str, str], named: str
) -> None:
    with pytest.raises(RedsError, match=named):
        OperatorGate(load_settings(home=tmp_path, **settings), is_public=True)
