"""``reds demo``, with photographs from a folder (here: drawn ones, as files)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reds_pipeline.demo.demo_home import HUB_BACKBONE
from reds_pipeline.demo.pictures import DrawnPictures
from reds_pipeline_tests.embedding.model_hub import ModelHub
from reds_pipeline_tests.end_to_end.conftest import Reds

CLASSES = ("bird", "car", "cat")
PHOTOS_A_CLASS = 16


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    drawn = DrawnPictures(PHOTOS_A_CLASS)
    for name in CLASSES:
        (folder / name).mkdir()
        for number, picture in enumerate(drawn.clean_pictures(name)):
            (folder / name / f"{number:03}.jpg").write_bytes(drawn.read(picture))
    return folder


@pytest.fixture(scope="module")
def reds(tmp_path_factory: pytest.TempPathFactory) -> Reds:
    home = tmp_path_factory.mktemp("demo") / "home"
    return Reds(home, {"REDS_CLASS_COUNT": "3", "REDS_MIN_IMAGES_PER_CLASS": "10"})


@pytest.fixture(scope="module")
def first(reds: Reds, photos: Path) -> str:
    result = reds("demo", "--photos", str(photos))
    assert "counts colours and edges and has learnt nothing" in result.stderr
    return result.stdout


def test_it_shows_the_funnel_the_accuracy_and_what_to_do_next(first: str, reds: Reds) -> None:
    for text in ("Where the pictures went", "grouped", "Champion: tiny", "Next:", "predict"):
        assert text in first
    for name in CLASSES:
        assert f" {name} " in first


def test_the_next_step_it_names_works(first: str, reds: Reds) -> None:
    [line] = [line for line in first.splitlines() if " predict " in line]
    [answer] = reds.json("predict", line.split()[-1])
    assert answer["top"] in CLASSES


def test_it_can_be_repeated_and_has_nothing_to_do(first: str, reds: Reds, photos: Path) -> None:
    result = reds("demo", "--photos", str(photos), "--json")
    assert result.stderr.splitlines()[-1].startswith("Nothing was new:")
    summary = json.loads(result.stdout)
    assert set(summary["classes"]) == set(CLASSES)
    assert all(funnel["kept"] == PHOTOS_A_CLASS for funnel in summary["funnel"].values())


def test_its_host_can_be_probed_like_a_real_one(first: str, reds: Reds) -> None:
    profile = reds.json("hosts", "probe")
    assert profile["flavour"] == "pixelfed"
    assert {endpoint["verdict"] for endpoint in profile["endpoints"]} >= {"needs_token"}


def test_a_home_holds_one_demonstration_and_no_real_host(first: str, reds: Reds) -> None:
    other = reds("demo", expect=1)
    assert "holds a demonstration with the photographs of" in other.stderr
    real = Reds(reds.home, {"REDS_HOST_URL": "https://pix.example"})
    assert "must not be mixed with" in real("run", expect=1).stderr


def test_a_home_with_real_data_is_not_used_for_a_demonstration(tmp_path: Path) -> None:
    (tmp_path / "home" / "tables").mkdir(parents=True)
    result = Reds(tmp_path / "home", {})("demo", expect=1)
    assert "holds data of a real host" in result.stderr


def test_a_folder_without_photographs_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = Reds(tmp_path / "home", {})("demo", "--photos", str(tmp_path / "empty"), expect=1)
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_hub_that_answers_gives_the_weights(photos: Path, tmp_path: Path) -> None:
    import timm
    from safetensors.torch import save

    configuration = timm.models.get_pretrained_cfg(HUB_BACKBONE)
    assert configuration is not None
    weights = save(timm.create_model(HUB_BACKBONE, pretrained=False).state_dict())
    path = f"/{configuration.hf_hub_id}/resolve/main/model.safetensors"
    with ModelHub(files={path: weights}).running() as hub:
        reds = Reds(
            tmp_path / "home",
            {
                "REDS_CLASS_COUNT": "3",
                "REDS_MIN_IMAGES_PER_CLASS": "10",
                "HF_HUB_OFFLINE": "0",
                "HF_ENDPOINT": hub.url,
                "HF_HOME": str(tmp_path / "hub-cache"),
            },
        )
        result = reds("demo", "--photos", str(photos), "--json")
    assert f"{HUB_BACKBONE} with weights from the model hub" in result.stderr
    backbones = {model["backbone"] for model in json.loads(result.stdout)["models"]}
    assert backbones == {HUB_BACKBONE, "tiny"}
