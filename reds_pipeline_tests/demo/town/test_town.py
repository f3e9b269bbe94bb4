from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest

from reds_pipeline.demo.hashtags import full_width
from reds_pipeline.demo.posts import Attachment, Post, snowflake_time
from reds_pipeline.demo.town.plan import TownPlan
from reds_pipeline.demo.town.town import Town

FATES = {
    "kept",
    "not_public",
    "sensitive",
    "spoiler",
    "account_locked",
    "account_opted_out",
    "reply",
    "repost",
    "remote_origin",
    "multi_class",
    "greyscale",
    "exact_duplicate",
    "near_duplicate",
    "truncated",
    "not_an_image",
    "too_many_pixels",
    "animated",
}


@pytest.fixture(scope="module")
def default_town() -> Town:
    return Town.build()


def attachments_by_path(town: Town) -> dict[str, tuple[Post, Attachment]]:
    return {
        attachment.path: (post, attachment)
        for post in town.posts
        for attachment in post.attachments
    }


def test_the_same_seed_gives_the_same_town(small_town: Town) -> None:
    again = Town.build(images_per_class=12)
    assert again.posts == small_town.posts
    assert again.truth == small_town.truth


def test_another_seed_gives_another_town(small_town: Town) -> None:
    assert Town.build(images_per_class=12, seed=1).posts != small_town.posts


def test_times_are_counted_back_from_now() -> None:
    now = datetime(2025, 3, 1, tzinfo=UTC)
    newest = Town.build(images_per_class=12, now=now).posts[-1]
    assert newest.created_at < now
    assert (now - newest.created_at).days < 2


def test_ids_are_unique_snowflakes_in_order(small_town: Town) -> None:
    ids = [int(post.post_id) for post in small_town.posts]
    assert ids == sorted(set(ids))
    local = [post for post in small_town.posts if post.is_local]
    assert all(snowflake_time(post.post_id) == post.created_at for post in local)


def test_remote_posts_claim_an_earlier_time_than_their_id(small_town: Town) -> None:
    remote = [post for post in small_town.posts if not post.is_local]
    assert remote
    assert all(post.created_at < snowflake_time(post.post_id) for post in remote)


def test_paths_and_media_ids_are_unique(default_town: Town) -> None:
    attachments = [file for post in default_town.posts for file in post.attachments]
    assert len({file.path for file in attachments}) == len(attachments)
    assert len({file.media_id for file in attachments}) == len(attachments)


def test_the_truth_tells_of_every_attachment(small_town: Town) -> None:
    expected = [
        (post.post_id, position, attachment.path)
        for post in small_town.posts
        for position, attachment in enumerate(post.attachments)
    ]
    told = [(truth.post_id, truth.position, truth.path) for truth in small_town.truth]
    assert told == expected


@pytest.mark.parametrize("class_name", ["cat", "dog", "flower", "bird", "car"])
def test_every_class_meets_every_fate(class_name: str, small_town: Town) -> None:
    fates = small_town.expected_fates(class_name)
    assert set(fates) == FATES
    assert fates["kept"] == 12


def test_the_default_town_is_as_large_as_a_sample_needs(default_town: Town) -> None:
    assert 1100 <= len(default_town.posts) <= 1500
    for class_name in default_town.class_names:
        assert default_town.expected_fates(class_name)["kept"] == 110
        clean_ids = {
            truth.post_id
            for truth in default_town.truth
            if truth.fate == "kept" and truth.class_names == (class_name,)
        }
        authors = Counter(
            post.author.account_id for post in default_town.posts if post.post_id in clean_ids
        )
        assert 20 <= len(authors) <= 40
        assert max(authors.values()) >= 2


def test_some_authors_post_several_classes(default_town: Town) -> None:
    classes = defaultdict(set)
    fates = {truth.post_id: truth for truth in default_town.truth}
    for post in default_town.posts:
        if fates[post.post_id].fate == "kept":
            classes[post.author.account_id].add(fates[post.post_id].class_names)
    counts = Counter(len(names) for names in classes.values())
    assert counts[2] >= 5
    assert counts[1] > counts[2]


def test_classes_are_frequent_but_not_the_most_frequent(default_town: Town) -> None:
    posts = Counter(tag.lower() for post in default_town.posts for tag in set(post.tags))
    classes = [posts[name] for name in default_town.class_names]
    assert posts["photography"] > max(classes)
    assert posts["travel"] > min(classes)
    for rarer in ("thursday", "halloween", "war", "palestine", "election", "caturday"):
        assert 5 < posts[rarer] < min(classes), rarer


