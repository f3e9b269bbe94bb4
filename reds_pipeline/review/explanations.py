"""Why a picture is up for review, in one plain sentence.

What belongs here: sentences for reasons and suspicions. What does not: finding them; what a
quality gate says is written beside its threshold (``imaging.quality``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reds_pipeline.imaging.quality import GATES

_DROPPED = {
    "multi_class": "Its post names several of the classes.",
    "exact_duplicate": "The same file is here already.",
    "near_duplicate": "A copy of another picture.",
    "mirrored_duplicate": "A mirrored copy of another picture.",
    "cropped_duplicate": "A part of another picture.",
    "reviewed_out": "It looks like a picture that you discarded.",
    "labelled_otherwise": "You said that it shows something that is not one of the classes.",
    "relabelled": "You moved it to another class.",
    "not_confirmed": "Its host has not shown the post for a while, so it may be gone.",
    "waits_for_review": "Somebody gave it on the page; keep it if it shows this class.",
    "contradicted": "Whoever gave it said both that it shows this class and that it does not.",
    "ties_groups": "A copy of pictures by several people, so that no test would be fair with it.",
    "beyond_share": "The class has enough photos from the page for now.",
    "author_share": "Too much of the class is by the one who posted it.",
    "beyond_target": "The class has enough pictures without it.",
    "class_too_small": "The class has too few pictures, or too few authors, to be learnt.",
}
_OF_GATE = {gate.name: gate.sentence for gate in GATES}
KEEPER_REASONS = {
    "person": "you kept it",
    "size": "larger",
    "age": "older",
    "alt_text": "has a description",
    "name": "equal in all else",
}
"""What to say of the picture that stays, by ``keeper_rule``."""


def why_reviewed(
    *,
    class_name: str,
    drop_reason: str,
    flags: Sequence[str],
    classes_of_copies: Sequence[str],
    suspect: Mapping[str, Any] | None,
    discarded: bool = False,
) -> str:
    """Return why a person should look at a picture; empty for an ordinary one.

    Args:
        class_name: The class it is in now.
        drop_reason: Why it was dropped; empty if it was kept.
        flags: Names of the quality gates that it hit.
        classes_of_copies: Classes that it and its copies are in.
        suspect: Its row of ``label_suspects``, if it has one.
        discarded: Whether the data set was made without it because a person discarded it.
    """
    if discarded:
        return "You discarded it."
    if drop_reason == "other_class_duplicate":
        names = " and ".join(classes_of_copies)
        return f"It and its copies are in {names}; say what it shows."
    if drop_reason:
        return _DROPPED.get(drop_reason) or _quality_sentence(drop_reason)
    if suspect is not None and (sentence := _suspicion(class_name, suspect)):
        return sentence
    return _quality_sentence(flags[0]) if flags else ""


def _suspicion(class_name: str, suspect: Mapping[str, Any]) -> str:
    guess, probability = suspect["guess"], suspect["guess_probability"]
    reason = suspect["reason"] or ("label" if suspect["is_suspect"] else "")
    if reason == "outlier":
        return f"Unlike the other pictures of {class_name}."
    if not reason or not guess or guess == class_name:
        return ""
    certainty = f" ({probability:.0%} sure)" if probability is not None else ""
    if reason == "near_class":
        return f"Between {class_name} and {guess}."
    return f"In {class_name}, but looks like {guess}{certainty}."


def _quality_sentence(name: str) -> str:
    return _OF_GATE.get(name, f"Found to be {name.replace('_', ' ')}.")
