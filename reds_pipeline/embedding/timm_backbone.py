"""Any timm network as an encoder.

What belongs here: building the network without its classifier, loading its weights, taking its
preprocessing from timm's own data config (never typed by hand) and running it. What does not:
finding the file of weights (``weights``), or deciding which network to use. torch and timm are
imported when an encoder is built, so importing this module costs nothing.

R-EXP-1: the backbones are frozen and used without their head. Arithmetic is float32 on the
processor, the reference that other ways to run the network (``engines``) are compared with.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding.engines.machine import usable_cores
from reds_pipeline.embedding.identity import encoder_id
from reds_pipeline.embedding.weights import WeightsFile, hub_weights, local_weights
from reds_pipeline.errors import RedsError

if TYPE_CHECKING:
    import torch

PREPROCESSING_RULE = "1"
"""Counted up when this module prepares the same tensor differently, so that ids change."""

USUAL_SIDE = 224
INFERENCE_BATCH = 32
"""Most pictures in the network at once; it bounds memory however many are given."""


@dataclass(frozen=True)
class Preprocessing:
    """What a network expects, as timm's data config says.

    Attributes:
        input_size: Side in pixels of its square input.
        mean: What is taken off each channel, on a scale of 0 to 1.
        std: What each channel is then divided by.
        interpolation: Filter that the network was trained with; squares are always made by the
            bicubic rule of ``imaging.resize``.
    """

    input_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str

    def describe(self) -> str:
        """Return the steps in plain words; equal words mean equal steps."""
        scaled = f"scaled to 0..1, minus {self.mean}, divided by {self.std}"
        if self.input_size == USUAL_SIDE:
            return scaled
        return f"squares of {self.input_size} pixels made from the originals, {scaled}"

    def digest(self) -> str:
        """Return the SHA-256 of the rule's version and its numbers."""
        return hashlib.sha256(f"{PREPROCESSING_RULE}: {self.describe()}".encode()).hexdigest()


