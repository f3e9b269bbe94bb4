"""From one hashtag to the lemmas it is made of: the five steps of R-TAG-3, in that order.

What belongs here: pure functions on one tag. What does not: counting over posts
(``trends.py``) and finding the dictionary (``wordnet.py``).

The order is part of the requirement: splitting looks for capitals, so it must come before
lower-casing, and the stop words are words, so they must come after the split. Stop words are
dropped before lemmatising, so a lemma may be a stop word again (``Does`` is one, ``dos`` is
not and becomes ``do``).
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import regex

from reds_pipeline.lexicon.stopwords import is_stop_word

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

# Vowel signs and accents belong to the letter before them: without its marks a Hindi or Thai
# word is another word. Marks after anything else (an emoji's keycap) go with what they mark.
_LETTER_WITH_MARKS = regex.compile(r"\p{L}\p{M}*")
# Joiners, fillers and variation selectors are letters or marks by category, but nobody sees them.
_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_WORD_START = regex.compile(r"(?=\p{Lu}\p{M}*\p{Ll})")


def letters_only(tag: str) -> str:
    """Step 1: the tag without special characters, digits and punctuation (R-TAG-3, 6).

    Letters of every script stay, with their marks. Compatibility forms such as full-width or
    mathematical letters become the plain ones first (NFKC, as Mastodon matches hashtags), so
    that a tag in fancy letters counts with the plain one. The result may be empty.
    """
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFKC", tag))
    return "".join(_LETTER_WITH_MARKS.findall(visible))


def split_hashtag(tag: str) -> list[str]:
    """Steps 1 and 2: cut before an upper-case letter that a lower-case one follows (R-TAG-4, 5).

    ``CatsOfMastodon`` gives Cats, Of, Mastodon; ``NYCPhotography`` gives NYC, Photography;
    ``USA``, ``catsNYC`` and ``caturday`` stay whole. The words keep their case.
    """
    return [word for word in _WORD_START.split(letters_only(tag)) if word]


def lemmatise(word: str, wordnet: WordNetCorpusReader) -> str:
    """Step 5: the noun lemma of a lower-case word, as NLTK's lemmatiser gives it (R-TAG-8).

    The rule is that of ``nltk.stem.WordNetLemmatizer``, which is bound to NLTK's own download
    and therefore cannot be used with Debian's dictionary: of the forms that WordNet's morphology
    finds as nouns the shortest, and an unknown word unchanged. Choosing the shortest has a
    price that comes with the requirement: ``glasses`` is ``glass``, but ``boss`` is ``bos``
    (the genus of cattle).
    """
    # The method is private in name only: NLTK's own lemmatiser calls it on the reader.
    forms = wordnet._morphy(word, "n")
    return min(forms, key=len) if forms else word


def hashtag_lemmas(tag: str, wordnet: WordNetCorpusReader) -> list[str]:
    """All five steps: the lemmas of a hashtag, in its order, repeats kept (R-TAG-3 to 8).

    Args:
        tag: A hashtag in its original case; any text is allowed, a leading ``#`` too.
        wordnet: The reader of ``load_wordnet``.

    Returns:
        Non-empty lower-case lemmas; an empty list when nothing but stop words, digits or signs
        was there.
    """
    words = [word.lower() for word in split_hashtag(tag)]
    return [lemmatise(word, wordnet) for word in words if not is_stop_word(word)]
