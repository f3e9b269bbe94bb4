"""Tags as people type them into one field.

What belongs here: telling them apart, and what is no tag. What does not: which of them a model
knows (``events.py``).
"""

from __future__ import annotations

import re

from reds_pipeline.tagging.hashtag_form import as_hashtag, tag_key

MOST_TAGS = 30
LONGEST_TAG = 100
"""Characters; longer ones are cut, as a field of that length would."""

_SEPARATORS = re.compile(r"[,;#\r\n\uff0c\u3001\uff1b]+")
# Handles and addresses name people and places, which is not what a photo shows.
_NO_TAG = re.compile(r"@|://|\bwww\.", re.IGNORECASE)


def typed_tags(text: str) -> tuple[str, ...]:
    """Return the tags in what somebody typed, as hashtags without ``#``.

    Commas, semicolons, new lines and ``#`` separate tags, spaces only their words:
    ``golden retriever, beach`` is ``GoldenRetriever`` and ``Beach``. What holds an ``@`` or an
    address of the web is left out, and so is whatever comes after the first 30.

    Args:
        text: As typed.

    Returns:
        In their order, none twice by ``tag_key``.
    """
    found: dict[str, str] = {}
    for piece in _SEPARATORS.split(text):
        if _NO_TAG.search(piece):
            continue
        hashtag = as_hashtag(piece[:LONGEST_TAG])
        if key := tag_key(hashtag):
            found.setdefault(key, hashtag)
        if len(found) == MOST_TAGS:
            break
    return tuple(found.values())
