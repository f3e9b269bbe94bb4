"""One decision as a file states it, checked.

What belongs here: what all forms of files have in common. What does not: the forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reds_pipeline.errors import RedsError
from reds_pipeline.review.decisions import DISCARD, LABEL, VERDICTS, Decision

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_CLASS_NAME = 100


@dataclass(frozen=True)
class ImportedDecision:
    """A decision about a picture that this home may or may not have.

    Attributes:
        sha256: The picture.
        decision: What was decided; a ``keep`` may lack its label.
    """

    sha256: str
    decision: Decision


def is_class_name(text: str) -> bool:
    """Return whether ``text`` can be the name of a class.

    It begins with a letter or a digit, so that no spreadsheet takes it for a formula.
    """
    return (
        0 < len(text) <= _LONGEST_CLASS_NAME
        and text[0].isalnum()
        and text.isprintable()
        and text == text.strip()
    )


def imported_decision(sha256: str, verdict: str, label: str, place: str) -> ImportedDecision:
    """Return a decision after checking its parts.

    Args:
        sha256: 64 hexadecimal digits.
        verdict: ``keep``, ``discard`` or ``label``.
        label: A class; needed for ``label``, ignored for ``discard``.
        place: Where in the file it stands, such as ``line 3``, for the error.

    Raises:
        RedsError: A part makes no sense.
    """
    sha256 = sha256.strip().lower()
    label = label.strip()
    if not _SHA256.fullmatch(sha256):
        raise RedsError(
            f"The file was not imported because {place} does not name a picture by its 64-digit "
            "SHA-256; nothing was changed."
        )
    for known in VERDICTS:
        if verdict.strip().lower() == known:
            if known == DISCARD:
                return ImportedDecision(sha256, Decision(DISCARD))
            if is_class_name(label) or (known != LABEL and not label):
                return ImportedDecision(sha256, Decision(known, label))
            raise RedsError(
                f"The file was not imported because {place} does not name a class; nothing was "
                "changed."
            )
    raise RedsError(
        f"The file was not imported because the verdict in {place} is none of "
        f"{', '.join(VERDICTS)}; nothing was changed."
    )
