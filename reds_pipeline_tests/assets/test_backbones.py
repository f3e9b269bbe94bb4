"""Backbones, near classes and domain shift as Dagster shows them."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline.assets.backbones import backbones, domain_shift_asset, near_classes_asset
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.tables import TRAININGS, read_rows
from reds_pipeline_tests import predicted_home
from reds_pipeline_tests.embedding.networks import SMALL_NETWORK

NAMES = ("tiny", SMALL_NETWORK)
LARGEST_PICTURE = 100_000


def materialised(platform: Platform, *candidates: str) -> dict[str, dict[str, str]]:
    """Return the metadata of the three assets as texts."""
    result = dg.materialize(
        [backbones, near_classes_asset(NAMES), domain_shift_asset(NAMES)],
        resources={"platform": platform},
        run_config={"ops": {"near_classes": {"config": {"candidates": list(candidates)}}}},
        raise_on_error=False,
    )
    if not result.success:
        [failure, *_] = result.get_step_failure_events()
        assert failure.step_failure_data.user_failure_data is not None
        raise AssertionError(failure.step_failure_data.user_failure_data.description)
    return {
        event.materialization.asset_key.to_user_string(): {
            name: str(value.value) for name, value in event.materialization.metadata.items()
        }
        for event in result.all_events
        if event.is_step_materialization
    }


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    home = tmp_path_factory.mktemp("backbones") / "home"
    made = Platform(load_settings(home=home, backbones=NAMES), attended=True)
    predicted_home.fill(made, NAMES)
    return made


@pytest.fixture(scope="module")
def shown(platform: Platform) -> dict[str, dict[str, str]]:
    return materialised(platform)


@pytest.mark.req("R-EXP-11")
def test_the_table_of_backbones_says_what_they_are(shown: dict[str, dict[str, str]]) -> None:
    table = shown["backbones"]["backbones"]
    assert "| tiny | histograms | not stated | 0 | 0 | none |" in table
    assert "52 convolutions, 1 fully connected layer" in table


@pytest.mark.req("R-CLS-13")
@pytest.mark.req("R-EXP-12")
def test_the_near_classes_are_told_from_pictures_no_head_had_seen(
    shown: dict[str, dict[str, str]], platform: Platform
) -> None:
    """The five pictures of each class in the test are not counted: 110 of 120 are left."""
    told = shown["near_classes"]
    assert told["before release"].startswith("cat and dog are confused most: 4 of 110 pictures")
    assert told["backbone"] == "tiny"
    assert "| cat / dog | 4 of 110 |" in told["most confused pairs"]
    assert len(told["near classes"]) < LARGEST_PICTURE
    [row] = read_rows(platform.home.table("trainings", "tiny"), TRAININGS)
    metrics = platform.tracking.metrics(row["run_id"])
    assert metrics["near_classes/most_confused"] == pytest.approx(4 / 110)
    assert metrics["near_classes/nearest_in_meaning"] == pytest.approx(4 / 110)


@pytest.mark.req("R-IMP-7")
def test_the_next_candidates_and_those_asked_for_are_judged(
    shown: dict[str, dict[str, str]], platform: Platform
) -> None:
    likely = shown["near_classes"]["if it became a class"]
    assert "fox would be nearest to dog (0.929)" in likely
    assert "love" not in likely, "a feeling is refused for its meaning, whatever it is near"
    asked = materialised(platform, "wolf")["near_classes"]["if it became a class"]
    assert "wolf would be nearest to dog" in asked
    assert "fox" not in asked
    with pytest.raises(AssertionError, match=r"^WordNet knows no noun qwxz, .* another word\.$"):
        materialised(platform, "qwxz")


@pytest.mark.req("R-IMP-8")
def test_the_domain_shift_is_told_drawn_and_logged(
    shown: dict[str, dict[str, str]], platform: Platform
) -> None:
    told = shown["domain_shift"]
    assert "- tiny: Neighbours alone, nothing fitted, answer " in told["in words"]
    assert "the linear SVM 0.976" in told["in words"], "161 of 165"
    assert "| tiny | linear SVM | 0.976 | 0.939 to 0.991 | 165 |" in told["answers"]
    assert "has learnt nothing, so it has no ImageNet head" in told["ImageNet heads"]
    drawn = [text for text in told.values() if "data:image/png" in text]
    assert len(drawn) == 2
    assert all(len(text) < LARGEST_PICTURE for text in drawn)
    [row] = read_rows(platform.home.table("trainings", "tiny"), TRAININGS)
    metrics = platform.tracking.metrics(row["run_id"])
    assert {"domain/nearest_neighbours", "domain/old_against_new_auc"} <= set(metrics)


def test_nothing_is_measured_again_until_a_head_is_trained_anew(
    shown: dict[str, dict[str, str]], platform: Platform
) -> None:
    assert shown["domain_shift"]["measured"] == "now"
    again = materialised(platform)
    assert again["domain_shift"]["measured"] == "before; nothing has changed since"
    assert again["domain_shift"]["answers"] == shown["domain_shift"]["answers"]
    predicted_home.fill(platform, NAMES, cats_taken_for_dogs=7)
    anew = materialised(platform)
    assert anew["domain_shift"]["measured"] == anew["near_classes"]["measured"] == "now"
    assert "7 of 110 pictures" in anew["near_classes"]["before release"]


def test_no_picture_can_be_told_from_a_kept_report(
    shown: dict[str, dict[str, str]], platform: Platform
) -> None:
    """A withdrawal need not touch them: they hold numbers about many pictures only."""
    assert shown
    keys = {row["sha256"] for row in read_rows(platform.home.table("curated_dataset"))}
    for path in platform.home.figures.glob("*.json"):
        text = path.read_text()
        assert json.loads(text)
        assert not any(key in text for key in keys)


def test_a_home_without_trained_heads_has_one_sentence(tmp_path: Path) -> None:
    """Also one whose heads were trained before predictions were kept."""
    platform = Platform(load_settings(home=tmp_path, backbones=NAMES), attended=True)
    told = materialised(platform)
    assert told["near_classes"] == {"near classes": "nothing is trained yet"}
    assert told["domain_shift"] == {"domain shift": "nothing is trained yet"}
