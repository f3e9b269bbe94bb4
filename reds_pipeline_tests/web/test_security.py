"""Other web sites, and other machines, get nothing out of the pages and nothing into them."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from reds_pipeline.web.static_files import static_version
from reds_pipeline_tests.web.serving import served


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("home")) as given:
        yield given


def undo(address: str, **headers: str) -> requests.Response:
    """Send what changes something, if it is let through; an empty home answers 409."""
    return requests.post(f"{address}/review/api/undo", headers=headers, timeout=60)


@pytest.mark.parametrize(
    "host",
    ["reds.example", "reds.example:8080", "127.0.0.1.reds.example", "", "0.0.0.0", "[::2]:80"],
)
def test_a_name_that_was_pointed_at_this_machine_is_refused(address: str, host: str) -> None:
    """DNS rebinding: the page of that name could read whatever is answered."""
    answer = requests.get(f"{address}/review/api/gallery", headers={"Host": host}, timeout=60)
    assert answer.status_code == 421
    assert "127.0.0.1" in answer.json()["sentence"]


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "LOCALHOST:80", "[::1]:80"])
def test_every_name_of_this_machine_will_do(address: str, host: str) -> None:
    answer = requests.get(f"{address}/review/api/gallery", headers={"Host": host}, timeout=60)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://reds.example"},
        {"Origin": "null"},
        # Another program of this machine on another port is another site.
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_other_sites_cannot_decide(address: str, headers: dict[str, str]) -> None:
    answer = undo(address, **headers)
    assert answer.status_code == 403
    assert answer.json()["sentence"].startswith("Nothing was changed")


def test_the_page_itself_and_programs_can_decide(address: str) -> None:
    own = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
    assert undo(address, **own).status_code == 409
    assert undo(address).status_code == 409


@pytest.mark.parametrize("path", ["/review", "/review/api/gallery", "/nothing", "/review/api/undo"])
def test_every_answer_says_what_browsers_may_do_with_it(address: str, path: str) -> None:
    headers = requests.get(address + path, timeout=60).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    # Under "no-referrer" browsers send our own forms as if from nowhere.
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "clipboard-read=(self)" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers, "there is no encryption to insist on"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "public" not in headers["Cache-Control"]


def test_errors_are_sentences_without_what_is_inside(address: str) -> None:
    for path in (
        "/nothing",
        "/review/api/undo",
        f"/static/{static_version()}/..%2Fapplication.py",
        "/openapi.json",
    ):
        answer = requests.get(address + path, timeout=60)
        assert answer.status_code in {404, 405}
        assert list(answer.json()) == ["sentence", "reason"]


@pytest.mark.parametrize("names", [("localhost", "reds.example"), ("reds.example", "localhost")])
def test_a_request_with_two_names_is_refused(address: str, names: tuple[str, str]) -> None:
    """A proxy in front may have gone by the other one."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.putrequest("GET", "/review", skip_host=True)
    for name in names:
        connection.putheader("Host", name)
    connection.endheaders()
    assert connection.getresponse().status == 421
    connection.close()
