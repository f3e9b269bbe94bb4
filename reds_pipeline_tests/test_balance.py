from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.balance import ReviewCounts, raw_posts_needed, review_counts
from reds_pipeline.funnel import STAGES, ClassFunnel, Stage
from reds_pipeline.storage.tables import CURATED, read_rows
from reds_pipeline_tests import curated_home


def funnel(
    kept: int, looked_at: int, *, received: int = 0, **dropped: dict[str, int]
) -> ClassFunnel:
    """A funnel with these reasons by stage; ``received`` pictures are all kept."""
    stages: list[Stage] = []
    entered = kept
    for name in reversed(STAGES):
        reasons = dropped.get(name, {})
        entered += sum(reasons.values())
        stages.insert(0, Stage(name, entered, reasons))
        if name == "cleaned":
            entered -= received
    return ClassFunnel(tuple(stages), looked_at, received, received)


@pytest.mark.req("R-SCR-10")
def test_a_short_class_says_how_many_raw_posts_it_needs() -> None:
    """Half of 400 judged are fit and a post brings one picture, so 100 missing need 200 posts."""
    balance = raw_posts_needed("cat", funnel(200, 400, stored={"greyscale": 200}), 300)
    assert (balance.missing, balance.posts_needed) == (100, 200)
    # Wilson's interval of 200 in 400 is 0.4513 to 0.5487.
    assert (balance.fewest, balance.most) == (183, 222)
    assert balance.sentence == (
        "cat is 100 short of 300 pictures: about 200 more raw posts are needed (183 to 222), as "
        "200 of 400 judged were fit."
    )


@pytest.mark.req("R-SCR-13")
def test_a_full_class_needs_nothing() -> None:
    balance = raw_posts_needed("cat", funnel(1000, 1200, cleaned={"beyond_target": 50}), 1000)
    assert (balance.missing, balance.posts_needed, balance.fewest, balance.most) == (0, 0, 0, 0)
    assert balance.sentence == "cat has all of 1,000 pictures."


def test_what_was_beyond_a_lower_target_is_at_hand() -> None:
    """Somebody has raised the target since the data set was curated."""
    raised = funnel(100, 300, stored={"flat": 100}, cleaned={"beyond_target": 100})
    assert raw_posts_needed("cat", raised, 200).sentence == (
        "cat is 100 short of 200 pictures, which the next run has at hand."
    )
    assert raw_posts_needed("cat", raised, 300).posts_needed == 150


def test_albums_bring_more_than_one_picture_a_post() -> None:
    balance = raw_posts_needed("cat", funnel(200, 100, stored={"greyscale": 200}), 300)
    assert balance.posts_needed == 50


def test_what_was_not_judged_says_nothing_about_the_yield() -> None:
    waiting = funnel(
        100, 200, pictures={"not_needed": 30}, stored={"not_cleaned_yet": 20, "greyscale": 100}
    )
    balance = raw_posts_needed("cat", waiting, 200)
    assert (balance.fit, balance.judged, balance.not_asked_for) == (100, 200, 30)
    assert balance.sentence.endswith(
        "30 pictures of posts at hand were not asked for: raise REDS_RAW_PER_CLASS first."
    )


def test_what_another_class_gave_is_no_yield_of_this_one() -> None:
    balance = raw_posts_needed("cat", funnel(150, 200, received=50, stored={"flat": 100}), 200)
    assert (balance.fit, balance.judged, balance.missing) == (100, 200, 50)


def test_without_anything_fit_only_a_lower_bound_is_told() -> None:
    balance = raw_posts_needed("cat", funnel(0, 20, posts={"sensitive": 20}), 100)
    assert (balance.posts_needed, balance.most) == (None, None)
    assert balance.fewest > 100
    assert f"at least {balance.fewest:,} more raw posts" in balance.sentence


def test_without_anything_judged_nothing_is_told() -> None:
    balance = raw_posts_needed("cat", funnel(0, 0), 100)
    assert (balance.posts_needed, balance.judged) == (None, 0)
    assert "nothing was judged yet" in balance.sentence


@given(
    kept=st.integers(0, 500),
    dropped=st.integers(0, 500),
    posts=st.integers(1, 2000),
    target=st.integers(1, 2000),
)
def test_the_number_lies_in_its_interval(kept: int, dropped: int, posts: int, target: int) -> None:
    balance = raw_posts_needed("cat", funnel(kept, posts, stored={"flat": dropped}), target)
    assert balance.sentence.startswith("cat ")
    if balance.posts_needed is not None:
        assert balance.most is not None
        assert balance.fewest <= balance.posts_needed <= balance.most
        assert (balance.posts_needed > 0) is (kept < target)


def test_reviewed_and_unreviewed_pictures_are_counted_apart(tmp_path: Path) -> None:
    home = curated_home.fill(tmp_path)
    rows = read_rows(home.table("curated_dataset"), CURATED)
    assert review_counts(rows, curated_home.CLASSES) == [
        ReviewCounts("cat", confirmed=1, unreviewed=3, discarded=1, moved_away=1, moved_here=0),
        ReviewCounts("dog", confirmed=2, unreviewed=4, discarded=1, moved_away=0, moved_here=1),
    ]


def test_a_data_set_of_an_older_version_was_reviewed_by_nobody() -> None:
    row = {"class_name": "cat", "kept": True, "drop_reason": ""}
    rows = [row | {"collected_as": None, "decision": None}]
    assert review_counts(rows, ["cat"]) == [ReviewCounts("cat", 0, 1, 0, 0, 0)]
