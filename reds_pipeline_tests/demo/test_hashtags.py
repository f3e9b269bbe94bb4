from __future__ import annotations

import unicodedata
from random import Random

import pytest

from reds_pipeline.demo.hashtags import class_spellings, full_width, plural


@pytest.mark.parametrize(
    ("word", "several"),
    [
        ("cat", "cats"),
        ("bus", "buses"),
        ("fox", "foxes"),
        ("fly", "flies"),
        ("toy", "toys"),
        ("church", "churches"),
    ],
)
def test_plural_is_the_regular_english_one(word: str, several: str) -> None:
    assert plural(word) == several


def test_a_class_is_spelt_in_every_variant_but_looked_up_by_three() -> None:
    chance = Random(1)
    spellings = {tag for _ in range(300) for tag in class_spellings("flower", chance)}
    assert spellings == {"flower", "Flower", "flowers", "Flowers", "FlowersOfPixelfed"}
    assert len({tag.casefold() for tag in spellings}) == 3


def test_full_width_letters_are_others_until_they_are_normalised() -> None:
    assert full_width("cat") != "cat"
    assert unicodedata.normalize("NFKC", full_width("cat")) == "cat"
