"""What one backbone's training learns from: the data set as the backbone sees it.

What belongs here: bringing tables, embeddings and the held-out test together, and that one process
at a time learns from them. What does not: learning (``training.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.embedding_runs import embedded_pictures
from reds_pipeline.feedback.contributed_tables import learnt_contributions
from reds_pipeline.frozen_test import frozen_test
from reds_pipeline.imaging.resize import SIDE, resize_rule
from reds_pipeline.stage_inputs import curated_rows
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.storage.tables import EMBEDDING_RUNS, read_rows
from reds_pipeline.tracking_run import LearntDataset

if TYPE_CHECKING:
    from reds_pipeline.modeling.bundle import Provenance
    from reds_pipeline.modeling.training_only import TrainingOnly

REFERENCE_ENGINE = "pytorch"
_LETTERS_OF_A_NAME = 12
_PATIENCE_SECONDS = 1800.0


@dataclass(frozen=True, eq=False)
class ContributedPictures:
    """Photos that people gave, of which heads learn and by which none is measured.

    Attributes:
        keys: SHA-256 of each of the m photos.
        pictures: Their features, labels, groups and weights.
        origins: How each label came about: ``unprompted``, ``person`` or ``suggested``.
    """

    keys: list[str]
    pictures: TrainingOnly
    origins: list[str]

    @property
    def digest(self) -> str:
        """SHA-256 of what a training would learn from them beside the features."""
        rows = zip(
            self.keys,
            self.pictures.labels,
            self.pictures.groups,
            self.pictures.sample_weights.tolist(),
            strict=True,
        )
        return hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest()

    def as_params(self) -> dict[str, str]:
        """Return what MLflow shows of them beside the parameters of a training."""
        origins = Counter(self.origins)
        weights = sorted(set(self.pictures.sample_weights.tolist()))
        return {
            "contributed_pictures": str(len(self.keys)),
            "contributed_digest": self.digest[:_LETTERS_OF_A_NAME],
            "contributed_weights": ", ".join(f"{weight:g}" for weight in weights),
            **{f"contributed_{name}": str(count) for name, count in sorted(origins.items())},
        }


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The embeddings of one encoder for one curated data set.

    Attributes:
        backbone: The encoder's name.
        encoder_id: The encoder's id.
        embeddings_id: Name of the store that the features were read from.
        engine: What ran the encoder.
        weights: Where its weights come from, in words.
        resize_rule: The rule that made the tensors.
        squares: The tensors themselves, for showing pictures.
        dataset_digest: Digest of the curated data set.
        keys: SHA-256 of each of the n pictures.
        labels: Class of each picture.
        groups: Split group of each picture.
        held_out: bool (n,), whether a picture is held out of every training for the test.
        features: float32 (n, d).
        embed_seconds: Time the engine has taken in this home for all that is in the store.
        embedded: How many pictures that was.
        contributed: Photos that only train; none of them is among the n pictures. None where
            nobody has given any.
    """

    backbone: str
    encoder_id: str
    embeddings_id: str
    engine: str
    weights: str
    resize_rule: str
    squares: ArrayStore
    dataset_digest: str
    keys: list[str]
    labels: list[str]
    groups: list[str]
    held_out: NDArray[np.bool_]
    features: NDArray[np.float32]
    embed_seconds: float
    embedded: int
    contributed: ContributedPictures | None = None

    @property
    def dataset_name(self) -> str:
        """The start of the data set's digest, by which people tell data sets apart."""
        return self.dataset_digest[:_LETTERS_OF_A_NAME]

    def provenance(self, row: Mapping[str, Any], metrics: Iterable[str]) -> Provenance:
        """Return where a model comes from that was trained on this set.

        Args:
            row: Of its table of trainings.
            metrics: The columns of the row that go along with the model.
        """
        from reds_pipeline.modeling.bundle import Provenance

        return Provenance(
            encoder_name=self.backbone,
            encoder_id=self.encoder_id,
            resize_rule=self.resize_rule,
            dataset_digest=self.dataset_digest,
            trained_at=row["trained_at"],
            metrics={name: row[name] for name in metrics},
        )

    def as_dataset(self) -> LearntDataset:
        """Return what MLflow shows as the data set of a run."""
        return LearntDataset(
            name="curated_dataset",
            digest=self.dataset_name,
            source={"table": "curated_dataset", "dataset_digest": self.dataset_digest},
            schema={"sha256": "string", "class_name": "string", "group": "string"},
            profile={
                "num_rows": len(self.keys),
                "groups": len(set(self.groups)),
                "held_out": int(self.held_out.sum()),
                "pictures_per_class": dict(sorted(Counter(self.labels).items())),
            },
        )


@contextmanager
def one_training(home: Home, backbone: str) -> Iterator[None]:
    """Keep another process from training with the same backbone meanwhile.

    It would learn the same once more, and take the run of this one for one that a kill left.

    Raises:
        RedsError: Another process has been training for minutes.
    """
    with exclusive(
        home.lock(f"training {backbone}"),
        f"training with {backbone}",
        patience_seconds=_PATIENCE_SECONDS,
    ):
        yield


def load_training_set(home: Home, backbone: str, seed: int) -> TrainingSet:
    """Return the curated pictures as one backbone sees them.

    Args:
        home: The installation's home; which pictures are held out is remembered there.
        backbone: A configured encoder.
        seed: Of this installation's splits.

    Raises:
        RedsError: They have not been embedded with this backbone, or a class is too small to
            be split.
    """
    from reds_pipeline.imaging.curation import dataset_digest

    rows = curated_rows(home)
    keys = [row["sha256"] for row in rows]
    given = learnt_contributions(home)
    latest, store = embedded_pictures(home, backbone, [*keys, *(row["sha256"] for row in given)])
    runs = read_rows(home.table("embedding_runs", backbone), EMBEDDING_RUNS)
    embeddings_id = _store_name(latest)
    of_this_store = [run for run in runs if _store_name(run) == embeddings_id]
    rule = resize_rule(latest.get("input_size") or SIDE)
    tested = frozen_test(home, rows, seed)
    return TrainingSet(
        backbone=backbone,
        encoder_id=latest["encoder_id"],
        embeddings_id=embeddings_id,
        engine=latest.get("engine") or REFERENCE_ENGINE,
        weights=latest["weights"],
        resize_rule=rule,
        squares=home.tensors(rule),
        dataset_digest=dataset_digest(rows),
        keys=keys,
        labels=[row["class_name"] for row in rows],
        groups=[row["group"] for row in rows],
        held_out=np.array([key in tested for key in keys], bool),
        features=store.read(keys),
        embed_seconds=sum(run["seconds"] for run in of_this_store),
        embedded=sum(run["computed"] for run in of_this_store),
        contributed=_contributed(given, store) if given else None,
    )


def _contributed(rows: Sequence[Mapping[str, Any]], store: ArrayStore) -> ContributedPictures:
    from reds_pipeline.modeling.training_only import TrainingOnly

    keys = [row["sha256"] for row in rows]
    return ContributedPictures(
        keys=keys,
        pictures=TrainingOnly(
            features=store.read(keys),
            labels=[row["class_name"] for row in rows],
            groups=[row["group"] for row in rows],
            sample_weights=np.array([row["sample_weight"] for row in rows], np.float64),
        ),
        origins=[row["origin"] for row in rows],
    )


def _store_name(run: Mapping[str, Any]) -> str:
    """Return which store a run embedded into; older versions of REDS had one an encoder."""
    return run.get("embeddings_id") or run["encoder_id"]
