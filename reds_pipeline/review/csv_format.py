"""Decisions as CSV: one line a decided picture, for spreadsheets and scripts.

What belongs here: this form. What does not: recording what it says.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

from reds_pipeline.errors import RedsError
from reds_pipeline.review.decisions import RecordedDecision
from reds_pipeline.review.imported_decision import ImportedDecision, imported_decision

COLUMNS = ("sha256", "shown_as", "verdict", "label", "decided_at", "origin")
_NEEDED = ("sha256", "verdict")


def write_csv(decisions: Iterable[tuple[str, RecordedDecision]]) -> str:
    """Return decisions as CSV (RFC 4180) with the columns ``COLUMNS``.

    Args:
        decisions: (SHA-256, what was decided).
    """
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for sha256, recorded in decisions:
        decision = recorded.decision
        writer.writerow(
            (
                *(sha256, recorded.shown_as, decision.verdict, decision.label),
                *(recorded.at, recorded.origin),
            )
        )
    return file.getvalue()


def read_csv(text: str) -> list[ImportedDecision]:
    """Read decisions from CSV; a line without a verdict is one that nobody decided.

    Args:
        text: With a header that names at least ``sha256`` and ``verdict``; columns may stand in
            any order, and others are passed over. Commas, semicolons and tabs separate them.

    Raises:
        RedsError: It is not such a file, or a line makes no sense.
    """
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    reader = csv.DictReader(StringIO(text, newline=""), delimiter=separator, restval="")
    try:
        names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        if not set(_NEEDED) <= set(names):
            raise RedsError(
                "The file was not imported because it is neither Label Studio's JSON nor a CSV "
                "file whose first line names the columns sha256 and verdict; nothing was changed."
            )
        reader.fieldnames = names
        return [
            imported_decision(
                row["sha256"], row["verdict"], row.get("label", ""), f"line {reader.line_num}"
            )
            for row in reader
            if row["verdict"].strip()
        ]
    except csv.Error as error:
        raise RedsError(
            f"The file was not imported because line {reader.line_num} is not CSV ({error}); "
            "nothing was changed."
        ) from error