class TimmEncoder:
    """A frozen timm network with its classifier removed.

    Args:
        name: A timm model name.
        weights_dir: Directory that may hold ``<name>.safetensors``; else the hub is asked.

    Attributes:
        encoder_id: Name, digest of the weights and of the preprocessing.
        name: As given.
        dimension: Length of a feature vector, found by running the network once.
        input_size: Side in pixels of the network's input, and of the squares it takes.
        network: The network without its classifier, for those who convert it.
        mean: Of ``Preprocessing``.
        std: Of ``Preprocessing``.
        weights: Origin of the weights in plain words.
        preprocessing: The steps before the network in plain words.
        weights_file: The file the weights were read from.

    Raises:
        RedsError: See ``load_encoder``.
    """

    def __init__(self, name: str, weights_dir: Path | None = None) -> None:
        require_known(name)
        file = local_weights(name, weights_dir) or hub_weights(name, weights_dir)
        model = _load_network(name, file)
        preprocessing = resolve_preprocessing(model)
        self.network = model
        self.name = name
        self.weights_file: WeightsFile | None = file
        self.weights = file.origin
        self.input_size = preprocessing.input_size
        self.mean = preprocessing.mean
        self.std = preprocessing.std
        self.preprocessing = preprocessing.describe()
        self.encoder_id = encoder_id(name, _weights_digest(model), preprocessing.digest())
        self.dimension = self._probe_dimension()

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 features (n, dimension) of uint8 RGB pictures (n, side, side, 3).

        Raises:
            ValueError: ``images`` has another type, or another side than ``input_size``.
        """
        side = self.input_size
        if images.dtype != np.uint8 or images.shape[1:] != (side, side, 3):
            raise ValueError(
                f"an encoder takes uint8 (n, {side}, {side}, 3), not {images.dtype} {images.shape}"
            )
        features = np.empty((len(images), self.dimension), np.float32)
        for start in range(0, len(images), INFERENCE_BATCH):
            part = slice(start, start + INFERENCE_BATCH)
            features[part] = self._forward(images[part])
        return features

    def _forward(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            # A permuted view of rows of RGB pixels already is torch's channels-last layout, the
            # one in which convolutions on a processor run fastest, so no copy is made for it.
            batch = torch.tensor(images).permute(0, 3, 1, 2).float().div_(255.0)
            mean = torch.tensor(self.mean).view(1, 3, 1, 1)
            std = torch.tensor(self.std).view(1, 3, 1, 1)
            output: NDArray[np.float32] = self.network((batch - mean) / std).numpy()
        return output

    def _probe_dimension(self) -> int:
        """Run one picture: what the network gives is surer than what its fields promise."""
        grey = np.full((1, self.input_size, self.input_size, 3), 128, np.uint8)
        output = self._forward(grey)
        if output.ndim != 2:
            raise RedsError(
                f"The network {self.name} gives {output.ndim - 1}-dimensional features, not one "
                "vector a picture, so no linear model can use it; choose another backbone."
            )
        if not np.isfinite(output).all():
            raise RedsError(
                f"The weights from {self.weights} are damaged: the network {self.name} "
                "gives numbers that are not finite; fetch the file again."
            )
        return int(output.shape[1])


def require_known(name: str) -> None:
    """Do nothing for a name that timm knows.

    Raises:
        RedsError: timm does not know it.
    """
    import timm

    if timm.is_model(name):
        return
    similar = difflib.get_close_matches(name, timm.list_models(), n=3)
    hint = f"did you mean {' or '.join(similar)}?" if similar else "timm.list_models() lists all."
    raise RedsError(f"The backbone {name} is unknown to timm, so it cannot be loaded; {hint}")


def _load_network(name: str, file: WeightsFile) -> torch.nn.Module:
    import timm
    import torch
    from safetensors import SafetensorError

    try:
        model: torch.nn.Module = timm.create_model(
            name,
            pretrained=True,
            num_classes=0,
            pretrained_cfg_overlay={"file": str(file.path)},
        )
        if not file.from_hub:
            _require_complete(model, name, file.path)
    except (RuntimeError, SafetensorError, KeyError, ValueError, OSError) as error:
        raise RedsError(
            f"The weights in {file.path} are not those of the network {name} ({_first_line(error)})"
            "; put the right file there, or remove it so that the model hub is asked."
        ) from error
    # torch counts the machine's cores, of which a container may be allowed a part.
    torch.set_num_threads(min(torch.get_num_threads(), usable_cores()))
    return model.eval().to(memory_format=torch.channels_last)


def _require_complete(model: torch.nn.Module, name: str, path: Path) -> None:
    """Refuse a file that leaves some of the network as it was drawn at random.

    timm asks for every parameter only while the number of classes is the published one; without
    a classifier it passes over missing ones in silence, and the features would be noise.
    """
    from safetensors import safe_open

    with safe_open(str(path), framework="np") as file:
        held = set(file.keys())
    missing = sorted(key for key in model.state_dict() if _matters(key) and key not in held)
    if missing:
        raise RedsError(
            f"The file {path} holds no values for {len(missing)} of the parameters of the network "
            f"{name}, such as {missing[0]}; save the whole network under timm's parameter names."
        )


def _matters(key: str) -> bool:
    """Say whether a state's entry has any part in inference; the count of batches has none."""
    return not key.endswith("num_batches_tracked")


def _weights_digest(model: torch.nn.Module) -> str:
    """Return the SHA-256 over names, shapes and values, the same whatever file held them."""
    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        if _matters(key):
            values = tensor.contiguous().numpy()
            digest.update(f"{key} {values.dtype} {values.shape}\n".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()


def resolve_preprocessing(model: torch.nn.Module) -> Preprocessing:
    """Return what timm's data config says that a network expects.

    Raises:
        RedsError: It is not made for square RGB pictures.
    """
    from timm.data.config import resolve_model_data_config

    config: dict[str, Any] = resolve_model_data_config(model)
    channels, height, width = config["input_size"]
    if channels != 3 or height != width:
        raise RedsError(
            f"The network takes input of {channels} channels and {height} by {width} pixels, but "
            "REDS feeds square RGB pictures; choose another backbone."
        )
    return Preprocessing(
        input_size=int(height),
        mean=tuple(float(value) for value in config["mean"]),
        std=tuple(float(value) for value in config["std"]),
        interpolation=str(config["interpolation"]),
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].strip().rstrip(":")
