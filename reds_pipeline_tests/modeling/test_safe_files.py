from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from reds_pipeline.errors import RedsError
from reds_pipeline.modeling.safe_files import load_pipeline, require_safe_model

FEATURES = np.random.default_rng(0).normal(size=(60, 5))
LABELS = np.array(["cat", "dog", "fox"] * 20)


class Malicious:
    """What a pickle can do to whoever opens it."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (exec, ("raise SystemExit('it ran')",))


def fitted(*steps: Any) -> Pipeline:
    return make_pipeline(*steps).fit(FEATURES, LABELS)


def skops_bytes(value: Any) -> bytes:
    return bytes(skops.io.dumps(value))


def with_schema(change: Any) -> bytes:
    """Return a good file whose description of itself was changed."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(skops_bytes(fitted(StandardScaler(), LinearSVC())))) as good,
        zipfile.ZipFile(made, "w") as bad,
    ):
        for name in good.namelist():
            data = good.read(name)
            if name == "schema.json":
                data = json.dumps(change(json.loads(data))).encode()
            bad.writestr(name, data)
    return made.getvalue()


def foreign_class(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "__module__": "subprocess", "__class__": "Popen"}


def foreign_loader(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "__loader__": "MethodNode"}


def nothing(_: dict[str, Any]) -> list[Any]:
    return []


def archive(*members: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as bad:
        for name, data in members:
            bad.writestr(name, data)
    return made.getvalue()


def test_a_standardised_linear_machine_is_read_and_decides_the_same(tmp_path: Path) -> None:
    pipeline = fitted(StandardScaler(), LinearSVC(C=0.1))
    path = tmp_path / "model.skops"
    path.write_bytes(skops_bytes(pipeline))
    read = load_pipeline(path)
    np.testing.assert_array_equal(read.predict(FEATURES), pipeline.predict(FEATURES))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (pickle.dumps(Malicious()), "pickles and the like run code"),
        (b"", "not a skops file"),
        (skops_bytes(fitted(RandomForestClassifier(2))), "it holds a sklearn.ensemble"),
        (
            skops_bytes(fitted(FunctionTransformer(np.tanh), LinearSVC())),
            "FunctionTransformer, which no model",
        ),
        (skops_bytes({"a": 1}), "it holds a dict and not a pipeline"),
        (with_schema(foreign_class), "it holds a subprocess.Popen"),
        (with_schema(foreign_loader), "it wants to be read by MethodNode"),
        (with_schema(nothing), "it is damaged"),
        (archive(("schema.json", b"{}"), ("../evil.py", b"")), "it holds a file '../evil.py'"),
        (archive(("0.npy", b"")), "it cannot be read"),
        (archive(("schema.json", b"\xff")), "it cannot be read"),
        (archive(("schema.json", b"{}"), ("1.npy", bytes(300_000_000))), "unpacked it takes 300"),
    ],
    ids=[
        *("a pickle", "nothing", "another model", "a step of our choice"),
        *("no model", "a foreign type", "a foreign loader", "no description"),
        *("a file beside", "no schema", "no JSON", "a bomb"),
    ],
)
def test_everything_else_is_refused_before_it_is_made(
    tmp_path: Path, data: bytes, why: str
) -> None:
    """Whatever it calls itself: the name of a file says nothing."""
    path = tmp_path / "model.skops"
    path.write_bytes(data)
    with pytest.raises(RedsError, match="is not read because") as refusal:
        load_pipeline(path)
    assert why in str(refusal.value)


def test_a_model_without_its_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {}")
    with pytest.raises(RedsError, match=r"bundle\.json is missing"):
        require_safe_model(tmp_path)
