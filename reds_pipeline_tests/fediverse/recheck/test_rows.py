from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.fediverse.recheck.rows import (
    Check,
    as_mass_removal,
    gated_row,
    lasting_withdrawals,
    mass_removal,
    stale,
    still_shown,
    updated_rows,
)
from reds_pipeline_tests.fediverse.makers import entity, reader

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = "2026-11-21T12:00:00Z"
DIGEST = ConsentPolicy().digest


def row(**changes: Any) -> dict[str, Any]:
    made = reader().row(entity(), "cat", "2026-11-20T12:00:00Z")
    return made | changes


@pytest.mark.parametrize(
    ("changes", "is_stale"),
    [
        ({}, False),
        ({"confirmed_at": "2026-11-19T11:59:59Z"}, True),
        ({"confirmed_at": None}, False),
        ({"confirmed_at": None, "collected_at": "2026-11-01T00:00:00Z"}, True),
        ({"policy": "another"}, True),
        ({"policy": None}, True),
        ({"status": "gated", "confirmed_at": "2026-01-01T00:00:00Z"}, False),
    ],
    ids=["fresh", "old", "older table", "older table, old", "policy", "no policy", "gated"],
)
def test_kept_posts_not_confirmed_lately_or_judged_otherwise_are_stale(
    changes: dict[str, Any], is_stale: bool
) -> None:
    found = stale([row(**changes)], now=NOW, hours=48, policy_digest=DIGEST)
    assert bool(found) is is_stale


def test_the_longest_unconfirmed_comes_first() -> None:
    times = ["2026-11-03T00:00:00Z", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"]
    found = stale([row(confirmed_at=at) for at in times], now=NOW, hours=48, policy_digest=DIGEST)
    assert [each["confirmed_at"] for each in found] == sorted(times)


def test_a_confirmed_post_takes_its_new_content_and_keeps_when_it_was_collected() -> None:
    old = row(failed_checks=1)
    fresh = reader().row(entity(tags=[{"name": "New"}]), "other", AT)
    [new] = updated_rows([old], [Check(old["post_key"], "confirmed", row=fresh, at=AT)], AT)
    assert new["tags"] == ["New"]
    assert (new["collected_at"], new["query_tag"]) == (old["collected_at"], "cat")
    assert (new["confirmed_at"], new["failed_checks"]) == (AT, 0)


@pytest.mark.parametrize("outcome", ["gone", "changed"])
def test_a_post_that_is_gone_or_closed_keeps_its_keyed_hash_and_the_reason(outcome: Any) -> None:
    old = row()
    [new] = updated_rows([old], [Check(old["post_key"], outcome, "why", at=AT)], AT)
    assert new == gated_row(old, "why", AT)
    told = {name for name, value in new.items() if value not in ("", None, [], 0)}
    assert told == {
        "post_key",
        "host",
        "query_tag",
        "status",
        "reason",
        "policy",
        "collected_at",
    }


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize(
    ("before", "status", "failures"),
    [(None, "kept", 1), (0, "kept", 1), (1, "gated", 0), (5, "gated", 0)],
)
def test_it_takes_two_failing_sweeps_in_a_row(
    before: int | None, status: str, failures: int
) -> None:
    old = row(failed_checks=before)
    check = Check(old["post_key"], "failed", "recheck_failed", at=AT)
    [new] = updated_rows([old], [check], AT)
    assert (new["status"], new["failed_checks"]) == (status, failures)


def test_a_post_without_a_check_stays_as_it_is() -> None:
    old = row()
    assert updated_rows([old], [], AT) == [old]


@pytest.mark.parametrize(
    ("check", "lasts"),
    [
        (Check("k", "gone", "post_deleted"), True),
        (Check("k", "gone", "mass_removal"), False),
        (Check("k", "changed", "remote_origin", {"policy": "same"}), False),
        (Check("k", "changed", "sensitive", {"policy": "same"}), True),
        (Check("k", "changed", "licence", {"policy": "newer"}), False),
        (Check("k", "failed", "recheck_failed"), False),
        (Check("k", "confirmed"), False),
    ],
    ids=[
        "deleted",
        "with most others",
        "host not approved",
        "closed by its author",
        "closed by our policy",
        "failed",
        "confirmed",
    ],
)
def test_only_what_people_closed_never_comes_back(check: Check, lasts: bool) -> None:
    held = [{"post_key": "k", "policy": "same"}]
    assert bool(lasting_withdrawals(held, [check])) is lasts


def removals(posts: int, authors: int, *, kept: int = 0, at_origin: bool = False) -> set[str]:
    """Return the reasons after a sweep in which so many posts of so many people went."""
    rows = [
        row(post_key=str(number), author_key=str(number % authors))
        for number in range(posts + kept)
    ]
    checks = [
        Check(str(number), "gone", "post_deleted", at=AT, at_origin=at_origin)
        if number % 2
        else Check(str(number), "changed", "not_public", gated_row(rows[number], "not_public", AT))
        for number in range(posts)
    ]
    confirmed = [Check(str(number), "confirmed") for number in range(posts, posts + kept)]
    # A post of two classes is one post.
    lost = mass_removal([*rows, *rows], [*checks, *checks, *confirmed])
    revised = [as_mass_removal(each) if each.post_key in lost else each for each in checks]
    return {new["reason"] for new in updated_rows(rows, revised, AT)} - {""}


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize(
    ("shape", "is_the_host"),
    [
        ({"posts": 20, "authors": 10}, True),
        ({"posts": 20, "authors": 10, "kept": 19}, True),
        ({"posts": 20, "authors": 10, "kept": 20}, False),
        ({"posts": 19, "authors": 19}, False),
        ({"posts": 200, "authors": 9}, False),
        ({"posts": 200, "authors": 50, "at_origin": True}, False),
    ],
    ids=["all", "most", "half", "few posts", "few people", "at the origin"],
)
def test_posts_that_go_with_most_others_may_come_back_with_their_host(
    shape: dict[str, Any], is_the_host: bool
) -> None:
    assert (removals(**shape) == {"mass_removal"}) is is_the_host


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize(
    ("pictures", "left"),
    [
        (("a", "b"), "ab"),
        (("b",), "b"),
        (("b", "new"), "b"),
        (("relay-1", "relay-2"), "ab"),
        (("relay-1",), ""),
        ((), ""),
    ],
    ids=["all", "one taken out", "one replaced", "copies", "fewer copies", "none"],
)
def test_pictures_taken_out_of_a_post_are_not_used_any_more(
    pictures: tuple[str, ...], left: str
) -> None:
    media = still_shown([{"url": "a"}, {"url": "b"}], pictures)
    assert "".join(medium["url"] for medium in media) == left
