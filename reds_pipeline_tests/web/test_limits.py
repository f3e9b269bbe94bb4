"""However much is sent, however fast or slowly: a sentence, and no more memory than is allowed."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from fastapi import FastAPI

from reds_pipeline.settings import load_settings
from reds_pipeline.web.connections import ImpatientProtocol
from reds_pipeline.web.rate_limits import counted_as
from reds_pipeline.web.site_limits import SiteLimits
from reds_pipeline_tests.tagging.served_home import drawn_photo
from reds_pipeline_tests.web.serving import served, serving
from reds_pipeline_tests.web.tagging_site import SECONDS, tag, wait_until_ready

SMALL = replace(
    SiteLimits.of(load_settings()),
    photos_per_minute=3,
    photos_at_once=2,
    upload_bytes=200_000,
    held_bytes=300_000,
    field_bytes=20_000,
    idle_seconds=0.3,
)
PROXY: dict[str, Any] = {"page_hosts": ("tags.example",), "trusted_proxies": ("127.0.0.1",)}


@pytest.fixture(scope="module")
def address(tagging_home: Path) -> Iterator[str]:
    """Serve with small limits behind a proxy, whose word for other addresses is believed."""
    with served(tagging_home, is_tagging=True, limits=SMALL, **PROXY) as given:
        wait_until_ready(given, models=2)
        yield given


def post_photos(address: str, client: str, photos: int = 1) -> requests.Response:
    files = [("photos", (f"{number}", drawn_photo("cat", 1))) for number in range(photos)]
    headers = {"X-Forwarded-For": client, "Host": "tags.example"}
    return requests.post(f"{address}/tag", files=files, headers=headers, timeout=SECONDS)


@contextmanager
def raw_connection(address: str) -> Iterator[socket.socket]:
    parts = urlsplit(address)
    assert parts.hostname
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=SECONDS) as opened:
        yield opened


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: localhost", *lines, "", "")).encode()


def answer_of(connection: socket.socket) -> tuple[int, dict[str, str]]:
    """Read one answer of JSON from a connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        assert received, f"closed after {data!r}"
        data += received
    top, _, body = data.partition(b"\r\n\r\n")
    status = int(top.split()[1])
    lines = dict(line.split(": ", 1) for line in top.decode().split("\r\n")[1:])
    while len(body) < int(lines["content-length"]):
        body += connection.recv(65536)
    return status, json.loads(body)


@pytest.mark.req("R-PRD-5")
@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/v1/tags", SMALL.upload_bytes),
        ("/tag", SMALL.upload_bytes),
        ("/feedback", SMALL.field_bytes),
        ("/api/v1/feedback", SMALL.field_bytes),
        ("/login", SMALL.field_bytes),
        ("/nothing", SMALL.field_bytes),
    ],
)
def test_the_head_of_a_request_is_enough_to_refuse_it(address: str, path: str, most: int) -> None:
    """Nothing of the body is sent here, so nothing of it can have been read."""
    with raw_connection(address) as connection:
        connection.sendall(head(path, f"Content-Length: {most + 1}"))
        status, answer = answer_of(connection)
    assert (status, answer["reason"]) == (413, "too_large")


