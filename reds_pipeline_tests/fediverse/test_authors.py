from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.plan import TownPlan
from reds_pipeline.demo.town.town import Town
from reds_pipeline.fediverse.authors import (
    UNSAID,
    AuthorWishes,
    actor_refusal,
    author_key,
)
from reds_pipeline.fediverse.consent import REASONS, ConsentPolicy
from reds_pipeline.fediverse.hosts import probe
from reds_pipeline.fediverse.sources import tag_posts
from reds_pipeline.fediverse.timelines import PagingRules
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import BotCheck, BudgetSpent, CircuitOpen, HostError
from reds_pipeline_tests.fediverse.makers import (
    IMPATIENT,
    KEY,
    SEAL,
    TOKEN,
    entity,
    reader,
    with_account,
)
from reds_pipeline_tests.fediverse.scripted_host import (
    NOT_FOUND,
    Asked,
    Reply,
    ScriptedHost,
    as_html,
    as_json,
    redirect,
)

RESPECT = ConsentPolicy()
STRICT = ConsentPolicy(require_indexable="strict")
ACTOR = {"type": "Person", "preferredUsername": "mira", "indexable": True}
NOINDEX = '<html><head><META name="Robots" CONTENT="noindex, nofollow"></head></html>'
NOT_INDEXABLE = "account_not_indexable"
OPTED_OUT = "account_opted_out"
CHALLENGE = Reply(403, b"<title>Just a moment...</title>", {"cf-mitigated": "challenge"})
BROKEN = as_json({"error": "Server Error"}, 500)


def only_mira(reply: Reply) -> Callable[[Asked], Reply]:
    return lambda asked: reply if asked.path == "/users/mira" else NOT_FOUND


def as_actor(**changes: Any) -> Reply:
    return as_json(ACTOR | changes, 200, **{"Content-Type": "application/activity+json"})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"indexable": False}, NOT_INDEXABLE),
        ({"indexable": "false"}, NOT_INDEXABLE),
        ({"indexable": None}, UNSAID),
        ({"discoverable": False}, NOT_INDEXABLE),
        ({"suspended": True}, "account_suspended"),
        ({"memorial": True}, "account_suspended"),
        ({"movedTo": "https://else.example/users/mira"}, "account_suspended"),
        ({"type": "Tombstone"}, "account_suspended"),
        ({"manuallyApprovesFollowers": True}, "account_locked"),
        ({"manuallyApprovesFollowers": False, "suspended": False}, ""),
        ({"summary": "<p>sea #<b>NoAI</b></p>"}, OPTED_OUT),
        ({"name": "mira #nobot"}, OPTED_OUT),
        ({"attachment": [{"type": "PropertyValue", "name": "x", "value": "#noml"}]}, OPTED_OUT),
        ({"attachment": {"type": "PropertyValue", "name": "#noscrape"}}, OPTED_OUT),
        ({"tag": [{"type": "Hashtag", "name": "#noindex"}]}, OPTED_OUT),
        ({"summary": None, "attachment": "odd", "tag": [None, 3]}, ""),
    ],
)
def test_an_actor_says_what_its_author_wants(changes: dict[str, Any], reason: str) -> None:
    assert actor_refusal(ACTOR | changes, RESPECT) == reason


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*ACTOR, "suspended", "movedTo", "tag", "attachment", "summary"]), _JSON
    )
)
def test_any_actor_is_judged_and_none_passes_without_saying_yes(changes: dict[str, Any]) -> None:
    actor = ACTOR | changes
    reason = actor_refusal(actor, RESPECT)
    assert reason in {"", UNSAID, *REASONS}
    if reason == "":
        assert actor["indexable"] in (True,)


def asked_about(
    routes: Mapping[str, Reply], policy: ConsentPolicy = RESPECT, post: dict[str, Any] | None = None
) -> tuple[str, AuthorWishes, list[Asked]]:
    """Return what is found of an author on a host with fixed answers by path."""
    with (
        ScriptedHost(lambda asked: routes.get(asked.path, NOT_FOUND)) as server,
        ApiClient(server.url, TOKEN, pace=IMPATIENT) as client,
    ):
        wishes = AuthorWishes(client, policy, KEY)
        reason = wishes.refusal(post or entity())
        return reason, wishes, [asked for asked in server.asked if asked.path != "/robots.txt"]


def test_the_actor_is_asked_first_and_as_a_guest() -> None:
    reason, _, asked = asked_about({"/users/mira": as_actor(indexable=False)})
    assert reason == NOT_INDEXABLE
    assert [one.path for one in asked] == ["/users/mira"]
    assert asked[0].headers["Accept"] == "application/activity+json"
    assert "Authorization" not in asked[0].headers


