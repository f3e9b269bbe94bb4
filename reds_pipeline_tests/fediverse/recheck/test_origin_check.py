from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.mastodon.options import PERMISSIVE_ROBOTS_TXT, MastodonOptions
from reds_pipeline.demo.town.town import Town
from reds_pipeline.fediverse.consent import REASONS, ConsentPolicy
from reds_pipeline.fediverse.recheck.origin_check import OriginCheck, note_refusal
from reds_pipeline.fediverse.recheck.permalinks import Permalink, read_permalink
from reds_pipeline.fediverse.web.client import ApiClient
from reds_pipeline.fediverse.web.failures import HostError, NotFound
from reds_pipeline_tests.fediverse.makers import IMPATIENT
from reds_pipeline_tests.fediverse.scripted_host import (
    NOT_FOUND,
    Asked,
    Reply,
    ScriptedHost,
    as_html,
    as_json,
)

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
STRICT = ConsentPolicy(require_indexable="strict")


def note(**changes: Any) -> dict[str, Any]:
    return {
        "type": "Note",
        "to": [PUBLIC],
        "cc": ["https://pix.example/users/mira/followers"],
        "sensitive": False,
        "summary": None,
        "inReplyTo": None,
        "attachment": [{"type": "Document", "mediaType": "image/jpeg", "url": "x"}],
        "tag": [{"type": "Hashtag", "name": "#Cat"}, {"type": "Mention", "name": "@ola"}],
    } | changes


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"to": PUBLIC}, ""),
        ({"to": "as:Public"}, ""),
        ({"to": [{"id": PUBLIC}]}, ""),
        ({"to": [], "cc": [PUBLIC]}, "not_public"),
        ({"to": ["https://pix.example/users/mira/followers"]}, "not_public"),
        ({"to": None}, "not_public"),
        ({"sensitive": True}, "sensitive"),
        ({"sensitive": "yes"}, "sensitive"),
        ({"sensitive": None}, ""),
        ({"summary": "spiders"}, "spoiler"),
        ({"inReplyTo": "https://m.example/1"}, "reply"),
        ({"tag": {"type": "Hashtag", "name": "#NSFW"}}, "denied_tag"),
        ({"attachment": []}, "no_image"),
        ({"attachment": {"type": "Image", "url": "x"}}, ""),
        ({"attachment": [{"type": "Document", "mediaType": "video/mp4"}]}, "no_image"),
    ],
)
def test_a_note_says_whether_it_may_be_used(changes: dict[str, Any], reason: str) -> None:
    assert note_refusal(note(**changes), ConsentPolicy()) == reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children),
    max_leaves=6,
)


@given(changes=st.dictionaries(st.sampled_from(sorted(note())), json_values))
def test_a_note_of_any_shape_is_judged(changes: dict[str, Any]) -> None:
    assert note_refusal(note(**changes), ConsentPolicy()) in ("", *REASONS)


@pytest.fixture
def host() -> Iterator[ScriptedHost]:
    with ScriptedHost() as running:
        yield running


def asking(host: ScriptedHost | EmbeddedInstance, path: str) -> tuple[ApiClient, Permalink]:
    client = ApiClient(host.url, pace=IMPATIENT, sleep=lambda _seconds: None)
    permalink = read_permalink(f"{host.url}{path}")
    assert permalink is not None
    return client, permalink


def serving(host: ScriptedHost, **person: Any) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/p/mira/1.json":
            return as_json(note(attributedTo=f"{host.url}/users/mira"))
        if asked.path == "/users/mira" and person:
            return as_json({"type": "Person", **person})
        return NOT_FOUND

    return answer


@pytest.mark.parametrize(
    ("policy", "person", "reason"),
    [
        (ConsentPolicy(), {"indexable": True}, ""),
        (STRICT, {"indexable": True}, ""),
        (ConsentPolicy(), {"name": "Mira"}, ""),
        (STRICT, {"name": "Mira"}, "account_not_indexable"),
        (ConsentPolicy(), {}, "account_suspended"),
    ],
    ids=["willing", "willing, strict", "silent", "silent, strict", "gone"],
)
def test_silence_of_an_author_is_judged_by_the_policy(
    host: ScriptedHost, policy: ConsentPolicy, person: dict[str, Any], reason: str
) -> None:
    host.answer = serving(host, **person)
    assert OriginCheck(policy).refusal(*asking(host, "/p/mira/1")) == reason


def test_a_licence_that_a_note_cannot_carry_is_not_missed(host: ScriptedHost) -> None:
    host.answer = serving(host, name="Mira")
    policy = ConsentPolicy(allowed_licences=frozenset({"CC0"}))
    assert OriginCheck(policy).refusal(*asking(host, "/p/mira/1")) == ""


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (as_html("gone", 404), NotFound),
        (as_html("gone", 410), NotFound),
        (as_json({"type": "Tombstone"}), NotFound),
        (as_json([]), HostError),
        (as_html("forbidden", 403), HostError),
    ],
    ids=["404", "410", "tombstone", "a list", "refused as page and as data"],
)
def test_gone_is_gone_and_a_refusal_is_no_answer(
    host: ScriptedHost, reply: Reply, error: type[Exception]
) -> None:
    host.answer = lambda asked: Reply(404) if asked.path == "/robots.txt" else reply
    with pytest.raises(error):
        OriginCheck(ConsentPolicy()).refusal(*asking(host, "/p/mira/1"))


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.build(images_per_class=4, flavour="mastodon")


@pytest.mark.parametrize("authorized_fetch", [False, True], ids=["open", "signed requests only"])
def test_mastodon_is_asked_by_activitypub_or_by_its_own_api(
    town: Town, authorized_fetch: bool
) -> None:
    options = MastodonOptions(robots_txt=PERMISSIVE_ROBOTS_TXT, authorized_fetch=authorized_fetch)
    with EmbeddedInstance(town, options) as instance:
        post = next(
            post
            for post in instance.posts
            if post.is_local
            and post.attachments
            and not post.in_reply_to
            and not post.reblog_of
            and post.post_id in {truth.post_id for truth in town.truth if truth.fate == "kept"}
        )
        client, permalink = asking(instance, f"/@{post.author.username}/{post.post_id}")
        assert OriginCheck(ConsentPolicy()).refusal(client, permalink) == ""
        instance.edit_author(post.author.account_id, locked=True)
        assert OriginCheck(ConsentPolicy()).refusal(client, permalink) == "account_locked"
        instance.remove_post(post.post_id)
        with pytest.raises(NotFound):
            OriginCheck(ConsentPolicy()).refusal(client, permalink)
