"""Contributed photos in the gallery: rows of the shape that posts' pictures have there.

What belongs here: joining the two tables of contributed photos. What does not: how a picture is
shown (``gallery.py``), and which of them are learnt from (``feedback.curation``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]

WAITS_FOR_REVIEW = "waits_for_review"
CONTRIBUTED_FLAG = "contributed"
"""Among the flags of a photo that somebody gave on the page."""


def contributed_rows(images: Iterable[Row], judged: Iterable[Row]) -> list[dict[str, Any]]:
    """Return contributed photos that have a class, with the last word on each.

    Nothing is known of who gave one: it has no author, description or post.

    Args:
        images: Rows of ``contributed_images``.
        judged: Rows of ``contributed_dataset``; where one is missing, the photo waits.
    """
    verdicts = {row["contribution_id"]: row for row in judged}
    rows = []
    for image in images:
        verdict: Row = verdicts.get(image["contribution_id"], {})
        class_name = verdict.get("class_name") or image["class_name"]
        if class_name:
            reason = image["drop_reason"] or WAITS_FOR_REVIEW
            rows.append(
                {
                    **image,
                    "class_name": class_name,
                    "collected_as": image["class_name"] or class_name,
                    "kept": bool(verdict.get("kept")),
                    "drop_reason": verdict.get("drop_reason", reason),
                    "decision": verdict.get("decision", ""),
                    "flags": [CONTRIBUTED_FLAG, *(image["flags"] or ())],
                    "cluster": image["sha256"],
                    "media_key": image["contribution_id"],
                    **dict.fromkeys(("keeper", "keeper_rule", "author_key", "alt_text"), ""),
                    "tags": (),
                }
            )
    return rows
