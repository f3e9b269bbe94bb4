"""Reasons for a tag, from a network's last map of the picture.

What belongs here: cutting a network in front of what turns its map into one vector, and asking
which places of the map the model's own head draws on. What does not: encoders that have no such
map (``occlusion.py``).

The relevance of a place is the sum over the channels of its activation times the channel's mean
gradient (Grad-CAM: Selvaraju et al., ICCV 2017). Gradients of the place itself instead of their
means (HiResCAM: Draelos and Carin, arXiv 2011.08891) are the same numbers where a network averages
its map, as MobileNet and ResNet do, and found a planted object less often in ViTs: the strongest
place lay on it in 4 of 20 pictures against 20 of 20 (timm's ``test_vit`` and ``test_vit3`` with
random weights, 10 drawn pictures each).

A ViT that answers by its class token has no reasons left in the other tokens of its last layer,
so it is cut one block earlier, in front of the last attention.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.tagging.log_odds import log_odds_module

if TYPE_CHECKING:
    import torch

    from reds_pipeline.embedding.timm_backbone import TimmEncoder
    from reds_pipeline.modeling.bundle import ModelBundle

_DIMENSIONS_OF_TOKENS = 3
_DIMENSIONS_OF_MAPS = 4


@dataclass(frozen=True, eq=False)
class CutNetwork:
    """What a network makes of one picture, and how it goes on from there.

    Attributes:
        map: Channels first, (1, c, h, w), without gradients.
        finish: From a map (n, c, h, w) to embeddings (n, d).
    """

    map: torch.Tensor
    finish: Callable[[torch.Tensor], torch.Tensor]


def grad_cam(
    encoder: TimmEncoder, bundle: ModelBundle, square: NDArray[np.uint8], column: int
) -> NDArray[np.float32] | None:
    """Return how much each place of the last map speaks for a tag.

    Nothing is hooked into the network and none of its parameters changes, so others may go on
    using the encoder meanwhile.

    Args:
        encoder: The encoder of the model.
        bundle: The model.
        square: uint8 (side, side, 3).
        column: The tag's number in the model.

    Returns:
        float32 (h, w) of the map, below zero where a place speaks against the tag; None where
        the network has no map whose places can be told apart.
    """
    import torch
    from captum.attr import LayerGradCam

    cut = cut_network(encoder, square)
    if cut is None:
        return None
    finish = cut.finish

    class Rest(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            # A layer of our own to ask about, because hooks on the network's would be met by
            # whoever else runs it at this moment.
            self.map = torch.nn.Identity()
            self.log_odds = log_odds_module(bundle, column)

        def forward(self, map_: torch.Tensor) -> torch.Tensor:
            odds: torch.Tensor = self.log_odds(finish(self.map(map_)))
            return odds

    rest = Rest().eval()
    relevance = LayerGradCam(rest, rest.map).attribute(cut.map)
    of_places: NDArray[np.float32] = relevance[0, 0].detach().numpy()
    return of_places


def cut_network(encoder: TimmEncoder, square: NDArray[np.uint8]) -> CutNetwork | None:
    """Run a network up to its last map whose places can be told apart.

    Args:
        encoder: Whose network it is.
        square: uint8 (side, side, 3).

    Returns:
        None where there is no such map.
    """
    import torch
    from timm.models.vision_transformer import VisionTransformer

    network: Any = encoder.network
    with torch.no_grad():
        picture = _normalised(encoder, square)
        if isinstance(network, VisionTransformer):
            return _cut_before_last_attention(network, picture)
        if not (hasattr(network, "forward_features") and hasattr(network, "forward_head")):
            return None
        features = network.forward_features(picture)
        dimensions = getattr(features, "ndim", 0)
        if dimensions == _DIMENSIONS_OF_TOKENS:
            return _cut_tokens(network, features)
        if dimensions == _DIMENSIONS_OF_MAPS:
            return _cut_map(network, features)
        return None


def _normalised(encoder: TimmEncoder, square: NDArray[np.uint8]) -> torch.Tensor:
    import torch

    picture = torch.tensor(square[None]).permute(0, 3, 1, 2).float().div_(255.0)
    mean = torch.tensor(encoder.mean).view(1, 3, 1, 1)
    deviation = torch.tensor(encoder.std).view(1, 3, 1, 1)
    return (picture - mean) / deviation


def _cut_map(network: Any, features: torch.Tensor) -> CutNetwork | None:
    """Cut a network whose last layer gives a map, if it has more than one place."""
    is_channels_last = getattr(network, "output_fmt", "NCHW") == "NHWC"
    map_ = features.permute(0, 3, 1, 2) if is_channels_last else features
    if map_.shape[2] * map_.shape[3] == 1:
        return None
    if is_channels_last:
        return CutNetwork(map_, lambda changed: network.forward_head(changed.permute(0, 2, 3, 1)))
    return CutNetwork(map_, network.forward_head)


def _cut_before_last_attention(network: Any, picture: torch.Tensor) -> CutNetwork:
    tokens = network.forward_intermediates(
        picture,
        # A network of one block has nothing in front of it but the patches themselves.
        indices=[max(len(network.blocks) - 2, 0)],
        stop_early=True,
        return_prefix_tokens=True,
        intermediates_only=True,
    )[0]
    map_, prefix = tokens if isinstance(tokens, tuple) else (tokens, None)
    last = network.blocks[-1]

    def finish(changed: torch.Tensor) -> torch.Tensor:
        embedding: torch.Tensor = network.forward_head(
            network.norm(last(_as_tokens(changed, prefix)))
        )
        return embedding

    return CutNetwork(map_, finish)


def _cut_tokens(network: Any, tokens: torch.Tensor) -> CutNetwork | None:
    """Cut a network whose last layer gives tokens, if all of them reach the vector."""
    if getattr(network, "global_pool", "avg") == "token":
        return None
    count = getattr(network, "num_prefix_tokens", 0)
    patches = tokens[:, count:]
    side = isqrt(patches.shape[1])
    if side < 2 or side * side != patches.shape[1]:
        return None
    map_ = patches.transpose(1, 2).reshape(len(tokens), -1, side, side)
    prefix = tokens[:, :count]
    return CutNetwork(map_, lambda changed: network.forward_head(_as_tokens(changed, prefix)))


def _as_tokens(map_: torch.Tensor, prefix: torch.Tensor | None) -> torch.Tensor:
    import torch

    patches = map_.flatten(2).transpose(1, 2)
    if prefix is None:
        return patches
    return torch.cat([prefix.expand(len(patches), -1, -1), patches], dim=1)
