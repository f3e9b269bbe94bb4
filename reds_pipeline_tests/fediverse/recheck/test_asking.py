from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import PERMISSIVE_ROBOTS_TXT, MastodonOptions
from reds_pipeline.demo.town.town import Town
from reds_pipeline.fediverse.collection import collect_posts
from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.fediverse.hosts import HostProfile, probe
from reds_pipeline.fediverse.posts import PostReader
from reds_pipeline.fediverse.recheck.asking import Check, recheck_posts, updated_rows
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import (
    AuthenticationRequired,
    BotCheck,
    CircuitOpen,
    HostUnavailable,
)
from reds_pipeline.storage.journal import Journal
from reds_pipeline_tests.fediverse.makers import (
    IMPATIENT,
    KEY,
    MASTODON,
    PIXELFED,
    SEAL,
    TOKEN,
    entity,
    timeline,
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

AT = "2026-11-01T10:00:00Z"
POST_OPEN = replace(PIXELFED, post="needs_token")
BATCHES = replace(MASTODON, post="anonymous", post_batch="anonymous")
ERROR = as_json({"error": "Server Error"}, 500)

Answer = Callable[[Asked], Reply]


@pytest.fixture
def host() -> Iterator[ScriptedHost]:
    with ScriptedHost() as running:
        yield running


class Bench:
    """A scripted host, what is held of it, and a sweep over that."""

    def __init__(self, host: ScriptedHost, directory: Path, token: str = TOKEN) -> None:
        self.host = host
        self.client = ApiClient(host.url, token, pace=IMPATIENT, sleep=lambda _seconds: None)
        self.reader = PostReader(self.client.host, ConsentPolicy(), KEY, SEAL)
        self.journal = Journal(directory / "recheck.jsonl")
        self.entities: dict[str, dict[str, Any]] = {}
        self.origins: Callable[[str], ApiClient | None] = lambda _host: None

    def make(self, count: int, **changes: Any) -> list[dict[str, Any]]:
        return [
            entity(str(number), url=f"{self.host.url}/p/mira/{number}") | changes
            for number in range(1001, 1001 + count)
        ]

    def rows(self, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.entities |= {made["id"]: made for made in entities}
        return [self.reader.row(made, "cat", AT) for made in self.entities.values()]

    def hold(self, count: int, **changes: Any) -> list[dict[str, Any]]:
        return self.rows(self.make(count, **changes))

    def sweep(
        self,
        rows: list[dict[str, Any]],
        profile: HostProfile = POST_OPEN,
        tags: tuple[str, ...] = (),
    ) -> dict[str, Check]:
        checks = recheck_posts(
            self.client,
            profile,
            rows,
            reader=self.reader,
            tags=tags,
            journal=self.journal,
            origins=self.origins,
        )
        names = {row["post_key"]: row["post_id"] for row in rows}
        return {names[check.post_key]: check for check in checks}

    def serve(self, special: dict[str, Reply] | None = None) -> None:
        """Answer as Pixelfed does, but for some paths."""

        def answer(asked: Asked) -> Reply:
            if special and asked.path in special:
                return special[asked.path]
            if asked.path == "/robots.txt":
                return Reply(404)
            if asked.path == "/api/v1/instance" or asked.path.endswith("verify_credentials"):
                return as_json({})
            if asked.path.startswith("/api/v1/timelines/"):
                return timeline(self.entities.values(), asked)
            found = self.entities.get(asked.path.rpartition("/")[2])
            return as_json(found) if found and "statuses" in asked.path else NOT_FOUND

        self.host.answer = answer

    def asked(self, part: str) -> int:
        return sum(part in path for path in self.host.paths())


def by_author(made: dict[str, Any], number: str) -> dict[str, Any]:
    return made | {"account": made["account"] | {"id": number}}


@pytest.fixture
def bench(host: ScriptedHost, tmp_path: Path) -> Bench:
    return Bench(host, tmp_path)


def outcomes(checks: dict[str, Check]) -> dict[str, tuple[str, str]]:
    return {post_id: (check.outcome, check.reason) for post_id, check in checks.items()}


def status(number: int) -> str:
    return f"/api/v1/statuses/{number}"


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize(
    ("reply", "outcome", "reason"),
    [
        (NOT_FOUND, "gone", "post_deleted"),
        (as_json({"error": ""}, 410), "gone", "post_deleted"),
        (
            as_json({"error": "No query results for model [App\\Status] 1002"}, 500),
            "gone",
            "post_deleted",
        ),
        (as_json({"error": ""}, 403), "changed", "not_public"),
        (as_json(entity("1002", sensitive=True)), "changed", "sensitive"),
        (as_json(entity("1002", visibility="unlisted")), "changed", "not_public"),
        (ERROR, "failed", "recheck_failed"),
        (as_json({"error": ""}, 400), "failed", "recheck_failed"),
        (as_json(entity("7777")), "failed", "recheck_failed"),
        (as_json([]), "failed", "recheck_failed"),
        (redirect("https://elsewhere.example/"), "failed", "recheck_failed"),
    ],
    ids=[
        "404",
        "410",
        "500 that says gone",
        "403 of a private post",
        "sensitive",
        "unlisted",
        "500",
        "400",
        "another post",
        "no post",
        "redirect",
    ],
)
def test_each_answer_means_something_for_that_post_alone(
    bench: Bench, reply: Reply, outcome: str, reason: str
) -> None:
    rows = bench.hold(3)
    bench.serve({status(1002): reply})
    found = outcomes(bench.sweep(rows))
    assert found.pop("1002") == (outcome, reason)
    assert found == {"1001": ("confirmed", ""), "1003": ("confirmed", "")}


def test_an_author_who_opts_out_is_heard(bench: Bench) -> None:
    rows = bench.hold(1)
    bench.entities["1001"]["account"]["note"] = "please #nobot"
    bench.serve()
    assert outcomes(bench.sweep(rows)) == {"1001": ("changed", "account_opted_out")}


def test_an_edited_post_comes_with_its_new_content(bench: Bench) -> None:
    rows = bench.hold(1)
    bench.entities["1001"]["tags"] = [{"name": "Edited"}]
    bench.serve()
    [check] = bench.sweep(rows).values()
    [new] = updated_rows(rows, [check], AT)
    assert new["tags"] == ["Edited"]
    assert new["collected_at"] == AT


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (as_json({"error": "Unauthenticated."}, 500), AuthenticationRequired),
        (as_json({"error": ""}, 503), HostUnavailable),
        (
            as_html("<div id='cf-challenge-running'>", 403, **{"cf-mitigated": "challenge"}),
            BotCheck,
        ),
    ],
    ids=["the token ran out", "maintenance", "bot wall"],
)
def test_a_host_that_closes_in_the_middle_ends_the_sweep_and_counts_against_nobody(
    bench: Bench, reply: Reply, error: type[Exception]
) -> None:
    rows = bench.hold(4)
    closed = {status(number): reply for number in (1002, 1003, 1004)}
    bench.serve({**closed, "/api/v1/instance": reply, "/api/v1/accounts/verify_credentials": reply})
    with pytest.raises(error):
        bench.sweep(rows)
    assert [record["outcome"] for record in bench.journal.records()] == ["confirmed"]


