"""What a backbone is, read from the network itself and never typed by hand (R-EXP-11).

What belongs here: type, layers, parameters, sizes and preprocessing of a named encoder. What does
not: which weights are on this machine (``weights``), running a network for its features
(``timm_backbone``) and remembering a description (``architecture_notes``).

The network is built on torch's device ``meta``, where tensors have shapes but no values: no
weights are needed, and VGG16's half a gigabyte of parameters takes no memory. The source report
said that ViT-B/16 has 16 layers, which is the size of its patches (AUD-R14); here layers are
counted.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reds_pipeline.embedding.publication import find_publication
from reds_pipeline.embedding.timm_backbone import require_known, resolve_preprocessing
from reds_pipeline.embedding.tiny import TINY, TinyEncoder
from reds_pipeline.errors import RedsError

if TYPE_CHECKING:
    import torch

BackboneType = Literal["convolutional", "transformer", "hybrid", "perceptron", "histograms"]

NOT_STATED = "not stated"

# What timm's layers of attention call the number of their heads.
_NAMES_OF_HEADS = ("num_heads", "heads")


@dataclass(frozen=True)
class BackboneDescription:
    """What is known of a backbone without its weights.

    Attributes:
        name: The name it is configured by.
        type: ``convolutional``; ``transformer`` (attention, and no convolution but the one that
            cuts the picture into patches); ``hybrid`` (attention and further convolutions);
            ``perceptron`` (neither); ``histograms`` for ``tiny``, in which nothing is learnt.
        year: Of its publication; None where timm does not state it.
        year_source: Where the year was read.
        parameters: Of the network as published, with its classifier.
        parameters_without_classifier: Of what REDS uses of it.
        attention_blocks: Layers of attention.
        convolutions: Layers of convolution that see more than one place at once.
        fully_connected: Linear layers, those inside attention included, and convolutions over
            an input of one single place, which are the same thing.
        patch_size: Side in pixels of a transformer's patches; None without any.
        input_size: Side in pixels of the square picture the network takes.
        embedding_size: Length of its feature vector without the classifier.
        published_classes: Classes of the published classifier.
        mean: Taken off each channel, on a scale of 0 to 1.
        std: What each channel is then divided by.
        interpolation: The filter with which its pictures were resized for training.
        crop: Share of a resized picture's side that its authors cut out to measure it; REDS
            takes whole squares.
        licence: Of the published weights.
    """

    name: str
    type: BackboneType
    year: int | None
    year_source: str
    parameters: int
    parameters_without_classifier: int
    attention_blocks: int
    convolutions: int
    fully_connected: int
    patch_size: int | None
    input_size: int
    embedding_size: int
    published_classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    crop: float
    licence: str

    @property
    def layers(self) -> str:
        """The layers that hold parameters, in words."""
        counts = (
            (self.attention_blocks, "attention block", "attention blocks"),
            (self.convolutions, "convolution", "convolutions"),
            (self.fully_connected, "fully connected layer", "fully connected layers"),
        )
        named = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
        return ", ".join(named) or "none"

    def as_params(self) -> dict[str, str]:
        """Return what the record of a training says of its backbone, by name (R-EXP-11)."""
        return {
            "backbone_type": self.type,
            "backbone_year": str(self.year or NOT_STATED),
            "backbone_layers": self.layers,
            "backbone_parameters": str(self.parameters),
            "backbone_input_size": str(self.input_size),
            "backbone_embedding_size": str(self.embedding_size),
        }


def describe_backbone(name: str) -> BackboneDescription:
    """Describe an encoder from its network; no weights are read and nothing is fetched.

    Args:
        name: ``"tiny"`` or any name timm knows.

    Raises:
        RedsError: timm does not know the name, or the network takes no square RGB pictures or
            gives no one feature vector a picture.
    """
    if name == TINY:
        return _describe_tiny()
    require_known(name)
    published = _build(name)
    config = _config(published)
    preprocessing = resolve_preprocessing(published)
    count = _count_layers(published, preprocessing.input_size)
    network = _build(name, num_classes=0)
    features = _outputs(network, preprocessing.input_size)
    if len(features) != 1:
        raise RedsError(
            f"The network {name} gives {len(features)}-dimensional features, not one vector a "
            "picture, so no linear model can use it; choose another backbone."
        )
    publication = find_publication(name, published)
    return BackboneDescription(
        name=name,
        type=_type(count.attention_blocks, count.convolutions),
        year=publication.year if publication else None,
        year_source=publication.source if publication else NOT_STATED,
        parameters=_parameters(published),
        parameters_without_classifier=_parameters(network),
        attention_blocks=count.attention_blocks,
        convolutions=count.convolutions,
        fully_connected=count.fully_connected,
        patch_size=_patch_size(published),
        input_size=preprocessing.input_size,
        embedding_size=features[0],
        published_classes=int(config["num_classes"]),
        mean=preprocessing.mean,
        std=preprocessing.std,
        interpolation=str(config["interpolation"]),
        crop=float(config["crop_pct"]),
        licence=config.get("license") or NOT_STATED,
    )


@dataclass(frozen=True)
class _LayerCount:
    attention_blocks: int
    convolutions: int
    fully_connected: int


def _describe_tiny() -> BackboneDescription:
    return BackboneDescription(
        name=TINY,
        type="histograms",
        year=None,
        year_source=NOT_STATED,
        parameters=0,
        parameters_without_classifier=0,
        attention_blocks=0,
        convolutions=0,
        fully_connected=0,
        patch_size=None,
        input_size=TinyEncoder.input_size,
        embedding_size=TinyEncoder.dimension,
        published_classes=0,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        interpolation="none",
        crop=1.0,
        licence="no weights",
    )


def _config(network: torch.nn.Module) -> Mapping[str, Any]:
    config = network.pretrained_cfg
    assert isinstance(config, Mapping)
    return config


def _build(name: str, **options: Any) -> torch.nn.Module:
    import timm
    import torch

    with warnings.catch_warnings(), torch.device("meta"):
        # Older names still work; the encoder itself says so when it is loaded.
        warnings.simplefilter("ignore")
        network: torch.nn.Module = timm.create_model(name, pretrained=False, **options)
    return network.eval()


def _outputs(network: torch.nn.Module, input_size: int) -> tuple[int, ...]:
    """Return the shape of what one picture becomes."""
    import torch

    with torch.inference_mode():
        output = network(torch.empty(1, 3, input_size, input_size, device="meta"))
    # Distilled networks give several answers while they train, and one afterwards.
    return tuple(output.shape[1:])


def _count_layers(network: torch.nn.Module, input_size: int) -> _LayerCount:
    """Count layers by what they do to one picture, not by how they are written.

    VGG16's first fully connected layers are convolutions whose window is their whole input.
    """
    from torch import nn

    convolutions = fully_connected = 0

    def note(layer: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal convolutions, fully_connected
        if isinstance(layer, nn.Conv2d) and max(output.shape[2:]) > 1:
            convolutions += 1
        else:
            fully_connected += 1

    hooks = [
        layer.register_forward_hook(note)
        for layer in network.modules()
        if isinstance(layer, (nn.Conv2d, nn.Linear))
    ]
    _outputs(network, input_size)
    for hook in hooks:
        hook.remove()
    return _LayerCount(_attention_layers(network), convolutions, fully_connected)


def _attention_layers(network: torch.nn.Module) -> int:
    """Count what has heads; of modules inside one another that have, the innermost."""
    with_heads = [module for module in network.modules() if _has_heads(module)]
    return sum(
        not any(_has_heads(part) for part in module.modules() if part is not module)
        for module in with_heads
    )


def _has_heads(module: torch.nn.Module) -> bool:
    return any(isinstance(getattr(module, name, None), int) for name in _NAMES_OF_HEADS)


def _type(attention_blocks: int, convolutions: int) -> BackboneType:
    if attention_blocks:
        return "hybrid" if convolutions > 1 else "transformer"
    return "convolutional" if convolutions > 1 else "perceptron"


def _patch_size(network: torch.nn.Module) -> int | None:
    size = getattr(getattr(network, "patch_embed", None), "patch_size", None)
    return int(size[0]) if isinstance(size, tuple) else None


def _parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
