"""Starting and stopping the application as a program."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from reds_pipeline.errors import RedsError
from reds_pipeline.web.serving import is_loopback, listening_socket
from reds_pipeline_tests.web.serving import served

PROGRAM = """
import sys
from pathlib import Path
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.web.serving import Serving, serve_application
platform = Platform(load_settings(home=Path(sys.argv[1])))
serving = Serving(0, is_tagging=False, is_quiet=True)
serve_application(platform, serving, lambda address: print(address, flush=True))
print("closed", flush=True)
"""


@contextmanager
def program(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the program and give it with its address."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path) -> None:
    with program(tmp_path) as (process, address):
        # The announced address can be opened at once, if only after some waiting.
        answer = requests.get(f"{address}/review/api/gallery", timeout=60)
        assert answer.json()["pictures"] == []
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output.strip(), errors) == (0, "closed", "")


def test_supervisors_can_stop_it_while_a_slow_client_hangs(tmp_path: Path) -> None:
    """One that did not stop would be killed after ten seconds, whatever it was doing."""
    with program(tmp_path) as (process, address):
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=60) as slow:
            slow.sendall(
                b"POST /review/api/decisions HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nContent-Length: 999\r\n\r\n{"
            )
            assert requests.get(f"{address}/nothing", timeout=60).status_code == 404
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
    assert (process.returncode, output.strip()) == (0, "closed")


def test_it_listens_on_this_machine_only() -> None:
    with listening_socket(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(RedsError, match=f"Port {port} is taken"):
            listening_socket(port)


@pytest.mark.parametrize("host", ["no.such.machine.invalid", "192.0.2.1"])
def test_an_address_of_another_machine_is_said_in_a_sentence(host: str) -> None:
    with pytest.raises(RedsError, match=rf"^{host} is no address of this machine"):
        listening_socket(0, host)


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("tags.example", False),
    ],
)
def test_whether_other_machines_come_in_is_told_from_the_address(host: str, is_own: bool) -> None:
    """What is taken for this machine's only needs no login for the review."""
    assert is_loopback(host) is is_own


@pytest.mark.parametrize(
    "settings", [{"page_hosts": ("tags.example",)}, {"trusted_proxies": ("127.0.0.1",)}]
)
def test_a_page_behind_a_proxy_is_public_although_it_listens_on_this_machine(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    """All that a proxy passes on comes from this machine."""
    with served(tmp_path, **settings) as address:
        review = requests.get(f"{address}/review/api/gallery", timeout=60)
    assert review.status_code in {401, 403}


def test_only_proxies_that_the_settings_name_are_believed(tmp_path: Path) -> None:
    """Whoever may say that a request came encrypted, or from whom, can lie about it."""
    said = {"X-Forwarded-Proto": "https", "Host": "tags.example"}
    for proxies, is_believed in (((), False), (("127.0.0.1",), True), (("192.0.2.1",), False)):
        settings: dict[str, Any] = {"page_hosts": ("tags.example",), "trusted_proxies": proxies}
        with served(tmp_path, **settings) as address:
            headers = requests.get(f"{address}/health/live", headers=said, timeout=60).headers
        assert ("Strict-Transport-Security" in headers) is is_believed, proxies


def test_the_page_answers_to_the_names_that_the_operator_set(tmp_path: Path) -> None:
    with served(tmp_path, page_hosts=("Tags.example",)) as address:
        for host, status in (
            ("tags.example", 404),
            ("TAGS.EXAMPLE:443", 404),
            ("localhost:1", 404),
            ("other.example", 421),
            ("tags.example.evil.example", 421),
        ):
            answer = requests.get(f"{address}/nothing", headers={"Host": host}, timeout=60)
            assert answer.status_code == status, host


def test_a_form_of_the_page_is_taken_under_its_encrypted_name(tmp_path: Path) -> None:
    """The browser says ``https``, although the proxy hands the request on without."""
    settings: dict[str, Any] = {"page_hosts": ("tags.example",), "trusted_proxies": ("127.0.0.1",)}
    own = {"Host": "tags.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    with served(tmp_path, **settings) as address:
        for origin, status in (
            ("https://tags.example", 404),
            ("http://tags.example", 403),
            ("https://evil.example", 403),
        ):
            headers = {**own, "Origin": origin}
            answer = requests.post(f"{address}/nothing", headers=headers, timeout=60)
            assert answer.status_code == status, origin


@pytest.mark.parametrize(
    ("headers", "is_page"),
    [
        ({"Accept": "text/html,application/xhtml+xml"}, True),
        ({"Accept": "text/html, application/json"}, False),
        ({"Accept": "*/*"}, False),
        ({}, False),
    ],
)
def test_people_without_javascript_see_a_page_and_programs_get_json(
    tmp_path_factory: pytest.TempPathFactory, headers: dict[str, str], is_page: bool
) -> None:
    with served(tmp_path_factory.mktemp("home")) as address:
        answers = [
            requests.get(f"{address}/nothing", headers=headers, timeout=60),
            # Also what the outer walls refuse.
            requests.post(f"{address}/x", headers={**headers, "Origin": "null"}, timeout=60),
            requests.post(f"{address}/x", headers=headers, data=bytes(2_000_000), timeout=60),
        ]
        in_api = requests.get(f"{address}/api/v1/nothing", headers=headers, timeout=60)
    assert [answer.status_code for answer in answers] == [404, 403, 413]
    for answer in answers:
        assert answer.headers["Content-Type"].startswith("text/html") is is_page
        assert answer.headers["Content-Security-Policy"]
        assert ("<title>" in answer.text) is is_page
    assert in_api.headers["Content-Type"] == "application/json"
