"""Telling the operator what needs to be known: failures, and what waits for a person.

What belongs here: what was told, when, and how often; every notice is an event of the ledger. What
does not: sending (``notice_delivery.py``), and what is worth telling, which whoever finds it out
decides. Notices about one thing that come thick and fast are bundled, and what could not be sent
is sent later: a failing network fails pipeline and notices at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from reds_pipeline.resources import Platform
from reds_pipeline.settings import Settings

# The event's name in the ledger, and the kinds of notices.
NOTICE = "notice"
FAILURE, APPROVAL, STALE = "failure", "approval", "stale"
CLASS_CHANGE, PROMOTION, DISK, REMOVAL_ALARM = "class_change", "promotion", "disk", "removal_alarm"
TEST = "test"

# What became of a notice: `unaddressed` if nobody is named in the settings, `held` to be bundled.
SENT, FAILED, HELD, UNADDRESSED = "sent", "failed", "held", "unaddressed"

# So many under one title are sent within this time; the rest goes out as one when it is over.
_AT_ONCE, _PERIOD = 3, timedelta(hours=1)
# What could not be told for so long is left to `reds status`.
_OUTDATED = timedelta(days=1)
_SHOWN_OF_A_BUNDLE = 5
_LONGEST_BODY = 2000
# Anything shorter also stands in words where it is no secret.
_SHORTEST_SECRET = 4
# Without what ends a sentence after it.
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>)\]}]*[^\s\"'<>)\]}.,;:!?]", re.IGNORECASE)


@dataclass(frozen=True)
class Outcome:
    """What became of a notice.

    Attributes:
        outcome: ``SENT``, ``FAILED``, ``HELD`` or ``UNADDRESSED``.
        reason: What went wrong at which address, without showing it; "" if nothing did.
    """

    outcome: str
    reason: str = ""


def notify(platform: Platform, kind: str, title: str, body: str, *, once: str = "") -> None:
    """Tell the operator something, and record that; what goes wrong with sending is not raised.

    Args:
        platform: Whose operator.
        kind: ``failure``, ``approval``, ``stale``, ``class_change``, ``promotion``, ``disk`` or
            ``removal_alarm``.
        title: One line without names or numbers of the single case; those with the same title are
            bundled if there are many.
        body: What happened, why and what to do, in plain sentences. It must show no person and no
            post; passwords, tokens and what addresses carry of them are taken out here.
        once: Names the occasion; a second notice with the same name is not made.
    """
    if once and any(event.get("once") == once for event in platform.ledger.events(NOTICE)):
        return
    body = without_secrets(body, platform.settings)
    now = datetime.now(UTC)
    before = _recent(platform, now).get((kind, title), [])
    if has_address(platform.settings) and _attempts(before, since=now - _PERIOD) >= _AT_ONCE:
        outcome = Outcome(HELD)
    else:
        outcome = _send(platform, title, _bundle([body], _not_told(before)))
    _record(platform, kind, title, body, outcome, once=once)


def send_what_was_held(platform: Platform) -> int:
    """Send as one what was held back or could not be sent, once its time has come.

    Returns:
        How many notices were sent with that.
    """
    if not has_address(platform.settings):
        return 0
    now, told = datetime.now(UTC), 0
    for (kind, title), events in _recent(platform, now).items():
        waiting = _not_told(events)
        if not waiting or _attempts(events, since=now - _PERIOD):
            continue
        body = _bundle([], waiting)
        outcome = _send(platform, title, body)
        _record(platform, kind, title, body, outcome, bundled=len(waiting))
        told += len(waiting) if outcome.outcome == SENT else 0
    return told


def has_address(settings: Settings) -> bool:
    """Return whether the operator has named anybody to tell."""
    return bool(settings.notify.get_secret_value().strip())


def send_test(platform: Platform) -> Outcome:
    """Send a test to every address, for a person who waits for what comes of it."""
    title, body = "A test", "REDS can tell you when something fails or waits for you."
    outcome = _send(platform, title, body)
    _record(platform, TEST, title, body, outcome)
    return outcome


def without_secrets(text: str, settings: Settings) -> str:
    """Return a text without passwords, tokens, and what addresses carry of them.

    Of a web address only the host stays, because a path may lead to a person or a post; of any
    other, user, password and query go. Secret settings go wherever they stand.

    Args:
        text: Any sentence, such as that of an error.
        settings: Whose secrets.
    """
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            parts = {secret, *(secret.split(",") if name == "notify" else ())}
            for part in map(str.strip, sorted(parts, key=len, reverse=True)):
                text = text.replace(part, "(secret)") if len(part) >= _SHORTEST_SECRET else text
    text = _ADDRESS.sub(lambda found: _bare(found.group()), text)
    return text if len(text) <= _LONGEST_BODY else f"{text[: _LONGEST_BODY - 4]} ..."


def _bare(address: str) -> str:
    try:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
        path = "" if parts.scheme.lower() in {"http", "https"} else parts.path
        return f"{parts.scheme}://{host}{path}"
    except ValueError:
        return "(address)"


def _send(platform: Platform, title: str, body: str) -> Outcome:
    if not has_address(platform.settings):
        return Outcome(UNADDRESSED)
    from reds_pipeline.notice_delivery import deliver

    addresses = platform.settings.notify.get_secret_value()
    try:
        delivery = deliver(addresses, f"REDS: {title}", body)
    except Exception as error:
        # Whatever a service of Apprise does, no run fails of it; its words may show the address.
        return Outcome(FAILED, f"Apprise failed ({type(error).__name__})")
    return Outcome(SENT if delivery.taken else FAILED, "; ".join(delivery.problems))


def _record(
    platform: Platform,
    kind: str,
    title: str,
    body: str,
    outcome: Outcome,
    *,
    once: str = "",
    bundled: int = 0,
) -> None:
    platform.ledger.append(
        NOTICE,
        kind,
        {
            "title": title,
            "body": body,
            "outcome": outcome.outcome,
            "reason": outcome.reason,
            "once": once,
            "bundled": bundled,
        },
    )


def _recent(platform: Platform, now: datetime) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return the notices of the last day, oldest first, by kind and title."""
    since = (now - _OUTDATED).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for _, event in platform.ledger.events_after(NOTICE, 0, since=since):
        found.setdefault((event["subject"], event["title"]), []).append(event)
    return found


def _not_told(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those that were not told and are in no later notice that was."""
    waiting: list[Mapping[str, Any]] = []
    for event in events:
        if event["outcome"] == SENT:
            waiting = []
        elif event["outcome"] in {HELD, FAILED} and not event["bundled"]:
            waiting.append(event)
    return waiting


def _attempts(events: Sequence[Mapping[str, Any]], *, since: datetime) -> int:
    return sum(
        event["outcome"] in {SENT, FAILED} and datetime.fromisoformat(event["at"]) >= since
        for event in events
    )


def _bundle(news: Sequence[str], waiting: Sequence[Mapping[str, Any]]) -> str:
    """Return what is new, and after it what was not told before, as one text."""
    if not waiting:
        return "\n\n".join(news)
    bodies = list(dict.fromkeys(event["body"] for event in waiting))
    shown = bodies[-_SHOWN_OF_A_BUNDLE:]
    since = waiting[0]["at"][:16].replace("T", " ")
    heading = f"Not told before, since {since} UTC ({len(waiting)} in all):"
    rest = [f"{len(bodies) - len(shown)} others are in `reds status`."]
    return "\n\n".join([*news, heading, *shown, *(rest if len(bodies) > len(shown) else [])])
