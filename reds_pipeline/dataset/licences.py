"""What a licence asks of whoever passes a picture on.

What belongs here: the licences that posts can carry, what each allows, and which of them an
export takes. What does not: reading a licence out of a post (``fediverse.attachments``).

An export names nobody, on purpose; so it cannot give the credit that every Creative Commons
licence but CC0 asks for. Whoever hands such a picture on has to give it from elsewhere. That is
why an export says which of its pictures may be passed on as they are, and why pictures without
any licence, whose authors kept all rights, are left out unless the operator asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from reds_pipeline.fediverse.attachments import LICENCES

Sharing = Literal["free", "open", "all"]
"""``free``: only pictures that may be passed on without conditions. ``open``: any that the author
put under an open licence. ``all``: also those whose authors reserved all rights."""

SHARING_LEVELS: tuple[Sharing, ...] = get_args(Sharing)
ALL_RIGHTS_RESERVED = ""


@dataclass(frozen=True)
class Licence:
    """One licence.

    Attributes:
        name: As people write it.
        address: Of its text, "" where it has none.
        identifier: As dataset hubs write it, "" where they have no word for it.
        needs_credit: Whether the author must be named when a picture is passed on.
    """

    name: str
    address: str
    identifier: str
    needs_credit: bool


def _creative_commons(name: str) -> Licence:
    kind = name.removeprefix("CC ").lower()
    # Pixelfed offers version 4.0 of each.
    return Licence(
        name=f"{name} 4.0",
        address=f"https://creativecommons.org/licenses/{kind}/4.0/",
        identifier=f"cc-{kind}-4.0",
        needs_credit=True,
    )


_WITHOUT_CONDITIONS = {
    "CC0": Licence(
        "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0", False
    ),
    "Public Domain": Licence(
        "Public Domain", "https://creativecommons.org/publicdomain/mark/1.0/", "", False
    ),
}

OPEN: Mapping[str, Licence] = {
    name: _WITHOUT_CONDITIONS.get(name) or _creative_commons(name) for name in LICENCES.values()
}
"""Every open licence by the name it has in the tables."""


def may_be_exported(licence: str, sharing: Sharing) -> bool:
    """Say whether an export takes a picture.

    Args:
        licence: Its licence as the tables have it, "" for all rights reserved.
        sharing: What the export is for.
    """
    if sharing == "all":
        return True
    known = OPEN.get(licence)
    return known is not None and (sharing == "open" or not known.needs_credit)


def display_name(licence: str) -> str:
    """Return how people write a licence of the tables."""
    known = OPEN.get(licence)
    return known.name if known else "all rights reserved, or not stated"


def common_licence(licences: set[str]) -> str:
    """Return what may be done with a picture that was posted under several licences.

    The same bytes may be posted by several people, or twice. Where they say different things,
    nobody knows who of them had the right to say it, so all rights count as reserved.
    """
    return next(iter(licences)) if len(licences) == 1 else ALL_RIGHTS_RESERVED
