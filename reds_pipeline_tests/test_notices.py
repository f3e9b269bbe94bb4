"""Notices to real servers on this machine: a web hook, a mail server, and some that are down."""

from __future__ import annotations

import logging
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.notice_delivery import kinds_of
from reds_pipeline.notices import (
    FAILED,
    FAILURE,
    HELD,
    NOTICE,
    SENT,
    UNADDRESSED,
    notify,
    send_test,
    send_what_was_held,
    without_secrets,
)
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline_tests.stand_in_pipeline import MONDAY
from reds_pipeline_tests.web_hook import SECRET, WebHook


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as it takes to receive a mail."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.taken: list[Message] = []

    @property
    def address(self) -> str:
        port = self.server_address[1]
        return f"mailto://127.0.0.1:{port}?from=reds@pix.example&to=ada@pix.example&mode=insecure"


class _Mail(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 here")
        for line in iter(self.rfile.readline, b""):
            command = line.decode().strip().upper()
            if command == "DATA":
                self._say("354 go on")
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.server.taken.append(message_from_string("".join(lines)))
            if command == "QUIT":
                self._say("221 bye")
                return
            self._say("250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def hook() -> Iterator[WebHook]:
    with WebHook() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def told(home: Path, *addresses: str) -> Platform:
    return Platform(load_settings(home=home, notify=", ".join(addresses)))


def outcomes(platform: Platform) -> list[tuple[str, str]]:
    return [(event["outcome"], event["reason"]) for event in platform.ledger.events(NOTICE)]


def test_a_notice_reaches_every_address(tmp_path: Path, hook: WebHook, mail: MailServer) -> None:
    platform = told(tmp_path, hook.address, mail.address)
    notify(platform, FAILURE, "retrain failed", "The host is down; it is tried again on Monday.")
    [posted], [received] = hook.taken, mail.taken
    assert posted["title"] == received["Subject"] == "REDS: retrain failed"
    assert posted["message"] == "The host is down; it is tried again on Monday."
    assert "it is tried again on Monday" in str(received.get_payload())
    [event] = platform.ledger.events(NOTICE)
    assert (event["subject"], event["outcome"], event["reason"]) == (FAILURE, SENT, "")


def test_one_that_does_not_answer_keeps_no_other_from_it(tmp_path: Path, hook: WebHook) -> None:
    platform = told(
        tmp_path, f"json://{SECRET}@127.0.0.1:1/{SECRET}", hook.address, "telepathy://x"
    )
    notify(platform, FAILURE, "retrain failed", "Why.")
    assert len(hook.taken) == 1
    assert outcomes(platform) == [
        (
            SENT,
            "JSON (1 of 3) could not be reached; the address (3 of 3) is none that Apprise "
            "understands",
        )
    ]


def test_no_address_shows_up_anywhere(
    tmp_path: Path,
    hook: WebHook,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    hook.status = 500
    platform = told(tmp_path, hook.address, f"json://127.0.0.1:1/{SECRET}", f"bogus{SECRET}")
    with caplog.at_level(logging.DEBUG):
        notify(platform, FAILURE, "retrain failed", f"Cannot use {hook.address}, said {SECRET}.")
    [(outcome, reason)] = outcomes(platform)
    assert outcome == FAILED
    assert "JSON (1 of 2) answered with HTTP status 500" in reason
    written = (*capfd.readouterr(), caplog.text, reason)
    ledger = platform.home.root / "ledger.sqlite"
    stored = b"".join(path.read_bytes() for path in ledger.parent.glob("ledger.sqlite*"))
    assert SECRET in platform.settings.notify.get_secret_value()
    assert [text for text in written if SECRET in text or str(hook.server_port) in text] == []
    # A notice's own text is not known to be secret where it repeats half of an address.
    assert f"/hook/{SECRET}".encode() not in stored
    assert f"ada:{SECRET}".encode() not in stored


def test_a_storm_is_bundled_and_told_of_when_it_is_over(tmp_path: Path, hook: WebHook) -> None:
    platform = told(tmp_path, hook.address)
    with time_machine.travel(MONDAY, tick=True) as clock:
        for number in range(20):
            clock.shift(timedelta(minutes=2))
            notify(platform, FAILURE, "collect_class failed", f"Reason {number % 4}.")
        notify(platform, FAILURE, "retrain failed", "Something else.")
        assert [each["title"] for each in hook.taken].count("REDS: collect_class failed") == 3
        assert hook.taken[-1]["message"] == "Something else."
        assert send_what_was_held(platform) == 0
        clock.shift(timedelta(hours=1))
        assert send_what_was_held(platform) == 17
        assert send_what_was_held(platform) == 0
    last = hook.taken[-1]
    assert last["title"] == "REDS: collect_class failed"
    assert last["message"].startswith("Not told before, since 2026-11-16 03:08 UTC (17 in all):")
    assert all(last["message"].count(f"Reason {number}.") == 1 for number in range(4))


def test_what_could_not_be_sent_is_sent_later_and_not_for_ever(
    tmp_path: Path, hook: WebHook
) -> None:
    platform = told(tmp_path, hook.address)
    hook.status = 503
    with time_machine.travel(MONDAY, tick=True) as clock:
        notify(platform, FAILURE, "retrain failed", "The network is down.")
        for _ in range(10):
            clock.shift(timedelta(minutes=20))
            assert send_what_was_held(platform) == 0
        assert [outcome for outcome, _ in outcomes(platform)] == [FAILED] * 4
        hook.status = 200
        clock.shift(timedelta(hours=1, minutes=1))
        assert send_what_was_held(platform) == 1
        assert "The network is down." in hook.taken[-1]["message"]

        hook.status = 503
        notify(platform, FAILURE, "retrain failed", "Down again.")
        clock.shift(timedelta(days=2))
        hook.status = 200
        assert send_what_was_held(platform) == 0


def test_without_an_address_it_is_only_kept(tmp_path: Path) -> None:
    platform = told(tmp_path)
    for number in range(5):
        notify(platform, FAILURE, "retrain failed", f"Reason {number}.", once="this very run")
    assert outcomes(platform) == [(UNADDRESSED, "")]
    for _ in range(5):
        notify(platform, FAILURE, "retrain failed", "Why.")
    assert HELD not in {outcome for outcome, _ in outcomes(platform)}
    assert send_what_was_held(platform) == 0


def test_a_test_says_what_came_of_it(tmp_path: Path, hook: WebHook) -> None:
    platform = told(tmp_path, hook.address)
    assert send_test(platform).outcome == SENT
    assert hook.taken[-1]["title"] == "REDS: A test"
    hook.status = 403
    failed = send_test(platform)
    assert (failed.outcome, failed.reason) == (
        FAILED,
        "JSON (1 of 1) answered with HTTP status 403",
    )


def test_kinds_of_addresses_are_named_and_addresses_are_not() -> None:
    assert kinds_of(
        f"json://127.0.0.1/{SECRET}, mailto://a:b@pix.example?to=c@d.example,e@f.example"
    ) == [
        "JSON",
        "E-Mail",
    ]
    assert kinds_of("by telephone")[0] == ""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("see https://ada:b@pix.example/@bob/12?token=x#y.", "see https://pix.example."),
        (
            "postgresql+psycopg2://ledger:b@db:5432/ledger?x=1 is down",
            "postgresql+psycopg2://db:5432/ledger is down",
        ),
        ("sqlite:////home/reds/mlflow.sqlite", "sqlite:////home/reds/mlflow.sqlite"),
        ("http://[::bad", "(address)"),
        ("the token tok3n-of-ours leaked", "the token (secret) leaked"),
    ],
)
def test_what_addresses_carry_is_taken_out(tmp_path: Path, text: str, plain: str) -> None:
    assert without_secrets(text, load_settings(home=tmp_path, host_token="tok3n-of-ours")) == plain


@given(
    st.text(),
    st.from_regex(r"[a-z0-9]{8,20}", fullmatch=True),
    st.sampled_from(["https", "mailto", "postgresql"]),
)
def test_no_password_is_left_in_any_text(text: str, password: str, scheme: str) -> None:
    sentence = f"{text} {scheme}://ada:{password}@pix.example/{text}"
    assert f":{password}@" not in without_secrets(sentence, load_settings())
