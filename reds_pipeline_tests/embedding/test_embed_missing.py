from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.embedding.encoder import Encoder, EncoderSpec, load_encoder
from reds_pipeline.embedding.engine import embed_missing, embeddings_store
from reds_pipeline.errors import RedsError
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline_tests.embedding.networks import SMALL_NETWORK, write_weights

KEYS = [f"{number:064x}" for number in range(40)]


class CountingEncoder:
    """A real encoder that counts the pictures it is given, and can be told to die."""

    def __init__(self, spec: EncoderSpec, dies_at: int | None = None) -> None:
        self._encoder = load_encoder(spec)
        self._dies_at = dies_at
        self.pictures = 0
        self.batches: list[int] = []
        self.encoder_id = self._encoder.encoder_id
        self.name = self._encoder.name
        self.dimension = self._encoder.dimension
        self.input_size = self._encoder.input_size
        self.weights = self._encoder.weights
        self.preprocessing = self._encoder.preprocessing
        self.weights_file = self._encoder.weights_file

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.pictures += len(images)
        self.batches.append(len(images))
        if self._dies_at is not None and self.pictures > self._dies_at:
            raise KeyboardInterrupt
        return self._encoder(images)


def _never(spec: EncoderSpec) -> Encoder:
    raise AssertionError("no encoder is needed when nothing is missing")


@pytest.fixture
def store(tmp_path: Path, tensors: NDArray[np.uint8]) -> ArrayStore:
    store = ArrayStore(tmp_path / "tensors", (224, 224, 3), "uint8")
    store.append(KEYS, tensors)
    return store


def test_embeddings_are_the_encoders(
    store: ArrayStore, tensors: NDArray[np.uint8], tmp_path: Path
) -> None:
    spec = EncoderSpec("tiny")
    report = embed_missing(spec, store, tmp_path / "embeddings", KEYS)
    encoder = load_encoder(spec)
    assert (report.encoder_id, report.dimension) == (encoder.encoder_id, encoder.dimension)
    assert (report.requested, report.computed) == (40, 40)
    assert report.weights == encoder.weights
    kept = embeddings_store(tmp_path / "embeddings", report.encoder_id, report.dimension)
    assert np.array_equal(kept.read(KEYS), encoder(tensors))


def test_cost_follows_what_is_new(store: ArrayStore, tmp_path: Path) -> None:
    counters: list[CountingEncoder] = []

    def build(spec: EncoderSpec) -> Encoder:
        counters.append(CountingEncoder(spec))
        return counters[-1]

    for keys, computed in ((KEYS[:25], 25), (KEYS, 15), (KEYS, 0), ([*KEYS, *KEYS], 0)):
        report = embed_missing(
            EncoderSpec("tiny"), store, tmp_path / "e", keys, batch_size=8, build=build
        )
        assert report.computed == computed == counters[-1].pictures
        assert report.requested == len(set(keys))
        assert max(counters[-1].batches, default=0) <= 8


def test_a_killed_run_loses_one_shard_at_most(tmp_path: Path, tensors: NDArray[np.uint8]) -> None:
    """300 pictures are two shards; a death in the second leaves the first."""
    keys = [f"{number:064x}" for number in range(300)]
    store = ArrayStore(tmp_path / "tensors", (224, 224, 3), "uint8")
    store.append(keys, tensors[np.arange(300) % 40])
    root = tmp_path / "embeddings"
    with pytest.raises(KeyboardInterrupt):
        embed_missing(
            EncoderSpec("tiny"),
            store,
            root,
            keys,
            build=lambda spec: CountingEncoder(spec, dies_at=270),
        )
    report = embed_missing(EncoderSpec("tiny"), store, root, keys)
    assert report.computed == 44
    kept = embeddings_store(root, report.encoder_id, report.dimension)
    assert kept.index().num_rows == 300


def test_nothing_missing_loads_no_network(
    store: ArrayStore, weights_dir: Path, tmp_path: Path
) -> None:
    spec = EncoderSpec(SMALL_NETWORK, weights_dir)
    root = tmp_path / "embeddings"
    first = embed_missing(spec, store, root, KEYS)
    again = embed_missing(spec, store, root, KEYS, build=_never)
    assert (again.computed, again.seconds) == (0, 0.0)
    assert (again.encoder_id, again.dimension) == (first.encoder_id, first.dimension)
    assert again.weights == first.weights


def test_nothing_missing_imports_no_deep_learning(
    store: ArrayStore, weights_dir: Path, tmp_path: Path
) -> None:
    root = tmp_path / "embeddings"
    embed_missing(EncoderSpec(SMALL_NETWORK, weights_dir), store, root, KEYS)
    program = f"""
import sys
from pathlib import Path
from reds_pipeline.embedding.encoder import EncoderSpec
from reds_pipeline.embedding.engine import embed_missing
from reds_pipeline.storage.arrays import ArrayStore
store = ArrayStore(Path({str(store.root)!r}), (224, 224, 3), "uint8")
spec = EncoderSpec({SMALL_NETWORK!r}, Path({str(weights_dir)!r}))
report = embed_missing(spec, store, Path({str(root)!r}), {KEYS!r})
assert report.requested == 40 and report.computed == 0
heavy = {{"torch", "timm", "sklearn", "scipy", "mlflow", "matplotlib"}} & set(sys.modules)
sys.exit(f"imported {{heavy}}" if heavy else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_new_weights_are_noticed(store: ArrayStore, tmp_path: Path) -> None:
    """A file replaced in place, same name and size, must not be taken for the old one."""
    directory = write_weights(tmp_path / "weights", SMALL_NETWORK, seed=1)
    spec = EncoderSpec(SMALL_NETWORK, directory)
    root = tmp_path / "embeddings"
    before = embed_missing(spec, store, root, KEYS[:5])
    write_weights(directory, SMALL_NETWORK, seed=2)
    after = embed_missing(spec, store, root, KEYS[:5])
    assert after.encoder_id != before.encoder_id
    assert after.computed == 5


def test_removed_weights_are_not_remembered(
    store: ArrayStore, tmp_path: Path, no_hub: None
) -> None:
    """Without the file the encoder cannot be had, so old embeddings must not stand in for it."""
    directory = write_weights(tmp_path / "weights", SMALL_NETWORK)
    spec = EncoderSpec(SMALL_NETWORK, directory)
    embed_missing(spec, store, tmp_path / "embeddings", KEYS[:5])
    (directory / f"{SMALL_NETWORK}.safetensors").unlink()
    with pytest.raises(RedsError, match="no weights"):
        embed_missing(spec, store, tmp_path / "embeddings", KEYS[:5])


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"timm": "0"}'])
def test_a_damaged_note_costs_a_load_only(
    damage: str, store: ArrayStore, weights_dir: Path, tmp_path: Path
) -> None:
    spec = EncoderSpec(SMALL_NETWORK, weights_dir)
    root = tmp_path / "embeddings"
    first = embed_missing(spec, store, root, KEYS[:5])
    (note,) = root.glob("encoder_of_*.json")
    note.write_text(damage)
    again = embed_missing(spec, store, root, KEYS[:5])
    assert (again.encoder_id, again.computed) == (first.encoder_id, 0)


def test_a_key_without_tensor_is_an_error(store: ArrayStore, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        embed_missing(EncoderSpec("tiny"), store, tmp_path / "e", ["nobody"])
