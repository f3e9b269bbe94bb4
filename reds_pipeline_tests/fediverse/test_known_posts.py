from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.fediverse.known_posts import KnownPosts, successor
from reds_pipeline.fediverse.posts import WITHDRAWN, Row

TODAY, BEFORE = "policy of today", "an earlier policy"


def row(
    status: str = "kept",
    *,
    policy: str = TODAY,
    hour: int = 10,
    content: str = "cat",
    reason: str = "",
) -> Row:
    moment = f"2026-11-21T{hour:02}:00:00Z"
    kept = status == "kept"
    return {
        "post_key": "key",
        "query_tag": "cat",
        "status": status,
        "reason": "" if kept else reason or "sensitive",
        "policy": policy,
        "collected_at": moment,
        "confirmed_at": moment if kept else "",
        "failed_checks": 0,
        "tags": [content] if kept else [],
        "media": [],
    }


@pytest.mark.parametrize(
    ("old", "shown", "holds", "why"),
    [
        (None, row(), "shown", "a post seen for the first time"),
        (None, row("gated"), "shown", "a gated one too"),
        (row(), row("gated", hour=11), "shown", "a post that turned sensitive"),
        (row("gated"), row(hour=11), "old", "back again under the same policy"),
        (row("gated"), row("gated", hour=11, reason="reply"), "old", "gated stays gated"),
        (row(hour=11), row("gated", hour=10), "shown", "the stricter, in whatever order"),
        (row(hour=11), row(hour=10, content="dog"), "old", "an older journal over a newer table"),
        (row(), row(hour=11, content="dog"), "shown", "an edit"),
        (row("gated", policy=BEFORE), row(hour=11), "shown", "a policy that allows it now"),
        (row(policy=BEFORE), row("gated", hour=11), "shown", "a policy that does not any more"),
        (row("gated", policy=BEFORE, hour=12), row(hour=11), "shown", "today's policy wins"),
        (row(), row("gated", policy=BEFORE, hour=12), "old", "and is not overruled by another"),
        (row(policy="a"), row("gated", policy="b", hour=11), "shown", "of two others the later"),
        (row(policy="a", hour=12), row("gated", policy="b"), "old", "of two others the later"),
        (row("gated", reason="mass_removal"), row(hour=11), "shown", "its host shows it again"),
        (row("gated", reason="mass_removal"), row(hour=9), "old", "it was shown before that"),
        (row("gated", reason="remote_origin"), row(hour=11), "shown", "its host is approved again"),
        (row("gated", policy=BEFORE, reason=WITHDRAWN), row(hour=11), "old", "withdrawn for good"),
        (row(), row("gated", hour=11, reason=WITHDRAWN), "shown", "withdrawn from now on"),
    ],
)
def test_which_of_two_rows_holds(old: Row | None, shown: Row, holds: str, why: str) -> None:
    held = successor(old, shown, TODAY)
    if holds == "old":
        assert held is None, why
    else:
        assert held is not None
        assert (held["status"], held["reason"], held["tags"]) == (
            shown["status"],
            shown["reason"],
            shown["tags"],
        ), why


def test_a_post_that_is_shown_again_was_still_collected_when_it_was() -> None:
    held = successor(row(), row(hour=12, content="dog") | {"query_tag": "dogs"}, TODAY)
    assert held is not None
    assert held["collected_at"].startswith("2026-11-21T10")
    assert held["confirmed_at"].startswith("2026-11-21T12")
    assert held["query_tag"] == "cat"


@pytest.mark.parametrize(
    ("old", "hour", "changed", "confirmed", "why"),
    [
        (row(), 10, 0, 0, "the same hour"),
        (row(), 11, 0, 1, "an hour later"),
        (row() | {"failed_checks": 1}, 10, 0, 1, "a re-check had failed"),
        (row() | {"confirmed_at": None, "failed_checks": None}, 12, 0, 1, "an old table"),
        (row(content="dog"), 10, 1, 0, "edited"),
        (row(policy=BEFORE), 10, 1, 0, "judged by another policy"),
        (row("gated"), 12, 0, 0, "gated before"),
        (row("gated", policy=BEFORE), 12, 1, 0, "gated by another policy"),
    ],
)
def test_only_what_changed_is_news(
    *, old: Row, hour: int, changed: int, confirmed: int, why: str
) -> None:
    known = KnownPosts(TODAY)
    known.take([old])
    news = known.news([row(hour=hour)])
    assert (len(news.changed), len(news.confirmed)) == (changed, confirmed), why
    assert known.rows["key"] is old


def test_a_confirmation_reaches_kept_posts_only_and_no_later_word() -> None:
    known = KnownPosts(TODAY)
    known.take([row(hour=12) | {"failed_checks": 1}, row("gated") | {"post_key": "gated"}])
    known.confirm(["key", "gated", "unknown"], "2026-11-21T11:00:00Z")
    assert known.rows["key"]["failed_checks"] == 1
    known.confirm(["key", "gated", "unknown"], "2026-11-21T13:00:00Z")
    assert known.rows["key"]["confirmed_at"] == "2026-11-21T13:00:00Z"
    assert known.rows["key"]["failed_checks"] == 0
    assert known.rows["gated"]["confirmed_at"] == ""
    assert set(known.rows) == {"key", "gated"}


_ROWS = st.lists(
    st.builds(
        lambda status, policy, hour, content: row(
            status, policy=policy, hour=hour, content=content
        ),
        st.sampled_from(["kept", "gated"]),
        st.sampled_from([TODAY, BEFORE]),
        st.integers(0, 23),
        st.sampled_from(["cat", "dog"]),
    ),
    min_size=1,
    max_size=6,
)


@given(_ROWS)
def test_rows_read_again_over_what_they_made_change_no_judgement(rows: list[Row]) -> None:
    """A journal that was not deleted is read again over its own table."""
    # As a run writes them: in the order of time.
    rows.sort(key=lambda made: str(made["collected_at"]))
    once = KnownPosts(TODAY)
    once.take(rows)
    twice = KnownPosts(TODAY)
    twice.take(itertools.chain(once.rows.values(), rows))
    for column in ("status", "policy"):
        assert twice.rows["key"][column] == once.rows["key"][column]


@given(_ROWS)
def test_what_todays_policy_gated_once_stays_gated(rows: list[Row]) -> None:
    known = KnownPosts(TODAY)
    known.take(rows)
    of_today = [made for made in rows if made["policy"] == TODAY]
    if of_today:
        gated = any(made["status"] == "gated" for made in of_today)
        assert known.rows["key"]["status"] == ("gated" if gated else "kept")
