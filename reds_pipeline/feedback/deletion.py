"""When a contributed photo may not be kept, or not any longer.

What belongs here: recognising withdrawn pictures, photos whose time is over, and recording why one
went. What does not: its files (``contributions.py``) and what was derived from it
(``withdrawal``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations
from typing import Literal

from reds_pipeline.feedback.contributions import (
    Contribution,
    contributions,
    remove_contribution,
    remove_unfinished,
)
from reds_pipeline.imaging.hashing import HASH_BITS
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.keys import KeyedHash
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import read_rows
from reds_pipeline.withdrawal.tombstones import picture_keys

CONTRIBUTION = "contribution"
"""Kind of the events that say that a photo was given, and that it is gone."""

Why = Literal["giver", "operator", "time", "withdrawn"]

# Tombstones are keyed hashes, near which nothing can be looked for; so every look near the photo's
# own is hashed. Of 120 photographs saved again (JPEG at quality 75 and 40, WebP, half and a third
# of the size) each stayed within 2 of 64 bits, and no two different ones came within 10; of the
# same with 3 % cut off 63 % did. 2 bits are 2081 hashes, 14 ms; 4 bits would be 3.5 s.
_NEAR_BITS = 2


def is_withdrawn(photo: Contribution, tombstones: Collection[str], key: KeyedHash) -> bool:
    """Say whether a photo, a copy of it saved again or its mirror image was withdrawn for good.

    Args:
        photo: What is known of it.
        tombstones: ``withdrawal.tombstones.withdrawn_keys``.
        key: The pseudonym function of the installation.
    """
    if not tombstones:
        return False
    known = frozenset(tombstones)
    if not known.isdisjoint(picture_keys(key, photo.sha256, "") | {photo.id}):
        return True
    looks = (
        near for look in (photo.perceptual_hash, photo.mirrored_hash) for near in _looks_near(look)
    )
    return any(not known.isdisjoint(picture_keys(key, "", look)) for look in looks)


def delete_contribution(home: Home, ledger: Ledger, contribution_id: str, why: Why) -> bool:
    """Delete a contributed photo and what its giver said about it.

    What was derived from it goes with ``withdrawal.withdraw.finish_withdrawals``, which sees that
    it is not there any more.

    Args:
        home: Where it is kept.
        ledger: Where it is recorded that it went.
        contribution_id: Which.
        why: For the record.

    Returns:
        Whether it was there.

    Raises:
        RedsError: Its files cannot be removed.
    """
    was_there = remove_contribution(home, contribution_id)
    if was_there:
        ledger.append(CONTRIBUTION, contribution_id, {"event": "deleted", "why": why})
    return was_there


def outdated(home: Home, tombstones: Collection[str], *, now: str = "") -> dict[Contribution, Why]:
    """Return the contributions that may not be kept any longer, each with the reason.

    Args:
        home: Where they are kept.
        tombstones: ``withdrawal.tombstones.withdrawn_keys``.
        now: ISO 8601 time in UTC; the present one if empty.
    """
    now = now or utc_now()
    held = contributions(home)
    learnt = learnt_from(home) if held else frozenset()
    reasons: dict[Contribution, Why] = {}
    for each in held:
        if is_withdrawn(each, tombstones, home.keyed_hash):
            reasons[each] = "withdrawn"
        elif each.delete_after <= now and each.id not in learnt:
            reasons[each] = "time"
    return reasons


def delete_outdated(home: Home, ledger: Ledger, tombstones: Collection[str]) -> int:
    """Delete what may not be kept any longer, and what kills left behind.

    Returns:
        How many contributions went.

    Raises:
        RedsError: Their files cannot be removed.
    """
    remove_unfinished(home)
    return sum(
        delete_contribution(home, ledger, each.id, why)
        for each, why in outdated(home, tombstones).items()
    )


def learnt_from(home: Home) -> frozenset[str]:
    """Return the ids of the contributions that the data set of now takes for learning."""
    rows = read_rows(home.table("contributed_dataset"))
    return frozenset(row["contribution_id"] for row in rows if row["kept"])


def _looks_near(look: str) -> Iterator[str]:
    """Yield a perceptual hash and every one that differs in a few bits, the nearest first."""
    own = int(look, 16)
    for distance in range(_NEAR_BITS + 1):
        for bits in combinations(range(HASH_BITS), distance):
            yield f"{own ^ sum(1 << bit for bit in bits):0{HASH_BITS // 4}x}"
