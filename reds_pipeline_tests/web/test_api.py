"""Programs get tags for photos, a refusal that both they and people understand, and no more."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from reds_pipeline.web.api_models import TagsAnswer
from reds_pipeline_tests.tagging.served_home import drawn_photo
from reds_pipeline_tests.web.tagging_site import SECONDS, tag


@pytest.mark.req("R-PRD-2")
@pytest.mark.parametrize("name", ["cat", "dog", "bird"])
def test_a_photo_gets_the_tags_of_what_it_shows(tagging_address: str, name: str) -> None:
    answer = tag(tagging_address, drawn_photo(name, 1))
    assert answer.status_code == 200
    tags = TagsAnswer.model_validate(answer.json())
    first = tags.suggestions[0]
    assert (first.tag, first.rank, first.likelihood) == (name, 1, "likely")
    assert tags.is_sure
    assert {model.kind for model in tags.models} == {"classes", "tags"}
    assert tags.answer


@pytest.mark.parametrize("media_type", ["image/jpeg", "application/octet-stream", "text/plain", ""])
def test_the_bare_file_will_do_whatever_it_is_called(tagging_address: str, media_type: str) -> None:
    """Some browsers call a HEIC photo application/octet-stream: bytes are believed, names not."""
    photo = drawn_photo("dog", 2)
    bare = requests.post(
        f"{tagging_address}/api/v1/tags",
        data=photo,
        headers={"Content-Type": media_type},
        timeout=SECONDS,
    )
    in_form = tag(tagging_address, photo)
    assert bare.json()["suggestions"] == in_form.json()["suggestions"]


@pytest.mark.req("R-IMP-1")
def test_a_threshold_leaves_out_what_is_not_likely_enough(tagging_address: str) -> None:
    photo = drawn_photo("cat", 3)
    every = tag(tagging_address, photo).json()["suggestions"]
    chances = [suggestion["probability"] for suggestion in every]
    cut = chances[1]
    some = tag(tagging_address, photo, threshold=cut).json()["suggestions"]
    assert some == [suggestion for suggestion in every if suggestion["probability"] >= cut]
    assert 0 < len(some) < len(every)


@pytest.mark.req("R-IMP-3")
def test_the_ways_of_looking_are_compared_when_asked(tagging_address: str) -> None:
    photo = drawn_photo("cat", 4, size=(640, 200))
    answer = tag(tagging_address, photo, view="windows", compare="true").json()
    assert [opinion["view"] for opinion in answer["opinions"]] == ["centre", "whole", "windows"]
    assert answer["view"] == "windows"
    assert 0 <= answer["agreement"] <= 1
    assert (answer["width"], answer["height"]) == (640, 200)
    assert tag(tagging_address, photo).json()["opinions"] == []


BAD_REQUESTS = [
    pytest.param({"data": b""}, 422, "empty", id="nothing"),
    pytest.param({"data": b"<html>"}, 415, "not_an_image", id="no picture"),
    pytest.param({"data": b"BM" + bytes(100)}, 415, "unsupported_format", id="a BMP"),
    pytest.param({"data": drawn_photo("cat", 1)[:-200]}, 422, "truncated", id="cut off"),
    pytest.param({"params": {"view": "sideways"}}, 422, "not_understood", id="no such view"),
    pytest.param({"params": {"threshold": "2"}}, 422, "not_understood", id="no such chance"),
    pytest.param({"params": {"made_up": "1"}}, 422, "not_understood", id="no such choice"),
    pytest.param({"files": {}, "data": {"photo": "x"}}, 415, "not_an_image", id="a text form"),
    pytest.param(
        {"files": [("photo", ("a", b"1")), ("photo", ("b", b"2"))]},
        422,
        "not_one_photo",
        id="two photos",
    ),
    pytest.param({"files": {"photo": (None, "x")}}, 422, "not_one_photo", id="a field, no file"),
    pytest.param(
        {"data": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        400,
        "broken_form",
        id="no boundary",
    ),
    pytest.param(
        {
            "data": b"nonsense",
            "headers": {"Content-Type": "multipart/form-data; boundary=b"},
        },
        400,
        "broken_form",
        id="nonsense for a form",
    ),
]


@pytest.mark.req("R-PRD-5")
@pytest.mark.parametrize(("request_parts", "status", "reason"), BAD_REQUESTS)
def test_every_bad_request_gets_one_sentence_and_a_reason(
    tagging_address: str, request_parts: dict[str, Any], status: int, reason: str
) -> None:
    # Also browsers that came here by a form of somebody's get what programs get.
    parts: dict[str, Any] = {"headers": {"Accept": "text/html"}, **request_parts}
    answer = requests.post(f"{tagging_address}/api/v1/tags", timeout=SECONDS, **parts)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert list(answer.json()) == ["sentence", "reason"]
    sentence = answer.json()["sentence"]
    assert sentence.endswith(".")
    assert "made_up" not in sentence, "what somebody sent is not said back to them"


def test_names_of_files_appear_nowhere(tagging_address: str) -> None:
    assert "somebody" not in tag(tagging_address, drawn_photo("cat", 1)).text
    assert "somebody" not in tag(tagging_address, b"no photo").text


def test_without_a_model_programs_are_told_to_come_back(unready_address: str) -> None:
    answer = tag(unready_address, drawn_photo("cat", 1))
    assert (answer.status_code, answer.json()["reason"]) == (503, "no_model")
    assert int(answer.headers["Retry-After"]) > 0


def test_programs_learn_which_models_serve_and_what_they_may_ask(
    tagging_address: str, unready_address: str
) -> None:
    state = requests.get(f"{tagging_address}/api/v1/model", timeout=SECONDS).json()
    assert state["is_ready"]
    assert state["problem"] == ""
    assert [model["name"] for model in state["models"]] == ["reds-tagger", "reds-hashtags"]
    assert state["limits"]["photo_bytes"] == 20_000_000
    assert not requests.get(f"{unready_address}/api/v1/model", timeout=SECONDS).json()["is_ready"]


def test_the_description_is_complete(tagging_address: str) -> None:
    document = requests.get(f"{tagging_address}/api/v1/openapi.json", timeout=SECONDS).json()
    operation = document["paths"]["/api/v1/tags"]["post"]
    assert {"multipart/form-data", "image/jpeg"} <= set(operation["requestBody"]["content"])
    responses = operation["responses"]
    assert {"200", "400", "408", "413", "415", "422", "429", "503"} <= set(responses)
    for status in ("413", "415", "422", "429", "503"):
        [content] = responses[status]["content"].values()
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "Retry-After" in responses["429"]["headers"]
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    schemas = document["components"]["schemas"]
    assert "HTTPValidationError" not in schemas, "a 422 never has FastAPI's own form"
    for name in ("TagsAnswer", "TagAnswer", "ModelAnswer", "Problem"):
        assert all("description" in field for field in schemas[name]["properties"].values()), name
