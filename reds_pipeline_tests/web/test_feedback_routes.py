"""Answers and deletions over HTTP, with the models, the ledger and the files of a real home."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from reds_pipeline.feedback.consent import CONSENT
from reds_pipeline.feedback.contributions import contributions
from reds_pipeline.feedback.desk import FeedbackDesk
from reds_pipeline.feedback.events import FEEDBACK
from reds_pipeline.resources import Platform
from reds_pipeline.storage.tables import CONTRIBUTED_IMAGES, read_rows, write_rows
from reds_pipeline_tests.feedback.makers import desk_of, given, recommended, taken_photo
from reds_pipeline_tests.held_home import everything
from reds_pipeline_tests.tagging.served_home import drawn_photo, make_served_home
from reds_pipeline_tests.web.serving import served

SHOWN = recommended("cat", "golden retriever", "beach")
JSON = {"Accept": "application/json"}
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Platform:
    root = tmp_path_factory.mktemp("feedback") / "home"
    return make_served_home(root, hashtags=False, database=mlflow_database).platform


@pytest.fixture(scope="module")
def site(platform: Platform) -> Iterator[str]:
    with served(platform.home.root, is_tagging=True) as address:
        while not requests.get(f"{address}/api/v1/model", timeout=20).json()["is_ready"]:
            time.sleep(0.05)
        yield address


@pytest.fixture
def desk(platform: Platform) -> FeedbackDesk:
    """Of the same home in another process, as far as the site can tell."""
    return desk_of(platform.home, platform.ledger)


def latest(platform: Platform) -> list[tuple[str, str]]:
    events = platform.ledger.events(FEEDBACK)
    last = [each for each in events if each["form"] == events[-1]["form"]]
    return [(each["event"], each.get("tag", "")) for each in last if each["event"] != "shown"]


@pytest.mark.req("R-IMP-6")
@pytest.mark.parametrize("headers", [JSON, PAGE], ids=["script", "no script"])
def test_the_form_of_a_card_is_recorded_and_answered_for_its_reader(
    site: str, platform: Platform, desk: FeedbackDesk, headers: dict[str, str]
) -> None:
    form = {
        "answer": desk.shown(SHOWN),
        "verdict-1": "accept",
        "verdict-2": ["accept", "reject"],
        "verdict-3": "reject",
        "added": "my <b>zoo</b>, dog",
        "own": ["Sofa", "Cat"],
    }
    answer = requests.post(f"{site}/feedback", data=form, headers=headers, timeout=20)
    assert answer.status_code == 200
    assert latest(platform) == [
        *(("accept", "cat"), ("add", "other"), ("add", "dog"), ("reject", "beach"))
    ], "both boxes of one suggestion say nothing"
    assert "Noted, thank you" in answer.text
    if headers == PAGE:
        assert "#Sofa #Cat #MyBZooB #Dog</textarea>" in answer.text, "own ones first, none twice"
    else:
        assert answer.json()["recorded"] == 5


@pytest.mark.req("R-IMP-6")
def test_a_program_says_what_was_right_of_what_the_models_suggested(
    site: str, platform: Platform
) -> None:
    photo = drawn_photo("cat", 1)
    tags = requests.post(f"{site}/api/v1/tags", data=photo, timeout=20).json()
    first = tags["suggestions"][0]
    body = {"answer": tags["answer"], "accepted": [first["tag"]], "added": ["dog", "zoo"]}
    answer = requests.post(f"{site}/api/v1/feedback", json=body, timeout=20)
    assert answer.status_code == 200
    events = platform.ledger.events(FEEDBACK)
    accept = next(each for each in reversed(events) if each["event"] == "accept")
    assert {name: accept[name] for name in ("tag", "rank", "probability", "model", "version")} == {
        name: first[name] for name in ("tag", "rank", "probability", "model", "version")
    }
    assert answer.json()["other"] == 1
    again = requests.post(f"{site}/api/v1/feedback", json=body, timeout=20)
    assert again.json()["recorded"] == 0


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"answer": "nonsense"}, 422, "unreadable"),
        ({"answer": ""}, 422, "unreadable"),
        ({}, 422, "not_understood"),
        ({"answer": None, "accepted": ["zoo"]}, 422, "not_understood"),
        ({"answer": "x", "surprise": 1}, 422, "not_understood"),
        ({"answer": "x", "added": ["a" * 500]}, 422, "not_understood"),
    ],
    ids=["made up", "empty", "nothing", "no text", "too many fields", "too long"],
)
def test_what_cannot_be_understood_gets_a_sentence(
    site: str, body: dict[str, Any], status: int, reason: str
) -> None:
    answer = requests.post(f"{site}/api/v1/feedback", json=body, timeout=20)
    assert answer.status_code == status
    assert answer.json()["reason"] == reason
    assert answer.json()["sentence"].endswith(".")


@pytest.mark.parametrize("path", ["/feedback", "/uploads"])
@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"answer=%FF%FE&code=%FF", "application/x-www-form-urlencoded", {404, 422}),
        (b"\xff\xfe", "application/x-www-form-urlencoded", {400}),
        (b"a=1&" * 500, "application/x-www-form-urlencoded", {400}),
        (b"{}", "application/json", {415}),
        (b"", "", {415}),
    ],
    ids=["no UTF-8", "no form", "too many fields", "JSON", "nothing"],
)
def test_broken_forms_get_a_sentence(
    site: str, path: str, data: bytes, content_type: str, status: set[int]
) -> None:
    headers = {"Content-Type": content_type, **JSON} if content_type else JSON
    answer = requests.post(f"{site}{path}", data=data, headers=headers, timeout=20)
    assert answer.status_code in status
    assert "Traceback" not in answer.text


@pytest.mark.req("R-IMP-6")
def test_a_person_deletes_an_upload_without_a_script(
    site: str, platform: Platform, desk: FeedbackDesk
) -> None:
    mine = given(desk, taken_photo(1))
    desk.shown(SHOWN, own_tags=("<i>Flauschi",), contribution=mine.id)
    assert 'name="code"' in requests.get(f"{site}/uploads", timeout=20).text
    code = mine.code.lower().replace("-", " ")
    look = requests.post(f"{site}/uploads", data={"code": code}, headers=PAGE, timeout=20)
    assert "160 \u00d7 160 pixels" in look.text
    assert "IFlauschi" in look.text
    assert contributions(platform.home), "looking deletes nothing"
    form = {"code": code, "confirm": "yes"}
    done = requests.post(f"{site}/uploads", data=form, headers=PAGE, timeout=20)
    assert done.status_code == 200
    assert "Nothing had been made of them." in done.text
    assert mine.sha256 not in everything(platform.home)
    again = requests.post(f"{site}/uploads", data=form, headers=PAGE, timeout=20)
    assert again.status_code == 404
    assert "No photo is kept under this code" in again.text


@pytest.mark.req("R-IMP-6")
def test_a_deletion_takes_along_what_was_made_of_the_photo(
    site: str, platform: Platform, desk: FeedbackDesk
) -> None:
    home = platform.home
    mine = given(desk, taken_photo(2))
    data = (home.contributions / mine.id / "photo.jpg").read_bytes()
    home.images.put(data, "jpg")
    row = {"contribution_id": mine.id, "sha256": mine.sha256, "extension": "jpg"}
    write_rows(home.table("contributed_images"), [row], CONTRIBUTED_IMAGES)
    answer = requests.post(f"{site}/api/v1/uploads/delete", json={"code": mine.code}, timeout=60)
    assert answer.status_code == 200
    assert "is being erased now" in answer.json()["sentence"]
    # It is done after the answer.
    for _ in range(600):
        if not read_rows(home.table("contributed_images")):
            break
        time.sleep(0.05)
    assert mine.sha256 not in everything(home)
    unknown = requests.post(f"{site}/api/v1/uploads/delete", json={"code": "none"}, timeout=20)
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "no_such_upload")


def test_the_interface_describes_what_it_takes(site: str) -> None:
    paths = requests.get(f"{site}/api/v1/openapi.json", timeout=20).json()["paths"]
    assert {"/api/v1/feedback", "/api/v1/uploads/delete"} <= paths.keys()
    assert "/feedback" not in paths


@pytest.mark.req("R-IMP-6")
def test_of_a_page_that_does_not_come_no_photo_is_kept(site: str, platform: Platform) -> None:
    """The second photo fails, and the code of the first was on the same page."""
    before = contributions(platform.home)
    given_before = len(platform.ledger.events("contribution"))
    photos = [("photos", ("a", drawn_photo("cat", number))) for number in (71, 72)]
    with sqlite3.connect(platform.home.root / "ledger.sqlite") as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.body LIKE '%given%' AND "
            f"(SELECT count(*) FROM events WHERE kind = 'contribution') > {given_before} "
            "BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    try:
        answer = requests.post(
            f"{site}/tag", files=photos, data={"consent": CONSENT.version}, timeout=60
        )
    finally:
        with sqlite3.connect(platform.home.root / "ledger.sqlite") as database:
            database.execute("DROP TRIGGER full")
    assert answer.status_code == 500
    assert contributions(platform.home) == before
    assert [event["event"] for event in platform.ledger.events("contribution")][given_before:] == [
        *("given", "deleted")
    ]


@pytest.mark.parametrize("is_public", [True, False])
def test_what_is_wrong_inside_is_told_to_the_operator_alone(
    platform: Platform, desk: FeedbackDesk, is_public: bool
) -> None:
    """Such a sentence names directories."""
    mine = given(desk, taken_photo(91))
    (platform.home.contributions / mine.id / "contribution.json").write_text("{")
    settings: dict[str, Any] = {"page_hosts": ("tags.example",)} if is_public else {}
    try:
        with served(platform.home.root, is_tagging=True, **settings) as address:
            answer = requests.post(
                f"{address}/api/v1/uploads/delete", json={"code": mine.code}, timeout=20
            )
    finally:
        shutil.rmtree(platform.home.contributions / mine.id)
    assert answer.status_code == 500
    assert (str(platform.home.root) in answer.text) is not is_public
    assert ("operator" in answer.json()["sentence"]) is is_public
