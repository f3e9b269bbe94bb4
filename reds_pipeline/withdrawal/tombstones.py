"""Withdrawals as the ledger remembers them: what must never come back, and what was erased.

What belongs here: writing tombstones and reading them back. What does not: finding out what a
request covers (``requests.py``) and erasing it (``withdraw.py``). A tombstone is
made of keyed hashes, so that the memory of a refusal says nothing about who refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reds_pipeline.storage.keys import KeyedHash
from reds_pipeline.storage.ledger import Ledger

WITHDRAWAL = "withdrawal"
PICTURES_ERASED = "pictures_erased"


@dataclass(frozen=True)
class Tombstones:
    """What was withdrawn for good, by keyed hash.

    Attributes:
        keys: Of posts, accounts, addresses of pictures, and pictures (see ``picture_keys``).
        handles: Of accounts by name (``fediverse.posts.handle_key``).
        addresses: Those of ``keys`` that name a post by its address, which another host may
            show under a number of its own.
        reasons: The reason of a post's row where it is another than ``withdrawn``.
    """

    keys: frozenset[str] = frozenset()
    handles: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, other: Tombstones) -> Tombstones:
        """Return both; of two reasons the first stays."""
        return Tombstones(
            keys=self.keys | other.keys,
            handles=self.handles | other.handles,
            addresses=self.addresses | other.addresses,
            reasons={**other.reasons, **self.reasons},
        )

    def __le__(self, other: Tombstones) -> bool:
        """Say whether ``other`` covers everything that this one does."""
        return (
            self.keys <= other.keys
            and self.handles <= other.handles
            and self.addresses <= other.addresses
        )


def picture_keys(key: KeyedHash, sha256: str, perceptual_hash: str) -> frozenset[str]:
    """Return the keyed hashes of a picture: of its bytes and of how it looks, as far as known."""
    keys = set()
    if sha256:
        keys.add(key("image", sha256))
    if perceptual_hash:
        keys.add(key("look", perceptual_hash))
    return frozenset(keys)


def record_withdrawal(
    ledger: Ledger, tombstones: Tombstones, *, subject: str, why: str, asked_by: str
) -> None:
    """Put tombstones into the ledger, unless they all stand there already.

    Args:
        ledger: Where they stand for ever.
        tombstones: What is withdrawn.
        subject: What kind of thing was named: ``post``, ``author``, ``image`` or ``recheck``.
        why: The reason in the operator's words.
        asked_by: Who asked, in words that name nobody, such as "the author, by mail".
    """
    if tombstones <= recorded_tombstones(ledger):
        return
    ledger.append(
        WITHDRAWAL,
        subject,
        {
            "keys": sorted(tombstones.keys),
            "handles": sorted(tombstones.handles),
            "addresses": sorted(tombstones.addresses),
            "reasons": dict(sorted(tombstones.reasons.items())),
            "why": why,
            "asked_by": asked_by,
        },
    )


def recorded_tombstones(ledger: Ledger) -> Tombstones:
    """Return all tombstones of the ledger together."""
    tombstones = Tombstones()
    for event in ledger.events(WITHDRAWAL):
        tombstones |= _tombstones_of(event)
    return tombstones


def withdrawn_keys(ledger: Ledger) -> frozenset[str]:
    """Return every keyed hash that collectors must refuse: posts, accounts, handles, pictures."""
    tombstones = recorded_tombstones(ledger)
    return tombstones.keys | tombstones.handles


def record_erasure(ledger: Ledger, key: KeyedHash, sha256s: Iterable[str]) -> None:
    """Remember that pictures are being erased, so that models that saw them can be told.

    Another namespace than that of tombstones: these pictures may come back by another post.
    """
    new = {erased_key(key, sha256) for sha256 in sha256s} - erased_keys(ledger)
    if new:
        ledger.append(PICTURES_ERASED, "pictures", {"keys": sorted(new)})


def erased_keys(ledger: Ledger) -> frozenset[str]:
    """Return ``erased_key`` of every picture that was ever erased."""
    return frozenset(name for event in ledger.events(PICTURES_ERASED) for name in event["keys"])


def erased_key(key: KeyedHash, sha256: str) -> str:
    """Return the keyed hash under which the erasure of a picture is remembered."""
    return key("erased", sha256)


def _tombstones_of(event: Mapping[str, Any]) -> Tombstones:
    return Tombstones(
        keys=frozenset(event["keys"]),
        handles=frozenset(event["handles"]),
        addresses=frozenset(event["addresses"]),
        reasons=event["reasons"],
    )