@pytest.mark.parametrize("profile", [POST_OPEN, BATCHES], ids=["singly", "in batches"])
def test_a_host_that_fails_over_every_post_ends_the_sweep_and_counts_against_nobody(
    bench: Bench, profile: HostProfile
) -> None:
    rows = bench.hold(4)
    closed = {status(number): ERROR for number in range(1001, 1005)}
    bench.serve(closed | {"/api/v1/statuses": ERROR})
    with pytest.raises(HostUnavailable):
        bench.sweep(rows, profile)
    assert bench.journal.records() == []


@pytest.mark.parametrize("profile", [POST_OPEN, BATCHES], ids=["singly", "in batches"])
def test_posts_that_the_host_cannot_show_do_not_keep_it_from_being_asked_for_others(
    bench: Bench, profile: HostProfile
) -> None:
    by_one = [by_author(made, "1") for made in bench.make(6)]
    rows = bench.rows([*by_one, by_author(entity("1010", url=f"{bench.host.url}/p/o/1010"), "2")])
    unreadable = {status(number): ERROR for number in range(1001, 1007)}
    bench.serve(unreadable | {"/api/v1/statuses": ERROR})
    found = outcomes(bench.sweep(rows, profile))
    assert found.pop("1010") == ("confirmed", "")
    assert set(found.values()) == {("failed", "recheck_failed")} and len(found) == 6


