"""Signing in and out, and what keeps others from doing it for the operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import Morsel, SimpleCookie
from itertools import count

import pytest
import requests

from reds_pipeline.web.login_attempts import PER_MINUTE
from reds_pipeline.web.password_hashes import MOST_CHARACTERS
from reds_pipeline_tests.web.serving import served
from reds_pipeline_tests.web.signed_in import (
    PASSWORD,
    PASSWORD_HASH,
    form_token,
    script_token,
    sign_in,
    try_password,
)

SECONDS = 60
HTTPS = {"X-Forwarded-Proto": "https", "Host": "tags.example"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a home behind a proxy on this machine, with a password."""
    with served(
        tmp_path_factory.mktemp("home"),
        is_public=True,
        page_hosts=("tags.example",),
        trusted_proxies=("127.0.0.1",),
        operator_password_hash=PASSWORD_HASH,
    ) as given:
        yield given


@pytest.fixture(scope="module")
def new_browser() -> Callable[..., requests.Session]:
    """Return what gives a browser at an address of its own, so that tests share no attempts."""
    numbers = count(1)

    def make(**headers: str) -> requests.Session:
        browser = requests.Session()
        browser.headers["X-Forwarded-For"] = f"198.51.100.{next(numbers)}"
        browser.headers.update(headers)
        return browser

    return make


@pytest.fixture
def browser(new_browser: Callable[..., requests.Session]) -> requests.Session:
    return new_browser()


def cookie(answer: requests.Response, name: str) -> Morsel[str]:
    """Return a cookie with everything that was said of it."""
    for line in answer.raw.headers.getlist("Set-Cookie"):
        parsed: SimpleCookie = SimpleCookie(line)
        if name in parsed:
            return parsed[name]
    raise AssertionError(f"no cookie {name}")


def is_in(browser: requests.Session, address: str) -> bool:
    return browser.get(f"{address}/review/api/gallery", timeout=SECONDS).status_code == 200


def test_the_password_opens_the_review(address: str, browser: requests.Session) -> None:
    answer = try_password(browser, address)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/review")
    assert is_in(browser, address)
    # Who is signed in needs no form.
    again = browser.get(f"{address}/login", allow_redirects=False, timeout=SECONDS)
    assert (again.status_code, again.headers["Location"]) == (303, "/review")


@pytest.mark.parametrize(
    ("headers", "name", "is_secure"),
    [
        pytest.param({}, "reds-operator", False, id="http"),
        pytest.param(HTTPS, "__Host-reds-operator", True, id="https"),
    ],
)
def test_no_script_and_no_other_site_gets_the_cookie(
    address: str,
    new_browser: Callable[..., requests.Session],
    headers: dict[str, str],
    name: str,
    is_secure: bool,
) -> None:
    browser = new_browser(**headers)
    page = browser.get(f"{address}/login", timeout=SECONDS)
    form_cookie = cookie(page, name.replace("operator", "login"))
    answer = requests.post(
        f"{address}/login",
        data={"password": PASSWORD, "form_token": form_token(page.text)},
        # A browser sends it back over TLS, which ends at the proxy that this test stands for.
        headers={**browser.headers, "Cookie": f"{form_cookie.key}={form_cookie.value}"},
        allow_redirects=False,
        timeout=SECONDS,
    )
    for given in (form_cookie, cookie(answer, name)):
        assert given["httponly"]
        assert given["samesite"] == "strict"
        assert given["path"] == "/"
        assert not given["domain"]
        assert not given["max-age"]
        assert bool(given["secure"]) is is_secure


def test_a_cookie_of_plain_http_is_none_over_https(
    address: str, new_browser: Callable[..., requests.Session]
) -> None:
    """Otherwise whoever can write into unencrypted answers could plant a session of his own."""
    plain = try_password(new_browser(), address)
    value = cookie(plain, "reds-operator").value
    answer = requests.get(
        f"{address}/review/api/gallery",
        headers={**HTTPS, "Cookie": f"reds-operator={value}"},
        timeout=SECONDS,
    )
    assert answer.status_code == 401


def test_every_login_is_a_session_of_its_own_and_ends_the_one_before(
    address: str, browser: requests.Session
) -> None:
    """A session that somebody else knew of is not continued (session fixation)."""
    page = browser.get(f"{address}/login", timeout=SECONDS)
    browser.cookies.set("reds-operator", "planted" * 6)
    token = form_token(page.text)
    data = {"password": PASSWORD, "form_token": token}
    login_cookie = browser.cookies["reds-login"]
    first = browser.post(f"{address}/login", data=data, allow_redirects=False, timeout=SECONDS)
    secret = cookie(first, "reds-operator").value
    assert secret != "planted" * 6
    second = requests.post(
        f"{address}/login",
        data=data,
        headers={
            **browser.headers,
            "Cookie": f"reds-operator={secret}; reds-login={login_cookie}",
        },
        allow_redirects=False,
        timeout=SECONDS,
    )
    assert cookie(second, "reds-operator").value != secret
    old = {"Cookie": f"reds-operator={secret}"}
    assert requests.get(f"{address}/review", headers=old, timeout=SECONDS).status_code == 401


