from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.embedding.embed_missing import (
    EmbeddingReport,
    Inference,
    Places,
    embed_missing,
    embeddings_store,
)
from reds_pipeline.embedding.encoder import Encoder, EncoderSpec, load_encoder
from reds_pipeline.embedding.engines.machine import usable_cores
from reds_pipeline.embedding.engines.measured import now_measured, remember
from reds_pipeline.embedding.engines.measurement import EngineMeasurement
from reds_pipeline.errors import RedsError
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline_tests.embedding.networks import (
    OTHER_SIZE_NETWORK,
    SMALL_NETWORK,
    write_weights,
)

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


class Machine:
    """One store of squares, one place for embeddings and one for engines."""

    def __init__(self, root: Path) -> None:
        self.squares = ArrayStore(root / "tensors", (224, 224, 3), "uint8")
        self.asked_for: list[tuple[int, list[str]]] = []
        self.places = Places(self._squares, root / "embeddings", root / "engines")

    def _squares(self, side: int, keys: Sequence[str]) -> ArrayStore:
        self.asked_for.append((side, list(keys)))
        return self.squares

    def embed(
        self,
        spec: EncoderSpec,
        keys: Sequence[str],
        build: Callable[[EncoderSpec], Encoder] = load_encoder,
        **inference: Any,
    ) -> EmbeddingReport:
        wanted = Inference(**inference)
        return embed_missing(spec, self.places, keys, inference=wanted, build=build)


def _never(spec: EncoderSpec) -> Encoder:
    raise AssertionError("no encoder is needed when nothing is missing")


@pytest.fixture
def machine(tmp_path: Path, tensors: NDArray[np.uint8]) -> Machine:
    machine = Machine(tmp_path)
    machine.squares.append(KEYS, tensors)
    return machine


def test_embeddings_are_the_encoders(machine: Machine, tensors: NDArray[np.uint8]) -> None:
    report = machine.embed(EncoderSpec("tiny"), KEYS)
    encoder = load_encoder(EncoderSpec("tiny"))
    assert (report.encoder_id, report.dimension) == (encoder.encoder_id, encoder.dimension)
    assert (report.requested, report.computed) == (40, 40)
    assert report.weights == encoder.weights
    assert (report.engine, report.embeddings_id) == ("numpy", encoder.encoder_id)
    kept = embeddings_store(machine.places.embeddings, report.embeddings_id, report.dimension)
    assert np.array_equal(kept.read(KEYS), encoder(tensors))


def test_cost_follows_what_is_new(machine: Machine) -> None:
    """Squares are asked for only of what is new, since some are made for the purpose."""
    counters: list[CountingEncoder] = []

    def build(spec: EncoderSpec) -> Encoder:
        counters.append(CountingEncoder(spec))
        return counters[-1]

    for keys, computed in ((KEYS[:25], 25), (KEYS, 15), (KEYS, 0), ([*KEYS, *KEYS], 0)):
        report = machine.embed(EncoderSpec("tiny"), keys, build)
        assert report.computed == computed == counters[-1].pictures
        assert report.requested == len(set(keys))
        assert max(counters[-1].batches, default=0) <= 32
    assert machine.asked_for == [(224, KEYS[:25]), (224, KEYS[25:])]


def test_a_killed_run_loses_one_shard_at_most(tmp_path: Path, tensors: NDArray[np.uint8]) -> None:
    """300 pictures are two shards; a death in the second leaves the first."""
    keys = [f"{number:064x}" for number in range(300)]
    machine = Machine(tmp_path)
    machine.squares.append(keys, tensors[np.arange(300) % 40])
    with pytest.raises(KeyboardInterrupt):
        machine.embed(EncoderSpec("tiny"), keys, lambda spec: CountingEncoder(spec, dies_at=270))
    report = machine.embed(EncoderSpec("tiny"), keys)
    assert report.computed == 44
    kept = embeddings_store(machine.places.embeddings, report.encoder_id, report.dimension)
    assert kept.index().num_rows == 300