@pytest.mark.req("R-SCR-11")
def test_a_host_that_denies_what_its_timeline_shows_is_not_believed(bench: Bench) -> None:
    rows = bench.hold(12)
    bench.serve({status(number): NOT_FOUND for number in range(1001, 1013)})
    with pytest.raises(HostUnavailable, match="denies every post"):
        bench.sweep(rows)
    assert bench.journal.records() == []


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize("shown", [False, True], ids=["it shows nothing", "it finds what it shows"])
def test_a_host_is_believed_that_every_post_is_gone(bench: Bench, shown: bool) -> None:
    rows = bench.hold(12)
    bench.entities = {"2001": entity("2001", url=f"{bench.host.url}/p/o/2001")} if shown else {}
    bench.serve()
    assert set(outcomes(bench.sweep(rows)).values()) == {("gone", "post_deleted")}
    assert bench.asked("2001") == shown


@pytest.mark.req("R-SCR-11")
def test_a_suspended_author_is_heard_although_a_page_stands_for_each_post(
    host: ScriptedHost, tmp_path: Path
) -> None:
    bench = Bench(host, tmp_path, token="")
    rows = bench.hold(2)
    page = as_html("<title>Account suspended</title>")
    bench.serve(
        {
            "/p/mira/1001.json": page,
            "/p/mira/1002.json": page,
            "/users/mira": as_json({"preferredUsername": "mira", "suspended": True}),
        }
    )
    found = outcomes(bench.sweep(rows))
    assert set(found.values()) == {("changed", "account_suspended")}


def test_a_killed_sweep_goes_on_where_it_stopped(bench: Bench) -> None:
    rows = bench.hold(4)
    bench.serve({status(1004): as_html("x", 403, **{"cf-mitigated": "challenge"})})
    with pytest.raises(BotCheck):
        bench.sweep(rows)
    bench.host.asked.clear()
    bench.client = ApiClient(bench.host.url, TOKEN, pace=IMPATIENT, sleep=lambda _seconds: None)
    bench.serve()
    assert set(bench.sweep(rows)) == {"1001", "1002", "1003", "1004"}
    assert bench.asked("/api/v1/statuses/") == 1


def test_what_a_killed_sweep_found_long_ago_is_asked_again(bench: Bench) -> None:
    rows = bench.hold(1)
    bench.journal.append(
        {
            "post_key": rows[0]["post_key"],
            "outcome": "failed",
            "reason": "recheck_failed",
            "row": None,
            "at": "2026-01-01T00:00:00Z",
        }
    )
    bench.serve()
    assert outcomes(bench.sweep(rows)) == {"1001": ("confirmed", "")}


def test_a_spent_budget_ends_the_sweep_with_what_it_has(host: ScriptedHost, tmp_path: Path) -> None:
    bench = Bench(host, tmp_path)
    rows = bench.hold(5)
    bench.serve()
    bench.client = ApiClient(host.url, TOKEN, pace=IMPATIENT, sleep=lambda _seconds: None, budget=4)
    found = bench.sweep(rows)
    assert 0 < len(found) < 5
    assert {check.outcome for check in found.values()} == {"confirmed"}


def test_pixelfed_timelines_are_walked_before_posts_are_asked_for_singly(bench: Bench) -> None:
    rows = bench.hold(100)
    del bench.entities["1050"]
    bench.serve()
    found = outcomes(bench.sweep(rows, tags=("cat",)))
    assert found.pop("1050") == ("gone", "post_deleted")
    assert set(found.values()) == {("confirmed", "")}
    assert bench.asked("/api/v1/statuses/") == 1
    assert bench.asked("/api/v1/timelines/tag/cat") <= 4