def test_a_body_without_a_length_is_refused_while_it_comes(address: str) -> None:
    with raw_connection(address) as connection:
        connection.sendall(head("/api/v1/tags", "Transfer-Encoding: chunked"))
        chunk = b"4000\r\n" + bytes(0x4000) + b"\r\n"
        connection.sendall(chunk * (SMALL.upload_bytes // 0x4000 + 1))
        status, answer = answer_of(connection)
    assert (status, answer["reason"]) == (413, "too_large")


def test_a_body_that_stands_still_is_given_up(address: str) -> None:
    """Otherwise a few slow senders could hold all the memory that there is for uploads."""
    with raw_connection(address) as connection:
        connection.sendall(head("/api/v1/tags", "Content-Length: 1000") + b"only so much")
        status, answer = answer_of(connection)
        assert connection.recv(1) == b"", "the connection is closed"
    assert (status, answer["reason"]) == (408, "too_slow")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: ", id="half a head"),
        pytest.param(
            b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\nGET", id="half a second one"
        ),
    ],
)
def test_a_connection_without_a_request_is_given_up(
    tagging_home: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """Otherwise some hundreds of them, which cost nothing, would keep everybody else out."""
    monkeypatch.setattr(ImpatientProtocol, "head_seconds", 0.2)
    with served(tagging_home) as address, raw_connection(address) as connection:
        connection.sendall(sent)
        while connection.recv(65536):
            pass


def test_a_slow_answer_is_not_taken_for_an_idle_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImpatientProtocol, "head_seconds", 0.05)
    application = FastAPI()
    application.add_api_route("/", lambda: time.sleep(0.5))
    with serving(application) as address:
        assert requests.get(address, timeout=SECONDS).ok


def test_uploads_of_many_share_one_bound(tagging_home: Path) -> None:
    """Each of them is small enough; together they are not."""
    patient = replace(SMALL, idle_seconds=SECONDS)
    with served(tagging_home, is_tagging=True, limits=patient) as address:
        with raw_connection(address) as first:
            # Refused when its own turn comes, which shows that it was read up to here.
            first.sendall(head("/api/v1/tags", "Content-Length: 190000", "Expect: 100-continue"))
            assert first.recv(65536).startswith(b"HTTP/1.1 100")
            first.sendall(bytes(180_000))
            statuses = {requests.post(f"{address}/tag", data=bytes(190_000)).status_code}
            while 503 not in statuses:
                statuses.add(requests.post(f"{address}/tag", data=bytes(190_000)).status_code)
            refused = requests.post(f"{address}/api/v1/tags", data=bytes(190_000))
            assert (refused.status_code, refused.json()["reason"]) == (503, "busy")
            assert refused.headers["Retry-After"]
        # What was held is free again when its connection is gone.
        while requests.post(f"{address}/api/v1/tags", data=bytes(190_000)).status_code == 503:
            pass


def test_one_address_may_have_so_many_photos_tagged_in_a_minute(address: str) -> None:
    for _ in range(SMALL.photos_per_minute):
        assert post_photos(address, "192.0.2.1").status_code == 200
    refused = post_photos(address, "192.0.2.1")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert "3 a minute" in refused.text
    assert post_photos(address, "192.0.2.2").status_code == 200, "others are not held up"


def test_photos_are_counted_and_not_uploads(address: str) -> None:
    """Otherwise ten photos at once would cost one."""
    assert post_photos(address, "192.0.2.3", photos=2).status_code == 200
    assert post_photos(address, "192.0.2.3", photos=2).status_code == 429
    assert post_photos(address, "192.0.2.3", photos=1).status_code == 200


def test_more_photos_than_one_upload_may_hold(address: str) -> None:
    refused = post_photos(address, "192.0.2.4", photos=3)
    assert refused.status_code == 413
    assert "one upload may hold 2" in refused.text


def test_who_sent_too_many_is_refused_before_the_body_is_read(address: str) -> None:
    for _ in range(SMALL.photos_per_minute):
        post_photos(address, "192.0.2.5")
    with raw_connection(address) as connection:
        connection.sendall(
            head(
                "/api/v1/tags",
                "Content-Length: 100000",
                "Content-Type: image/jpeg",
                "X-Forwarded-For: 192.0.2.5",
            )
        )
        status, answer = answer_of(connection)
    assert (status, answer["reason"]) == (429, "too_many")


@pytest.mark.parametrize("path", ["/feedback", "/uploads", "/api/v1/uploads/delete"])
def test_one_address_may_send_so_many_forms_in_a_minute(address: str, path: str) -> None:
    """What they say is kept for ever; a photo and two answers to it are always possible."""
    mine = {"X-Forwarded-For": f"198.51.100.{len(path)}"}

    def send() -> requests.Response:
        code = {"code": "nothing"}
        is_page = not path.startswith("/api/")
        return requests.post(
            f"{address}{path}",
            data=code if is_page else None,
            json=None if is_page else code,
            headers=mine,
        )

    for _ in range(2 * SMALL.photos_per_minute):
        assert send().status_code in {404, 422}
    refused = send()
    assert refused.status_code == 429
    assert "6 forms a minute" in refused.text
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert post_photos(address, mine["X-Forwarded-For"]).status_code == 200