def test_signing_out_ends_the_session_here_and_not_only_there(
    address: str, browser: requests.Session
) -> None:
    """A copy of the cookie is worth nothing afterwards."""
    signed_in = sign_in(address, X_Forwarded_For=str(browser.headers["X-Forwarded-For"]))
    copied = signed_in.cookies["reds-operator"]
    page = signed_in.get(f"{address}/review", timeout=SECONDS)
    assert form_token(page.text) == script_token(page.text)
    answer = signed_in.post(
        f"{address}/logout",
        data={"form_token": form_token(page.text)},
        allow_redirects=False,
        timeout=SECONDS,
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert "reds-operator" not in signed_in.cookies
    signed_in.cookies.set("reds-operator", copied)
    assert not is_in(signed_in, address)


def test_nobody_else_can_sign_the_operator_out(address: str, browser: requests.Session) -> None:
    try_password(browser, address)
    for token in ("", "0" * 64):
        answer = browser.post(f"{address}/logout", data={"form_token": token}, timeout=SECONDS)
        assert answer.status_code == 400
    assert is_in(browser, address)


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("", id="empty"),
        pytest.param("x", id="short"),
        pytest.param(PASSWORD.upper(), id="capitals"),
        pytest.param(PASSWORD + " ", id="one more"),
        pytest.param(PASSWORD[:-1], id="one less"),
        pytest.param(PASSWORD + "\0", id="null"),
        pytest.param(PASSWORD_HASH, id="the hash itself"),
        pytest.param("\N{PILE OF POO}" * 300, id="not ASCII"),
        pytest.param("x" * (MOST_CHARACTERS + 1), id="too long"),
    ],
)
def test_every_wrong_password_gets_the_same_answer(
    address: str, browser: requests.Session, password: str
) -> None:
    answer = try_password(browser, address, password)
    assert answer.status_code == 403
    assert "That is not the password; try again." in answer.text
    assert not is_in(browser, address)


def test_text_that_is_none_is_a_wrong_password_too(address: str, browser: requests.Session) -> None:
    """A form may name a character set in which half a character can be written."""
    token = form_token(browser.get(f"{address}/login", timeout=SECONDS).text)
    fields = {"form_token": token, "password": "+2AA-"}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    answer = browser.post(
        f"{address}/login",
        data="".join(parts) + "--b--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=b; charset=utf-7"},
        timeout=SECONDS,
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({}, id="none"),
        pytest.param({"form_token": ""}, id="empty"),
        pytest.param({"form_token": "0" * 64}, id="made up"),
        pytest.param({"form_token": "\N{LATIN SMALL LETTER E WITH ACUTE}"}, id="not ASCII"),
    ],
)
def test_no_other_site_can_sign_anybody_in(
    address: str, browser: requests.Session, sent: dict[str, str]
) -> None:
    """The right password is not enough without the form that this browser was sent."""
    browser.get(f"{address}/login", timeout=SECONDS)
    answer = browser.post(f"{address}/login", data={"password": PASSWORD, **sent}, timeout=SECONDS)
    assert answer.status_code == 400
    assert "try once more" in answer.text
    assert not is_in(browser, address)


def test_a_form_is_of_use_to_the_browser_it_was_sent_to_only(
    address: str, new_browser: Callable[..., requests.Session]
) -> None:
    browser, other = new_browser(), new_browser()
    other.get(f"{address}/login", timeout=SECONDS)
    token = form_token(browser.get(f"{address}/login", timeout=SECONDS).text)
    data = {"password": PASSWORD, "form_token": token}
    assert other.post(f"{address}/login", data=data, timeout=SECONDS).status_code == 400


def test_a_file_for_a_password_is_refused(address: str, browser: requests.Session) -> None:
    """Neither is it written to a disk, as forms with files are by default."""
    browser.get(f"{address}/login", timeout=SECONDS)
    answer = browser.post(f"{address}/login", files={"password": b"x"}, timeout=SECONDS)
    assert answer.status_code == 400


def test_an_address_may_try_a_few_times_only(
    address: str, new_browser: Callable[..., requests.Session]
) -> None:
    """At the same time too; and nobody else is locked out by it."""
    guesser = new_browser()
    token = form_token(guesser.get(f"{address}/login", timeout=SECONDS).text)
    headers = {
        "X-Forwarded-For": str(guesser.headers["X-Forwarded-For"]),
        "Cookie": f"reds-login={guesser.cookies['reds-login']}",
    }

    def guess(number: int) -> int:
        data = {"password": f"guess {number}", "form_token": token}
        return requests.post(
            f"{address}/login", data=data, headers=headers, timeout=SECONDS
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(guess, range(PER_MINUTE + 4)))
    assert statuses == [403] * PER_MINUTE + [429] * 4
    refused = try_password(guesser, address)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert try_password(new_browser(), address).status_code == 303


def test_getting_in_forgives_earlier_slips(address: str, browser: requests.Session) -> None:
    for _ in range(2):
        for _ in range(PER_MINUTE - 1):
            assert try_password(browser, address, "slip").status_code == 403
        assert try_password(browser, address).status_code == 303
        browser.cookies.clear()


def test_the_page_warns_where_others_could_read_the_password(
    address: str, new_browser: Callable[..., requests.Session]
) -> None:
    warning = "This connection is not encrypted"
    plain = new_browser().get(f"{address}/login", timeout=SECONDS)
    encrypted = new_browser(**HTTPS).get(f"{address}/login", timeout=SECONDS)
    assert warning in plain.text
    assert warning not in encrypted.text


def test_many_logins_at_once_leave_room_for_photos(
    address: str, new_browser: Callable[..., requests.Session]
) -> None:
    """Each check takes a core and memory, so they stand in a line, and the line has an end."""
    browsers = [new_browser() for _ in range(30)]
    with ThreadPoolExecutor(30) as pool:
        statuses = list(pool.map(lambda each: try_password(each, address).status_code, browsers))
    assert set(statuses) <= {303, 503}
    assert 303 in statuses
