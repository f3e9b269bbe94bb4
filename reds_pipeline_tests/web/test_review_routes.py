"""The addresses of the review gallery, asked over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from PIL import Image

from reds_pipeline.storage.home import Home
from reds_pipeline_tests.web.gallery_home import CLASSES, make_gallery_home
from reds_pipeline_tests.web.serving import served

Json = dict[str, Any]

PICTURE_KEYS = {
    *("id", "class", "class_in_set", "collected_as", "state", "reason", "flags", "rank"),
    *("decision", "label", "applied"),
    *("suspect", "guess", "guess_probability", "class_probability", "outlier", "why", "group"),
    *("keeper", "keeper_why", "author", "width", "height", "bytes", "alt", "posted", "blurred"),
}


class Page:
    """What the page does, without its looks.

    Args:
        address: Of the application.
    """

    def __init__(self, address: str) -> None:
        self.address = f"{address}/review"
        self.session = requests.Session()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(f"{self.address}{path}", timeout=60, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.session.post(f"{self.address}{path}", timeout=60, **options)

    def gallery(self) -> Json:
        return self.get("/api/gallery").json()

    def pictures(self, class_name: str = "cat") -> list[Json]:
        pictures = self.gallery()["pictures"]
        return [picture for picture in pictures if picture["collected_as"] == class_name]

    def decide(self, *decisions: tuple[str, str, str], **more: str) -> requests.Response:
        sent = [
            {"id": key, "verdict": verdict, "label": label} for key, verdict, label in decisions
        ]
        return self.post("/api/decisions", json={"decisions": sent, **more})

    def decided(self) -> dict[str, tuple[str, str]]:
        return {
            picture["id"]: (picture["decision"], picture["label"])
            for picture in self.gallery()["pictures"]
            if picture["decision"]
        }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_gallery_home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


@pytest.fixture
def page(home: Home, ledger_url: str) -> Iterator[Page]:
    """With a ledger of its own for each test, on pictures that all share and nobody changes."""
    with served(home.root, ledger_url) as address:
        yield Page(address)


@pytest.fixture(scope="module")
def read_page(home: Home) -> Iterator[Page]:
    """For tests that decide nothing."""
    with served(home.root) as address:
        yield Page(address)


@pytest.mark.req("R-SCR-9")
def test_the_gallery_has_what_the_page_is_built_on(read_page: Page) -> None:
    gallery = read_page.gallery()
    assert set(gallery) == {"classes", "per_class", "pictures", "progress", "revision"}
    assert gallery["classes"] == list(CLASSES)
    assert gallery["progress"] == {"decided": 0, "total": len(gallery["pictures"])}
    assert all(set(picture) == PICTURE_KEYS for picture in gallery["pictures"])
    names = [picture["id"] for picture in gallery["pictures"]]
    assert len(set(names)) == len(names)


def test_the_gallery_travels_compressed_and_only_when_it_changed(page: Page) -> None:
    first = page.get("/api/gallery")
    assert first.headers["Content-Encoding"] == "gzip"
    plain = page.get("/api/gallery", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.json() == first.json()
    known = {"If-None-Match": first.headers["ETag"]}
    unchanged = page.get("/api/gallery", headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    page.decide((page.pictures()[0]["id"], "discard", ""))
    assert page.get("/api/gallery", headers=known).status_code == 200


@pytest.mark.req("R-SCR-8")
def test_decisions_show_at_once_and_are_there_after_a_restart(
    page: Page, home: Home, ledger_url: str
) -> None:
    first, second, third = (picture["id"] for picture in page.pictures()[:3])
    answer = page.decide((first, "keep", "cat"), (second, "discard", ""), (third, "label", "dog"))
    total = page.gallery()["progress"]["total"]
    assert answer.json() == {
        "batch": answer.json()["batch"],
        "recorded": 3,
        "unknown": 0,
        "progress": {"decided": 3, "total": total},
    }
    expected = {first: ("keep", "cat"), second: ("discard", ""), third: ("label", "dog")}
    assert page.decided() == expected
    assert [picture["class"] for picture in page.pictures()[:3]] == ["cat", "cat", "dog"]
    with served(home.root, ledger_url) as address:
        assert Page(address).decided() == expected


def test_a_decision_can_be_taken_back_and_undone(page: Page) -> None:
    first, second = (picture["id"] for picture in page.pictures()[:2])
    page.decide((first, "discard", ""), (second, "discard", ""))
    page.decide((first, "undecided", ""))
    assert page.decided() == {second: ("discard", "")}
    undone = page.post("/api/undo").json()
    assert undone["changed"] == [{"id": first, "decision": "discard", "label": ""}]
    assert undone["progress"]["decided"] == 2
    changed = page.post("/api/undo").json()["changed"]
    assert sorted(each["id"] for each in changed) == sorted([first, second])
    assert {each["decision"] for each in changed} == {""}
    nothing = page.post("/api/undo")
    assert nothing.status_code == 409
    assert nothing.json() == {"sentence": "There is nothing to undo.", "reason": "conflict"}


def test_a_batch_whose_answer_was_lost_can_be_sent_again(page: Page) -> None:
    first = page.pictures()[0]["id"]
    batch = "0123456789abcdef" * 2
    answers = [page.decide((first, "discard", ""), batch=batch).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["batch"] == batch
    page.post("/api/undo")
    assert page.post("/api/undo").status_code == 409


def test_pictures_that_went_meanwhile_do_not_hold_up_the_others(page: Page) -> None:
    first = page.pictures()[0]["id"]
    answer = page.decide(("f" * 64, "discard", ""), (first, "discard", "")).json()
    assert (answer["recorded"], answer["unknown"]) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        b"[]",
        b'{"decisions": [{"id": "../../etc/passwd", "verdict": "keep"}]}',
        b'{"decisions": [{"id": "' + b"a" * 64 + b'", "verdict": "enlarge"}]}',
        b'{"decisions": [{"id": "' + b"a" * 64 + b'", "verdict": "label"}]}',
        b'{"decisions": [{"id": "' + b"a" * 64 + b'", "verdict": "label", "label": "<b>"}]}',
        b'{"decisions": [], "batch": "mine"}',
    ],
)
def test_what_cannot_be_understood_changes_nothing_and_says_so(
    read_page: Page, body: bytes
) -> None:
    answer = read_page.post(
        "/api/decisions", data=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert list(answer.json()) == ["sentence", "reason"]
    assert read_page.decided() == {}


@pytest.mark.parametrize(("asked", "longest"), [(100, 128), (256, 240), (4096, 240)])
def test_thumbnails_are_whole_pictures(read_page: Page, asked: int, longest: int) -> None:
    picture = read_page.pictures()[0]
    answer = read_page.get(f"/thumbnails/{picture['id']}", params={"side": asked})
    assert answer.headers["Content-Type"] == "image/jpeg"
    width, height = Image.open(BytesIO(answer.content)).size
    assert max(width, height) == longest
    assert width / height == pytest.approx(picture["width"] / picture["height"], abs=0.02)


def test_a_picture_comes_as_it_is_stored(read_page: Page, home: Home) -> None:
    name = read_page.pictures()[0]["id"]
    answer = read_page.get(f"/pictures/{name}")
    assert answer.content == home.images.read(name, "jpg")
    assert answer.headers["Content-Type"] == "image/jpeg"


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize("kind", ["thumbnails", "pictures"])
def test_browsers_keep_no_copy_that_a_withdrawal_would_not_find(read_page: Page, kind: str) -> None:
    answer = read_page.get(f"/{kind}/{read_page.pictures()[0]['id']}")
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("kind", ["thumbnails", "pictures"])
@pytest.mark.parametrize(
    "name", ["f" * 64, "..%2F..%2Fpseudonym.key", "../../pseudonym.key", "%00", "x" * 64]
)
def test_nothing_but_pictures_of_the_gallery_is_given_out(
    read_page: Page, kind: str, name: str
) -> None:
    request = requests.Request("GET", f"{read_page.address}/{kind}/x").prepare()
    # Straight to the server: requests would resolve the dots itself.
    request.url = f"{read_page.address}/{kind}/{name}"
    answer = read_page.session.send(request, timeout=60)
    assert answer.status_code == 404
    assert list(answer.json()) == ["sentence", "reason"]


def test_a_picture_whose_file_was_erased_is_gone_at_once(home: Home, tmp_path: Path) -> None:
    """Also from what the server remembers; the tables may follow a moment later."""
    own = Home(shutil.copytree(home.root, tmp_path / "home"))
    with served(own.root) as address:
        page = Page(address)
        name = page.pictures()[0]["id"]
        assert page.get(f"/thumbnails/{name}").status_code == 200
        own.images.remove(name, "jpg")
        assert page.get(f"/thumbnails/{name}").status_code == 404
        assert page.get(f"/pictures/{name}").status_code == 404


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_brings_all_decisions_to_where_it_is_imported(page: Page, form: str) -> None:
    first, second, third = (picture["id"] for picture in page.pictures()[:3])
    page.decide((first, "keep", "cat"), (second, "discard", ""), (third, "label", "dog"))
    decided = page.decided()
    exported = page.get(f"/api/decisions.{form}")
    assert "attachment" in exported.headers["Content-Disposition"]
    assert page.post("/api/import", files={"file": exported.content}).json()["unchanged"] == 3
    page.post("/api/undo")
    assert page.decided() == {}
    report = page.post("/api/import", files={"file": exported.content}).json()
    assert (report["recorded"], report["unknown"], report["unchanged"]) == (3, 0, 0)
    assert report["sentence"].startswith("Recorded 3 decisions;")
    assert page.decided() == decided


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"name\nx\n", "neither Label Studio's JSON nor a CSV"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
    ],
)
def test_a_file_that_is_not_one_is_refused_with_a_sentence(
    read_page: Page, content: bytes, complaint: str
) -> None:
    answer = read_page.post("/api/import", files={"file": content})
    assert answer.status_code == 422
    assert complaint in answer.json()["sentence"]
    assert read_page.post("/api/import").status_code == 422


def test_label_studio_is_offered_every_class_that_anybody_named(page: Page) -> None:
    page.decide((page.pictures()[0]["id"], "label", "horse"))
    configuration = page.get("/api/label-studio.xml").text
    assert all(f'value="{name}"' in configuration for name in (*CLASSES, "horse"))


def test_a_damaged_table_is_said_in_a_sentence(tmp_path: Path) -> None:
    table = Home(tmp_path).table("curated_dataset")
    table.parent.mkdir(parents=True)
    table.write_bytes(b"not a table")
    with served(tmp_path) as address:
        answer = Page(address).get("/api/gallery")
    assert answer.status_code == 500
    assert "curated_dataset.parquet" in answer.json()["sentence"]


def test_what_nobody_foresaw_is_said_without_what_is_inside(tmp_path: Path) -> None:
    table = Home(tmp_path).table("clean_images", "cat")
    table.parent.mkdir(parents=True)
    # Whatever wrote this, it was not REDS.
    pq.write_table(pa.table({"class_name": ["cat"], "sha256": ["a"], "created_at": [7]}), table)
    with served(tmp_path) as address:
        answer = Page(address).get("/api/gallery")
    assert answer.status_code == 500
    assert answer.json()["sentence"].startswith("Something went wrong inside REDS")
