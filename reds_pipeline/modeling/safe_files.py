"""Reading model files that somebody else may have written, without running anything of theirs.

What belongs here: what a model file may consist of, and refusing everything else. What does not:
the portable bundle, which cannot carry code at all (``bundle.py``).

A pickle runs whatever its author wrote, before anybody can look at it. skops files list the types
they are made of, and skops trusts every type of scikit-learn; ours need three of them, so only
those are let through, and the list is checked before anything is made.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reds_pipeline.errors import RedsError
from reds_pipeline.modeling.bundle import load_bundle

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

SKOPS_NAME = "model.skops"
BUNDLE_NAME = "bundle"
TRUSTED_TYPES = frozenset(
    {
        "builtins.bool",
        "builtins.dict",
        "builtins.float",
        "builtins.int",
        "builtins.list",
        "builtins.str",
        "builtins.tuple",
        "numpy.float32",
        "numpy.float64",
        "numpy.int32",
        "numpy.int64",
        "numpy.ndarray",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.svm._classes.LinearSVC",
    }
)
"""All that a standardised linear SVM is made of, as ``module.type``."""

_LOADERS = frozenset(
    {"DictNode", "JsonNode", "ListNode", "NdArrayNode", "ObjectNode", "TupleNode", "TypeNode"}
)
_SCHEMA = "schema.json"
_ARRAY_NAME = re.compile(r"\d+\.npy")
# A model of 4,096 numbers and 1,000 classes takes 33 MB; a zip file can claim any size.
_MOST_BYTES = 256 * 1024 * 1024
# Files that MLflow writes beside a model; none of them is ever run or unpickled here.
_DESCRIPTIONS = frozenset(
    {"MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt", "registered_model_meta"}
)


def load_pipeline(path: Path) -> Pipeline:
    """Read a scikit-learn pipeline of a scaler and a linear SVM from a skops file.

    Raises:
        RedsError: The file is anything else, whatever it is called.
    """
    from reds_pipeline.modeling.quick_skops import import_skops

    data = _checked(path)
    import_skops()
    from skops.io import loads

    try:
        pipeline = loads(data, trusted=[])
    except Exception as error:
        # What a damaged file makes skops raise depends on where it is damaged.
        raise _refusal(path, f"it is damaged ({type(error).__name__})") from error
    if type(pipeline).__name__ != "Pipeline":
        raise _refusal(path, f"it holds a {type(pipeline).__name__} and not a pipeline")
    return pipeline


def require_safe_model(directory: Path) -> None:
    """Check the files of a registered model before it may serve.

    Args:
        directory: The model as MLflow keeps it, with the portable bundle in it.

    Raises:
        RedsError: A file does not belong there, or is not what its name says.
    """
    load_bundle(directory / BUNDLE_NAME)
    for path in sorted(directory.iterdir()):
        if path.name == BUNDLE_NAME or path.name in _DESCRIPTIONS:
            continue
        if path.name != SKOPS_NAME:
            raise _refusal(path, "no file of that name belongs to a model of REDS")
        load_pipeline(path)


def _checked(path: Path) -> bytes:
    """Return the bytes of a file that holds nothing but what is trusted."""
    try:
        data = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _require_plain_members(path, archive)
            schema = json.loads(archive.read(_SCHEMA))
    except zipfile.BadZipFile as error:
        raise _refusal(
            path, "it is not a skops file; pickles and the like run code when they are read"
        ) from error
    except (OSError, KeyError, ValueError) as error:
        raise _refusal(path, f"it cannot be read ({type(error).__name__})") from error
    for node in _nodes(schema):
        name, loader = f"{node.get('__module__')}.{node['__class__']}", node.get("__loader__")
        if name not in TRUSTED_TYPES:
            raise _refusal(path, f"it holds a {name}, which no model of REDS is made of")
        if loader not in _LOADERS:
            raise _refusal(path, f"it wants to be read by {loader}, which no model of REDS needs")
    return data


def _require_plain_members(path: Path, archive: zipfile.ZipFile) -> None:
    total = 0
    for member in archive.infolist():
        if member.filename != _SCHEMA and not _ARRAY_NAME.fullmatch(member.filename):
            raise _refusal(path, f"it holds a file {member.filename!r}")
        total += member.file_size
    if total > _MOST_BYTES:
        raise _refusal(path, f"unpacked it takes {total / 1e6:,.0f} MB")


def _nodes(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield every description of an object in a schema."""
    waiting = [value]
    while waiting:
        inside = waiting.pop()
        if isinstance(inside, dict):
            if "__class__" in inside:
                yield inside
            waiting.extend(inside.values())
        elif isinstance(inside, list):
            waiting.extend(inside)


def _refusal(path: Path, why: str) -> RedsError:
    return RedsError(
        f"The file {path.name} is not read because {why}; use the model's bundle, or train again."
    )
