"""The configured backbones as rows of a table.

What belongs here: which facts about a backbone are shown, in which words, and where its weights
would come from. What does not: finding the facts (``embedding.architecture``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reds_pipeline.embedding.architecture import NOT_STATED, BackboneDescription
from reds_pipeline.embedding.architecture_notes import known_backbone
from reds_pipeline.embedding.published import published_network
from reds_pipeline.embedding.tiny import TINY
from reds_pipeline.embedding.weights import fetched_file, local_weights
from reds_pipeline.storage.home import Home


def backbone_rows(home: Home, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row a backbone for people to compare.

    Raises:
        RedsError: timm does not know a name.
    """
    return [_row(known_backbone(name, home.embeddings)) for name in names]


def backbone_facts(
    home: Home, names: Sequence[str], weights_dir: Path | None
) -> list[dict[str, Any]]:
    """Return everything known of each backbone, for programs.

    Args:
        home: The installation's home, where descriptions are remembered.
        names: Those configured.
        weights_dir: As in ``EncoderSpec``.

    Raises:
        RedsError: timm does not know a name.
    """
    return [
        {
            **asdict(description),
            "layers": description.layers,
            **weights_here(description.name, weights_dir, home.embeddings),
        }
        for description in (known_backbone(name, home.embeddings) for name in names)
    ]


def weights_here(name: str, weights_dir: Path | None, notes_dir: Path) -> dict[str, Any]:
    """Say whether an encoder could be loaded on this machine with no network.

    Returns:
        ``weights_here`` and ``weights``, the place in words.
    """
    if name == TINY:
        return {"weights_here": True, "weights": "needs none"}
    file = local_weights(name, weights_dir)
    if file is None:
        file = fetched_file(published_network(name, notes_dir).file)
    if file is None:
        return {"weights_here": False, "weights": "not on this machine; the hub would be asked"}
    return {"weights_here": True, "weights": file.origin}


def _row(description: BackboneDescription) -> dict[str, Any]:
    return {
        "backbone": description.name,
        "type": description.type,
        "year": description.year or NOT_STATED,
        "parameters": f"{description.parameters:,}",
        "without classifier": f"{description.parameters_without_classifier:,}",
        "layers": description.layers,
        "patches": f"{description.patch_size} pixels" if description.patch_size else "none",
        "input": f"{description.input_size} pixels",
        "embedding": description.embedding_size,
        "licence of the weights": description.licence,
    }
