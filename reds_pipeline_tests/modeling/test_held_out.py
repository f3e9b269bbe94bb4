"""The test part of a data set that grows, shrinks and merges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.errors import RedsError
from reds_pipeline.modeling.held_out import grown_test_part
from reds_pipeline.modeling.splits import Split, make_split
from reds_pipeline_tests.modeling.test_splits import any_images, one_class_groups

Images = tuple[list[str], list[str]]


def _split(images: Images, held_out: np.ndarray | None = None, seed: int = 0) -> Split:
    return make_split(*images, protocol="grouped", seed=seed, held_out=held_out)


def _many(classes: int = 3, groups: int = 30, each: int = 2) -> Images:
    names = [f"{number}.{group}" for number in range(classes) for group in range(groups)]
    labels = [f"class {name.partition('.')[0]}" for name in names for _ in range(each)]
    return labels, [name for name in names for _ in range(each)]


@pytest.mark.req("R-EXP-2")
@pytest.mark.req("R-EXP-3")
@settings(max_examples=15)
@given(one_class_groups(), st.data())
def test_what_was_held_out_stays_out_of_the_folds_with_its_whole_group(
    images: Images, data: st.DataObject
) -> None:
    labels, groups = images
    chosen = data.draw(st.sets(st.integers(0, len(labels) - 1), max_size=4))
    held_out = np.isin(np.arange(len(labels)), list(chosen))
    try:
        split = _split(images, held_out)
    except RedsError as error:
        assert "class" in str(error)
        return
    together = np.isin(groups, [group for group, out in zip(groups, held_out, strict=True) if out])
    assert split.test[together].all()
    assert (split.fold[together] == -1).all()
    sides = {(group, bool(test)) for group, test in zip(groups, split.test, strict=True)}
    assert len(sides) == len(set(groups))
    assert set(np.asarray(labels)[split.test]) == set(labels)


@settings(max_examples=15)
@given(st.one_of(one_class_groups(), any_images()), st.integers(0, 99), st.integers(0, 99))
def test_holding_out_what_is_held_out_changes_nothing(
    images: Images, seed: int, other_seed: int
) -> None:
    """Not even under another seed: or a training would hold out more each time it runs."""
    try:
        first = _split(images, seed=seed)
        again = _split(images, first.test, seed)
        turned = _split(images, first.test, other_seed)
    except RedsError:
        return
    assert np.array_equal(first.fold, again.fold)
    assert np.array_equal(first.test, turned.test)


@given(st.integers(0, 60), st.integers(0, 99))
def test_growing_keeps_the_test_and_its_share(added: int, seed: int) -> None:
    """A class has at least half of the wanted share in the test, however it has grown."""
    codes, units = np.repeat([0, 1], 60), np.arange(120) // 2
    before = np.isin(units, [0, 1, 2, 30, 31, 32])
    grown = grown_test_part(
        np.r_[codes, np.zeros(2 * added, np.int64)],
        np.r_[units, 60 + np.arange(2 * added) // 2],
        np.r_[before, np.zeros(2 * added, bool)],
        seed=seed,
        test_fraction=0.1,
        folds=5,
    )
    assert grown[:120][before].all()
    assert np.array_equal(grown[60:120], before[60:])
    assert 0.05 <= np.r_[grown[:60], grown[120:]].mean() <= 0.1


def test_a_class_that_has_hardly_grown_is_left_alone() -> None:
    """Models made one after the other are tested on the same pictures for as long as possible."""
    labels, groups = _many()
    before = _split((labels, groups)).test
    grown = (labels + ["class 0"] * 10, groups + [f"new.{number}" for number in range(10)])
    test = _split(grown, np.r_[before, np.zeros(10, bool)]).test
    assert np.array_equal(test, np.r_[before, np.zeros(10, bool)])


def test_a_new_class_gets_its_test_pictures() -> None:
    labels, groups = _many()
    before = _split((labels, groups)).test
    new_labels, new_groups = ["owl"] * 40, [f"owls {number // 2}" for number in range(40)]
    test = _split((labels + new_labels, groups + new_groups), np.r_[before, [False] * 40]).test
    assert np.array_equal(test[: len(labels)], before)
    assert test[len(labels) :].sum() == 4


def test_a_class_of_large_groups_gets_the_smallest() -> None:
    """No group fits into a tenth of the class, and no test at all would be worse."""
    labels, groups = _many()
    before = _split((labels, groups)).test
    sizes = [9, 8, 7, 6, 5, 9]
    new_groups = [f"owls {number}" for number, size in enumerate(sizes) for _ in range(size)]
    grown = (labels + ["owl"] * len(new_groups), groups + new_groups)
    test = _split(grown, np.r_[before, np.zeros(len(new_groups), bool)]).test
    assert {group for group, out in zip(grown[1], test, strict=True) if out and "owl" in group} == {
        "owls 4"
    }


def test_groups_that_merge_with_one_of_the_test_go_there_whole() -> None:
    """A copy links a test picture with the pictures of somebody who was learnt from."""
    labels, groups = _many()
    before = _split((labels, groups)).test
    tested = next(group for group, out in zip(groups, before, strict=True) if out)
    learnt = next(group for group, out in zip(groups, before, strict=True) if not out)
    merged = ["merged" if group in (tested, learnt) else group for group in groups]
    test = _split((labels, merged), before).test
    assert test[np.asarray(merged) == "merged"].all()
    assert test.sum() == before.sum() + 2


def test_folds_always_keep_enough_of_a_class() -> None:
    """Six groups, one of them in the test: the folds need the other five."""
    labels, groups = _many(groups=6)
    before = _split((labels, groups)).test
    grown = (labels + ["class 0"] * 50, groups + ["0.1"] * 50)
    test = _split(grown, np.r_[before, np.zeros(50, bool)]).test
    rest = {group for group, out in zip(grown[1], test, strict=True) if not out and group[0] == "0"}
    assert len(rest) == 5


def test_the_report_protocol_ignores_it() -> None:
    labels, groups = _many()
    plain = make_split(labels, groups, protocol="report", seed=0)
    held_out = np.arange(len(labels)) < 20
    other = make_split(labels, groups, protocol="report", seed=0, held_out=held_out)
    assert np.array_equal(plain.fold, other.fold)


def test_one_word_an_image() -> None:
    with pytest.raises(ValueError, match="one word"):
        _split(_many(), np.zeros(3, bool))


def test_a_test_that_takes_nearly_all_is_refused_in_words() -> None:
    labels, groups = _many(groups=8)
    with pytest.raises(RedsError, match=r"class .* cannot be spread"):
        _split((labels, groups), np.array([not group.endswith(".1") for group in groups]))


@settings(max_examples=15)
@given(st.one_of(one_class_groups(), any_images()), st.data())
def test_once_renewed_the_test_changes_no_more_though_models_have_learnt_the_rest(
    images: Images, data: st.DataObject
) -> None:
    """One backbone trains after another, and the second must test on what the first did."""
    count = len(images[0])
    held_out, fresh = (
        np.isin(np.arange(count), list(data.draw(st.sets(st.integers(0, count - 1)))))
        for _ in range(2)
    )
    try:
        first = make_split(*images, protocol="grouped", seed=0, held_out=held_out, fresh=fresh)
        again = _split(images, first.test)
    except RedsError:
        return
    assert np.array_equal(first.test, again.test)


def test_new_arrivals_take_the_places_of_test_pictures_that_left() -> None:
    """Each group of a fifth of the pictures that came since the last training."""
    codes, units = np.zeros(200, np.int64), np.arange(200) // 2
    fresh = np.arange(200) >= 160
    before = np.isin(units, [1, 5, 9, 13, 17, 21])
    grown = grown_test_part(
        np.r_[codes, codes + 1],
        np.r_[units, units + 100],
        np.r_[before, before],
        seed=0,
        test_fraction=0.1,
        folds=5,
        fresh=np.r_[fresh, fresh],
    )
    joined = grown & ~np.r_[before, before]
    assert joined.sum() == 2 * (20 - 12)
    assert np.r_[fresh, fresh][joined].all()
    unchanged = grown_test_part(
        np.r_[codes, codes + 1],
        np.r_[units, units + 100],
        np.r_[before, before],
        seed=0,
        test_fraction=0.1,
        folds=5,
    )
    assert not (unchanged & ~np.r_[before, before]).any(), "what was learnt from joins rarely"
