from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.fediverse.posts import creation_time, handle_key
from reds_pipeline.storage.tables import POSTS, read_rows, write_rows
from reds_pipeline_tests.fediverse.makers import (
    KEY,
    SEAL,
    entity,
    reader,
    with_account,
    with_attachment,
)

OLA = entity()["account"] | {"id": "77002", "username": "ola", "acct": "ola"}
NOW = "2026-11-21T10:00:00Z"


@pytest.mark.req("R-SCR-11")
def test_a_kept_post_leaves_what_training_needs_and_nothing_about_the_person() -> None:
    row = reader().row(entity("912"), "goldenhour", NOW)
    text = json.dumps(row)
    assert SEAL.opened(row.pop("permalink")) == "https://pix.example/p/mira/912345678901234567"
    assert row == {
        "post_key": KEY("pix.example", "912"),
        "host": "pix.example",
        "query_tag": "goldenhour",
        "status": "kept",
        "reason": "",
        "policy": ConsentPolicy().digest,
        "collected_at": NOW,
        "confirmed_at": NOW,
        "failed_checks": 0,
        "post_id": "912",
        "created_at": "2026-10-03T05:41:12Z",
        "author_key": KEY("pix.example", "77001"),
        "tags": ["GoldenHour"],
        "media": [
            {
                "media_id": "50211",
                "url": "https://pix.example/storage/m/912.jpg",
                "alt_text": "Fishing boats",
                "licence": "CC BY",
                "width": 1920,
                "height": 1080,
            }
        ],
    }
    for trace in ("mira", "Mira", "77001", "Marseille", "Coast", "/p/"):
        assert trace not in text


@pytest.mark.req("R-SCR-4")
@settings(deadline=None)
@given(st.sampled_from(["private", "unlisted"]), st.text(max_size=20))
def test_a_gated_post_leaves_a_keyed_hash_and_a_reason(visibility: str, secret: str) -> None:
    post = with_account(note=f"<p>{secret}</p>", display_name=secret) | {
        "visibility": visibility,
        "content": secret,
        "tags": [{"name": secret}],
    }
    row = reader().row(post, "cat", NOW)
    assert row == {
        "post_key": KEY("pix.example", post["id"]),
        "host": "pix.example",
        "query_tag": "cat",
        "status": "gated",
        "reason": "not_public",
        "policy": ConsentPolicy().digest,
        "collected_at": NOW,
        "confirmed_at": "",
        "failed_checks": 0,
        "post_id": "",
        "created_at": "",
        "author_key": "",
        "permalink": "",
        "tags": [],
        "media": [],
    }


@pytest.mark.parametrize(
    "key",
    [
        KEY("pix.example", "912"),
        KEY("pix.example", "77001"),
        handle_key(KEY, "Mira", "PIX.example"),
    ],
    ids=["the post", "the account", "the handle"],
)
def test_what_was_withdrawn_stays_away(key: str) -> None:
    made = replace(reader(), withdrawn=frozenset({key}))
    row = made.row(entity("912"), "cat", NOW)
    assert (row["status"], row["reason"]) == ("gated", "withdrawn")
    assert not any(row[name] for name in ("author_key", "permalink", "post_id", "tags", "media"))
    assert made.row(entity("913", account=OLA), "cat", NOW)["status"] == "kept"


@pytest.mark.parametrize(
    ("addresses", "address", "why"),
    [
        ({"url": "https://a.example/1", "uri": "https://a.example/2"}, "https://a.example/1", ""),
        ({"url": None, "uri": "https://a.example/2"}, "https://a.example/2", "no page for people"),
        ({"url": "javascript:alert(1)"}, "", "not an address of the web"),
        ({"url": 7}, "", "not an address"),
        ({"url": None}, "", "none at all"),
    ],
)
def test_the_address_of_a_post_is_sealed_where_it_has_one(
    addresses: dict[str, Any], address: str, why: str
) -> None:
    sealed = reader().row(entity(**addresses), "cat", NOW)["permalink"]
    assert (SEAL.opened(sealed) if sealed else "") == address, why


def test_only_the_pictures_that_the_policy_allows_are_named() -> None:
    post = entity()
    [first] = post["media_attachments"]
    post["media_attachments"] = [
        first | {"id": "1", "license": None},
        first | {"id": "2", "type": "video"},
        first | {"id": "3"},
    ]
    everything = reader().row(post, "", NOW)
    licensed = reader(policy=ConsentPolicy(allowed_licences=frozenset({"CC BY"}))).row(
        post, "", NOW
    )
    assert [medium["media_id"] for medium in everything["media"]] == ["1", "3"]
    assert [medium["media_id"] for medium in licensed["media"]] == ["3"]


def test_one_author_has_one_key_per_host_of_origin() -> None:
    policy = ConsentPolicy(allowed_origins=frozenset({"else.example"}))
    local = reader(policy=policy).row(entity("1"), "", NOW)
    again = reader(policy=policy).row(entity("2"), "", NOW)
    remote = reader(policy=policy).row(with_account(acct="mira@else.example"), "", NOW)
    assert local["author_key"] == again["author_key"] != remote["author_key"]


@pytest.mark.parametrize(
    ("claimed", "stored"),
    [
        ("2026-10-03T05:41:12.000Z", "2026-10-03T05:41:12Z"),
        ("2026-10-03T07:41:12+02:00", "2026-10-03T05:41:12Z"),
        ("2026-10-03T05:41:12", "2026-10-03T05:41:12Z"),
        ("2199-01-01T00:00:00Z", NOW),
        ("9999-12-31T23:59:59-23:00", NOW),
        ("yesterday", NOW),
        (None, NOW),
        (1790000000, NOW),
    ],
)
def test_a_claimed_time_is_utc_and_not_in_the_future(claimed: Any, stored: str) -> None:
    assert creation_time(claimed, NOW) == stored


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=12))
def test_any_text_fits_into_the_table(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    post = with_attachment(description=text) | {"tags": [{"name": text}]}
    row = reader().row(post, "cat", NOW)
    path: Path = tmp_path_factory.mktemp("tables") / "posts.parquet"
    write_rows(path, [row], POSTS)
    assert read_rows(path) == [row]


def test_a_lone_surrogate_in_the_json_does_no_harm(tmp_path: Path) -> None:
    post = with_attachment(description=json.loads('"\\ud800 boats"'))
    row = reader().row(post, "cat", NOW)
    assert row["media"][0]["alt_text"] == "? boats"
    write_rows(tmp_path / "posts.parquet", [row], POSTS)
