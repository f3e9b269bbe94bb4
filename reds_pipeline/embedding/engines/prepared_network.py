"""A network with its preprocessing inside, for libraries that take a whole graph.

What belongs here: the module that takes the bytes of pictures. What does not: any library that
runs or converts it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reds_pipeline.embedding.timm_backbone import TimmEncoder

if TYPE_CHECKING:
    import torch


def prepared_network(encoder: TimmEncoder) -> torch.nn.Module:
    """Return a module from uint8 (n, side, side, 3) to float32 (n, dimension).

    Scaling and normalisation are float32 whatever format the network itself is converted to, and
    happen in the library's own code rather than in Python's.
    """
    import torch

    class Prepared(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = encoder.network
            self.mean = torch.nn.Buffer(torch.tensor(encoder.mean).view(1, 3, 1, 1))
            self.deviation = torch.nn.Buffer(torch.tensor(encoder.std).view(1, 3, 1, 1))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            scaled = images.permute(0, 3, 1, 2).float() / 255.0
            features: torch.Tensor = self.network((scaled - self.mean) / self.deviation)
            return features

    return Prepared().eval()