def test_a_timeline_that_shows_none_of_ours_is_soon_left(bench: Bench) -> None:
    rows = bench.hold(3)
    for number in range(100, 900):
        bench.entities[str(number)] = entity(str(number))
    for post_id in ("1001", "1002", "1003"):
        bench.entities[post_id]["id"] = f"2{post_id}"
    oldest = bench.reader.row(entity("5"), "cat", AT)
    bench.serve()
    bench.sweep([*rows, oldest], tags=("cat",))
    assert bench.asked("/api/v1/timelines/") <= 4


def test_a_timeline_that_fails_is_no_reason_to_give_up(bench: Bench) -> None:
    rows = bench.hold(3)
    closed = as_json({"error": ""}, 403)
    bench.serve({"/api/v1/timelines/tag/cat": closed})
    assert set(outcomes(bench.sweep(rows, tags=("cat",))).values()) == {("confirmed", "")}


def note(number: int, url: str, **changes: Any) -> dict[str, Any]:
    return {
        "type": "Note",
        "id": f"{url}/p/mira/{number}",
        "attributedTo": f"{url}/users/mira",
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "sensitive": False,
        "summary": None,
        "inReplyTo": None,
        "attachment": [{"type": "Document", "mediaType": "image/jpeg", "url": "x"}],
        "tag": [{"type": "Hashtag", "name": "#cat"}],
    } | changes


def test_without_a_token_posts_are_looked_up_at_their_own_address(
    host: ScriptedHost, tmp_path: Path
) -> None:
    bench = Bench(host, tmp_path, token="")
    rows = bench.hold(3)
    bench.serve(
        {
            "/p/mira/1001.json": as_json(note(1001, host.url)),
            "/p/mira/1002.json": as_html("Not Found", 404),
            "/p/mira/1003.json": as_json({"error": ""}, 403),
            "/users/mira": as_json({"type": "Person", "preferredUsername": "mira"}),
        }
    )
    found = outcomes(bench.sweep(rows, tags=("cat",)))
    assert found == {
        "1001": ("confirmed", ""),
        "1002": ("gone", "post_deleted"),
        "1003": ("changed", "not_public"),
    }
    assert all("Authorization" not in asked.headers for asked in host.asked)
    [first, *_] = [asked for asked in host.asked if asked.path.endswith("1001.json")]
    assert first.headers["Accept"] == "*/*", "so that a deleted post is a true 404"


class Relayed:
    """Posts that one host shows and another one made."""

    def __init__(self, bench: Bench, origin: ScriptedHost) -> None:
        self.bench, self.origin = bench, origin
        policy = ConsentPolicy(allowed_origins=frozenset({"127.0.0.1"}))
        bench.reader = replace(bench.reader, policy=policy)
        account = entity()["account"] | {"acct": "mira@127.0.0.1", "local": False}
        for number in (1001, 1002):
            made = entity(str(number), url=f"{origin.url}/p/mira/{number}", account=account)
            bench.entities[str(number)] = made | {"local": False}
        self.rows = [bench.reader.row(made, "cat", AT) for made in bench.entities.values()]
        client = ApiClient(origin.url, pace=IMPATIENT, sleep=lambda _seconds: None)
        bench.origins = lambda _host: client
        bench.serve()
        self.person = {"type": "Person", "preferredUsername": "mira", "indexable": True}

    def serve(self, **replies: Reply) -> None:
        answers = {
            "/p/mira/1001.json": as_json(note(1001, self.origin.url)),
            "/p/mira/1002.json": as_json(note(1002, self.origin.url)),
            "/users/mira": as_json(self.person),
        } | {path.replace("_", "/"): reply for path, reply in replies.items()}
        self.origin.answer = lambda asked: answers.get(asked.path, NOT_FOUND)


@pytest.fixture
def relayed(bench: Bench) -> Iterator[Relayed]:
    with ScriptedHost() as origin:
        yield Relayed(bench, origin)


