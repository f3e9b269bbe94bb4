"""What the page's addresses answer, beyond what a browser shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup

from reds_pipeline.tagging.recommendation import View
from reds_pipeline.web.sentences import Refusal
from reds_pipeline.web.tag_routes import Choices, read_choices
from reds_pipeline_tests.tagging.served_home import drawn_photo, make_served_home
from reds_pipeline_tests.web.serving import served

CAT = drawn_photo("cat")
NAME = "holiday <b>with Ann</b>.jpg"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    root = tmp_path_factory.mktemp("tags") / "home"
    make_served_home(root, database=mlflow_database, contributions="off")
    return root


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with served(home, is_tagging=True) as found:
        while not requests.get(f"{found}/health/ready", timeout=30).ok:
            time.sleep(0.02)
        yield found


def send(address: str, path: str, *photos: bytes, **fields: str) -> requests.Response:
    files: list[Any] = [("photos", (NAME, photo, "image/jpeg")) for photo in photos]
    # Without a file requests would send another kind of form.
    files.append(("unused", (None, "")))
    return requests.post(f"{address}{path}", files=files, data=fields, timeout=60)


@pytest.mark.req("R-PRD-5")
@pytest.mark.parametrize(
    ("photos", "status"),
    [
        pytest.param([CAT], 200, id="good"),
        pytest.param([CAT, b"no photo"], 200, id="one of two is good"),
        pytest.param([b"no photo"], 415, id="no photo"),
        pytest.param([CAT[:2000]], 422, id="cut off"),
        pytest.param([], 422, id="nothing"),
        pytest.param([CAT] * 11, 413, id="too many"),
    ],
)
@pytest.mark.parametrize("path", ["/tag", "/tag?fragment=1"])
def test_the_status_is_that_of_what_happened(
    address: str, path: str, photos: list[bytes], status: int
) -> None:
    answer = send(address, path, *photos)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert ("<html" in answer.text) == (path == "/tag")
    assert len(BeautifulSoup(answer.text, "lxml").select(".card")) == (
        1 if len(photos) in {0, 11} else len(photos)
    )


def test_nothing_of_a_photo_is_kept_and_no_name_comes_back(address: str, home: Path) -> None:
    """Not a byte of it lies in the home afterwards, and the page says nothing of its name."""
    before = {path for path in home.rglob("*") if path.is_file()}
    answer = send(address, "/tag", CAT, own_tags="<script>alert(1)</script>, fine")
    assert answer.status_code == 200
    assert "with Ann" not in answer.text
    assert "<script>alert" not in answer.text
    after = {path for path in home.rglob("*") if path.is_file()}
    assert {path for path in after - before if "mlflow" not in path.name} == set()
    assert not [path for path in after if CAT[200:400] in path.read_bytes()]


@pytest.mark.req("R-IMP-6")
def test_where_photos_are_not_taken_there_is_no_box(address: str) -> None:
    page = BeautifulSoup(requests.get(address, timeout=30).text, "lxml")
    assert page.select("[name=consent]") == []
    assert page.select("input[type=checkbox][checked]") == []


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/why", {"tag": "cat"}, 200),
        ("/why", {"tag": "submarine"}, 422),
        ("/views", {}, 200),
        ("/tag", {"view": "upside down"}, 422),
    ],
)
def test_what_is_asked_for_must_exist(
    address: str, path: str, fields: dict[str, str], status: int
) -> None:
    assert send(address, path, CAT, **fields).status_code == status


@pytest.mark.parametrize("path", ["/why", "/views"])
@pytest.mark.parametrize("photos", [[], [CAT, CAT]], ids=["none", "two"])
def test_behind_one_answer_is_one_photo(address: str, path: str, photos: list[bytes]) -> None:
    assert send(address, path, *photos, tag="cat").status_code == 422


def test_the_page_holds_neither_scripts_nor_styles(address: str) -> None:
    """The content security policy would not run them."""
    page = BeautifulSoup(send(address, "/tag", CAT, compare="yes").text, "lxml")
    assert [tag for tag in page.find_all("script") if tag.get_text(strip=True)] == []
    assert page.find_all("style") == []
    assert page.find_all(style=True) == []
    assert [tag for tag in page.find_all(True) for name in tag.attrs if name[:2] == "on"] == []


@pytest.mark.parametrize(
    ("fields", "choices"),
    [
        ({}, Choices()),
        ({"view": "whole", "least": "likely"}, Choices(view="whole", least="likely")),
        ({"least": "surely"}, Choices()),
        ({"number": "-1", "count": "many"}, Choices()),
        ({"number": "inf", "count": "1e9"}, Choices()),
        ({"own_tags": "a b, #c"}, Choices(own_tags=("AB", "C"))),
        ({"compare": "yes", "why": "1"}, Choices(compare=True)),
    ],
)
def test_fields_that_make_no_sense_count_as_left_out(
    fields: dict[str, str], choices: Choices
) -> None:
    assert read_choices(fields) == choices


@pytest.mark.parametrize("view", ["", "Centre", "centre "])
def test_an_unknown_way_of_looking_is_refused(view: View) -> None:
    with pytest.raises(Refusal, match="does not exist"):
        read_choices({"view": view})
