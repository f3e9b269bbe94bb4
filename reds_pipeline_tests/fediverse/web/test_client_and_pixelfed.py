"""The client and the moods of a Pixelfed instance, written by others from the contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.pixelfed.options import InstanceOptions
from reds_pipeline.demo.town.town import Town
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import (
    AuthenticationRequired,
    BadRequest,
    BotCheck,
    HostError,
    NotFound,
)
from reds_pipeline.fediverse.web.transport import RequestPace

PUBLIC = "/api/v1/timelines/public"


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.build(images_per_class=4)


@pytest.mark.parametrize(
    ("options", "token", "path", "parameters", "kind", "why"),
    [
        ({}, "none", PUBLIC, {}, AuthenticationRequired, "a 500 that says Unauthenticated"),
        ({}, "wrong", PUBLIC, {}, AuthenticationRequired, "the same for a token of another host"),
        ({"legacy_auth_errors": False}, "none", PUBLIC, {}, AuthenticationRequired, "a 401"),
        ({"token_may_read": False}, "right", PUBLIC, {}, AuthenticationRequired, "the scope"),
        ({}, "right", PUBLIC, {"limit": 0}, BadRequest, "a 500 that lists what was wrong"),
        ({}, "right", "/api/v1/statuses/1", {}, NotFound, "no such post"),
        ({}, "right", "/api/v1/trends/tags", {}, NotFound, "no such route"),
        ({"challenge_page": 200}, "right", PUBLIC, {}, BotCheck, "a bot check that says 200"),
        ({"challenge_page": 403}, "right", PUBLIC, {}, BotCheck, "a bot check that refuses"),
        ({"challenge_page": 429}, "right", PUBLIC, {}, BotCheck, "a bot check that counts"),
        ({"challenge_page": 503}, "right", PUBLIC, {}, BotCheck, "a bot check that seems down"),
    ],
)
def test_what_pixelfed_means_is_understood_at_once(
    *,
    town: Town,
    options: dict[str, Any],
    token: str,
    path: str,
    parameters: dict[str, int],
    kind: type[HostError],
    why: str,
) -> None:
    with EmbeddedInstance(town, InstanceOptions(**options)) as running:
        tokens = {"none": "", "wrong": "of-another-host", "right": running.token}
        with pytest.raises(HostError) as raised:
            ApiClient(running.url, tokens[token]).get(path, parameters)
        assert type(raised.value) is kind, why
        assert [record.path for record in running.requests] == ["/robots.txt", path]


def test_a_content_network_that_counts_is_waited_for(town: Town) -> None:
    options = InstanceOptions(cdn_429=3, cdn_retry_after_seconds=1)
    pace = replace(RequestPace(), per_second=None, backoff_seconds=0.001)
    with (
        EmbeddedInstance(town, options) as running,
        ApiClient(running.url, running.token, pace=pace) as client,
    ):
        for _ in range(4):
            assert client.get(PUBLIC, {"limit": 1})
        statuses = [record.status for record in running.requests]
    assert statuses.count(429) == 1, "Retry-After was kept"
