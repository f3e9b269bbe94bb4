"""How tags are written, and which spellings are the same tag."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.tagging.hashtag_form import as_hashtag, tag_key

_ENDS_A_HASHTAG = regex.compile(r"[^\p{L}\p{M}\p{N}\u200c\u200d]")


@pytest.mark.req("R-PRD-2")
@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("golden retriever", "GoldenRetriever", id="words"),
        pytest.param("#goldenRetriever", "GoldenRetriever", id="camel case"),
        pytest.param("black_and-white", "BlackAndWhite", id="signs between words"),
        pytest.param("NASA", "NASA", id="capitals stay"),
        pytest.param("cats of pixelfed", "CatsOfPixelfed", id="lower case"),
        pytest.param("35mm film", "35mmFilm", id="digits"),
        pytest.param("mother's day", "MothersDay", id="apostrophe"),
        pytest.param("mother\u2019s day", "MothersDay", id="typographic apostrophe"),
        pytest.param("élan vital", "ÉlanVital", id="accents"),
        pytest.param("e\u0301lan", "Élan", id="accent of its own"),
        pytest.param("東京 タワー", "東京タワー", id="no capitals"),
        pytest.param("हिन्दी कविता", "हिन्दीकविता", id="vowel signs"),
        pytest.param("نمی\u200cشد", "نمی\u200cشد", id="joiner within a word"),
        pytest.param("\uff47\uff41\uff54\uff4f", "Gato", id="wide letters"),
        pytest.param("\u0131l\u0131k", "\u0131l\u0131k", id="dotless i has no capital of its own"),
        pytest.param("🌸 flower", "Flower", id="emoji"),
        pytest.param("👩\u200d🔬", "", id="nothing to write"),
        pytest.param("<b>&amp;", "BAmp", id="markup"),
    ],
)
def test_a_tag_is_written_to_be_read_aloud(text: str, written: str) -> None:
    assert as_hashtag(text) == written


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Golden retriever", "goldenRetriever"),
        ("#Golden_Retriever", "GOLDEN-RETRIEVER"),
        ("straße", "STRASSE"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("\uff43\uff41\uff54", "Cat"),
        ("نمی\u200cشد", "نمیشد"),
    ],
    ids=["words", "signs", "sharp s", "final sigma", "wide letters", "joiner"],
)
def test_spellings_of_one_tag_have_one_key(one: str, other: str) -> None:
    assert tag_key(one) == tag_key(other) != ""


@pytest.mark.parametrize(("one", "other"), [("cat", "cats"), ("e", "é"), ("35mm", "mm")])
def test_other_words_have_other_keys(one: str, other: str) -> None:
    assert tag_key(one) != tag_key(other)


@given(st.text(max_size=40))
def test_what_is_written_holds_nothing_that_ends_a_hashtag(text: str) -> None:
    """Neither on the host that it is posted to, nor on a page that shows it."""
    written = as_hashtag(text)
    assert not _ENDS_A_HASHTAG.search(written)
    assert as_hashtag(written) == written


@given(st.text(max_size=40))
def test_writing_a_tag_does_not_make_another_tag_of_it(text: str) -> None:
    assert tag_key(as_hashtag(text)) == tag_key(text)
    assert tag_key(tag_key(text)) == tag_key(text)
    assert bool(tag_key(text)) == bool(as_hashtag(text))
