from __future__ import annotations

import numpy as np
import pytest

from reds_pipeline.dataset.collect_facts import curated_table
from reds_pipeline.dataset.splits import split_dataset
from reds_pipeline.modeling.splits import make_split
from reds_pipeline.stage_inputs import curated_rows
from reds_pipeline.storage.home import Home


@pytest.mark.parametrize("seed", [0, 42])
def test_what_is_held_out_is_what_our_own_models_are_tested_by(home: Home, seed: int) -> None:
    """Numbers of others can be compared with ours only then."""
    trained_on = curated_rows(home)
    own = make_split(
        [row["class_name"] for row in trained_on],
        [row["group"] for row in trained_on],
        protocol="grouped",
        seed=seed,
    )
    split = split_dataset(curated_table(home), seed)
    held_out = {name for name, part in split.part_of.items() if part == "test"}
    assert held_out == {
        row["sha256"] for row, test in zip(trained_on, own.test, strict=True) if test
    }
    assert 0 < len(held_out) < len(trained_on)
    assert split.problem == ""


def test_what_trainings_hold_out_for_good_stays_held_out(home: Home) -> None:
    """Whatever a new seed would draw: an export's test must be the one of our models."""
    rows = curated_table(home)
    drawn = split_dataset(rows, 42).part_of
    held_out = {name for name, part in drawn.items() if part == "test"}
    for seed in (42, 43, 44):
        assert split_dataset(rows, seed, held_out).part_of == drawn
    assert any(split_dataset(rows, seed).part_of != drawn for seed in (43, 44))


def test_no_group_is_in_both_parts(home: Home) -> None:
    split = split_dataset(curated_table(home), 42)
    parts = {(split.group_of[name], part) for name, part in split.part_of.items()}
    assert len(parts) == len({group for group, _ in parts}) == 24


def test_groups_are_told_by_numbers_that_say_nothing(home: Home) -> None:
    rows = curated_table(home)
    numbers = split_dataset(rows, 42).group_of
    assert sorted(set(numbers.values())) == list(range(24))
    for row in rows:
        if row["kept"]:
            same = {other["sha256"] for other in rows if other["group"] == row["group"]}
            assert len({numbers[name] for name in same if name in numbers}) == 1


def test_too_little_to_split_is_all_for_training_with_the_reason(home: Home) -> None:
    few = [row for row in curated_table(home) if row["kept"]][:4]
    split = split_dataset(few, 42)
    assert set(split.part_of.values()) == {"train"}
    assert split.problem.endswith(".")
    assert np.unique(list(split.group_of.values())).size == 2
