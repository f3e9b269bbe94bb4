"""What people read of the domain shift says what it rests on (R-IMP-8)."""

from __future__ import annotations

import numpy as np
import pytest

from reds_pipeline.modeling.domain_shift import ZeroShot, share_of
from reds_pipeline.modeling.domain_shift_words import (
    drift_in_words,
    nearness_in_words,
    zero_shot_in_words,
)
from reds_pipeline.modeling.feature_drift import OldAgainstNew, Period

pytestmark = pytest.mark.req("R-IMP-8")

ALL, SOME = share_of(np.arange(100) < 90), share_of(np.arange(60) < 57)


def test_an_accuracy_on_fewer_pictures_is_said_to_be_one() -> None:
    """Three classes of five, say: the easy ones, perhaps, and no better than the others."""
    assert "of the 60 pictures whose class ImageNet has" in nearness_in_words(ALL, ALL, SOME)
    assert "of the" not in nearness_in_words(ALL, ALL, ALL)
    told = zero_shot_in_words(ZeroShot(SOME, 0.5, ("fedi",)), {"cat": [1, 2], "fedi": []})
    assert "cat 2, fedi 0. Pictures of fedi were not asked about" in told
    assert "not asked" not in zero_shot_in_words(ZeroShot(ALL, 0.5, ()), {"cat": [1]})


def test_of_many_months_some_differ_by_chance() -> None:
    """One of twenty lies beyond where nothing drifts at all."""
    months = [Period(f"m{number}", f"m{number}", 30, 0.1, 0.2) for number in range(39)]
    told = drift_in_words([*months, Period("2026-03", "2026-04", 30, 0.3, 0.2)], None)
    assert told.startswith("1 of 40 periods lie farther")
    assert "(by chance 2 would): 2026-03 to 2026-04; too few authors" in told


def test_old_against_new_stands_with_its_interval() -> None:
    times = OldAgainstNew(auc=0.61, low=0.5, high=0.7, p_value=0.04, pictures=90)
    told = drift_in_words([Period("2026-03", "2026-03", 30, 0.1, 0.2)], times)
    assert "0 of 1 periods" in told
    assert told.endswith("AUC of 0.61 (95 % interval 0.50 to 0.70; 0.5 is no difference).")
    assert drift_in_words([], times).startswith("The pictures of too few months")
