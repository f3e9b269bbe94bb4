from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline_tests.demo.conftest import Visitor
from reds_pipeline_tests.demo.pixelfed.conftest import Guest

Host = Callable[..., EmbeddedInstance]


def test_the_cdn_answers_in_html_after_so_many_requests(host: Host) -> None:
    guest = Guest(host(cdn_429=2, cdn_retry_after_seconds=60))
    answers = [guest.get("/robots.txt") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[3].headers["Content-Type"].startswith("text/html")
    assert answers[3].headers["Retry-After"] == "60"


def test_the_cdn_relents_after_the_time_it_said(host: Host) -> None:
    guest = Guest(host(cdn_429=1, cdn_retry_after_seconds=1))
    assert [guest.get("/robots.txt").status_code for _ in range(2)] == [200, 429]
    time.sleep(1.05)
    assert [guest.get("/robots.txt").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("status", [200, 403, 429, 503])
def test_a_bot_check_stands_before_the_api_and_nothing_else(status: int, host: Host) -> None:
    visitor = Visitor(host(challenge_page=status))
    for path in ("/api/v1/timelines/public", "/api/v2/instance", "/api/nodeinfo/2.0.json"):
        answer = visitor.get(path)
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith("text/html")
    for path in ("/robots.txt", "/.well-known/nodeinfo"):
        assert visitor.get(path).status_code == 200


@pytest.mark.parametrize("status", [302, 404])
def test_missing_files_point_to_the_placeholder_even_with_404(status: int, host: Host) -> None:
    instance = host(missing_file_status=status)
    answer = Guest(instance).get("/storage/m/_v2/1/a/b/gone.jpg")
    assert answer.status_code == status
    assert answer.headers["Location"] == f"{instance.url}/storage/no-preview.png"


def test_no_answer_of_the_api_has_rate_limit_headers(host: Host, small_town: Town) -> None:
    visitor = Visitor(host())
    for path in ("/api/v1/timelines/public", "/api/v1/statuses/1", "/api/v2/instance"):
        names = {name.lower() for name in visitor.get(path).headers}
        assert not {name for name in names if name.startswith("x-ratelimit")}
