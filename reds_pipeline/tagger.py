"""Tags for photos by the champion.

What belongs here: the one path from a file to tags, the same preprocessing as in training
(R-PRD-4). What does not: pages or commands; both call this.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.errors import ImageRejected, RedsError
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.imaging.resize import RESIZE_RULE, SIDE
from reds_pipeline.resources import Platform
from reds_pipeline.tracking import CHAMPION

if TYPE_CHECKING:
    from reds_pipeline.embedding.encoder import Encoder
    from reds_pipeline.modeling.bundle import ModelBundle

# Keeps memory bounded however many files are named.
_FILES_AT_ONCE = 32
_SENTENCES = {
    "empty": "it holds no bytes; choose another file",
    "too_many_bytes": "it is larger than 20 MB; save it smaller",
    "not_an_image": "it is not a picture; choose a JPEG, PNG or WebP file",
    "unsupported_format": "its format is not supported; save it as JPEG, PNG or WebP",
    "too_many_pixels": "it has more than 50 million pixels; save it smaller",
    "too_small": "it is smaller than 32 pixels; choose a larger picture",
    "animated": "it is an animation; save one frame as a picture",
    "truncated": "it is cut off; copy or download it again",
    "undecodable": "it is damaged; copy or download it again",
}


class Tagger:
    """A model with its encoder, ready to look at photos.

    Args:
        bundle: The model.
        encoder: The encoder whose embeddings it was trained on.
        version: The model's version in the registry.

    Raises:
        RedsError: Encoder or preprocessing are not those of the training.
    """

    def __init__(self, bundle: ModelBundle, encoder: Encoder, version: str) -> None:
        bundle.require_encoder(encoder.encoder_id)
        if bundle.provenance.resize_rule != RESIZE_RULE:
            raise RedsError(
                f"The model was trained on pictures prepared by {bundle.provenance.resize_rule}, "
                f"but this REDS prepares them by {RESIZE_RULE}; run the training again."
            )
        self._bundle = bundle
        self._encoder = encoder
        self.version = version

    @classmethod
    def of_champion(cls, platform: Platform) -> Tagger:
        """Load the model that serves now.

        Raises:
            RedsError: There is none yet, or its encoder cannot be had.
        """
        from reds_pipeline.embedding.encoder import EncoderSpec, load_encoder
        from reds_pipeline.modeling.bundle import load_bundle

        version = platform.tracking.alias(CHAMPION)
        if version is None:
            raise RedsError(
                f"There is no model in {platform.home.root} yet; make one with `reds demo` or "
                "`reds run`, or name another directory with --home."
            )
        with tempfile.TemporaryDirectory() as temporary:
            bundle = load_bundle(platform.tracking.bundle(version, Path(temporary)))
        spec = EncoderSpec(bundle.provenance.encoder_name, platform.settings.weights_dir)
        return cls(bundle, load_encoder(spec), version.version)

    def tag_files(self, paths: Sequence[Path]) -> list[dict[str, Any]]:
        """Recommend tags for each file; one that cannot be read gets a sentence instead.

        Returns:
            In the order of ``paths``: ``{"file", "tags": [{"tag", "probability"}], "top",
            "model_version"}`` with all classes, the likeliest first, or ``{"file", "error"}``.
        """
        answers: list[dict[str, Any]] = []
        for start in range(0, len(paths), _FILES_AT_ONCE):
            answers += self._tag_some(paths[start : start + _FILES_AT_ONCE])
        return answers

    def _tag_some(self, paths: Sequence[Path]) -> list[dict[str, Any]]:
        squares: dict[int, NDArray[np.uint8]] = {}
        errors: dict[int, str] = {}
        for number, path in enumerate(paths):
            try:
                squares[number] = prepared(path.read_bytes())
            except OSError as error:
                errors[number] = error.strerror or "it cannot be read"
            except ImageRejected as error:
                errors[number] = _SENTENCES.get(error.reason, f"it was refused as {error.reason}")
        ranked = self.tag(np.array(list(squares.values()), np.uint8).reshape(-1, SIDE, SIDE, 3))
        tags = dict(zip(squares, ranked, strict=True))
        return [
            {"file": str(path), "error": f"{path} was not tagged: {errors[number]}."}
            if number in errors
            else {
                "file": str(path),
                "tags": tags[number],
                "top": tags[number][0]["tag"],
                "model_version": self.version,
            }
            for number, path in enumerate(paths)
        ]

    def tag(self, squares: NDArray[np.uint8]) -> list[list[dict[str, Any]]]:
        """Rank the classes for pictures.

        Args:
            squares: uint8 (n, 224, 224, 3), as ``prepared`` gives them.

        Returns:
            For each picture ``{"tag", "probability"}`` for every class, the likeliest first.
        """
        if not len(squares):
            return []
        chances = self._bundle.predict(self._encoder(squares))
        return [
            [
                {"tag": self._bundle.classes[column], "probability": float(row[column])}
                for column in np.argsort(-row, kind="stable")
            ]
            for row in chances
        ]


def prepared(data: bytes) -> NDArray[np.uint8]:
    """Return a picture file as the encoder sees it, uint8 (224, 224, 3).

    Raises:
        ImageRejected: It is not one that can be used.
    """
    return examine_image(data).square
