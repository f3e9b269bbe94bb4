"""One HTTP answer and the parts of it that can be read without knowing what was asked.

What belongs here: media type, JSON, text, and the signs of a bot check. What does not: what an
answer means for whoever asked (``failures.py``).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Markup and scripts of the usual bot checks; no caption of a post contains these.
_CHALLENGE_MARKUP = (
    b"<title>just a moment",
    b"<title>attention required! | cloudflare",
    b"<title>ddos-guard",
    b"<title>making sure you",
    b"challenge-platform",
    b"cf-challenge",
    b"cf-chl-",
    b"anubis_challenge",
    b"/.within.website/",
)
# Words that suffice where data was asked for and a page came.
_CHALLENGE_WORDS = (
    b"just a moment",
    b"captcha",
    b"anubis",
    b"checking your browser",
    b"verify you are human",
)
_LOOKED_AT_BYTES = 20_000
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, reduced to what is needed to judge it.

    Attributes:
        status: HTTP status code.
        headers: Header fields, looked up in any letter case.
        body: The decoded body, bounded in size by whoever read it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def says_json(self) -> bool:
        """Whether the host declares the body to be JSON."""
        return self.media_type == "application/json" or self.media_type.endswith("+json")

    @property
    def is_text(self) -> bool:
        """Whether the host declares the body to be text of any kind, or declares nothing."""
        kind = self.media_type
        return not kind or kind.startswith("text/") or kind.endswith("xml") or self.says_json

    @property
    def text(self) -> str:
        """The body as text in the encoding that the host declares, UTF-8 where it does not."""
        declared = _CHARSET.search(self.headers.get("Content-Type", ""))
        try:
            encoding = codecs.lookup(declared.group(1) if declared else "utf-8").name
            return self.body.decode(encoding, "replace")
        except (LookupError, ValueError):
            return self.body.decode("utf-8", "replace")

    @property
    def is_challenge(self) -> bool:
        """Whether this is certainly a bot check."""
        if self.headers.get("CF-Mitigated", "").strip().lower() == "challenge":
            return True
        return self._is_page_with(_CHALLENGE_MARKUP)

    @property
    def may_be_challenge(self) -> bool:
        """Whether this looks like a bot check, given that no page was asked for or none was had."""
        return self._is_page_with(_CHALLENGE_WORDS)

    def json(self) -> Any:
        """Return the parsed body, or None where it is not JSON."""
        if not self.says_json:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def _is_page_with(self, marks: tuple[bytes, ...]) -> bool:
        if self.media_type != "text/html":
            return False
        start = self.body[:_LOOKED_AT_BYTES].lower()
        return any(mark in start for mark in marks)
