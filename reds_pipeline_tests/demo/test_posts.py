from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

from hypothesis import given, strategies

from reds_pipeline.demo.posts import Flavour, snowflake, snowflake_time

FLAVOURS: tuple[Flavour, ...] = get_args(Flavour)


def test_a_known_moment_has_pixelfeds_id() -> None:
    # (1796083200000 - 1549756800000) << 22, by the formula of fediverse.md 2.4.
    assert snowflake(datetime(2026, 12, 1, tzinfo=UTC)) == str(246_326_400_000 << 22)


def test_a_known_moment_has_mastodons_id() -> None:
    # 1796083200000 << 16, by the formula of fediverse.md 8.
    moment = datetime(2026, 12, 1, tzinfo=UTC)
    assert snowflake(moment, flavour="mastodon") == str(1_796_083_200_000 << 16)


@given(
    milliseconds=strategies.integers(0, 2**40),
    sequence=strategies.integers(0, 2**24),
    flavour=strategies.sampled_from(FLAVOURS),
)
def test_the_time_of_an_id_is_the_time_it_was_made_from(
    milliseconds: int, sequence: int, flavour: Flavour
) -> None:
    moment = datetime(2019, 2, 10, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert snowflake_time(snowflake(moment, sequence, flavour), flavour) == moment
