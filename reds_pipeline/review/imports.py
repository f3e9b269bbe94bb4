"""Decisions that come in files: what is read from them, and telling the two forms apart.

What belongs here: the one function that takes either form. What does not: the forms themselves
(``csv_format.py``, ``label_studio.py``) and recording (``desk.py``).
"""

from __future__ import annotations

from reds_pipeline.errors import RedsError
from reds_pipeline.review.csv_format import read_csv
from reds_pipeline.review.imported_decision import ImportedDecision
from reds_pipeline.review.label_studio import read_label_studio

__all__ = ["ImportedDecision", "read_decision_file", "read_decisions"]


def read_decision_file(data: bytes) -> list[ImportedDecision]:
    """Read decisions from a file; see ``read_decisions``.

    Args:
        data: What is in the file: text in UTF-8.

    Raises:
        RedsError: It cannot be read, or makes no sense; nothing of it is to be used.
    """
    try:
        return read_decisions(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RedsError(
            "The file was not imported because it is not text in UTF-8, which spreadsheets offer "
            "when a table is saved as CSV; nothing was changed."
        ) from error


def read_decisions(text: str) -> list[ImportedDecision]:
    """Read decisions from a file that REDS exported, that Label Studio wrote, or that is a list.

    Args:
        text: Our CSV, or Label Studio's JSON.

    Returns:
        In the order of the file.

    Raises:
        RedsError: It is neither, or a line of it makes no sense; nothing of it is to be used.
    """
    text = text.removeprefix("\N{BYTE ORDER MARK}")
    if text.lstrip().startswith(("[", "{")):
        return read_label_studio(text)
    return read_csv(text)
