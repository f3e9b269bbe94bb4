"""The report's figures about tags, computed by our own functions on a sample like theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reds_pipeline.lexicon.trends import count_hashtags
from reds_pipeline_tests.lexicon.conftest import posts

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader


@pytest.mark.req("AUD-R17")
def test_the_arithmetic_of_the_tags(wordnet: WordNetCorpusReader) -> None:
    """1,000 posts like theirs: as many tags, and as many of them that hold two words."""
    letters = [f"{first}{second}" for first in "bcdfg" for second in "hjklmnpqrstvwxz"]
    words = [f"zq{one}{other}" for one in letters for other in letters][:2899]
    doubles = [
        f"{one.title()}{other.title()}"
        for one, other in zip(words[:207], words[207:], strict=False)
    ]
    # Each tag at least once, the rest of the 3,300 and of the 1,001 occurrences spread evenly.
    written = words + [words[number % len(words)] for number in range(3300 - len(words))]
    written += [doubles[number % len(doubles)] for number in range(1001)]
    counts = count_hashtags(posts([written[start::1000] for start in range(1000)]), wordnet)
    assert (counts.occurrences, counts.tags_per_post, counts.unique_tags) == (4301, 4.301, 3106)
    assert (counts.tokens, counts.unique_lemmas) == (5302, 2899)
    assert counts.tokens / counts.occurrences == pytest.approx(1.233, abs=5e-4)
    assert counts.unique_tags / counts.occurrences == pytest.approx(0.722, abs=5e-4)
    assert counts.unique_lemmas / counts.tokens == pytest.approx(0.547, abs=5e-4)