def test_a_relayed_post_is_confirmed_by_the_host_that_made_it(relayed: Relayed) -> None:
    assert {row["status"] for row in relayed.rows} == {"kept"}
    relayed.serve()
    found = outcomes(relayed.bench.sweep(relayed.rows))
    assert found == {"1001": ("confirmed", ""), "1002": ("confirmed", "")}
    assert relayed.origin.paths().count("/users/mira") == 1, "an author is asked about once"


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        ({"manuallyApprovesFollowers": True}, "account_locked"),
        ({"indexable": False}, "account_not_indexable"),
        ({"suspended": True}, "account_suspended"),
        ({"summary": "<p>#noai please</p>"}, "account_opted_out"),
    ],
)
def test_what_the_author_says_at_the_origin_counts(
    relayed: Relayed, person: dict[str, Any], reason: str
) -> None:
    relayed.person |= person
    relayed.serve()
    found = outcomes(relayed.bench.sweep(relayed.rows))
    assert set(found.values()) == {("changed", reason)}


def test_a_relay_that_keeps_a_copy_does_not_keep_the_post(relayed: Relayed) -> None:
    relayed.serve()
    answers = relayed.origin.answer
    relayed.origin.answer = lambda asked: (
        as_html("", 404) if "1002" in asked.path else answers(asked)
    )
    found = outcomes(relayed.bench.sweep(relayed.rows))
    assert found["1002"] == ("gone", "post_deleted")
    assert found["1001"] == ("confirmed", "")


def test_an_origin_nobody_approves_any_more_closes_its_posts(relayed: Relayed) -> None:
    relayed.bench.origins = lambda _host: None
    found = outcomes(relayed.bench.sweep(relayed.rows))
    assert set(found.values()) == {("changed", "remote_origin")}


def test_an_origin_that_is_down_fails_for_its_posts_and_leaves_the_others(
    relayed: Relayed,
) -> None:
    relayed.origin.answer = lambda asked: (
        Reply(404) if asked.path == "/robots.txt" else as_json({}, 502)
    )
    own = entity("1003", url=f"{relayed.bench.host.url}/p/ola/1003")
    relayed.bench.entities["1003"] = own
    rows = [*relayed.rows, relayed.bench.reader.row(own, "cat", AT)]
    found = outcomes(relayed.bench.sweep(rows))
    assert found == {
        "1001": ("failed", "recheck_failed"),
        "1002": ("failed", "recheck_failed"),
        "1003": ("confirmed", ""),
    }


def test_posts_of_an_earlier_host_are_looked_up_there(relayed: Relayed) -> None:
    relayed.serve()
    rows = [row | {"host": "earlier.example"} for row in relayed.rows]
    found = relayed.bench.sweep(rows)
    assert {check.outcome for check in found.values()} == {"confirmed"}
    digest = relayed.bench.reader.policy.digest
    assert all(check.row and check.row["policy"] == digest for check in found.values())
    assert relayed.bench.host.asked == []


def test_a_post_without_an_address_cannot_be_vouched_for(relayed: Relayed) -> None:
    relayed.serve()
    rows = [row | {"host": "earlier.example", "permalink": ""} for row in relayed.rows]
    found = outcomes(relayed.bench.sweep(rows))
    assert set(found.values()) == {("failed", "recheck_failed")}


@pytest.fixture(scope="module")
def mastodon_town() -> Town:
    return Town.build(images_per_class=12, flavour="mastodon")