def test_hashtags_of_several_scripts_and_emoji_are_in_use(default_town: Town) -> None:
    tags = {tag for post in default_town.posts for tag in post.tags}
    assert {"日本", "фото", "عکاسی", "Été", "🌈", "✨📷"} <= tags


def test_unrelated_posts_carry_no_class(default_town: Town) -> None:
    unrelated = {truth.post_id for truth in default_town.truth if truth.fate == "unrelated"}
    assert len(unrelated) > 400
    for post in default_town.posts:
        if post.post_id in unrelated:
            words = " ".join(post.tags).lower()
            assert not any(name in words for name in ("cat", "dog", "flower", "bird"))
            assert not {"car", "cars"} & set(words.split())


def test_duplicates_are_later_than_the_picture_they_repeat(default_town: Town) -> None:
    files = attachments_by_path(default_town)
    originals = {
        files[truth.path][1].picture: files[truth.path][0]
        for truth in default_town.truth
        if truth.fate == "kept"
    }
    same_author = 0
    copies = default_town.paths_with_fate("exact_duplicate", "near_duplicate")
    for path in copies:
        post, attachment = files[path]
        original = originals[attachment.picture]
        assert post.created_at > original.created_at
        same_author += post.author == original.author
    assert 0 < same_author < len(copies)


def test_exact_duplicates_alone_have_the_bytes_of_a_kept_file(small_town: Town) -> None:
    files = attachments_by_path(small_town)
    kept = {small_town.file(files[path][1]) for path in small_town.paths_with_fate("kept")}
    for fate, expected in (("exact_duplicate", True), ("near_duplicate", False)):
        for path in small_town.paths_with_fate(fate):
            assert (small_town.file(files[path][1]) in kept) is expected


def test_kept_files_come_in_several_formats_and_labels(default_town: Town) -> None:
    files = attachments_by_path(default_town)
    kept = [files[path][1] for path in default_town.paths_with_fate("kept")]
    assert {file.mime for file in kept} == {"image/jpeg", "image/jpg", "image/png", "image/webp"}
    assert {"plain", "located", "turned"} <= {file.treatment for file in kept}
    assert any(file.size is None for file in kept)


def test_each_gated_post_breaks_one_rule_only(small_town: Town) -> None:
    truths = {truth.post_id: truth for truth in small_town.truth}
    for post in small_town.posts:
        opted_out = any(
            word in (post.author.note + post.author.display_name).lower()
            for word in ("nobot", "noai", "noml", "noindex", "noarchive")
        )
        broken = {
            "not_public": post.visibility != "public",
            "sensitive": post.sensitive or any(file.is_nsfw for file in post.attachments),
            "spoiler": bool(post.spoiler_text),
            "account_locked": post.author.locked,
            "account_opted_out": opted_out,
            "account_suspended": post.author.suspended,
            "reply": post.in_reply_to is not None,
            "repost": post.reblog_of is not None,
            "remote_origin": not post.is_local,
        }
        rules = [name for name, is_broken in broken.items() if is_broken]
        fate = truths[post.post_id].fate
        assert rules == ([fate] if fate in broken else [])


def test_silent_opt_outs_show_in_the_actor_only() -> None:
    town = Town.build(images_per_class=12, plan=TownPlan(silent_opt_outs=2))
    paths = town.paths_with_fate("account_not_indexable")
    silent = [post for post in town.posts if post.attachments[0].path in paths]
    assert len(silent) == 2 * len(town.class_names)
    assert not any(post.author.indexable for post in silent)
    assert not any("#no" in post.author.note for post in silent)


ODD_KINDS = TownPlan(
    flood_posts=2,
    videos=2,
    unknown_media=2,
    oversized_files=2,
    mislabelled_files=2,
    busy_author_posts=3,
    unicode_spellings=2,
    relayed_copies=2,
    gifvs=2,
    proxied_media=2,
    unfinished_media=2,
    undiscoverable_authors=2,
    noindex_authors=2,
    objecting_tables=2,
    moved_authors=2,
    memorial_authors=2,
    limited_authors=2,
    text_posts=2,
)


@pytest.fixture(scope="module", params=["pixelfed", "mastodon"])
def odd_town(request: pytest.FixtureRequest) -> Town:
    return Town.build(images_per_class=12, plan=ODD_KINDS, flavour=request.param)


def odd_fates(town: Town) -> Counter[str]:
    plain = Town.build(images_per_class=12, flavour=town.flavour)
    return town.expected_fates("cat") - plain.expected_fates("cat")


