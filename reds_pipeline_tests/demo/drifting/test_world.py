"""The drifting instance does what its plan says, and knows the truth about it."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import requests
from PIL import Image

from reds_pipeline.demo.drifting.plan import DriftPlan
from reds_pipeline.demo.drifting.world import DAYS, DriftingWorld

START = datetime(2030, 1, 6, 18, tzinfo=UTC)
PLAN = DriftPlan(
    weeks=4,
    classes=("cat", "dog"),
    first_pictures=8,
    weekly_posts=7,
    newcomer="bird",
    newcomer_week=3,
    fading="cat",
    fading_week=3,
    outage_week=4,
    flood_week=2,
    flood_posts=9,
)


def lived(plan: DriftPlan, weeks: int) -> DriftingWorld:
    world = DriftingWorld(plan, START)
    noon = START
    for week in range(2, weeks + 1):
        for day in range(DAYS):
            noon += timedelta(days=1)
            world.live_day(week, day, noon)
    return world


@pytest.fixture(scope="module")
def world() -> DriftingWorld:
    return lived(PLAN, 3)


def test_each_week_brings_what_the_plan_says(world: DriftingWorld) -> None:
    posted = [
        (each.week, each.class_name)
        for each in world.truth.all()
        if each.nature == "clean" and each.week
    ]
    assert posted.count((2, "cat")) == posted.count((2, "dog")) == 7
    assert posted.count((3, "cat")) == 4
    assert posted.count((2, "bird")) == 0
    assert posted.count((3, "bird")) == PLAN.posts_of("bird", 3) > 0


def test_the_same_plan_gives_the_same_posts_and_bytes(world: DriftingWorld) -> None:
    other = lived(PLAN, 3)
    assert other.truth.all() == world.truth.all()
    last = world.truth.all()[-1]
    assert other.files(last) == world.files(last)


def test_pictures_change_their_look_slowly(world: DriftingWorld) -> None:
    def brightness(week: int) -> float:
        files = world.examination("dog", week, 6)
        opened = [Image.open(io.BytesIO(data)).convert("RGB") for data in files]
        return float(np.mean([np.asarray(image).max(axis=2).mean() for image in opened]))

    assert brightness(0) > brightness(6) > brightness(12)


def test_examinations_show_what_nobody_posted(world: DriftingWorld) -> None:
    posted = {data for each in world.truth.all() for data in world.files(each)}
    assert posted.isdisjoint(world.examination("dog", 2, 5))


def test_every_day_somebody_takes_something_back_in_another_way(world: DriftingWorld) -> None:
    ways = {each.how for each in world.truth.taken_back()}
    assert ways == {
        "delete the post",
        "opt out",
        "close the account",
        "make it private",
        "mark it sensitive",
        "lock the account",
    }
    shown = {post.post_id for post in world.instance.posts}
    for each in world.truth.taken_back():
        if each.how in {"delete the post", "close the account"}:
            assert each.post.post_id not in shown


def test_the_flood_is_one_author_showing_something_else(world: DriftingWorld) -> None:
    flood = [each for each in world.truth.all() if each.nature == "flood"]
    assert len(flood) == PLAN.flood_posts
    assert len({each.post.author.account_id for each in flood}) == 1
    for each in flood:
        assert {"dog", "teapot"} <= set(each.post.tags)
        assert each.post.attachments[0].picture.class_name == "scenery"


def test_the_instance_is_down_for_a_week() -> None:
    world = DriftingWorld(PLAN, START)
    with world.instance as instance:
        address = f"{instance.url}/api/v1/instance"
        assert requests.get(address, timeout=5).status_code == 200
        world.live_day(4, 0, START + timedelta(days=1))
        assert requests.get(address, timeout=5).status_code == 503
        world.live_day(5, 0, START + timedelta(days=8))
        assert requests.get(address, timeout=5).status_code == 200
