"""Posts as hosts send them, and the small things every test of this package needs."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.fediverse.hosts import HostProfile
from reds_pipeline.fediverse.posts import PostReader
from reds_pipeline.fediverse.web.transport import RequestPace
from reds_pipeline.storage.keys import KeyedHash
from reds_pipeline.storage.seals import Seal
from reds_pipeline_tests.fediverse.scripted_host import NOT_FOUND, Asked, Reply, as_json

TOKEN = "eyJ0eXAiOiJKV1QifQ.a-token-that-must-not-leak.c2lnbmF0dXJl"
KEY = KeyedHash(b"a secret only for tests")
SEAL = Seal(b"a secret only for tests")
IMPATIENT = RequestPace(
    per_second=None, retries=2, backoff_seconds=0.001, longest_wait_seconds=0.01, read_seconds=2.0
)
PIXELFED = HostProfile("pixelfed", "pixelfed", "0.12.6", "Test", "needs_token", "needs_token")
MASTODON = HostProfile("mastodon", "mastodon", "4.5.0", "Test", "anonymous", "anonymous")

_ENTITY: dict[str, Any] = {
    "id": "912345678901234567",
    "url": "https://pix.example/p/mira/912345678901234567",
    "in_reply_to_id": None,
    "reblog": None,
    "content": "Harbour at dawn",
    "created_at": "2026-10-03T05:41:12.000Z",
    "sensitive": False,
    "spoiler_text": "",
    "visibility": "public",
    "place": {"id": 7, "name": "Marseille", "country": "France"},
    "local": True,
    "media_attachments": [
        {
            "id": "50211",
            "type": "image",
            "url": "https://pix.example/storage/m/_v2/77001/a/b/hb0001.jpg",
            "preview_url": "https://pix.example/storage/m/_v2/77001/a/b/hb0001_thumb.jpg",
            "meta": {"original": {"width": 1920, "height": 1080}},
            "description": " Fishing boats ",
            "license": {"id": 11, "title": "CC BY", "url": "https://cc.example/by"},
            "is_nsfw": False,
        }
    ],
    "account": {
        "id": "77001",
        "username": "mira",
        "acct": "mira",
        "display_name": "Mira",
        "discoverable": True,
        "locked": False,
        "note": "Coast photographer",
        "local": True,
        "url": "https://pix.example/mira",
    },
    "tags": [{"name": "GoldenHour", "url": "https://pix.example/discover/tags/goldenhour"}],
}


def entity(post_id: str = "912345678901234567", **changes: Any) -> dict[str, Any]:
    """A post that passes every gate, with some fields changed."""
    made = copy.deepcopy(_ENTITY) | {"id": post_id}
    made["media_attachments"][0]["url"] = f"https://pix.example/storage/m/{post_id}.jpg"
    return made | changes


def with_account(**changes: Any) -> dict[str, Any]:
    made = entity()
    made["account"] |= changes
    return made


def with_attachment(**changes: Any) -> dict[str, Any]:
    made = entity()
    made["media_attachments"][0] |= changes
    return made


def reader(host: str = "pix.example", policy: ConsentPolicy | None = None) -> PostReader:
    return PostReader(host, policy or ConsentPolicy(), KEY, SEAL)


def timeline(entities: Iterable[dict[str, Any]], asked: Asked) -> Reply:
    """Answer as a well-behaved timeline: below max_id, newest first, at most limit."""
    if not asked.path.startswith("/api/v1/timelines/"):
        return NOT_FOUND
    below = int(asked.query.get("max_id", 2**63))
    found = sorted(
        (made for made in entities if int(made["id"]) < below),
        key=lambda made: int(made["id"]),
        reverse=True,
    )
    return as_json(found[: int(asked.query["limit"])])