@pytest.mark.parametrize(
    ("actor", "why"),
    [
        (NOT_FOUND, "not there"),
        (BROKEN, "broken"),
        (as_json({"error": "Request not signed"}, 401), "for other servers only"),
        (redirect("/mira"), "elsewhere"),
        (as_html("<p>hello"), "a page"),
        (as_json([]), "a list"),
        (as_actor(preferredUsername="ola"), "somebody else"),
        (as_actor(preferredUsername=None), "nobody"),
    ],
)
@pytest.mark.parametrize(
    ("page", "respect", "strict", "unanswered"),
    [
        (as_html(NOINDEX), NOT_INDEXABLE, NOT_INDEXABLE, 0),
        (as_html('<meta name=robots content="noai">'), NOT_INDEXABLE, NOT_INDEXABLE, 0),
        (as_html('<meta name="robots" content="index">'), "", NOT_INDEXABLE, 0),
        (NOT_FOUND, "", NOT_INDEXABLE, 1),
        (BROKEN, "", NOT_INDEXABLE, 1),
    ],
)
def test_without_an_actor_the_profile_page_decides_and_then_the_policy(
    *, actor: Reply, why: str, page: Reply, respect: str, strict: str, unanswered: int
) -> None:
    routes = {"/users/mira": actor, "/mira": page}
    for policy, expected in ((RESPECT, respect), (STRICT, strict)):
        reason, wishes, asked = asked_about(routes, policy)
        assert reason == expected, why
        assert wishes.unanswered == unanswered
        assert {one.path for one in asked} == {"/users/mira", "/mira"}
        assert len(wishes.rows()) == 1 - unanswered, "silence is asked about again next time"


def test_a_strict_policy_passes_whoever_says_yes_on_an_own_page() -> None:
    assert asked_about({"/users/mira": as_actor()}, STRICT)[0] == ""
    assert asked_about({"/users/mira": as_actor(indexable=None)}, STRICT)[0] != ""
    assert asked_about({"/users/mira": as_actor(indexable=None)}, RESPECT)[0] == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"acct": "mira@else.example"}, "another host's author"),
        ({"username": None}, "no name"),
        ({"username": ""}, "an empty name"),
        ({"username": ".."}, "not a name but a way"),
    ],
)
def test_authors_who_cannot_be_asked_about_are_judged_by_policy(
    changes: dict[str, Any], why: str
) -> None:
    for policy, expected in ((RESPECT, ""), (STRICT, NOT_INDEXABLE)):
        reason, wishes, asked = asked_about({}, policy, with_account(**changes))
        assert (reason, asked, wishes.unanswered) == (expected, [], 1), why


def test_a_name_cannot_lead_to_another_path() -> None:
    _, _, asked = asked_about({}, post=with_account(username="../api/v1/x?y#z"))
    assert {one.path for one in asked} == {
        "/users/..%2Fapi%2Fv1%2Fx%3Fy%23z",
        "/..%2Fapi%2Fv1%2Fx%3Fy%23z",
    }


def test_an_author_is_asked_about_once_a_day() -> None:
    times = ["2026-11-21T10:00:00Z"]
    with (
        ScriptedHost(
            lambda asked: as_actor() if asked.path == "/users/mira" else NOT_FOUND
        ) as server,
        ApiClient(server.url, pace=IMPATIENT) as client,
    ):
        wishes = AuthorWishes(client, RESPECT, KEY, now=lambda: times[-1])
        for _ in range(3):
            assert wishes.refusal(entity()) == ""
        kept = wishes.rows()
        assert server.paths().count("/users/mira") == 1
        times.append("2026-11-22T05:59:59Z")
        AuthorWishes(client, RESPECT, KEY, known=kept, now=lambda: times[-1]).refusal(entity())
        assert server.paths().count("/users/mira") == 1
        server.answer = lambda _asked: as_actor(indexable=False)
        # Before a day is over, so that a daily sweep, which is a little early or late, asks again.
        for moment in ("2026-11-22T06:00:00Z", "2026-11-21T09:59:59Z"):
            times.append(moment)
            later = AuthorWishes(client, RESPECT, KEY, known=kept, now=lambda: times[-1])
            assert later.refusal(entity()) == NOT_INDEXABLE, moment
    assert kept == [
        {
            "author_key": author_key(KEY, entity(), client.host),
            "checked_at": "2026-11-21T10:00:00Z",
            "reason": "",
        }
    ]
    assert "mira" not in str(kept)


def test_a_silent_author_is_not_asked_about_twice_in_a_run() -> None:
    with ScriptedHost() as server, ApiClient(server.url, pace=IMPATIENT) as client:
        wishes = AuthorWishes(client, RESPECT, KEY)
        assert [wishes.refusal(entity()) for _ in range(3)] == ["", "", ""]
    assert sorted(server.paths()) == ["/mira", "/robots.txt", "/users/mira"]


@pytest.mark.req("R-SCR-12")
def test_robots_txt_may_close_the_authors_pages() -> None:
    robots = Reply(200, b"User-agent: *\nDisallow: /users/\nDisallow: /mira\n")
    reason, wishes, asked = asked_about({"/robots.txt": robots, "/users/mira": as_actor()}, STRICT)
    assert (reason, asked, wishes.unanswered) == (NOT_INDEXABLE, [], 1)


