"""Tags for files by one model, as ``reds predict`` gives them.

What belongs here: from paths to answers, with the preprocessing of the training (R-PRD-4). What
does not: a process that goes on and follows the champion (``photo_tagger.py``), or the command.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.errors import ImageRejected, RedsError
from reds_pipeline.imaging.photo_sentences import photo_sentence
from reds_pipeline.imaging.resize import resize_rule
from reds_pipeline.resources import Platform
from reds_pipeline.tagging.loading import require_resize_rule
from reds_pipeline.tracking import CHAMPION, HASHTAG_MODEL, REGISTERED_MODEL

if TYPE_CHECKING:
    from reds_pipeline.embedding.encoder import Encoder
    from reds_pipeline.modeling.bundle import Kind, ModelBundle

# Keeps memory bounded however many files are named.
_FILES_AT_ONCE = 32
_MODEL_OF_KIND: dict[Kind, str] = {"classes": REGISTERED_MODEL, "tags": HASHTAG_MODEL}
_NO_MODEL: dict[Kind, str] = {
    "classes": "There is no model in {home} yet; make one with `reds demo` or `reds run`, or name "
    "another directory with --home.",
    "tags": "There is no multi-label model in {home}; the asset champion_hashtags says why once "
    "`reds run` has finished, so leave out --every-tag until then.",
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
        require_resize_rule(bundle, resize_rule(encoder.input_size))
        self._bundle = bundle
        self._encoder = encoder
        self.version = version

    @classmethod
    def of_champion(cls, platform: Platform, kind: Kind = "classes") -> Tagger:
        """Load the model that serves now.

        Args:
            platform: The installation.
            kind: ``classes`` for the model that names one class, ``tags`` for the one that names
                every tag it is sure enough of.

        Raises:
            RedsError: There is none yet, or its encoder cannot be had.
        """
        from reds_pipeline.embedding.encoder import EncoderSpec, load_encoder
        from reds_pipeline.shared_test import read_bundle

        version = platform.tracking.alias(CHAMPION, _MODEL_OF_KIND[kind])
        if version is None:
            raise RedsError(_NO_MODEL[kind].format(home=platform.home.root))
        bundle = read_bundle(platform.tracking, version)
        spec = EncoderSpec(bundle.provenance.encoder_name, platform.settings.weights_dir)
        return cls(bundle, load_encoder(spec), version.version)

    def tag_files(self, paths: Sequence[Path]) -> list[dict[str, Any]]:
        """Recommend tags for each file; one that cannot be read gets a sentence instead.

        Returns:
            In the order of ``paths``: ``{"file", "tags": [{"tag", "probability"}], "top",
            "confident", "familiar", "model_version"}``, or ``{"file", "error"}``. A model of
            classes gives all of them, the likeliest first; a model of tags gives those that reach
            their thresholds (R-IMP-1), which may be none. ``top`` is the likeliest in any case, and
            ``confident`` says whether its chance reaches its threshold and the photo is not
            unlike those that the model learnt from, which ``familiar`` says; None where the model
            cannot tell.
        """
        answers: list[dict[str, Any]] = []
        for start in range(0, len(paths), _FILES_AT_ONCE):
            answers += self._tag_some(paths[start : start + _FILES_AT_ONCE])
        return answers

    def _tag_some(self, paths: Sequence[Path]) -> list[dict[str, Any]]:
        from reds_pipeline.imaging.photo import read_photo

        side = self._encoder.input_size
        squares: dict[int, NDArray[np.uint8]] = {}
        errors: dict[int, str] = {}
        for number, path in enumerate(paths):
            try:
                squares[number] = read_photo(path.read_bytes(), side=side).square(side)
            except OSError as error:
                errors[number] = error.strerror or "it cannot be read"
            except ImageRejected as error:
                errors[number] = photo_sentence(error.reason)
        answers = self.tag(np.array(list(squares.values()), np.uint8).reshape(-1, side, side, 3))
        answer_of = dict(zip(squares, answers, strict=True))
        return [
            {"file": str(path), "error": f"{path} was not tagged: {errors[number]}."}
            if number in errors
            else {"file": str(path), **answer_of[number], "model_version": self.version}
            for number, path in enumerate(paths)
        ]

    def tag(self, squares: NDArray[np.uint8]) -> list[dict[str, Any]]:
        """Recommend tags for pictures.

        Args:
            squares: uint8 (n, side, side, 3), by the rule of the training.

        Returns:
            For each picture ``{"tags", "top", "confident", "familiar"}``; see `tag_files`.
        """
        if not len(squares):
            return []
        bundle = self._bundle
        embeddings = self._encoder(squares)
        chances = bundle.predict(embeddings)
        found = bundle.is_familiar(embeddings)
        familiar = [None] * len(chances) if found is None else [bool(one) for one in found]
        return [
            _answer(bundle, row, is_given, is_familiar=is_familiar)
            for row, is_given, is_familiar in zip(
                chances, bundle.is_given(chances), familiar, strict=True
            )
        ]


def _answer(
    bundle: ModelBundle,
    chances: NDArray[np.float64],
    is_given: NDArray[np.bool_],
    *,
    is_familiar: bool | None,
) -> dict[str, Any]:
    ranked = np.argsort(-chances, kind="stable")
    named = [column for column in ranked if bundle.kind == "classes" or is_given[column]]
    return {
        "tags": [
            {"tag": bundle.classes[column], "probability": float(chances[column])}
            for column in named
        ],
        "top": bundle.classes[ranked[0]],
        "confident": bool(is_given[ranked[0]]) and is_familiar is not False,
        "familiar": is_familiar,
    }
