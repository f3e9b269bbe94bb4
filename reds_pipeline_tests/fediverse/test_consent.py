from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reds_pipeline.fediverse.attachments import OPEN_LICENCES
from reds_pipeline.fediverse.consent import REASONS, ConsentPolicy, folded, gate, tag_names
from reds_pipeline_tests.fediverse.makers import entity, with_account, with_attachment

RESPECT = ConsentPolicy()
STRICT = ConsentPolicy(require_indexable="strict")
OPEN = ConsentPolicy(allowed_licences=OPEN_LICENCES)


def test_a_post_that_says_yes_to_everything_passes() -> None:
    assert gate(entity(), RESPECT) == ""


@pytest.mark.req("R-SCR-3")
@pytest.mark.parametrize(
    ("post", "why"),
    [
        (entity(sensitive=True), "the flag"),
        (entity(sensitive=None), "an unknown flag is no no"),
        (entity(sensitive="false"), "an odd flag is no no"),
        (with_attachment(is_nsfw=True), "the flag of one picture"),
    ],
)
def test_sensitive_posts_are_dropped(post: dict[str, Any], why: str) -> None:
    assert gate(post, RESPECT) == "sensitive", why


@pytest.mark.req("R-SCR-4")
@pytest.mark.parametrize(
    "visibility", ["private", "unlisted", "direct", "group", "", None, "Public"]
)
def test_posts_that_are_not_public_are_dropped(visibility: Any) -> None:
    assert gate(entity(visibility=visibility), RESPECT) == "not_public"


@pytest.mark.parametrize(
    ("post", "reason", "why"),
    [
        (entity(spoiler_text="cw"), "spoiler", "may come without sensitive"),
        (with_account(locked=True), "account_locked", "turned private later"),
        (with_account(locked=None), "account_locked", "unknown"),
        (entity(account=None), "account_locked", "nobody to ask"),
        (with_account(suspended=True), "account_suspended", ""),
        (with_account(limited=True), "account_suspended", ""),
        (with_account(memorial=True), "account_suspended", ""),
        (with_account(moved={"id": "2"}), "account_suspended", "with the account it became"),
        (with_account(moved={}), "account_suspended", "an odd flag is no no"),
        (entity(url="/404"), "account_suspended", "Pixelfed's address when the author is gone"),
        (with_account(indexable=False), "account_not_indexable", ""),
        (with_account(noindex=True), "account_not_indexable", ""),
        (with_account(discoverable=False), "account_not_indexable", ""),
        (with_account(indexable="no"), "account_not_indexable", "odd is no"),
        (entity(reblog={"id": "1"}), "repost", ""),
        (entity(in_reply_to_id="1"), "reply", ""),
        (entity(local=False), "remote_origin", "Pixelfed says so"),
        (with_account(acct="mira@else.example"), "remote_origin", "Mastodon says so"),
        (with_account(local=False), "remote_origin", "the author is elsewhere"),
        (entity(tags=[{"name": "NSFW"}]), "denied_tag", "the flag was lost in transit"),
        (entity(tags=[{"name": "#NoAI"}]), "denied_tag", "this very post opts out"),
        (entity(tags=[{"name": "no_ai"}]), "denied_tag", "with an underscore"),
        (entity(tags=[{"name": "n\u200bsfw"}]), "denied_tag", "with an invisible character"),
        (entity(tags=[{"name": "\uff4e\uff53\uff46\uff57"}]), "denied_tag", "in full width"),
        (entity(content="<p>sea #<span>NoAI</span></p>"), "denied_tag", "only in the caption"),
        (entity(content_text="sea #nsfw", tags=None), "denied_tag", "the host lists no tags"),
        (entity(media_attachments=[]), "no_image", ""),
        (with_attachment(type="video"), "no_image", ""),
        (with_attachment(url="https://x.example/media_proxy/1/original"), "no_image", ""),
    ],
)
def test_each_gate_has_its_reason(post: dict[str, Any], reason: str, why: str) -> None:
    assert gate(post, RESPECT) == reason, why
    assert reason in REASONS


@pytest.mark.parametrize(
    ("note", "why"),
    [
        ("#nobot", "plain"),
        ("no robots please #NoBots!", "case and plural"),
        ("<p>hi</p><p>#<span>nobot</span></p><p>bye</p>", "as Mastodon marks it up"),
        ("<p>#noai</p><p>Welcome</p>", "at the end of a paragraph"),
        ("&#35;noindex", "as an entity"),
        ("\N{FULLWIDTH NUMBER SIGN}NOML", "full-width sign"),
        ("#no\u200bscrape", "invisible character inside"),
        ("# noarchive", "with a space"),
        ("<b>unclosed #nobot", "broken markup"),
        ("#\ufe0fnobot", "with an emoji's variation selector"),
        ("#no_bot", "with an underscore"),
        ("<![weird [ #nobot", "markup that the parser rejects"),
    ],
)
def test_an_opt_out_word_in_a_profile_is_obeyed_however_it_is_written(note: str, why: str) -> None:
    for changes in (
        {"note": note},
        {"display_name": note},
        {"fields": [{"name": "bots", "value": note}]},
        {"fields": [{"name": note, "value": ""}]},
    ):
        assert gate(with_account(**changes), RESPECT) == "account_opted_out", why


