"""Decisions as Label Studio's JSON, so that a class can be reviewed there and come back.

What belongs here: tasks, predictions and annotations in that form, and the labelling
configuration that goes with them. What does not: recording what they say. The form is the one
of Label Studio's documentation ("Import pre-annotated data", "Export annotations: JSON").

What a model guessed is a prediction and what a person chose is an annotation, never the other
way round; Label Studio itself leaves ``origin: prediction`` on choices that a person changed
(its issue 4046), so on the way back it is not asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from reds_pipeline.errors import RedsError
from reds_pipeline.review.decisions import DISCARD, KEEP, LABEL, RecordedDecision
from reds_pipeline.review.gallery import GalleryPicture
from reds_pipeline.review.imported_decision import ImportedDecision, imported_decision

DISCARD_CHOICE = "(discard)"
"""The choice that stands for discarding; no class name begins with a bracket."""

_CONTROL = "label"
_OBJECT = "image"
_MODEL = "reds"


def labelling_configuration(classes: Iterable[str]) -> str:
    """Return the project configuration (XML) in which exported tasks can be worked on."""
    choices = "".join(f"<Choice value={quoteattr(name)}/>" for name in (*classes, DISCARD_CHOICE))
    return (
        f'<View><Image name="{_OBJECT}" value="$image"/><Text name="why" value="$why"/>'
        f'<Choices name="{_CONTROL}" toName="{_OBJECT}" choice="single">{choices}</Choices></View>'
    )


def write_label_studio(
    pictures: Sequence[GalleryPicture], decisions: Mapping[str, RecordedDecision]
) -> str:
    """Return all pictures as tasks: our guesses as predictions, decisions as annotations.

    Args:
        pictures: What is in the gallery.
        decisions: By SHA-256.

    Returns:
        JSON. ``data.image`` is the address that Label Studio's local storage gives to a file
        when its document root is the home. The storage itself is the directory ``images`` there:
        Label Studio refuses one that equals the document root.
    """
    tasks = [_task(picture, decisions.get(picture.sha256)) for picture in pictures]
    return json.dumps(tasks, ensure_ascii=False)


def read_label_studio(text: str) -> list[ImportedDecision]:
    """Read the annotations of a Label Studio export (``JSON``); of several the latest counts.

    Args:
        text: A list of tasks that came from ``write_label_studio``.

    Raises:
        RedsError: It is not such a file, or a task makes no sense.
    """
    try:
        tasks = json.loads(text)
    except (ValueError, RecursionError) as error:
        # Nesting without an end is not JSON's own error.
        raise RedsError(
            f"The file was not imported because it is not JSON ({error}); nothing was changed."
        ) from error
    if not isinstance(tasks, list):
        raise _not_tasks()
    found = (_decision(task, f"task {number}") for number, task in enumerate(tasks, 1))
    return [decision for decision in found if decision is not None]


def _task(picture: GalleryPicture, recorded: RecordedDecision | None) -> dict[str, Any]:
    sha256 = picture.sha256
    path = f"images/{sha256[:2]}/{sha256[2:4]}/{sha256}.{picture.extension}"
    task: dict[str, Any] = {
        "data": {
            "image": f"/data/local-files/?d={path}",
            "sha256": sha256,
            "shown_as": recorded.shown_as if recorded is not None else picture.class_name,
            "why": picture.why,
        },
        "predictions": [],
        "annotations": [],
    }
    guess = picture.guess or picture.class_name
    score = picture.guess_probability if picture.guess else picture.class_probability
    if score is not None:
        prediction = {"model_version": _MODEL, "score": score, "result": [_choice(guess)]}
        task["predictions"].append(prediction)
    if recorded is not None:
        decision = recorded.decision
        choice = DISCARD_CHOICE if decision.verdict == DISCARD else decision.label
        task["annotations"].append(
            {
                "result": [{**_choice(choice), "origin": "manual"}],
                "created_at": recorded.at,
                "was_cancelled": False,
            }
        )
        task["meta"] = {"origin": recorded.origin, "verdict": decision.verdict}
    return task


def _choice(name: str) -> dict[str, Any]:
    return {
        "id": _CONTROL,
        "from_name": _CONTROL,
        "to_name": _OBJECT,
        "type": "choices",
        "value": {"choices": [name]},
    }


def _decision(task: Any, place: str) -> ImportedDecision | None:
    """Return what the latest annotation of a task says; None if it has none."""
    try:
        data, annotations = task["data"], task.get("annotations") or []
        sha256, shown_as = str(data["sha256"]), str(data.get("shown_as") or "")
        submitted = [each for each in annotations if not each.get("was_cancelled")]
        if not submitted:
            return None
        latest = max(submitted, key=_changed_at)
        choices = [
            name
            for result in latest["result"]
            if result["type"] == "choices" and result["from_name"] == _CONTROL
            for name in result["value"]["choices"]
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise _not_tasks() from error
    if not choices:
        return None
    if len(choices) > 1:
        raise RedsError(
            f"The file was not imported because {place} has more than one choice; nothing was "
            "changed."
        )
    choice = str(choices[0])
    if choice == DISCARD_CHOICE:
        return imported_decision(sha256, DISCARD, "", place)
    verdict = KEEP if choice == shown_as else LABEL
    return imported_decision(sha256, verdict, choice, place)


def _changed_at(annotation: Mapping[str, Any]) -> str:
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")


def _not_tasks() -> RedsError:
    return RedsError(
        "The file was not imported because it is not a list of Label Studio tasks that REDS "
        "exported; export from Label Studio as JSON (not JSON-MIN), nothing was changed."
    )
