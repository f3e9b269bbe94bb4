from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.feedback.typed_tags import MOST_TAGS, typed_tags
from reds_pipeline.tagging.hashtag_form import tag_key


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("golden retriever, beach", ("GoldenRetriever", "Beach")),
        ("#dog #beach", ("Dog", "Beach")),
        ("dog\nbeach;sea", ("Dog", "Beach", "Sea")),
        ("猫、海", ("猫", "海")),
        ("dog, DOG, #Dog", ("Dog",)),
        ("  , ;# ", ()),
        ("@mira, mira@pix.example, https://pix.example/mira, www.example, dog", ("Dog",)),
    ],
    ids=["commas", "hashtags", "lines", "other scripts", "twice", "nothing", "handles"],
)
def test_what_people_type_is_taken_apart_as_they_see_it(text: str, tags: tuple[str, ...]) -> None:
    """Handles and addresses name people, and are no tags."""
    assert typed_tags(text) == tags


@given(st.text(max_size=400))
def test_whatever_is_typed_becomes_a_few_different_tags_that_stay_the_same(text: str) -> None:
    tags = typed_tags(text)
    assert len(tags) <= MOST_TAGS
    assert len({tag_key(tag) for tag in tags}) == len(tags)
    assert typed_tags(",".join(tags)) == tags
