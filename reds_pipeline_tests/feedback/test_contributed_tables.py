"""Contributed photos on their way into training, in a real home (R-IMP-6)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline.assets.contributions import contributed_images
from reds_pipeline.dataset.collect_facts import collect_facts
from reds_pipeline.dataset.facts import ContributionFacts
from reds_pipeline.feedback.contributed_tables import (
    contributed_candidates,
    learnt_contributions,
    write_contributed_dataset,
    write_contributed_images,
)
from reds_pipeline.feedback.contributions import remove_contribution
from reds_pipeline.feedback.curation import FeedbackRules
from reds_pipeline.feedback.labels import SUGGESTED, UNPROMPTED
from reds_pipeline.imaging.cleaning import NO_DECISIONS, CleaningRules
from reds_pipeline.imaging.resize import RESIZE_RULE
from reds_pipeline.resources import Platform
from reds_pipeline.review.decisions import LABEL, Decision, DecisionBook
from reds_pipeline.settings import load_settings
from reds_pipeline.stage_inputs import curated_rows, learnable_pictures, learnt_rows
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import (
    CLASS_SELECTION,
    CONTRIBUTED_IMAGES,
    CURATED,
    read_rows,
    write_rows,
)
from reds_pipeline_tests import curated_home
from reds_pipeline_tests.feedback.given_photos import give
from reds_pipeline_tests.imaging.pictures import encoded, scene
from reds_pipeline_tests.tagging.served_home import drawn_photo

pytestmark = pytest.mark.req("R-IMP-6")

UNREVIEWED = FeedbackRules(needs_review=False, share=0.5)


def photo(number: int) -> bytes:
    return drawn_photo("cat", number)


def named(tag: str) -> Collection[str]:
    return {tag} & set(curated_home.CLASSES)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return curated_home.fill(tmp_path / "home")


def write_images(home: Home) -> list[dict[str, object]]:
    return write_contributed_images(home, named, CleaningRules())


def write_dataset(home: Home, decisions: DecisionBook = NO_DECISIONS) -> list[dict[str, object]]:
    curated = read_rows(home.table("curated_dataset"), CURATED)
    return write_contributed_dataset(home, curated, decisions, curated_home.CLASSES, UNREVIEWED)


def test_a_photo_is_described_and_labelled_like_a_collected_one(home: Home) -> None:
    kept = give(home, photo(1), "cat", "accepted")
    give(home, photo(2), "sofa", number=1)
    rows = write_images(home)
    assert [(row["class_name"], row["origin"], row["drop_reason"]) for row in rows] == [
        ("cat", SUGGESTED, ""),
        ("", "", "no_class"),
    ]
    assert rows[0]["perceptual_hash"] == kept.perceptual_hash
    assert rows[0]["scores"]
    assert rows[0]["bytes"] == len(home.images.read(kept.sha256, kept.extension))
    assert home.tensors(RESIZE_RULE).missing([kept.sha256]) == []
    assert read_rows(home.table("contributed_images"), CONTRIBUTED_IMAGES) == rows


def test_a_photo_is_decoded_once(home: Home) -> None:
    """What was found out about it stays in the table."""
    give(home, photo(1))
    rows = write_images(home)
    marked = [row | {"colour_spread": 123.0} for row in rows]
    write_rows(home.table("contributed_images"), marked, CONTRIBUTED_IMAGES)
    assert write_images(home) == marked


def test_a_poor_photo_has_to_pass_the_same_gates(home: Home) -> None:
    give(home, encoded(scene(400, 300, seed=3).convert("L").convert("RGB"), "JPEG"))
    [row] = write_images(home)
    assert row["drop_reason"] == "greyscale"


def test_who_deletes_a_photo_is_not_learnt_from_even_in_the_middle(home: Home) -> None:
    """Here while the photo is being labelled, after everything was read."""
    gone = give(home, photo(1))
    stays = give(home, photo(2), number=1)

    def deleting(tag: str) -> Collection[str]:
        remove_contribution(home, gone.id)
        return named(tag)

    rows = write_contributed_images(home, deleting, CleaningRules())
    # By its row a withdrawal finds the file that is in the store already.
    assert {row["contribution_id"] for row in rows} == {gone.id, stays.id}
    assert [row["contribution_id"] for row in write_dataset(home)] == [stays.id]
    remove_contribution(home, stays.id)
    assert write_dataset(home) == []
    assert learnt_rows(home) == curated_rows(home)


def test_a_home_that_was_given_nothing_gets_no_tables(home: Home) -> None:
    assert write_images(home) == write_dataset(home) == []
    assert not home.table("contributed_images").exists()
    assert not home.table("contributed_dataset").exists()


def test_what_is_learnt_from_stands_beside_the_data_set_of_the_posts(home: Home) -> None:
    """Whoever exports, counts or measures the data set never meets a contributed photo."""
    contributed = give(home, photo(1))
    before = curated_rows(home)
    write_images(home)
    [row] = write_dataset(home)
    assert (row["kept"], row["origin"], row["sample_weight"]) == (True, UNPROMPTED, 1.0)
    assert learnt_contributions(home) == [row]
    assert curated_rows(home) == before
    assert [each["sha256"] for each in learnt_rows(home)][-1] == contributed.sha256


def test_the_card_counts_what_was_given_and_what_is_learnt_from(home: Home) -> None:
    give(home, photo(1), how="accepted")
    give(home, photo(2), "sofa", number=1)
    write_images(home)
    write_dataset(home)
    facts = collect_facts(
        home,
        Ledger(home.default_ledger_url),
        Platform(load_settings(home=home.root)).collection_rules,
    )
    assert facts.contributions == ContributionFacts(
        given=2, learnt={SUGGESTED: 1}, consents=("test",)
    )
    assert facts.pictures == len(curated_rows(home))


def test_backbones_see_every_photo_that_may_be_learnt_from(home: Home) -> None:
    """Those that wait for an operator too, or a crop of a test picture would be found too late."""
    kept = give(home, photo(1))
    unnamed = give(home, photo(2), "sofa", number=1)
    write_images(home)
    assert [row["sha256"] for row in contributed_candidates(home, NO_DECISIONS)] == [kept.sha256]
    book = DecisionBook({unnamed.sha256: Decision(LABEL, "dog")}, str)
    names = {row["sha256"] for row in contributed_candidates(home, book)}
    assert names == {kept.sha256, unnamed.sha256}
    assert names <= {row["sha256"] for row in learnable_pictures(home, book)}


def test_the_asset_takes_in_what_people_gave(tmp_path: Path) -> None:
    """With the dictionary, for which Cats are cat, and without any post."""
    home = Home(tmp_path / "home")
    selection = [{"lemma": "cat", "synset": "cat.n.01", "rank": 1, "accepted": True}]
    write_rows(home.table("class_selection"), selection, CLASS_SELECTION)
    give(home, photo(1), "#Cats")
    platform = Platform(load_settings(home=home.root, backbones=("tiny",)), attended=True)
    result = dg.materialize([contributed_images], resources={"platform": platform})
    assert result.success
    [row] = read_rows(home.table("contributed_images"), CONTRIBUTED_IMAGES)
    assert (row["class_name"], row["kept"]) == ("cat", True)
