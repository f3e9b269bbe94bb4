"""The simulation of ``docs/feedback.md`` keeps its own rules, on made-up features."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.feedback_loop import Measures, NaiveLoop, OurLoop, simulate
from benchmarks.feedback_world import Plan, Visitors, World, deal
from reds_pipeline.feedback.weights import most_contributed
from reds_pipeline.modeling.heads import HeadParameters
from reds_pipeline.settings import load_settings
from reds_pipeline_tests.modeling.clouds import clouds

PLAN = Plan(rounds=3, first_posts=20, posts_a_round=1, judging=20)
PARAMETERS = HeadParameters(C=1e-3)
EAGER = Visitors(eager=0.8, popular="class 1")


@pytest.fixture(scope="module")
def world() -> World:
    features, names = clouds(4, each=110, spread=3.0, seed=5)
    return deal(features, np.array(names), "class 0", PLAN, seed=0)


@pytest.fixture(scope="module")
def ours(world: World) -> tuple[OurLoop, list[Measures]]:
    loop = OurLoop(world, PARAMETERS, load_settings())
    return loop, simulate(world, loop, EAGER)


def test_each_photo_is_dealt_once(world: World) -> None:
    dealt = np.concatenate([*world.posts, *world.given, world.judging, world.unknown])
    assert sorted(dealt.tolist()) == list(range(len(world.truth)))
    posted = set(world.truth[np.concatenate(world.posts)].tolist())
    assert posted == set(world.classes) == {"class 1", "class 2", "class 3"}
    assert set(world.truth[world.unknown].tolist()) == {"class 0"}
    assert [len(rows) for rows in world.posts] == [60, 3, 3, 3]


@pytest.mark.req("R-IMP-6")
def test_nothing_is_learnt_that_tests_and_no_class_exceeds_its_share(
    world: World, ours: tuple[OurLoop, list[Measures]]
) -> None:
    loop, _ = ours
    assert loop.frozen.isdisjoint(loop.model.learnt)
    assert loop.model.learnt.isdisjoint({*world.judging.tolist(), *world.unknown.tolist()})
    posts = sum(map(len, world.posts)) // len(world.classes)
    most = most_contributed(posts, load_settings().feedback_share)
    learnt = [row["class_name"] for row in loop.contributed if row["kept"]]
    assert {name: learnt.count(name) for name in world.classes} == dict.fromkeys(
        world.classes, most
    )
    assert {row["sample_weight"] for row in loop.contributed if row["origin"] == "suggested"} == {
        load_settings().suggested_label_weight
    }
    assert {row["drop_reason"] for row in loop.contributed} == {"", "no_class", "beyond_share"}


@pytest.mark.req("R-IMP-6")
def test_learning_everything_like_a_post_ends_worse(
    world: World, ours: tuple[OurLoop, list[Measures]]
) -> None:
    naive = simulate(world, NaiveLoop(world, PARAMETERS), EAGER)
    _, measured = ours
    assert [each.promoted for each in naive] == [True] * 4
    assert naive[0].accuracy == pytest.approx(measured[0].accuracy, abs=0.1)
    assert naive[-1].accuracy < naive[0].accuracy - 0.1
    assert measured[-1].accuracy > measured[0].accuracy - 0.05
    assert measured[-1].accuracy >= naive[-1].accuracy
    assert naive[-1].learnt > 3 * measured[-1].learnt
