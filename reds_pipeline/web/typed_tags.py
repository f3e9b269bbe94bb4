"""Tags that people type.

What belongs here: from one line of text to tags. What does not: how one is written
(``tagging.hashtag_form``); ``static/tag/hashtags.js`` follows the same rule in the browser.
"""

from __future__ import annotations

import regex

from reds_pipeline.tagging.hashtag_form import as_hashtag, tag_key

MOST_TYPED_TAGS = 30
"""More of them is no tagging any more."""

LONGEST_TAG = 100
"""Characters of one hashtag."""

# No space: "golden retriever" is one tag.
_BETWEEN = regex.compile(r"[,;#\n\r\u3001\uff0c\uff03]+")


def typed_tags(text: str) -> tuple[str, ...]:
    """Return the hashtags that somebody typed, without ``#``, none of them twice.

    Args:
        text: Such as ``golden retriever, beach`` or ``#Dog #Sunset``.
    """
    found: dict[str, str] = {}
    for part in _BETWEEN.split(text):
        hashtag = as_hashtag(part)[:LONGEST_TAG]
        if hashtag:
            found.setdefault(tag_key(hashtag), hashtag)
    return tuple(found.values())[:MOST_TYPED_TAGS]
