"""Deletions travel: what people take back leaves everything that was made from it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from PIL import Image

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.posts import Post
from reds_pipeline.demo.town.town import Town
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import read_rows
from reds_pipeline_tests.end_to_end.conftest import Install, Reds

CLASSES = ("cat", "dog", "flower")


@dataclass(frozen=True)
class Learnt:
    """A home that has learnt from some posts of its own, and the instance that still shows them."""

    reds: Reds
    instance: EmbeddedInstance
    town: Town

    @property
    def home(self) -> Home:
        return Home(self.reds.home)

    def picture(self, image_row: dict[str, Any]) -> bytes:
        return self.home.images.read(image_row["sha256"], image_row["extension"])

    def post_row(self, post: Post, class_name: str) -> dict[str, Any]:
        rows = read_rows(self.home.table("posts", class_name))
        [row] = [row for row in rows if row["post_id"] == post.post_id]
        return row

    def image_row(self, post: Post, class_name: str) -> dict[str, Any]:
        [row] = [
            row
            for row in read_rows(self.home.table("images", class_name))
            if row["url"].endswith(post.attachments[0].path)
        ]
        return row


# Every test takes posts of its own, so that one home serves them all in any order.
PURPOSES = ("gone", "private", "marked", "by post", "by author", "by picture", "unchanged")


def new_post(town: Town, class_name: str, purpose: str) -> Post:
    """Return the post, by an author of its own, that one test may do with as it likes."""
    number = 10 * CLASSES.index(class_name) + PURPOSES.index(purpose)
    post = town.new_post(class_name, number)
    author = replace(post.author, account_id=str(990_000 + number), username=f"person{number}")
    return replace(post, author=author)


@pytest.fixture(scope="module")
def instance() -> Iterator[tuple[EmbeddedInstance, Town]]:
    town = Town.build(images_per_class=12)
    with EmbeddedInstance(town) as running:
        for class_name in CLASSES:
            for purpose in PURPOSES:
                running.put_post(new_post(town, class_name, purpose))
        yield running, town


@pytest.fixture(scope="module")
def first_run(
    instance: tuple[EmbeddedInstance, Town],
    tmp_path_factory: pytest.TempPathFactory,
    install: Install,
) -> Reds:
    reds = install(
        tmp_path_factory.mktemp("deletion") / "home",
        instance[0],
        REDS_CLASSES=",".join(CLASSES),
        REDS_RECHECK_AFTER_HOURS="0",
    )
    reds("run", "--json")
    return reds


@pytest.fixture
def learnt(instance: tuple[EmbeddedInstance, Town], first_run: Reds) -> Learnt:
    return Learnt(first_run, *instance)


def traces(root: Path, *traces_wanted: bytes) -> set[str]:
    """Return the files below ``root`` that hold any of some bytes."""
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and any(trace in path.read_bytes() for trace in traces_wanted)
    }


def heart(picture: bytes) -> bytes:
    """Return bytes that no other picture has; the beginnings of many are alike."""
    middle = len(picture) // 2
    return picture[middle : middle + 60]


def assert_nothing_is_left(learnt: Learnt, row: dict[str, Any], picture: bytes) -> None:
    home = learnt.home
    assert not home.images.path(row["sha256"], row["extension"]).exists()
    assert home.array_stores()
    assert all(store.missing([row["sha256"]]) for store in home.array_stores())
    curated = {other["sha256"] for other in read_rows(home.table("curated_dataset"))}
    assert row["sha256"] not in curated
    for table in (home.table("test_pictures"), home.table("predictions", "tiny")):
        named = {other["sha256"] for other in read_rows(table)}
        assert named, f"{table.name} shows nothing when it is empty"
        assert row["sha256"] not in named
    # What a model was made of stays known, or no later withdrawal could find the model.
    artifacts = traces(home.root / "mlflow-artifacts", row["sha256"].encode())
    assert {Path(name).name for name in artifacts} <= {"split.json"}
    assert traces(home.root, heart(picture), row["url"].encode()) == set()


def contact_sheets(root: Path) -> list[str]:
    start = base64.b64encode(b"\xff\xd8\xff")
    return sorted(traces(root / "dagster", b"data:image/jpeg;base64," + start))


@pytest.mark.req("R-SCR-11")
def test_what_people_take_back_leaves_everything_and_does_not_come_back(learnt: Learnt) -> None:
    taken_back = {
        "cat": new_post(learnt.town, "cat", "gone"),
        "dog": new_post(learnt.town, "dog", "private"),
    }
    unchanged = new_post(learnt.town, "flower", "unchanged")
    seen_at = learnt.post_row(unchanged, "flower")["confirmed_at"]
    rows = {name: learnt.image_row(post, name) for name, post in taken_back.items()}
    pictures = {name: learnt.picture(row) for name, row in rows.items()}
    before = learnt.reds.json("status")
    champion = before["champion"]["version"]
    learnt.instance.remove_post(taken_back["cat"].post_id)
    learnt.instance.put_post(replace(taken_back["dog"], visibility="private"))

    after = learnt.reds.json("run")
    for name in taken_back:
        assert_nothing_is_left(learnt, rows[name], pictures[name])
        funnels = [summary["funnel"][name] for summary in (before, after)]
        assert funnels[1]["kept"] == funnels[0]["kept"] - 1
        assert funnels[1]["seen"] == funnels[0]["seen"]
    assert after["funnel"]["cat"]["dropped"]["post_deleted"] == 1
    assert after["funnel"]["flower"] == before["funnel"]["flower"]
    assert learnt.post_row(unchanged, "flower")["confirmed_at"] > seen_at

    client = MlflowClient(before["tracking_uri"])
    marks = {
        str(version.version): version.tags.get("reds.withdrawn_pictures")
        for version in client.search_model_versions()
    }
    assert marks[champion] == "2"
    assert marks[str(max(map(int, marks)))] is None, "the newest was trained without them"

    for post in taken_back.values():
        learnt.instance.put_post(post)
    again = learnt.reds.json("run")
    assert again["funnel"] == after["funnel"], "a tombstone holds"
    for name in taken_back:
        assert_nothing_is_left(learnt, rows[name], pictures[name])


def test_a_person_can_have_a_post_withdrawn(learnt: Learnt) -> None:
    post = new_post(learnt.town, "cat", "by post")
    row = learnt.image_row(post, "cat")
    picture = learnt.picture(row)
    permalink = f"{learnt.instance.url}/p/{post.author.username}/{post.post_id}"
    before = contact_sheets(learnt.home.root)

    planned = learnt.reds("withdraw", "--post", permalink, "--dry-run")
    assert "would be removed" in planned.stdout
    assert learnt.image_row(post, "cat")["status"] == "stored"
    assert contact_sheets(learnt.home.root) == before

    done = learnt.reds("withdraw", "--post", permalink, "--asked-by", "the author, by mail")
    assert "1 picture files" in " ".join(done.stdout.split())
    assert_nothing_is_left(learnt, row, picture)
    assert 0 < len(contact_sheets(learnt.home.root)) < len(before), "only sheets of cat went"


def test_people_can_have_all_their_posts_withdrawn(learnt: Learnt) -> None:
    """One names the address of a profile, the other a handle; both post again afterwards."""
    host = learnt.instance.url.removeprefix("http://")
    rows = {}
    for class_name in ("dog", "flower"):
        post = new_post(learnt.town, class_name, "by author")
        name = post.author.username
        author = f"{learnt.instance.url}/{name}" if class_name == "dog" else f"@{name}@{host}"
        row = rows[class_name] = learnt.image_row(post, class_name)
        picture = learnt.picture(row)
        learnt.reds("withdraw", "--author", author)
        assert_nothing_is_left(learnt, row, picture)
        another = learnt.town.new_post(class_name, 100 + CLASSES.index(class_name))
        learnt.instance.put_post(replace(another, author=post.author))
    after = learnt.reds.json("run")
    for class_name, row in rows.items():
        posts = read_rows(learnt.home.table("posts", class_name))
        assert row["author_key"] not in {other["author_key"] for other in posts}
        assert after["funnel"][class_name]["dropped"]["withdrawn"] == 2, "the old and the new"


def test_a_person_can_have_one_picture_withdrawn(learnt: Learnt, tmp_path: Path) -> None:
    post = new_post(learnt.town, "dog", "by picture")
    row = learnt.image_row(post, "dog")
    picture = learnt.picture(row)
    own_copy = tmp_path / "mine.png"
    with Image.open(learnt.home.images.path(row["sha256"], row["extension"])) as image:
        image.convert("RGB").save(own_copy)
    learnt.reds("withdraw", "--image", str(own_copy))
    assert_nothing_is_left(learnt, row, picture)
