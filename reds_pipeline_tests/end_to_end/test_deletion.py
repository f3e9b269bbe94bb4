"""Deletions travel: what people take back leaves everything that was made from it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.posts import Post
from reds_pipeline.demo.town import Town
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import read_rows
from reds_pipeline_tests.end_to_end.conftest import Reds, installation

CLASSES = ("cat", "dog", "flower")


@dataclass(frozen=True)
class Learnt:
    """A home that has learnt from some posts of its own, and the instance that still shows them."""

    reds: Reds
    instance: EmbeddedInstance
    town: Town
    summary: dict[str, Any]

    @property
    def home(self) -> Home:
        return Home(self.reds.home)

    def image_row(self, post: Post, class_name: str) -> dict[str, Any]:
        [row] = [
            row
            for row in read_rows(self.home.table("images", class_name))
            if row["url"].endswith(post.attachments[0].path)
        ]
        return row


def new_posts(town: Town) -> dict[str, Post]:
    return {name: town.new_post(name, number) for number, name in enumerate(CLASSES)}


@pytest.fixture
def learnt(tmp_path: Path) -> Iterator[Learnt]:
    town = Town.build(images_per_class=12)
    with EmbeddedInstance(town) as instance:
        for post in new_posts(town).values():
            instance.put_post(post)
        reds = installation(
            tmp_path / "home",
            instance,
            REDS_CLASSES=",".join(CLASSES),
            REDS_RECHECK_AFTER_HOURS="0",
        )
        yield Learnt(reds, instance, town, reds.json("run"))


def traces(root: Path, *traces_wanted: bytes) -> set[str]:
    """Return the files below ``root`` that hold any of some bytes."""
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and any(trace in path.read_bytes() for trace in traces_wanted)
    }


def assert_nothing_is_left(learnt: Learnt, row: dict[str, Any], picture: bytes) -> None:
    home = learnt.home
    assert not home.images.path(row["sha256"], row["extension"]).exists()
    assert home.array_stores()
    assert all(store.missing([row["sha256"]]) for store in home.array_stores())
    curated = {other["sha256"] for other in read_rows(home.table("curated_dataset"))}
    assert row["sha256"] not in curated
    assert traces(home.root, picture[200:260], row["url"].encode()) == set()


def contact_sheets(root: Path) -> list[str]:
    start = base64.b64encode(b"\xff\xd8\xff")
    return sorted(traces(root / "dagster", b"data:image/jpeg;base64," + start))


@pytest.mark.req("R-SCR-11")
def test_what_people_take_back_leaves_everything_and_does_not_come_back(learnt: Learnt) -> None:
    posts = new_posts(learnt.town)
    rows = {name: learnt.image_row(post, name) for name, post in posts.items()}
    bytes_of = {
        name: learnt.home.images.read(row["sha256"], row["extension"]) for name, row in rows.items()
    }
    learnt.instance.remove_post(posts["cat"].post_id)
    learnt.instance.put_post(replace(posts["dog"], visibility="private"))

    after = learnt.reds.json("run")
    for name in ("cat", "dog"):
        assert_nothing_is_left(learnt, rows[name], bytes_of[name])
        funnels = [summary["funnel"][name] for summary in (learnt.summary, after)]
        assert funnels[1]["kept"] == funnels[0]["kept"] - 1
        assert funnels[1]["seen"] == funnels[0]["seen"]
    assert after["funnel"]["cat"]["dropped"]["post_deleted"] == 1
    assert after["funnel"]["flower"] == learnt.summary["funnel"]["flower"]

    for post in posts.values():
        learnt.instance.put_post(post)
    again = learnt.reds.json("run")
    assert again["funnel"] == after["funnel"], "a tombstone holds"
    for name in ("cat", "dog"):
        assert_nothing_is_left(learnt, rows[name], bytes_of[name])


def test_models_that_saw_a_withdrawn_picture_say_so(learnt: Learnt) -> None:
    post = new_posts(learnt.town)["cat"]
    learnt.instance.remove_post(post.post_id)
    learnt.reds("run")
    client = MlflowClient(learnt.summary["tracking_uri"])
    marks = {
        version.version: version.tags.get("reds.withdrawn_pictures")
        for version in client.search_model_versions()
    }
    assert marks["1"] == "1"
    assert len(marks) > 1, "the next training went on without it"
    assert [mark for version, mark in marks.items() if version != "1"] == [None] * (len(marks) - 1)


def test_an_unchanged_host_confirms_everything(learnt: Learnt) -> None:
    before = read_rows(learnt.home.table("posts", "cat"))
    again = learnt.reds.json("run")
    assert again["funnel"] == learnt.summary["funnel"]
    after = {row["post_key"]: row for row in read_rows(learnt.home.table("posts", "cat"))}
    for row in before:
        if row["status"] == "kept":
            assert after[row["post_key"]]["confirmed_at"] > row["confirmed_at"]


def test_a_person_can_have_a_post_withdrawn(learnt: Learnt) -> None:
    post = new_posts(learnt.town)["cat"]
    row = learnt.image_row(post, "cat")
    picture = learnt.home.images.read(row["sha256"], row["extension"])
    permalink = f"{learnt.instance.url}/p/{post.author.username}/{post.post_id}"
    assert contact_sheets(learnt.home.root)

    learnt.reds("withdraw", "--post", permalink, "--dry-run")
    assert learnt.image_row(post, "cat")["status"] == "stored"

    learnt.reds("withdraw", "--post", permalink)
    assert_nothing_is_left(learnt, row, picture)
    sheets = [
        name for name in contact_sheets(learnt.home.root) if not name.endswith("index.db")
    ]
    assert len(sheets) == len(CLASSES) - 1, "the sheets of dog and flower, nothing else"

    learnt.reds("run")
    assert_nothing_is_left(learnt, row, picture)


@pytest.mark.parametrize("by", ["profile address", "handle"])
def test_a_person_can_have_all_posts_withdrawn(learnt: Learnt, by: str) -> None:
    post = new_posts(learnt.town)["dog"]
    host = learnt.instance.url.removeprefix("http://")
    author = {
        "profile address": f"{learnt.instance.url}/{post.author.username}",
        "handle": f"@{post.author.username}@{host}",
    }[by]
    author_key = learnt.image_row(post, "dog")["author_key"]
    mine = [
        row
        for row in read_rows(learnt.home.table("images", "dog"))
        if row["author_key"] == author_key and row["status"] == "stored"
    ]
    pictures = [learnt.home.images.read(row["sha256"], row["extension"]) for row in mine]
    learnt.reds("withdraw", "--author", author)
    learnt.instance.put_post(replace(learnt.town.new_post("dog", 77), author=post.author))
    after = learnt.reds.json("run")
    for row, picture in zip(mine, pictures, strict=True):
        assert_nothing_is_left(learnt, row, picture)
    authors = {row["author_key"] for row in read_rows(learnt.home.table("posts", "dog"))}
    assert author_key not in authors
    assert after["funnel"]["dog"]["dropped"]["withdrawn"] >= len(mine) + 1


def test_a_person_can_have_one_picture_withdrawn(learnt: Learnt, tmp_path: Path) -> None:
    from PIL import Image

    post = new_posts(learnt.town)["flower"]
    row = learnt.image_row(post, "flower")
    picture = learnt.home.images.read(row["sha256"], row["extension"])
    own_copy = tmp_path / "mine.png"
    stored = learnt.home.images.path(row["sha256"], row["extension"])
    with Image.open(stored) as image:
        image.convert("RGB").save(own_copy)
    answer = learnt.reds("withdraw", "--image", str(own_copy))
    assert str(own_copy) in answer.stderr or "1 picture" in answer.stderr
    assert not stored.exists()
    learnt.reds("run")
    assert traces(learnt.home.root, picture[200:260]) == set()
