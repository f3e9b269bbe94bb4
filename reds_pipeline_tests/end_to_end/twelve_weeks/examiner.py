"""How well models do on pictures that only the world knows, in the look of each week.

What belongs here: running registered versions on new pictures. What does not: REDS's own numbers,
which are measured on what it collected.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.demo.drifting.world import DriftingWorld
from reds_pipeline.embedding.encoder import EncoderSpec
from reds_pipeline.embedding.encoder_source import EncoderSource
from reds_pipeline.imaging.resize import square_224
from reds_pipeline.modeling.intervals import wilson_interval
from reds_pipeline.resources import Platform
from reds_pipeline.shared_test import RegisteredBundle, load_registered


@dataclass(frozen=True)
class Marks:
    """Whether a model was right about each picture, bool (n,), by class."""

    right: Mapping[str, NDArray[np.bool_]]

    @property
    def classes(self) -> frozenset[str]:
        """What the model was asked about: the classes that it knows."""
        return frozenset(self.right)

    def about(self, classes: Collection[str]) -> NDArray[np.bool_]:
        """Return the answers about some of its classes, bool (n,), always in the same order."""
        return np.concatenate([self.right[name] for name in sorted(classes)])

    def accuracy(self, classes: Collection[str]) -> tuple[float, float, float]:
        """Return (share of right answers, lower and upper end of its 95 % interval)."""
        right = self.about(classes)
        low, high = wilson_interval(int(right.sum()), len(right))
        return float(right.mean()), low, high


class Examiner:
    """Examines versions of the model of classes on pictures that were never posted."""

    def __init__(self, world: DriftingWorld, platform: Platform, pictures: int) -> None:
        self._world = world
        self._platform = platform
        self._pictures = pictures
        self.model = cache(self._model)
        self._features = cache(self._computed)

    def examine(self, version: str, week: int) -> Marks:
        """Return how a version does on new pictures of its classes in the look of a week."""
        bundle = self.model(version).bundle
        right = {}
        for name in bundle.classes:
            if name in self._world.plan.all_classes:
                said = bundle.predict(self._features(name, week)).argmax(axis=1)
                right[name] = said == bundle.classes.index(name)
        return Marks(right)

    def _model(self, version: str) -> RegisteredBundle:
        tracking = self._platform.tracking
        [found] = [each for each in tracking.versions() if each.version == version]
        return load_registered(tracking, found)

    def _computed(self, class_name: str, week: int) -> NDArray[np.floating]:
        files = self._world.examination(class_name, week, self._pictures)
        return self._encoder.encoder(np.stack([square_224(data)[0] for data in files]))

    @cached_property
    def _encoder(self) -> EncoderSource:
        [name] = self._platform.settings.backbones
        return EncoderSource(EncoderSpec(name, None), self._platform.home.embeddings)