def test_no_more_than_a_shard_is_in_memory(tmp_path: Path, tensors: NDArray[np.uint8]) -> None:
    """However many pictures there are, an engine is given one shard's and not more at once."""
    keys = [f"{number:064x}" for number in range(300)]
    machine = Machine(tmp_path)
    handed_out: list[int] = []

    class CountingStore(ArrayStore):
        def batches(
            self, keys: Sequence[str], size: int
        ) -> Iterator[tuple[list[str], NDArray[Any]]]:
            for chunk in (keys[start : start + size] for start in range(0, len(keys), size)):
                handed_out.append(len(chunk))
                yield list(chunk), tensors[np.arange(len(chunk)) % 40]

    machine.squares = CountingStore(tmp_path / "large", (224, 224, 3), "uint8")
    assert machine.embed(EncoderSpec("tiny"), keys).computed == 300
    assert handed_out == [256, 44]


def test_nothing_missing_loads_no_network(machine: Machine, weights_dir: Path) -> None:
    spec = EncoderSpec(SMALL_NETWORK, weights_dir)
    first = machine.embed(spec, KEYS)
    again = machine.embed(spec, KEYS, _never)
    assert (again.computed, again.seconds) == (0, 0.0)
    assert (again.encoder_id, again.dimension) == (first.encoder_id, first.dimension)
    assert (again.weights, again.preprocessing) == (first.weights, first.preprocessing)
    assert again.input_size == 224


