from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.modeling.review_order import LABEL, NEAR_CLASS, OUTLIER, reasons, review_ranks

REVIEWED = st.tuples(
    st.sampled_from([LABEL, NEAR_CLASS, OUTLIER, ""]),
    st.one_of(st.floats(0, 1), st.just(float("nan"))),
    st.floats(0, 1),
)


def test_the_first_reason_that_holds_is_named() -> None:
    yes, no = True, False
    named = reasons(
        np.array([yes, yes, no, no, no]),
        np.array([yes, no, yes, no, no]),
        np.array([yes, no, yes, yes, no]),
    )
    assert named == [LABEL, LABEL, NEAR_CLASS, OUTLIER, ""]


@pytest.mark.req("R-SCR-8")
@given(st.lists(REVIEWED, max_size=30), st.randoms(use_true_random=False))
def test_everything_has_its_place_and_problems_come_first(
    pictures: list[tuple[str, float, float]], shuffle: Random
) -> None:
    """Every rank is given once, and not by the order in which the pictures happened to come."""
    keyed = [(*picture, f"{number:03}") for number, picture in enumerate(pictures)]

    def ranked(rows: list[tuple[str, float, float, str]]) -> dict[str, int]:
        why, quality, unlike, keys = ([row[column] for row in rows] for column in range(4))
        ranks = review_ranks(
            [str(reason) for reason in why],
            np.array(quality, np.float64),
            np.array(unlike, np.float64),
            [str(key) for key in keys],
        )
        return dict(zip([str(key) for key in keys], ranks.tolist(), strict=True))

    ranks = ranked(keyed)
    assert sorted(ranks.values()) == list(range(len(keyed)))
    in_order = sorted(keyed, key=lambda row: ranks[row[3]])
    stages = [[LABEL, NEAR_CLASS, OUTLIER, ""].index(row[0]) for row in in_order]
    assert stages == sorted(stages)
    for stage in range(4):
        rows = [row for row, place in zip(in_order, stages, strict=True) if place == stage]
        if stage == 2:
            assert [row[2] for row in rows] == sorted((row[2] for row in rows), reverse=True)
        else:
            known = [row[1] for row in rows if not np.isnan(row[1])]
            assert known == sorted(known)
            assert all(np.isnan(row[1]) for row in rows[len(known) :])
    mixed = keyed.copy()
    shuffle.shuffle(mixed)
    assert ranked(mixed) == ranks
