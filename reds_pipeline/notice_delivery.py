"""Sending a notice to the addresses that the operator gave, through Apprise.

What belongs here: delivering one message, and saying what came of it without showing an address:
its user, password, host or path may each be the secret. What does not: when to tell something, and
what has been told (``notices.py``).
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# A sensor that has to tell something is given a minute by Dagster.
_SECONDS_FOR_ALL = 20.0
# Libraries that would log addresses: Apprise itself, and what requests asks with.
_TALKATIVE = ("apprise", "urllib3")
_HTTP_STATUS = re.compile(r"error=(\d{3})\b")
_quiet_lock = threading.Lock()


@dataclass(frozen=True)
class Delivery:
    """What became of one message.

    Attributes:
        addresses: How many addresses there are.
        taken: How many of them took it.
        problems: For each that did not, its kind and place in the setting and what happened, such
            as ``"JSON (1 of 2) could not be reached"``.
    """

    addresses: int
    taken: int
    problems: tuple[str, ...]


def kinds_of(addresses: str) -> list[str]:
    """Return what kinds of addresses these are, such as ``["JSON", "E-Mail"]``, in their order.

    Args:
        addresses: Apprise addresses, separated by commas. One that Apprise does not understand is
            ``""``.
    """
    with _nothing_logged():
        return [service.service_name if service else "" for service in _services(addresses)]


def deliver(addresses: str, title: str, body: str) -> Delivery:
    """Send a message to every address; one that does not answer keeps no other from getting it.

    Args:
        addresses: Apprise addresses, separated by commas.
        title: What it is about, in one line.
        body: Plain text.
    """
    problems, taken = [], 0
    with _nothing_logged():
        services = _services(addresses)
        for number, service in enumerate(services, 1):
            place = f"({number} of {len(services)})"
            if service is None:
                problems.append(f"the address {place} is none that Apprise understands")
            elif problem := _problem_with(service, title, body, _SECONDS_FOR_ALL / len(services)):
                problems.append(f"{service.service_name} {place} {problem}")
            else:
                taken += 1
    return Delivery(len(services), taken, tuple(problems))


def _services(addresses: str) -> list[Any]:
    """Return Apprise's object for each address; None for what it does not understand."""
    from apprise import Apprise, AppriseAsset
    from apprise.utils.parse import parse_urls

    asset = AppriseAsset(app_id="REDS", app_desc="REDS", secure_logging=True)
    # Addresses may hold commas themselves, so Apprise says where one ends.
    return [Apprise.instantiate(address, asset=asset) for address in parse_urls(addresses)]


def _problem_with(service: Any, title: str, body: str, seconds: float) -> str:
    """Send by one service; return what went wrong, or ""."""
    from apprise import Apprise, NotifyFormat

    sender = Apprise(asset=service.asset)
    sender.add(service)
    result = sender.notify(
        title=title,
        body=body,
        body_format=NotifyFormat.TEXT,
        timeout=seconds,
        log_level=logging.WARNING,
    )
    return "" if result else _what_happened(entry.message for entry in result.logs())


def _what_happened(messages: Iterable[str]) -> str:
    """Say in our own words what Apprise logged: its words may show an address."""
    text = " ".join(messages)
    if status := _HTTP_STATUS.search(text):
        return f"answered with HTTP status {status[1]}"
    if "onnection" in text or "ocket" in text:
        return "could not be reached"
    return "did not take it"


@contextmanager
def _nothing_logged() -> Iterator[None]:
    """Keep what libraries say about addresses from every log of this process."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    with _quiet_lock:
        before = [(logger.propagate, logger.level) for logger in loggers]
        for logger in loggers:
            # Apprise still hears its own warnings, from which the reason is taken.
            logger.propagate = False
            logger.addHandler(_NOWHERE)
            logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            for logger, (propagate, level) in zip(loggers, before, strict=True):
                logger.propagate = propagate
                logger.removeHandler(_NOWHERE)
                logger.setLevel(level)


# Without any handler Python prints warnings.
_NOWHERE = logging.NullHandler()
