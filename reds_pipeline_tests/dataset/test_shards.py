from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.dataset.shards import shard_numbers


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000)), st.integers(1, 1000))
def test_shards_are_full_in_order_and_none_is_too_large(sizes: list[int], limit: int) -> None:
    numbers = shard_numbers(sizes, limit)
    assert len(numbers) == len(sizes)
    shards = [
        [size for _, size in shard]
        for _, shard in groupby(zip(numbers, sizes, strict=True), lambda one: one[0])
    ]
    assert numbers == sorted(numbers)
    assert sorted(set(numbers)) == list(range(len(shards)))
    for number, shard in enumerate(shards):
        assert sum(shard) <= limit or sum(size > 0 for size in shard) == 1
        if number:
            assert sum(shards[number - 1]) + shard[0] > limit


def test_a_shard_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        shard_numbers([1], 0)
