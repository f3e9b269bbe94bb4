"""Which hosts people have allowed REDS to learn from.

What belongs here: recording approvals in the ledger and reading them back. What does not: asking
hosts anything. Hosts on this machine need no approval; the check is in ``fediverse.hosts``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.web.addresses import host_name
from reds_pipeline.storage.ledger import Ledger

HOST_APPROVAL = "host_approval"
HOST_REVOCATION = "host_revocation"


def approve_host(ledger: Ledger, url: str, reviewed_by: str, terms_read: date) -> str:
    """Record an approval and return the host's name.

    Args:
        ledger: Where it is kept for ever.
        url: The host's address.
        reviewed_by: Who asked its operators and read its terms.
        terms_read: When the terms were read.

    Raises:
        RedsError: The address is not one, nobody reviewed it, or the day has not come yet.
    """
    try:
        name = host_name(url)
    except ValueError as error:
        raise RedsError(
            f"{url} was not approved because {error}; give an address such as https://pix.example."
        ) from error
    if not reviewed_by.strip():
        raise RedsError(f"{name} was not approved: --reviewed-by must name who decided it.")
    if terms_read > datetime.now(UTC).date():
        raise RedsError(
            f"{name} was not approved: its terms cannot have been read on {terms_read}, which is "
            "in the future."
        )
    ledger.append(
        HOST_APPROVAL,
        name,
        {"reviewed_by": reviewed_by.strip(), "terms_read": terms_read.isoformat()},
    )
    return name


def revoke_host(ledger: Ledger, url: str, reason: str, *, again: bool = False) -> str:
    """Record that a host must not be asked any more, and return its name.

    Args:
        ledger: Where it is kept for ever.
        url: The host's address.
        reason: Why, in words.
        again: Whether a host that is not approved, perhaps by now, is all right too.

    Raises:
        RedsError: The host is not an approved one.
    """
    try:
        name = host_name(url)
    except ValueError as error:
        raise RedsError(
            f"{url} was not revoked because {error}; give an address such as https://pix.example."
        ) from error
    for approval in approvals(ledger):
        if approval["host"] == name:
            ledger.append(
                HOST_REVOCATION, name, {"reason": reason, "after": approval["approved_at"]}
            )
            return name
    if again:
        return name
    raise RedsError(f"{name} was not revoked because it is not approved; see reds hosts list.")


def approvals(ledger: Ledger) -> list[dict[str, Any]]:
    """Return ``{"host", "reviewed_by", "terms_read", "approved_at"}``, the latest of each host.

    A host that was revoked after its latest approval is not among them.
    """
    latest = {event["subject"]: event for event in ledger.events(HOST_APPROVAL)}
    for revocation in ledger.events(HOST_REVOCATION):
        approval = latest.get(revocation["subject"])
        if approval and revocation["after"] == approval["at"]:
            del latest[revocation["subject"]]
    return [
        {
            "host": name,
            "reviewed_by": event["reviewed_by"],
            "terms_read": event["terms_read"],
            "approved_at": event["at"],
        }
        for name, event in sorted(latest.items())
    ]
