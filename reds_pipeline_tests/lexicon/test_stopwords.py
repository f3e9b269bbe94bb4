from __future__ import annotations

import pytest

from reds_pipeline.lexicon.stopwords import is_stop_word


@pytest.mark.req("R-TAG-3")
@pytest.mark.parametrize("word", ["the", "of", "my", "and", "i", "a", "is", "dont", "im", "won"])
def test_drops_words_without_meaning(word: str) -> None:
    assert is_stop_word(word)


@pytest.mark.req("R-TAG-3")
@pytest.mark.parametrize(
    "word",
    ["fire", "bill", "system", "mill", "face", "mug", "ring", "world", "shell", "shed", "well"],
)
def test_words_that_name_things_survive(word: str) -> None:
    assert not is_stop_word(word)