@pytest.mark.parametrize(
    "note",
    ["I like #nobotany", "noindex is a meta tag", "https://x.example/?a&b", "#photo", "", None, 3],
)
def test_other_words_in_a_profile_are_no_opt_out(note: Any) -> None:
    assert gate(with_account(note=note, fields=note), RESPECT) == ""


def test_strict_wants_the_flags_to_be_there() -> None:
    assert gate(entity(), STRICT) == "account_not_indexable"
    assert gate(with_account(indexable=True, discoverable=True), STRICT) == ""
    assert gate(with_account(discoverable=None), RESPECT) == ""


def test_strict_takes_a_flag_from_elsewhere_only_where_it_is_asked_for_there() -> None:
    post = with_account(discoverable=True)
    assert gate(post, STRICT, said_elsewhere={"indexable"}) == ""
    for changes in ({"discoverable": None}, {"indexable": False, "discoverable": True}):
        account = with_account(**changes)
        assert gate(account, STRICT, said_elsewhere={"indexable"}) == "account_not_indexable"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"content": "a naked tree, nsfw they say"}, "words without a sign are no hashtag"),
        ({"content": "#nobotany #nsfwart"}, "other words"),
        ({"content": None, "content_text": 3}, "no caption"),
        ({"quote": {"state": "accepted", "quoted_status": {"sensitive": True}}}, "own pictures"),
        ({"sensitive": False, "filtered": [{"filter": {"title": "x"}}]}, "our own filters"),
    ],
)
def test_what_is_no_refusal_passes(changes: dict[str, Any], why: str) -> None:
    assert gate(entity(**changes), RESPECT) == "", why


def test_the_pictures_of_a_quoted_post_are_not_taken() -> None:
    quoted = {"state": "accepted", "quoted_status": entity("7")}
    assert gate(entity(quote=quoted, media_attachments=[]), RESPECT) == "no_image"


def test_automated_accounts_may_show_photos() -> None:
    assert gate(with_account(bot=True), RESPECT) == ""


def test_a_policy_without_words_finds_none() -> None:
    silent = ConsentPolicy(denied_tags=frozenset(), opt_out_words=())
    assert gate(with_account(note="#nobot") | {"content": "#nsfw #"}, silent) == ""


def test_a_remote_post_passes_when_its_own_host_is_allowed() -> None:
    policy = ConsentPolicy(allowed_origins=frozenset({"else.example"}))
    assert gate(with_account(acct="mira@Else.example"), policy) == ""
    assert gate(with_account(acct="mira@third.example"), policy) == "remote_origin"
    assert gate(entity(local=False, url="https://else.example/p/1"), policy) == ""
    assert gate(entity(local=False, url="http://["), policy) == "remote_origin"


@pytest.mark.parametrize(
    ("licence", "reason"), [({"id": 11}, ""), (None, "licence"), ({"id": 1}, "licence")]
)
def test_a_licence_policy_is_obeyed(licence: Any, reason: str) -> None:
    assert gate(with_attachment(license=licence), OPEN) == reason
    assert gate(with_attachment(license=licence), RESPECT) == ""


def test_the_mastodon_shape_passes_as_well() -> None:
    post = entity()
    del post["local"], post["account"]["local"]
    assert gate(post, RESPECT) == ""


def test_tags_are_compared_without_case_and_width() -> None:
    assert folded("\N{FULLWIDTH LATIN CAPITAL LETTER N}SFW") == folded("nsfw")
    odd = {"tags": [{"name": " #Cat "}, {"name": None}, "x", {"name": "#"}]}
    assert tag_names(odd) == ["Cat"]
    assert tag_names({"tags": None}) == []


_SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.just("public")
)
_JSON = st.recursive(
    _SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
_POST_FIELDS = st.sampled_from([*entity(), "noindex", "limited"])
_ACCOUNT_FIELDS = st.sampled_from(
    [*entity()["account"], "indexable", "noindex", "suspended", "moved", "fields"]
)


@given(
    st.dictionaries(_POST_FIELDS, _JSON, max_size=5),
    st.dictionaries(_ACCOUNT_FIELDS, _JSON, max_size=5),
    st.sampled_from([RESPECT, STRICT, OPEN]),
)
@settings(max_examples=300, deadline=None)
def test_no_json_whatever_passes_without_meeting_the_gates(
    changes: dict[str, Any], account_changes: dict[str, Any], policy: ConsentPolicy
) -> None:
    """The gates again, each said once more in the plainest way."""
    post = with_account(**account_changes) | changes
    reason = gate(post, policy)
    assert reason in {"", *REASONS}
    if reason:
        return
    account = post["account"]
    assert post["visibility"] == "public"
    assert post["sensitive"] is False
    assert not post["spoiler_text"]
    assert post["reblog"] is None
    assert post["in_reply_to_id"] is None
    assert post["local"] in (True, None)
    assert account["locked"] is False
    for flag in ("noindex", "suspended", "limited", "memorial", "moved"):
        assert not account.get(flag)
    assert account.get("indexable") in (True, None)
    assert account.get("discoverable") in (True, None)
    assert any(
        isinstance(item, dict) and item.get("type") == "image" and item.get("url")
        for item in post["media_attachments"]
    )


@settings(deadline=None)
@given(_JSON.filter(lambda value: isinstance(value, dict)))
def test_any_object_is_judged_without_an_error(post: dict[str, Any]) -> None:
    assert gate(post, RESPECT) in REASONS
