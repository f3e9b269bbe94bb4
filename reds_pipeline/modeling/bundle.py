"""The portable model: a directory with one safetensors file and one JSON file.

What belongs here: what a served model consists of, writing it whole, and reading it without
trusting anyone. What does not: fitting, and registries. Neither file can carry code; whatever
does not look exactly as expected is refused. Only NumPy and safetensors are needed to use one,
so the web page and the command line start quickly.

There are two kinds. A model of ``classes`` gives a picture one of them: softmax, chances that add
up to 1. A model of ``tags`` gives it any number of them: sigmoid, chances of their own (H-18). Both
are the same numbers otherwise, so one file format holds both. Version 1 of the format knew
``classes`` only, with one temperature and no thresholds; version 2 could not tell whether a photo
is like those that it learnt from. Both are still read, and a model that cannot tell that is still
written as version 2.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.errors import RedsError
from reds_pipeline.modeling.abstention import reached
from reds_pipeline.modeling.calibration import probabilities, sigmoid
from reds_pipeline.modeling.familiarity import Familiarity
from reds_pipeline.modeling.heads import FittedHead
from reds_pipeline.storage.atomic import TEMPORARY_PREFIX

Kind = Literal["classes", "tags"]

FORMAT = "reds-model-bundle"
VERSION = 3
TENSORS_NAME = "model.safetensors"
DESCRIPTION_NAME = "bundle.json"

_ALWAYS = {"format", "version", "classes", "tensors_sha256", "provenance"}
# Entries of the JSON file and names of the tensors, by version of the format.
DESCRIPTION_KEYS = {
    1: _ALWAYS | {"temperature"},
    2: _ALWAYS | {"kind"},
    VERSION: _ALWAYS | {"kind"},
}
_MACHINE = {"mean", "scale", "weights", "intercept"}
_DECISION = _MACHINE | {"slope", "offset", "thresholds"}
_FAMILIARITY = {"centre", "scale", "directions", "limit"}
_FAMILIARITY_PREFIX = "familiarity."
TENSOR_NAMES = {
    1: _MACHINE,
    2: _DECISION,
    VERSION: _DECISION | {_FAMILIARITY_PREFIX + name for name in _FAMILIARITY},
}


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from.

    Attributes:
        encoder_name: The backbone's name; with it an encoder can be loaded again.
        encoder_id: The id of the encoder whose embeddings it was fitted on.
        resize_rule: Version of the rule that made the tensors.
        dataset_digest: Digest of the curated data set.
        trained_at: ISO 8601 time in UTC, ending in Z.
        metrics: Names of measurements and their values.
    """

    encoder_name: str
    encoder_id: str
    resize_rule: str
    dataset_digest: str
    trained_at: str
    metrics: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class ModelBundle:
    """A linear model over embeddings of d numbers, for k classes or tags.

    Attributes:
        kind: ``classes``, of which a picture has one, or ``tags``, of which it has any number.
        classes: The k classes or tags, in the order of rows and columns.
        mean: float64 (d,), taken off an embedding.
        scale: float64 (d,), by which it is then divided; above zero.
        weights: float64 (k, d).
        intercept: float64 (k,).
        slope: float64 (k,), by which a decision value is multiplied before it becomes a chance;
            one over the temperature for a model of classes.
        offset: float64 (k,), which is then added.
        thresholds: float64 (k,), the chance from which an answer is given; 0 to 1, at which
            none is (``abstention.NO_ANSWER``).
        provenance: Where it comes from.
        familiarity: What photos that it learnt from look like; None where that is not known.

    Raises:
        ValueError: The parts do not fit together or a number is not finite.
    """

    kind: Kind
    classes: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    slope: NDArray[np.float64]
    offset: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    provenance: Provenance
    familiarity: Familiarity | None = None

    def __post_init__(self) -> None:
        """Check shapes, types and numbers."""
        if self.kind not in get_args(Kind):
            raise ValueError(f"its kind is {self.kind!r}, not one of {', '.join(get_args(Kind))}")
        count = len(self.classes)
        # One tag can be given or not; a choice needs two classes.
        fewest = 2 if self.kind == "classes" else 1
        if count < fewest or len(set(self.classes)) != count or "" in self.classes:
            raise ValueError(f"its {self.kind} are not {fewest} or more different names")
        dimension = self.mean.size
        shapes = {
            "mean": (dimension,),
            "scale": (dimension,),
            "weights": (count, dimension),
            **dict.fromkeys(("intercept", "slope", "offset", "thresholds"), (count,)),
        }
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != np.float64:
                raise ValueError(f"its {name} is {array.dtype} {array.shape}, not float64 {shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"its {name} holds numbers that are not finite")
        if not (self.scale > 0).all():
            raise ValueError("its scale holds numbers that are not above zero")
        if not ((self.thresholds >= 0) & (self.thresholds <= 1)).all():
            raise ValueError("its thresholds hold numbers that are not chances")
        if self.familiarity is not None and self.familiarity.dimension != dimension:
            raise ValueError(
                f"its familiarity takes {self.familiarity.dimension} numbers, not {dimension}"
            )

    @property
    def dimension(self) -> int:
        """Length of the embeddings it takes."""
        return int(self.mean.size)

    def require_encoder(self, encoder_id: str) -> None:
        """Refuse embeddings of another encoder, which would give nonsense without a sign.

        Raises:
            RedsError: ``encoder_id`` is not the one the model was fitted on.
        """
        if encoder_id != self.provenance.encoder_id:
            raise RedsError(
                f"The model was trained on embeddings of {self.provenance.encoder_id}, but the "
                f"encoder at hand is {encoder_id}; give it the same weights file again, or train "
                "anew."
            )

    def decision_values(self, embeddings: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return float64 (n, k) for embeddings (n, d).

        Raises:
            ValueError: The embeddings have another length.
        """
        if embeddings.ndim != 2 or embeddings.shape[1] != self.dimension:
            raise ValueError(
                f"the model takes embeddings (n, {self.dimension}), not {embeddings.shape}"
            )
        standardised = (embeddings.astype(np.float64) - self.mean) / self.scale
        return np.asarray(standardised @ self.weights.T + self.intercept)

    def predict(self, embeddings: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the chances float64 (n, k) of the classes or tags for embeddings (n, d)."""
        calibrated = self.decision_values(embeddings) * self.slope + self.offset
        if self.kind == "classes":
            return probabilities(calibrated, 1.0)
        return sigmoid(calibrated)

    def is_given(self, chances: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which of the chances (n, k) reach their thresholds, as bool (n, k).

        Of a model of classes it is the likeliest class's entry that says whether its answer is
        one to rely on.
        """
        return reached(chances, self.thresholds)

    def is_familiar(self, embeddings: NDArray[np.floating[Any]]) -> NDArray[np.bool_] | None:
        """Return bool (n,), which embeddings (n, d) are like those it learnt from.

        None where it cannot tell, as models of earlier releases cannot.
        """
        return None if self.familiarity is None else self.familiarity.is_familiar(embeddings)


def bundle_from_head(
    head: FittedHead,
    temperature: float,
    answer_threshold: float,
    provenance: Provenance,
    familiarity: Familiarity | None = None,
) -> ModelBundle:
    """Return the bundle that decides as ``head`` does.

    Args:
        head: A fitted head of classes.
        temperature: See ``calibration``; above zero.
        answer_threshold: The chance from which the likeliest class is an answer to rely on.
        provenance: Where it comes from.
        familiarity: What photos that it learnt from look like.

    Raises:
        ValueError: The temperature is not above zero, or the threshold is not a chance.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError("its temperature is not a number above zero")
    scaler, machine = head.pipeline[0], head.pipeline[-1]
    weights, intercept = machine.coef_, machine.intercept_
    if len(head.classes) == 2:
        # scikit-learn keeps the second class against the first only.
        weights = np.concatenate([-weights, weights])
        intercept = np.concatenate([-intercept, intercept])
    count = len(head.classes)
    return ModelBundle(
        kind="classes",
        classes=head.classes,
        mean=np.asarray(scaler.mean_, np.float64),
        scale=np.asarray(scaler.scale_, np.float64),
        weights=np.ascontiguousarray(weights, np.float64),
        intercept=np.asarray(intercept, np.float64),
        slope=np.full(count, 1 / temperature),
        offset=np.zeros(count),
        thresholds=np.full(count, float(answer_threshold)),
        provenance=provenance,
        familiarity=familiarity,
    )


def save_bundle(bundle: ModelBundle, directory: Path) -> None:
    """Write the two files so that ``directory`` appears with both or not at all.

    A directory of that name that is there already is replaced.

    Raises:
        ValueError: A metric is not finite.
    """
    from safetensors.numpy import save

    arrays = {name: getattr(bundle, name) for name in _DECISION}
    familiarity = bundle.familiarity
    if familiarity is not None:
        arrays |= {
            _FAMILIARITY_PREFIX + name: np.asarray(getattr(familiarity, name), np.float64)
            for name in _FAMILIARITY
        }
    tensors = save({name: arrays[name] for name in sorted(arrays)})
    description = {
        "format": FORMAT,
        "version": 2 if familiarity is None else VERSION,
        "kind": bundle.kind,
        "classes": list(bundle.classes),
        "tensors_sha256": hashlib.sha256(tensors).hexdigest(),
        "provenance": asdict(bundle.provenance),
    }
    text = json.dumps(description, indent=2, allow_nan=False, ensure_ascii=False)
    directory.parent.mkdir(parents=True, exist_ok=True)
    unique = f"{directory.name}-{uuid.uuid4().hex}"
    temporary = directory.parent / f"{TEMPORARY_PREFIX}{unique}"
    replaced = directory.parent / f"{TEMPORARY_PREFIX}old-{unique}"
    temporary.mkdir()
    try:
        (temporary / TENSORS_NAME).write_bytes(tensors)
        (temporary / DESCRIPTION_NAME).write_text(text, encoding="utf-8")
        if directory.exists():
            directory.replace(replaced)
        temporary.replace(directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)


def load_bundle(directory: Path) -> ModelBundle:
    """Read a bundle and check all of it.

    Raises:
        RedsError: There is none, or it is of another version, damaged, or not a bundle.
    """
    try:
        description = _read_description(directory / DESCRIPTION_NAME)
        version = description["version"]
        tensors = _read_tensors(
            directory / TENSORS_NAME, description["tensors_sha256"], TENSOR_NAMES[version]
        )
        classes = _texts(description["classes"])
        if version == 1:
            temperature = _number(description["temperature"], "temperature")
            tensors |= _calibration_of_version_1(temperature, len(classes))
        familiarity = _familiarity(tensors) if version == VERSION else None
        return ModelBundle(
            kind="classes" if version == 1 else description["kind"],
            classes=classes,
            provenance=_provenance(description["provenance"]),
            familiarity=familiarity,
            **{name: tensors[name] for name in _DECISION},
        )
    except (OSError, ValueError) as error:
        raise RedsError(
            f"The model in {directory} cannot be used: {_reason(error)}; train it again or "
            "choose another version."
        ) from error


def _read_description(path: Path) -> dict[str, Any]:
    description = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise ValueError(f"{path.name} does not describe a model of REDS")
    version = description.get("version")
    # True is 1 to Python, but not to the format.
    if type(version) is not int or version not in DESCRIPTION_KEYS:
        raise ValueError(f"it is of version {version} and this REDS reads up to {VERSION}")
    if set(description) != DESCRIPTION_KEYS[version]:
        raise ValueError(f"{path.name} has missing or unknown entries")
    return description


def _calibration_of_version_1(temperature: float, count: int) -> dict[str, NDArray[np.float64]]:
    """Return the tensors that a model of version 1 lacks; it gave every answer."""
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError("its temperature is not a number above zero")
    return {
        "slope": np.full(count, 1 / temperature),
        "offset": np.zeros(count),
        "thresholds": np.zeros(count),
    }


def _familiarity(tensors: dict[str, NDArray[np.float64]]) -> Familiarity:
    parts = {name: tensors[_FAMILIARITY_PREFIX + name] for name in _FAMILIARITY}
    limit = parts.pop("limit")
    if limit.shape != () or limit.dtype != np.float64:
        raise ValueError("its familiarity's limit is not a number")
    return Familiarity(**parts, limit=float(limit))


def _read_tensors(
    path: Path, expected_digest: object, names: set[str]
) -> dict[str, NDArray[np.float64]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != expected_digest:
        raise ValueError(f"{path.name} is not the file that {DESCRIPTION_NAME} describes")
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise ValueError(f"{path.name} is not a safetensors file") from error
    if set(tensors) != names:
        raise ValueError(f"{path.name} has missing or unknown tensors")
    return tensors


def _provenance(value: object) -> Provenance:
    names = {field.name for field in fields(Provenance)}
    if not isinstance(value, dict) or set(value) != names:
        raise ValueError("its provenance has missing or unknown entries")
    metrics = value["metrics"]
    if not isinstance(metrics, dict):
        raise ValueError("its metrics are not a table")
    texts = {name: value[name] for name in names - {"metrics"}}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("its provenance holds something other than text")
    return Provenance(
        **texts, metrics={name: _number(item, name) for name, item in metrics.items()}
    )


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("its classes are not a list of names")
    return tuple(value)


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"its {name} is not a number")
    return float(value)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{Path(error.filename).name} is missing"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"{DESCRIPTION_NAME} is not JSON"
    return str(error)
