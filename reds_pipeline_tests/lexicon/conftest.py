"""What the tests of the lexicon share: the dictionary, loaded once, and drawn samples of posts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from reds_pipeline.lexicon.wordnet import load_wordnet

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@pytest.fixture(scope="session")
def wordnet() -> WordNetCorpusReader:
    return load_wordnet()


def posts(tag_lists: Iterable[Sequence[str]], authors: int = 1000) -> list[dict[str, Any]]:
    """Rows of the posts table with these tags, by that many authors in turn."""
    return [
        {
            "post_key": f"post{number}",
            "author_key": f"author{number % authors}",
            "status": "kept",
            "tags": list(tags),
        }
        for number, tags in enumerate(tag_lists)
    ]
