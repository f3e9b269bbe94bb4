from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reds_pipeline.lexicon.imagenet_kinds import kinds_among

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

# Tabby, Egyptian cat, lynx, tiger, Chihuahua, ambulance, freight car, daisy.
IMAGENET = (
    *("n02123045", "n02124075", "n02127052", "n02129604"),
    *("n02085620", "n02701002", "n03393912", "n11939491"),
)


@pytest.mark.req("R-IMP-8")
def test_kinds_of_the_pinned_sense_are_found(wordnet: WordNetCorpusReader) -> None:
    """A tiger is a big cat, not a cat; a freight car is a railway car, not a motor car."""
    classes = {"cat": "cat.n.01", "dog": "dog.n.01", "car": "car.n.01", "caturday": ""}
    assert kinds_among(classes, IMAGENET, wordnet) == {
        "cat": [0, 1, 2],
        "dog": [4],
        "car": [5],
        "caturday": [],
    }


def test_a_class_of_imagenet_is_a_kind_of_itself(wordnet: WordNetCorpusReader) -> None:
    assert kinds_among({"lynx": "lynx.n.02"}, IMAGENET, wordnet) == {"lynx": [2]}
