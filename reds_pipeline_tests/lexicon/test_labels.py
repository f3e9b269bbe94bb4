from __future__ import annotations

import pytest

from reds_pipeline.lexicon.labels import classes_of_posts
from reds_pipeline.lexicon.wordnet import load_wordnet


@pytest.mark.req("R-SCR-6")
@pytest.mark.parametrize(
    ("tags", "named"),
    [
        (["cats"], ["cat"]),
        (["CatsOfPixelfed", "photo"], ["cat"]),
        (["CatsAndDogs"], ["cat", "dog"]),
        (["Cat", "dogs"], ["cat", "dog"]),
        (["catalogue", "doghouse"], []),
        ([], []),
        (None, []),
    ],
    ids=str,
)
def test_lemmas_decide_which_classes_a_post_names(tags: list[str] | None, named: list[str]) -> None:
    rows = [{"post_key": "p", "tags": tags}]
    assert classes_of_posts(rows, ["cat", "dog", "bird"], load_wordnet()) == {"p": set(named)}


def test_rows_of_one_post_are_taken_together() -> None:
    rows = [{"post_key": "p", "tags": ["cat"]}, {"post_key": "p", "tags": ["dog"]}]
    assert classes_of_posts(rows, ["cat", "dog"], load_wordnet()) == {"p": {"cat", "dog"}}
