"""The truth of a town against the consent gate: what must be dropped is, for the reason it says."""

from __future__ import annotations

from typing import Any

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import MastodonOptions
from reds_pipeline.demo.mastodon.rate_limits import RateLimits
from reds_pipeline.demo.pixelfed.application import InstanceOptions
from reds_pipeline.demo.posts import Flavour
from reds_pipeline.demo.town.town import Town
from reds_pipeline.fediverse.consent import REASONS, ConsentPolicy, gate
from reds_pipeline_tests.demo.conftest import Visitor
from reds_pipeline_tests.demo.town.test_town import ODD_KINDS

BOUNDLESS = RateLimits(requests=100_000, paging_requests=100_000)


@pytest.fixture(scope="module", params=["pixelfed", "mastodon"])
def town(request: pytest.FixtureRequest) -> Town:
    flavour: Flavour = request.param
    return Town.build(images_per_class=12, plan=ODD_KINDS, flavour=flavour)


@pytest.fixture(scope="module")
def entities(town: Town) -> dict[str, dict[str, Any]]:
    """Every post that the instance shows to the owner of a token, by id."""
    options = (
        MastodonOptions(rate_limits=BOUNDLESS) if town.flavour == "mastodon" else InstanceOptions()
    )
    with EmbeddedInstance(town, options) as running:
        visitor = Visitor(running)
        answers = [
            visitor.get(f"/api/v1/statuses/{post.post_id}", _pe=1)
            for post in town.posts
            if "cat" in {tag.casefold() for tag in post.tags}
        ]
    return {answer.json()["id"]: answer.json() for answer in answers if answer.ok}


@pytest.mark.req("R-SCR-3")
@pytest.mark.req("R-SCR-4")
def test_the_gate_agrees_with_the_truth(town: Town, entities: dict[str, Any]) -> None:
    fates = {truth.post_id: truth.fate for truth in town.truth}
    policy = ConsentPolicy()
    seen = set()
    for post_id, entity in entities.items():
        fate = fates.get(post_id, "no_image")
        assert gate(entity, policy) == (fate if fate in REASONS else ""), fate
        seen.add(fate)
    expected = {"kept", "sensitive", "spoiler", "account_locked", "remote_origin", "no_image"}
    if town.flavour == "mastodon":
        expected |= {"account_not_indexable", "account_suspended", "account_opted_out"}
    assert expected <= seen


def test_an_allowed_origin_lets_relayed_copies_in(town: Town, entities: dict[str, Any]) -> None:
    policy = ConsentPolicy(allowed_origins=frozenset({"faraway.example"}))
    relayed = [
        truth.post_id
        for truth in town.truth
        if truth.fate == "remote_origin" and truth.post_id in entities
    ]
    assert relayed
    assert {gate(entities[post_id], policy) for post_id in relayed} == {""}
