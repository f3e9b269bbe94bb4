"""The classifier that a backbone was published with, for tags without any training.

What belongs here: reading it from the file of weights, and ImageNet's names of its outputs. What
does not: the network below it, whose features are embedded already: what REDS calls an embedding
is exactly what this classifier takes. Many files hold no classifier, which is then said.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.published import published_network
from reds_pipeline.embedding.tiny import TINY
from reds_pipeline.embedding.weights import fetched_file, local_weights
from reds_pipeline.errors import RedsError


class NoImagenetHead(RedsError):
    """A backbone has no classifier for ImageNet here; the sentence says why."""


@dataclass(frozen=True, eq=False)
class ImagenetHead:
    """A published linear classifier.

    Attributes:
        weights: float32 (c, d).
        bias: float32 (c,).
        names: ImageNet's names of the c outputs, such as ``n02123045``.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    names: tuple[str, ...]


def read_imagenet_head(name: str, weights_dir: Path | None, notes_dir: Path) -> ImagenetHead:
    """Read a backbone's own classifier from its weights on this machine; nothing is fetched.

    Args:
        name: ``"tiny"`` or a name timm knows.
        weights_dir: As in ``EncoderSpec``.
        notes_dir: Where it is noted what timm knows of the network, ``Home.embeddings``.

    Raises:
        NoImagenetHead: There is none, or none whose outputs are ImageNet's classes.
    """
    if name == TINY:
        raise NoImagenetHead("The encoder tiny has learnt nothing, so it has no ImageNet head.")
    from safetensors import safe_open

    published = published_network(name, notes_dir)
    if published.classifier is None:
        raise NoImagenetHead(f"timm names no one head of the published network {name}.")
    file = local_weights(name, weights_dir) or fetched_file(published.file)
    if not published.classes:
        raise NoImagenetHead(f"The published network {name} has no head for ImageNet.")
    if file is None:
        raise NoImagenetHead(f"No file of weights for {name} is here to read its head from.")
    with safe_open(str(file.path), framework="np") as opened:
        held = set(opened.keys())
        wanted = [f"{published.classifier}.{part}" for part in ("weight", "bias")]
        if not held.issuperset(wanted):
            raise NoImagenetHead(f"The file of weights for {name} is without its ImageNet head.")
        weights, bias = (opened.get_tensor(key).astype(np.float32) for key in wanted)
    if weights.ndim != 2 or len(weights) != published.outputs:
        raise NoImagenetHead(f"The head in the file of weights for {name} is not ImageNet's.")
    return ImagenetHead(weights, bias, published.classes)
