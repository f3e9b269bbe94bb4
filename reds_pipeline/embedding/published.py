"""What timm knows of a network as it was published, remembered so that nobody imports it for that.

What belongs here: where its weights are on the model hub, which classifier they have, and notes
of both beside the embeddings. What does not: the weights themselves (``weights``) and the
classifier (``imagenet_head``). A note is trusted only under the version of timm, and of our own
rule, that it was made with.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reds_pipeline.embedding.identity import file_safe
from reds_pipeline.embedding.weights import published_file
from reds_pipeline.storage.atomic import write_text

NOTE_NAME = "published_as_{name}.json"
RULE = 1
"""Counted up when something else is noted of the same network."""


@dataclass(frozen=True)
class PublishedNetwork:
    """A network as timm lists it.

    Attributes:
        file: Repository and file name of its weights on the model hub; None where it publishes
            none that is safe to open.
        classifier: Name of its one classifier's layer, or None.
        outputs: How many classes that tells apart.
        classes: Their names where they are ImageNet's, such as ``n02123045``; else none.
    """

    file: tuple[str, str] | None
    classifier: str | None
    outputs: int
    classes: tuple[str, ...]


def published_network(name: str, notes_dir: Path) -> PublishedNetwork:
    """Return what timm knows of a network, from its note if that still holds.

    Args:
        name: Any name; one that timm does not know was never published.
        notes_dir: Where notes are kept, ``Home.embeddings``.
    """
    path = notes_dir / NOTE_NAME.format(name=file_safe(name))
    made_with = {"rule": RULE, "timm": version("timm"), "name": name}
    note = _read(path)
    if note.get("made_with") == made_with:
        return _network(note["network"])
    network = _ask_timm(name)
    write_text(path, json.dumps({"made_with": made_with, "network": asdict(network)}))
    return network


def _ask_timm(name: str) -> PublishedNetwork:
    import timm
    from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

    config = timm.models.get_pretrained_cfg(name)
    if config is None:
        return PublishedNetwork(None, None, 0, ())
    subset = infer_imagenet_subset({"num_classes": config.num_classes})
    return PublishedNetwork(
        file=published_file(name),
        # Distilled networks name several.
        classifier=config.classifier if isinstance(config.classifier, str) else None,
        outputs=config.num_classes,
        classes=tuple(ImageNetInfo(subset).label_names()) if subset is not None else (),
    )


def _network(values: dict[str, Any]) -> PublishedNetwork:
    # JSON has lists only.
    file = tuple(values["file"]) if values["file"] else None
    return PublishedNetwork(**{**values, "file": file, "classes": tuple(values["classes"])})


def _read(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}
