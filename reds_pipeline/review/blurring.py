"""Which pictures a reviewer sees blurred until they ask.

What belongs here: the rule. What does not: the blurring, which the page does. Posts marked as
sensitive are never collected, so this is about what slipped through: nobody should meet such a
picture without warning while going through hundreds. A photo that somebody gave on the page and
nobody has looked at yet is always blurred (``gallery.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

HIGHEST_OUTLIER_SCORE = 0.45
"""From here on an outlier (``modeling.outliers``) resembles nothing that the data set is about:
2 of 845 photographs, and 50 % of 20 planted ones of a class that the data set does not have
(MobileNetV2; mean over five classes, 10 % to 85 %)."""

_WORD = re.compile(r"\w+")


@cache
def sensitive_words() -> frozenset[str]:
    """Return the case-folded words of ``data/sensitive_words.txt``."""
    text = (resources.files(__package__) / "data" / "sensitive_words.txt").read_text("utf-8")
    entries = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return frozenset(entry for entry in entries if entry)


def is_sensitive(description: str, tags: Iterable[str]) -> bool:
    """Return whether the words of a post warn of its picture.

    Args:
        description: The picture's alt text; its words are compared whole and case-folded.
        tags: Hashtags without ``#``; each is one word.
    """
    words = {word.casefold() for word in _WORD.findall(description)}
    words |= {tag.casefold() for tag in tags}
    return not sensitive_words().isdisjoint(words)


def starts_blurred(*, sensitive: bool, confirmed: bool, outlier_score: float | None) -> bool:
    """Return whether a picture is shown blurred until asked for.

    Args:
        sensitive: What ``is_sensitive`` says.
        confirmed: Whether its host has shown the post within the agreed days. If not, its author
            may have taken it back.
        outlier_score: Of an outlier, 0 to 1; None for a picture that is none.
    """
    is_unknown = outlier_score is not None and outlier_score >= HIGHEST_OUTLIER_SCORE
    return sensitive or not confirmed or is_unknown
