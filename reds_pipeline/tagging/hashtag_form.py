"""How a tag is written as a hashtag, and when two spellings are the same tag.

What belongs here: pure functions on one tag. What does not: which tags mean the same
(``lexicon``), or showing them.
"""

from __future__ import annotations

import unicodedata

import regex

# A hashtag holds letters with their marks and digits; everything else ends it. The two joiners are
# invisible, but without them words of Persian or Sinhala are written wrongly.
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\u200c\u200d]+")
_JOINERS = "\u200c\u200d"
# Fillers and variation selectors are letters or marks by category, but nobody sees them.
_INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}--[\u200c\u200d]]", regex.V1)
_WITHOUT_APOSTROPHES = str.maketrans("", "", "'\u2019\u02bc")
_WITHOUT_JOINERS = str.maketrans("", "", _JOINERS)


def as_hashtag(text: str) -> str:
    """Return a tag as a hashtag to be read and read aloud, without ``#``: ``GoldenRetriever``.

    Every word begins with a capital, because a screen reader reads ``GoldenRetriever`` as two
    words and ``goldenretriever`` as none. Capitals that are there stay, so that ``NASA`` and
    ``goldenRetriever`` keep their words. Signs that would end a hashtag separate words. Scripts
    without capitals are only joined.

    Args:
        text: A class, a lemma or what a person typed, with or without ``#``.

    Returns:
        The hashtag; empty when nothing was there that a hashtag may hold.
    """
    return _normal("".join(_capitalised(word) for word in _words(text)))


def tag_key(text: str) -> str:
    """Return what all spellings of a tag have in common: ``goldenretriever``.

    Case, spaces, signs, ``#`` and the width or style of letters make no difference, nearly as on
    Mastodon.

    Args:
        text: As for `as_hashtag`.

    Returns:
        Equal for equal tags; empty when nothing was there that a hashtag may hold.
    """
    joined = _normal("".join(_words(text)).translate(_WITHOUT_JOINERS))
    # Folding may take a composed letter apart, and composing may bring one to be folded.
    return _normal(_normal(joined.casefold()).casefold())


def _words(text: str) -> list[str]:
    visible = _INVISIBLE.sub("", _normal(text).translate(_WITHOUT_APOSTROPHES))
    words = [word.strip(_JOINERS) for word in _WORD.findall(_normal(visible))]
    return [word for word in words if word]


def _capitalised(word: str) -> str:
    """Return a word with a capital, unless that would make another letter of the first one."""
    capital = word[0].upper()
    # The capital of a Turkish dotless i is that of an i.
    is_same = _normal(capital.casefold()) == _normal(word[0].casefold())
    return capital + word[1:] if is_same else word


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