def test_nothing_missing_imports_no_deep_learning(
    machine: Machine, weights_dir: Path, tmp_path: Path
) -> None:
    machine.embed(EncoderSpec(SMALL_NETWORK, weights_dir), KEYS)
    program = f"""
import sys
from pathlib import Path
from reds_pipeline.embedding.encoder import EncoderSpec
from reds_pipeline.embedding.embed_missing import Places, embed_missing
spec = EncoderSpec({SMALL_NETWORK!r}, Path({str(weights_dir)!r}))
root = Path({str(tmp_path)!r})
places = Places(None, root / "embeddings", root / "engines")
report = embed_missing(spec, places, {KEYS!r})
assert report.requested == 40 and report.computed == 0
heavy = {{"torch", "timm", "sklearn", "scipy", "mlflow", "openvino"}} & set(sys.modules)
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


def test_new_weights_are_noticed(machine: Machine, tmp_path: Path) -> None:
    """A file replaced in place, same name and size, must not be taken for the old one."""
    directory = write_weights(tmp_path / "weights", SMALL_NETWORK, seed=1)
    spec = EncoderSpec(SMALL_NETWORK, directory)
    before = machine.embed(spec, KEYS[:5])
    write_weights(directory, SMALL_NETWORK, seed=2)
    after = machine.embed(spec, KEYS[:5])
    assert after.encoder_id != before.encoder_id
    assert after.computed == 5


def test_removed_weights_are_not_remembered(machine: Machine, tmp_path: Path, no_hub: None) -> None:
    """Without the file the encoder cannot be had, so old embeddings must not stand in for it."""
    directory = write_weights(tmp_path / "weights", SMALL_NETWORK)
    spec = EncoderSpec(SMALL_NETWORK, directory)
    machine.embed(spec, KEYS[:5])
    (directory / f"{SMALL_NETWORK}.safetensors").unlink()
    with pytest.raises(RedsError, match="no weights"):
        machine.embed(spec, KEYS[:5])


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"timm": "0"}', "of an older version"])
def test_a_damaged_note_costs_a_load_only(damage: str, machine: Machine, weights_dir: Path) -> None:
    spec = EncoderSpec(SMALL_NETWORK, weights_dir)
    first = machine.embed(spec, KEYS[:5])
    (note,) = machine.places.embeddings.glob("encoder_of_*.json")
    if damage == "of an older version":
        older = json.loads(note.read_text())
        del older["identity"]["input_size"]
        damage = json.dumps(older)
    note.write_text(damage)
    again = machine.embed(spec, KEYS[:5])
    assert (again.encoder_id, again.computed) == (first.encoder_id, 0)


def test_a_key_without_tensor_is_an_error(machine: Machine) -> None:
    with pytest.raises(KeyError):
        machine.embed(EncoderSpec("tiny"), ["nobody"])


def test_a_small_task_measures_nothing(machine: Machine, weights_dir: Path) -> None:
    report = machine.embed(EncoderSpec(SMALL_NETWORK, weights_dir), KEYS)
    assert (report.engine, report.embeddings_id) == ("pytorch", report.encoder_id)
    assert report.measured is None
    assert "too little to measure" in report.reason


def test_another_input_size_asks_for_its_own_squares(tmp_path: Path) -> None:
    """A network of 160 pixels sees what the originals give at 160, not squares made twice."""
    machine = Machine(tmp_path)
    machine.squares = ArrayStore(tmp_path / "small", (160, 160, 3), "uint8")
    squares = np.random.default_rng(0).integers(0, 255, (3, 160, 160, 3), dtype=np.uint8)
    machine.squares.append(KEYS[:3], squares)
    spec = EncoderSpec(OTHER_SIZE_NETWORK, write_weights(tmp_path / "w", OTHER_SIZE_NETWORK))
    report = machine.embed(spec, KEYS[:3])
    assert {side for side, _ in machine.asked_for} == {160} == {report.input_size}
    assert "squares of 160 pixels made from the originals" in report.preprocessing


def _rates(**rates: float) -> dict[str, EngineMeasurement]:
    return {
        name.replace("_", "-"): EngineMeasurement(name.replace("_", "-"), "", batch=8, rate=rate)
        for name, rate in rates.items()
    }


@pytest.mark.parametrize(
    ("held", "engine", "computed"),
    [
        pytest.param(0, "pytorch-bf16", 40, id="an empty home takes the faster one"),
        pytest.param(10, "pytorch-bf16", 40, id="few embeddings are worth giving up"),
        pytest.param(30, "pytorch", 10, id="many embeddings are gone on with"),
    ],
)
def test_the_engine_that_is_done_first_is_taken(
    held: int, engine: str, computed: int, machine: Machine, weights_dir: Path
) -> None:
    """Numbers of two engines never come into one store, and none are made twice."""
    spec = EncoderSpec(SMALL_NETWORK, weights_dir)
    reference = machine.embed(spec, KEYS[:held], wanted="pytorch")
    directory = machine.places.engines / reference.encoder_id
    measured = now_measured(usable_cores(), 48, _rates(pytorch=1.0, pytorch_bf16=2.0))
    remember(directory, measured)
    report = machine.embed(spec, KEYS, worth_seconds=1e9)
    assert (report.engine, report.computed) == (engine, computed)
    assert report.measured == measured
    again = machine.embed(spec, KEYS, _never, last_store=report.embeddings_id)
    assert (again.embeddings_id, again.computed) == (report.embeddings_id, 0)


def test_the_store_used_last_is_kept_to(machine: Machine, weights_dir: Path) -> None:
    """Where two stores are complete, going over to the other would train everything anew."""
    spec = EncoderSpec(SMALL_NETWORK, weights_dir)
    reference = machine.embed(spec, KEYS[:8], wanted="pytorch")
    directory = machine.places.engines / reference.encoder_id
    remember(directory, now_measured(usable_cores(), 48, _rates(pytorch=1.0, pytorch_bf16=2.0)))
    other = machine.embed(spec, KEYS[:8], wanted="pytorch-bf16")
    assert other.embeddings_id == f"{reference.encoder_id}-pytorch-bf16"
    for last in (reference, other):
        report = machine.embed(spec, KEYS[:8], _never, last_store=last.embeddings_id)
        assert report.embeddings_id == last.embeddings_id


@pytest.mark.parametrize(
    ("wanted", "refusal", "sentence"),
    [
        pytest.param("warp", "", "names the engine warp, which there is not", id="unknown"),
        pytest.param("cuda", "no device", "cannot be used here: no device", id="not here"),
        pytest.param("openvino-bf16", "too far", "cannot be used here: too far", id="disagrees"),
    ],
)
def test_an_engine_that_cannot_serve_is_refused_by_name(
    wanted: str, refusal: str, sentence: str, machine: Machine, weights_dir: Path
) -> None:
    spec = EncoderSpec(SMALL_NETWORK, weights_dir)
    reference = machine.embed(spec, KEYS[:2], wanted="pytorch")
    results = _rates(pytorch=1.0) | {wanted: EngineMeasurement(wanted, refusal)}
    directory = machine.places.engines / reference.encoder_id
    remember(directory, now_measured(usable_cores(), 48, results))
    with pytest.raises(RedsError, match=sentence):
        machine.embed(spec, KEYS, wanted=wanted)