@pytest.mark.parametrize(
    ("reply", "budget", "error"),
    [
        (as_html("down", 503), None, CircuitOpen),
        (NOT_FOUND, 1, BudgetSpent),
        (CHALLENGE, None, BotCheck),
    ],
)
def test_a_host_that_fails_as_a_whole_says_nothing_about_an_author(
    reply: Reply, budget: int | None, error: type[HostError]
) -> None:
    pace = replace(IMPATIENT, tolerated_failures=2, longest_rest_seconds=60.0)
    with (
        ScriptedHost(lambda asked: NOT_FOUND if asked.path == "/robots.txt" else reply) as server,
        ApiClient(server.url, pace=pace, budget=budget) as client,
    ):
        wishes = AuthorWishes(client, RESPECT, KEY)
        with pytest.raises(error):
            wishes.refusal(entity())
    assert (wishes.rows(), wishes.unanswered) == ([], 0)


def test_pages_that_keep_failing_are_given_up_but_not_those_of_one_author() -> None:
    people = [with_account(id=str(number), username=f"p{number}") for number in range(9)]
    broken = {"/users/p0", "/users/p1", *(f"/users/p{number}" for number in range(3, 9))}

    def answer(asked: Asked) -> Reply:
        if asked.path in broken:
            return BROKEN
        return as_actor(preferredUsername="p2") if asked.path == "/users/p2" else NOT_FOUND

    with (
        ScriptedHost(answer) as server,
        ApiClient(server.url, pace=replace(IMPATIENT, retries=0)) as client,
    ):
        wishes = AuthorWishes(client, STRICT, KEY)
        reasons = [wishes.refusal(post) for post in people]
    assert reasons == [NOT_INDEXABLE, NOT_INDEXABLE, "", *[NOT_INDEXABLE] * 6]
    actors = [path for path in server.paths() if path.startswith("/users/")]
    assert actors == [f"/users/p{number}" for number in range(6)], "p2 answered in between"
    assert "/p8" in server.paths(), "profile pages are still asked for"


@pytest.mark.parametrize(
    ("post", "reason", "requests"),
    [
        (entity(), NOT_INDEXABLE, 1),
        (entity(sensitive=True), "sensitive", 0),
        (entity(media_attachments=[]), "no_image", 0),
    ],
)
def test_authors_are_asked_about_last(post: dict[str, Any], reason: str, requests: int) -> None:
    with (
        ScriptedHost(only_mira(as_actor(indexable=False))) as server,
        ApiClient(server.url, pace=IMPATIENT) as client,
    ):
        wishes = AuthorWishes(client, RESPECT, KEY)
        row = replace(reader(client.host), authors=wishes).row(post, "cat", "2026-11-21T10:00:00Z")
    assert (row["status"], row["reason"], row["author_key"]) == ("gated", reason, "")
    assert server.paths().count("/users/mira") == requests


def test_a_withdrawn_author_is_not_even_asked_about() -> None:
    with ScriptedHost() as server, ApiClient(server.url, pace=IMPATIENT) as client:
        withdrawn = frozenset({author_key(KEY, entity(), client.host)})
        made = replace(
            reader(client.host), withdrawn=withdrawn, authors=AuthorWishes(client, RESPECT, KEY)
        )
        assert made.row(entity(), "cat", "2026-11-21T10:00:00Z")["reason"] == "withdrawn"
    assert server.asked == []


@pytest.mark.req("R-SCR-4")
@pytest.mark.parametrize("policy", [RESPECT, STRICT], ids=["respect", "strict"])
def test_silent_opt_outs_of_a_town_are_found(policy: ConsentPolicy) -> None:
    town = Town.build(images_per_class=12, plan=TownPlan(silent_opt_outs=3))
    cats = [truth for truth in town.truth if "cat" in truth.class_names]
    fates = {truth.post_id: truth.fate for truth in cats if truth.position == 0}
    tags = {tag for post in town.posts if post.post_id in fates for tag in post.tags}
    rows: dict[str, dict[str, Any]] = {}
    with EmbeddedInstance(town) as instance, ApiClient(instance.url, instance.token) as client:
        profile = probe(client)
        wishes = AuthorWishes(client, policy, KEY)
        made = replace(reader(client.host, policy), authors=wishes, seal=SEAL)
        for tag in sorted(tag for tag in tags if "cat" in tag.casefold()):
            for page in tag_posts(client, profile, tag, start=None, rules=PagingRules()):
                for post in page.entities:
                    rows[str(post["id"])] = made.row(post, tag, "2026-11-21T10:00:00Z")
        asked = [record.path for record in instance.requests]
    actors = [path for path in asked if path.startswith("/users/")]
    assert wishes.unanswered == 0
    assert len(actors) == len(set(actors)) == len(wishes.rows())
    silent = {post_id for post_id, fate in fates.items() if fate == NOT_INDEXABLE}
    found = {post_id for post_id, row in rows.items() if row["reason"] == NOT_INDEXABLE}
    assert len(silent) == 3
    assert found == silent
    kept = [row for row in rows.values() if row["status"] == "kept"]
    assert len(kept) > 5, "the others say yes on their own page, which a strict policy accepts"
