"""Cost follows what is new: runs after the first."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import read_rows
from reds_pipeline_tests.end_to_end.conftest import Install, Reds


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.build(images_per_class=16)


@pytest.fixture(scope="module")
def instance(town: Town) -> Iterator[EmbeddedInstance]:
    with EmbeddedInstance(town) as running:
        yield running


@pytest.fixture(scope="module")
def reds(
    instance: EmbeddedInstance, tmp_path_factory: pytest.TempPathFactory, install: Install
) -> Reds:
    return install(
        tmp_path_factory.mktemp("second") / "home", instance, REDS_CLASSES="cat,dog,flower"
    )


@pytest.fixture(scope="module")
def first(reds: Reds) -> subprocess.CompletedProcess[str]:
    """Return what the first run of the home said."""
    return reds("run", "--json")


def pictures_asked_for(instance: EmbeddedInstance) -> Counter[str]:
    return Counter(
        record.path for record in instance.requests if record.path.startswith("/storage/")
    )


def costs(standard_error: str) -> dict[str, int]:
    """Return the counts of the last line, such as ``{"pictures downloaded": 12}``."""
    _, _, parts = standard_error.strip().splitlines()[-1].partition(": ")
    pairs = [part.split(" ", 1) for part in parts.rstrip(".").split(", ")]
    return {what: int(count) for count, what in pairs}


def test_an_unchanged_instance_costs_one_short_walk_a_tag_and_nothing_else(
    reds: Reds, instance: EmbeddedInstance, first: subprocess.CompletedProcess[str]
) -> None:
    cleaned = {
        row["sha256"]
        for name in ("cat", "dog", "flower")
        for row in read_rows(Home(reds.home).table("clean_images", name))
        if row["kept"]
    }
    assert costs(first.stderr)["embeddings computed"] == len(cleaned), "each once, also unchosen"
    assert costs(first.stderr)["models trained"] == 2
    instance.reset_requests()

    second = reds("run", "--json")
    assert not pictures_asked_for(instance)
    timelines = Counter(record.path for record in instance.requests if "/timelines/" in record.path)
    assert set(timelines.values()) == {1}
    assert second.stderr.splitlines()[-1].startswith("Nothing was new:")
    new_work = {what: n for what, n in costs(second.stderr).items() if "requests" not in what}
    assert set(new_work.values()) == {0}
    assert json.loads(second.stdout) == json.loads(first.stdout)


@pytest.mark.usefixtures("first")
def test_one_new_post_costs_one_picture_one_embedding_and_one_training(
    reds: Reds, instance: EmbeddedInstance, town: Town
) -> None:
    before = reds.json("status")
    post = town.new_post("cat")
    instance.put_post(post)
    instance.reset_requests()
    result = reds("run", "--json")
    after = json.loads(result.stdout)
    assert pictures_asked_for(instance) == {post.attachments[0].path: 1}
    assert costs(result.stderr)["pictures downloaded"] == 1
    assert costs(result.stderr)["pictures resized"] == 1
    assert costs(result.stderr)["embeddings computed"] == 1
    assert after["funnel"]["cat"]["kept"] == before["funnel"]["cat"]["kept"] + 1
    assert after["funnel"]["dog"] == before["funnel"]["dog"]


def test_a_class_that_falls_short_is_exit_code_three(reds: Reds) -> None:
    strict = Reds(reds.home, {**reds.settings, "REDS_MIN_IMAGES_PER_CLASS": "1000"})
    result = strict("run", "--json", expect=3)
    assert "the minimum is 1000" in result.stderr
    assert set(json.loads(result.stdout)["funnel"]) == {"cat", "dog", "flower"}


def test_a_second_process_on_the_same_home_is_refused(reds: Reds) -> None:
    from reds_pipeline.storage.home import Home
    from reds_pipeline.storage.locks import exclusive

    with exclusive(Home(reds.home).lock("run"), "running the pipeline"):
        result = reds("run", expect=1)
    assert "is being worked on by another process" in result.stderr
    assert "--wait" in result.stderr


def test_a_wrong_token_is_one_sentence(reds: Reds, tmp_path: Path) -> None:
    stranger = Reds(tmp_path / "home", {**reds.settings, "REDS_HOST_TOKEN": "wrong"})
    stranger.home.mkdir()
    result = stranger("run", expect=1)
    assert "REDS_HOST_TOKEN" in result.stderr.splitlines()[-1]
    assert "wrong" not in result.stderr


def test_a_host_that_nobody_approved_is_refused_before_it_is_asked(
    reds: Reds, tmp_path: Path
) -> None:
    stranger = Reds(tmp_path / "home", {**reds.settings, "REDS_HOST_URL": "https://pix.example"})
    stranger.home.mkdir()
    result = stranger("run", expect=1)
    assert "pix.example is not an approved host" in result.stderr
    assert "reds hosts approve" in result.stderr


@pytest.mark.parametrize(
    ("classes", "complaint"),
    [
        ("cat,35mm", "35mm"),
        ("cat", "name two or more"),
    ],
    ids=["not a word of letters", "one class only"],
)
def test_classes_that_cannot_be_learnt_are_one_sentence(
    reds: Reds, classes: str, complaint: str
) -> None:
    result = reds("run", "--classes", classes, expect=1)
    assert complaint in result.stderr.splitlines()[-1]


def test_a_post_that_turns_sensitive_takes_its_picture_out_of_everything(
    reds: Reds, instance: EmbeddedInstance, town: Town
) -> None:
    home = Home(reds.home)
    post = town.new_post("dog", number=1)
    instance.put_post(post)
    before = reds.json("run")
    [row] = [
        row
        for row in read_rows(home.table("images", "dog"))
        if row["url"].endswith(post.attachments[0].path)
    ]
    picture = home.images.path(row["sha256"], row["extension"])
    assert picture.exists()
    assert not any(store.missing([row["sha256"]]) for store in home.array_stores())

    instance.put_post(replace(post, sensitive=True))
    after = reds.json("run")
    assert not picture.exists()
    assert home.array_stores()
    assert all(store.missing([row["sha256"]]) for store in home.array_stores())
    curated = read_rows(home.table("curated_dataset"))
    assert row["sha256"] not in {other["sha256"] for other in curated}
    funnels = [summary["funnel"]["dog"] for summary in (before, after)]
    assert funnels[1]["kept"] == funnels[0]["kept"] - 1
    assert funnels[1]["dropped"]["sensitive"] == funnels[0]["dropped"]["sensitive"] + 1
    assert funnels[1]["seen"] == funnels[0]["seen"]