def test_odd_kinds_have_their_fates(odd_town: Town) -> None:
    everywhere = Counter({"no_image": 4, "too_many_bytes": 2, "remote_origin": 2, "kept": 5})
    of_mastodon = {
        "no_image": 6,
        "account_not_indexable": 4,
        "account_suspended": 4,
        "kept": 2,
        "account_opted_out": 2,
    }
    more = of_mastodon if odd_town.flavour == "mastodon" else {}
    # Multi-class posts of a neighbour come by chance, so that only the odd fates are compared.
    told = odd_fates(odd_town)
    told.pop("multi_class", None)
    assert told == everywhere + Counter(more)


def test_a_flavour_has_only_the_kinds_it_knows(odd_town: Town) -> None:
    files = [file for post in odd_town.posts for file in post.attachments]
    kinds = {file.kind for file in files}
    whereabouts = {file.whereabouts for file in files}
    without_files = [post for post in odd_town.posts if not post.attachments]
    authors = {post.author for post in odd_town.posts}
    flagged = [
        author
        for author in authors
        if author.limited or author.memorial or author.moved_to or author.noindex
    ]
    if odd_town.flavour == "mastodon":
        assert kinds == {"image", "video", "unknown", "gifv"}
        assert whereabouts == {"stored", "proxied", "processing"}
        assert len(without_files) == 2 * len(odd_town.class_names)
        assert len(flagged) == 8 * len(odd_town.class_names)
    else:
        assert kinds == {"image", "video", "unknown"}
        assert whereabouts == {"stored"}
        assert not without_files
        assert not flagged


def test_relayed_copies_have_the_bytes_of_a_kept_file(odd_town: Town) -> None:
    files = attachments_by_path(odd_town)
    kept = {files[path][1].picture for path in odd_town.paths_with_fate("kept")}
    relayed = [files[path] for path in odd_town.paths_with_fate("remote_origin")]
    copies = [post for post, file in relayed if file.picture in kept]
    assert len(copies) == 2 * len(odd_town.class_names)
    assert not any(post.is_local for post in copies)


def test_a_busy_author_floods_each_class_within_a_day(odd_town: Town) -> None:
    files = attachments_by_path(odd_town)
    moments = defaultdict(list)
    for path in odd_town.paths_with_fate("kept"):
        post, _ = files[path]
        moments[post.author.account_id, (odd_town.now - post.created_at).days].append(post)
    floods = [posts for (_, days), posts in moments.items() if days == 20 and len(posts) >= 3]
    assert len(floods) >= len(odd_town.class_names)


def test_odd_spellings_carry_the_class_in_full_width_only(odd_town: Town) -> None:
    spelt = [post for post in odd_town.posts if post.tags == (full_width("cat"),)]
    truths = {truth.post_id: truth for truth in odd_town.truth}
    assert len(spelt) == 2
    for post in spelt:
        truth = truths[post.post_id]
        assert (truth.fate, truth.class_names) == ("kept", ("cat",))
        assert truth.served is (odd_town.flavour == "mastodon")


def test_a_mastodon_town_has_mastodons_ids_paths_and_times(odd_town: Town) -> None:
    is_mastodon = odd_town.flavour == "mastodon"
    prefix = "/system/" if is_mastodon else "/storage/m/_v2/"
    ids = [int(post.post_id) for post in odd_town.posts]
    assert ids == sorted(set(ids))
    for post in odd_town.posts:
        assert all(file.path.startswith(prefix) for file in post.attachments)
        if post.is_local or is_mastodon:
            assert snowflake_time(post.post_id, odd_town.flavour) == post.created_at


def test_on_mastodon_words_alone_object_where_words_are_meant() -> None:
    town = Town.build(images_per_class=12, flavour="mastodon")
    paths = town.paths_with_fate("account_opted_out")
    objecting = [post for post in town.posts if {file.path for file in post.attachments} & paths]
    assert objecting
    assert all(post.author.indexable for post in objecting)


def test_followers_only_posts_are_not_expected_where_the_server_hides_them(
    small_town: Town,
) -> None:
    assert "not_public" not in small_town.expected_fates("cat", visibility_leak=False)


def test_new_posts_are_newer_than_the_town_and_different(small_town: Town) -> None:
    first, second = (small_town.new_post("bird", number) for number in range(2))
    assert int(small_town.posts[-1].post_id) < int(first.post_id) < int(second.post_id)
    assert first.tags == ("bird",)
    assert small_town.file(first.attachments[0]) != small_town.file(second.attachments[0])
    known = {post.post_id for post in small_town.posts}
    assert not known & {first.post_id, second.post_id}