def test_mastodon_is_asked_for_twenty_posts_at_once(mastodon_town: Town, tmp_path: Path) -> None:
    options = MastodonOptions(robots_txt=PERMISSIVE_ROBOTS_TXT)
    with EmbeddedInstance(mastodon_town, options) as instance:
        client = ApiClient(instance.url, pace=IMPATIENT, sleep=lambda _seconds: None)
        reader = PostReader(client.host, ConsentPolicy(), KEY, SEAL)
        profile = probe(client)
        class_name = mastodon_town.class_names[0]
        rows = [
            row
            for row in collect_posts(
                client,
                profile,
                tags=[class_name],
                reader=reader,
                wanted_images=500,
                journal=Journal(tmp_path / "posts.jsonl"),
            ).rows
            if row["status"] == "kept"
        ]
        held = {row["post_id"]: row for row in rows}
        gone, closed = sorted(held)[:2]
        instance.remove_post(gone)
        [author] = [post.author for post in instance.posts if post.post_id == closed]
        instance.edit_author(author.account_id, locked=True)
        instance.reset_requests()
        checks = recheck_posts(
            client,
            profile,
            rows,
            reader=reader,
            tags=[class_name],
            journal=Journal(tmp_path / "recheck.jsonl"),
            origins=lambda _host: None,
        )
        asked = [record.path for record in instance.requests]
    found = {check.post_key: check for check in checks}
    assert len(found) == len(rows) > 10
    assert found[held[gone]["post_key"]].outcome == "gone"
    assert found[held[closed]["post_key"]].reason == "account_locked"
    assert asked.count("/api/v1/statuses") == -(-len(rows) // 20)
    assert sum(path.startswith("/api/v1/statuses/") for path in asked) == 1


@pytest.fixture(scope="module")
def pixelfed_town() -> Town:
    return Town.build(images_per_class=12)


@pytest.mark.parametrize("with_token", [True, False], ids=["token", "guest"])
def test_pixelfed_is_swept_with_a_token_and_without(
    pixelfed_town: Town, tmp_path: Path, with_token: bool
) -> None:
    with EmbeddedInstance(pixelfed_town) as instance:

        def connected(token: str) -> ApiClient:
            return ApiClient(instance.url, token, pace=IMPATIENT, sleep=lambda _seconds: None)

        client = connected(instance.token)
        reader = PostReader(client.host, ConsentPolicy(), KEY, SEAL)
        class_name = pixelfed_town.class_names[0]
        rows = [
            row
            for row in collect_posts(
                client,
                probe(client),
                tags=[class_name],
                reader=reader,
                wanted_images=500,
                journal=Journal(tmp_path / "posts.jsonl"),
            ).rows
            if row["status"] == "kept"
        ]
        held = {row["post_id"]: row for row in rows}
        posts = {post.post_id: post for post in instance.posts if post.post_id in held}
        gone, sensitive, closed = sorted(held)[:3]
        instance.remove_post(gone)
        instance.put_post(replace(posts[sensitive], sensitive=True))
        instance.put_post(replace(posts[closed], visibility="private"))
        instance.reset_requests()
        client = connected(instance.token if with_token else "")
        checks = recheck_posts(
            client,
            probe(client),
            rows,
            reader=reader,
            tags=[class_name],
            journal=Journal(tmp_path / "recheck.jsonl"),
            origins=lambda _host: None,
        )
        asked = [record.path for record in instance.requests]
    names = {row["post_key"]: row["post_id"] for row in rows}
    found = {names[check.post_key]: (check.outcome, check.reason) for check in checks}
    assert len(found) == len(rows) > 10
    assert found.pop(gone) == ("gone", "post_deleted")
    assert found.pop(sensitive) == ("changed", "sensitive")
    assert found.pop(closed) == ("changed", "not_public")
    assert set(found.values()) == {("confirmed", "")}
    if with_token:
        assert sum(path.startswith("/api/v1/statuses/") for path in asked) <= 4
    else:
        assert not any(path.startswith("/api/v1/timelines/") for path in asked)


def test_a_batch_that_fails_is_asked_for_singly(bench: Bench) -> None:
    rows = bench.hold(25)
    bench.client = ApiClient(bench.host.url, pace=IMPATIENT, sleep=lambda _seconds: None)
    bench.serve({"/api/v1/statuses": as_json({"error": "Validation failed"}, 422)})
    profile = replace(MASTODON, post_batch="anonymous", post="anonymous")
    found = outcomes(bench.sweep(rows, profile))
    assert len(found) == 25
    assert set(found.values()) == {("confirmed", "")}


def test_a_host_that_stops_answering_is_left_alone(bench: Bench) -> None:
    rows = bench.hold(30)
    bench.serve({status(number): as_json({}, 503) for number in range(1002, 1031)})
    with pytest.raises((CircuitOpen, HostUnavailable)):
        bench.sweep(rows)
    assert [record["outcome"] for record in bench.journal.records()] == ["confirmed"]