def test_the_head_of_the_page_can_be_asked_for_alone(address: str) -> None:
    """Programs that watch whether a page is up ask for no more."""
    answer = requests.head(address)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 1000


def test_nobody_is_counted_where_only_this_machine_can_come(tagging_home: Path) -> None:
    with served(tagging_home, is_tagging=True, limits=SMALL) as address:
        wait_until_ready(address)
        photo = drawn_photo("cat", 1)
        statuses = [tag(address, photo).status_code for _ in range(SMALL.photos_per_minute + 1)]
    assert set(statuses) == {200}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("unix", "unix", True),
    ],
)
def test_a_household_counts_as_one(one: str, other: str, is_same: bool) -> None:
    """A household has 2 to the power of 64 addresses of IPv6, so one alone says nothing."""
    assert (counted_as(one) == counted_as(other)) is is_same


def test_no_photo_touches_a_disk(
    tagging_address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Starlette's forms would write everything above one megabyte into a temporary file."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    large = drawn_photo("cat", 1) + bytes(3_000_000)
    assert tag(tagging_address, large).status_code == 200
    with tempfile.SpooledTemporaryFile(max_size=1) as file, pytest.raises(FileNotFoundError):
        file.write(b"what rolls over to a disk fails here")


def test_of_a_small_memory_one_upload_takes_no_more_than_half_of_what_is_for_files() -> None:
    limits = SiteLimits.of(load_settings(photo_memory_mb=256, photos_at_once=50))
    assert 2 * limits.upload_bytes == limits.held_bytes
    assert limits.held_bytes + limits.decoded_bytes == 256_000_000
    few = SiteLimits.of(load_settings(photos_at_once=1))
    assert few.photo_bytes < few.upload_bytes < 2 * few.photo_bytes


@pytest.mark.req("R-PRD-5")
@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nX-Long: ", id="header"),
        pytest.param(
            head("/nothing", "Transfer-Encoding: chunked") + b"1\r\na\r\n0\r\nX-Long: ",
            id="header behind the body",
        ),
        pytest.param(head("/nothing", "Transfer-Encoding: chunked") + b"1;", id="chunk extension"),
    ],
)
def test_what_is_no_body_has_an_end(address: str, beginning: bytes) -> None:
    """The parser would keep 100 MB of it for each of 512 connections."""
    with raw_connection(address) as connection, pytest.raises(ConnectionError):
        connection.sendall(beginning)
        for _ in range(20):
            connection.sendall(b"a" * 1_000_000)


def test_a_head_that_is_too_long_is_answered(address: str) -> None:
    with raw_connection(address) as connection:
        connection.sendall(head("/nothing", f"X-Long: {'a' * 70_000}")[:-4])
        assert connection.recv(65536).startswith(b"HTTP/1.1 431 ")


def test_requests_do_not_queue_up_on_one_connection(address: str) -> None:
    """Each would be kept until those before it are answered."""
    many = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10_000
    with raw_connection(address) as connection:
        try:
            connection.sendall(many)
            answers = b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionError:
            answers = b""
    assert answers.count(b"HTTP/1.1 404 ") < 200
    assert requests.get(f"{address}/nothing", timeout=SECONDS).status_code == 404


def test_a_few_requests_in_a_row_are_all_answered(address: str) -> None:
    one = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n%sX-Long: " + b"a" * 20_000 + b"\r\n\r\n"
    with raw_connection(address) as connection:
        connection.sendall(one % b"" * 9 + one % b"Connection: close\r\n")
        answers = b""
        while received := connection.recv(65536):
            answers += received
    assert answers.count(b"HTTP/1.1 404 ") == 10
