from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from reds_pipeline.errors import RedsError
from reds_pipeline.modeling.bundle import (
    ModelBundle,
    Provenance,
    bundle_from_head,
    load_bundle,
    save_bundle,
)
from reds_pipeline.modeling.calibration import probabilities
from reds_pipeline.modeling.familiarity import fit_means
from reds_pipeline.modeling.heads import FittedHead, HeadParameters, decision_values, fit_head
from reds_pipeline_tests.modeling.clouds import clouds

PROVENANCE = Provenance(
    encoder_name="tiny",
    encoder_id="tiny-a61e6621335d",
    resize_rule="square-1",
    dataset_digest="0" * 64,
    trained_at="2026-01-02T03:04:05Z",
    metrics={"cv_mean": 0.948, "test_accuracy": 0.97},
)


def _head(classes: int) -> FittedHead:
    features, labels = clouds(classes, each=30)
    return fit_head(features, labels, HeadParameters())


@pytest.fixture
def bundle() -> ModelBundle:
    features, labels = clouds(3, each=30)
    familiarity = replace(fit_means(features, np.array(labels)), limit=0.25)
    return bundle_from_head(_head(3), 0.4, 0.7, PROVENANCE, familiarity)


@pytest.fixture
def saved(bundle: ModelBundle, tmp_path: Path) -> Path:
    save_bundle(bundle, tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_it_decides_as_scikit_learn_does(classes: int, tmp_path: Path) -> None:
    """Two classes are the special case: scikit-learn keeps one column for them."""
    head = _head(classes)
    save_bundle(bundle_from_head(head, 0.7, 0.0, PROVENANCE), tmp_path / "bundle")
    loaded = load_bundle(tmp_path / "bundle")
    features, _labels = clouds(classes, each=50, seed=9)
    expected = decision_values(head.pipeline, features)
    assert np.abs(loaded.decision_values(features) - expected).max() < 1e-5
    assert np.allclose(loaded.predict(features), probabilities(expected, 0.7), atol=1e-6)
    predicted = [loaded.classes[column] for column in loaded.predict(features).argmax(axis=1)]
    assert predicted == head.pipeline.predict(features.astype(np.float64)).tolist()


def test_everything_comes_back(bundle: ModelBundle, saved: Path) -> None:
    loaded = load_bundle(saved)
    assert loaded.classes == bundle.classes
    assert loaded.kind == bundle.kind
    assert loaded.provenance == PROVENANCE
    for name in ("mean", "scale", "weights", "intercept", "slope", "offset", "thresholds"):
        assert np.array_equal(getattr(loaded, name), getattr(bundle, name))
    features, _labels = clouds(3, each=20, seed=9)
    found = loaded.is_familiar(features)
    assert found is not None
    assert 0 < found.mean() < 1
    expected = bundle.is_familiar(features)
    assert expected is not None
    assert np.array_equal(found, expected)


def test_a_model_of_the_second_version_serves_as_before(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    """Champions of the release before are such files; what they say stays the same to the bit."""
    save_bundle(replace(bundle, familiarity=None), tmp_path / "old")
    assert json.loads((tmp_path / "old" / "bundle.json").read_text())["version"] == 2
    assert "familiarity.limit" not in load_file(tmp_path / "old" / "model.safetensors")
    loaded = load_bundle(tmp_path / "old")
    features, _labels = clouds(3, each=5, seed=3)
    assert np.array_equal(loaded.predict(features), bundle.predict(features))
    assert loaded.is_familiar(features) is None


def test_two_files_and_nothing_else(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == ["bundle.json", "model.safetensors"]
    assert [path.name for path in saved.parent.iterdir()] == ["bundle"]


def test_saving_again_replaces_the_whole(bundle: ModelBundle, saved: Path) -> None:
    (saved / "left over").write_text("from an older version")
    save_bundle(replace(bundle, slope=np.full(3, 0.5)), saved)
    assert load_bundle(saved).slope.tolist() == [0.5, 0.5, 0.5]
    assert not (saved / "left over").exists()
    assert [path.name for path in saved.parent.iterdir()] == ["bundle"]


def test_a_failed_save_leaves_the_old_one(bundle: ModelBundle, saved: Path) -> None:
    """A metric that JSON has no word for is refused before anything is touched."""
    spoiled = replace(PROVENANCE, metrics={"cv_mean": float("nan")})
    with pytest.raises(ValueError, match="JSON compliant"):
        save_bundle(replace(bundle, provenance=spoiled), saved)
    assert load_bundle(saved).provenance == PROVENANCE
    assert [path.name for path in saved.parent.iterdir()] == ["bundle"]


def test_the_wrong_encoder_is_refused(bundle: ModelBundle) -> None:
    bundle.require_encoder("tiny-a61e6621335d")
    with pytest.raises(RedsError, match="trained on embeddings of tiny-a61e6621335d"):
        bundle.require_encoder("tiny-000000000000")


def test_embeddings_of_another_length_are_refused(bundle: ModelBundle) -> None:
    assert bundle.dimension == 20
    for shape in ((3, 19), (20,)):
        with pytest.raises(ValueError, match="takes embeddings"):
            bundle.predict(np.zeros(shape, np.float32))


def _edit(**changes: Any) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        path = directory / "bundle.json"
        description = json.loads(path.read_text())
        description.update(changes)
        path.write_text(json.dumps(description))

    return change


def _edit_provenance(**changes: Any) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        provenance = json.loads((directory / "bundle.json").read_text())["provenance"]
        _edit(provenance=provenance | changes)(directory)

    return change


def _edit_tensors(**changes: np.ndarray | None) -> Callable[[Path], None]:
    """Return a change of tensors with the digest put right, as a forger would."""

    def change(directory: Path) -> None:
        path = directory / "model.safetensors"
        tensors = {**load_file(path), **changes}
        save_file({name: value for name, value in tensors.items() if value is not None}, path)
        _edit(tensors_sha256=hashlib.sha256(path.read_bytes()).hexdigest())(directory)

    return change


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        (directory / name).write_bytes(content)

    return change


def _remove(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


def _cut(directory: Path) -> None:
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


PICKLE = b"\x80\x04\x95\x0e\x00\x00\x00\x00\x00\x00\x00\x8c\x06system\x94."


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(_remove("bundle.json"), "bundle.json is missing", id="no description"),
        pytest.param(_remove("model.safetensors"), "safetensors is missing", id="no tensors"),
        pytest.param(_write("bundle.json", b"{"), "not JSON", id="torn description"),
        pytest.param(_write("bundle.json", b"\xff\xfe"), "not JSON", id="not text"),
        pytest.param(_write("bundle.json", b"[]"), "not describe a model", id="another JSON"),
        pytest.param(_edit(format="other"), "not describe a model", id="another format"),
        pytest.param(_edit(version=4), "version 4 and this REDS reads up to 3", id="newer version"),
        pytest.param(_edit(version=2), "unknown tensors", id="tensors of a newer version"),
        pytest.param(_edit(version=True), "version True", id="version as truth"),
        pytest.param(_edit(version=[2]), "reads up to 3", id="version as list"),
        pytest.param(_edit(version=1), "missing or unknown entries", id="entries of version 1"),
        pytest.param(_edit(kind="tag"), "not one of classes, tags", id="unknown kind"),
        pytest.param(_edit(kind=["tags"]), "not one of classes, tags", id="kind not a name"),
        pytest.param(_edit(extra=1), "missing or unknown entries", id="unknown entry"),
        pytest.param(_edit(classes="cat"), "not a list", id="classes not a list"),
        pytest.param(_edit(classes=["cat", 2, "dog"]), "not a list", id="class not a name"),
        pytest.param(_edit(classes=["cat", "cat", "dog"]), "different names", id="class twice"),
        pytest.param(_edit(classes=["cat", "dog"]), "not float64", id="too few classes"),
        pytest.param(_edit(temperature=1), "missing or unknown entries", id="older entry"),
        pytest.param(_edit(tensors_sha256="0" * 64), "not the file", id="tensors of another"),
        pytest.param(_edit(provenance=[]), "provenance has missing", id="provenance not a table"),
        pytest.param(_edit_provenance(more=""), "provenance has missing", id="unknown provenance"),
        pytest.param(_edit_provenance(encoder_id=3), "other than text", id="id not text"),
        pytest.param(_edit_provenance(metrics=[]), "not a table", id="metrics not a table"),
        pytest.param(_edit_provenance(metrics={"a": "b"}), "not a number", id="metric not number"),
        pytest.param(_cut, "not the file", id="truncated tensors"),
        pytest.param(_write("model.safetensors", PICKLE), "not the file", id="a pickle"),
        pytest.param(_edit_tensors(mean=None), "unknown tensors", id="tensor missing"),
        pytest.param(_edit_tensors(more=np.zeros(1)), "unknown tensors", id="tensor too many"),
        pytest.param(_edit_tensors(mean=np.zeros(19)), "its scale is", id="lengths differ"),
        pytest.param(
            _edit_tensors(mean=np.zeros(20, np.float32)), "not float64", id="another type"
        ),
        pytest.param(
            _edit_tensors(weights=np.full((3, 20), np.inf)), "not finite", id="infinite weight"
        ),
        pytest.param(_edit_tensors(scale=np.zeros(20)), "not above zero", id="scale of zero"),
        pytest.param(
            _edit_tensors(thresholds=np.full(3, 1.1)), "not chances", id="threshold above 1"
        ),
        pytest.param(_edit_tensors(slope=np.full(3, np.nan)), "not finite", id="slope not finite"),
        pytest.param(_edit_tensors(offset=np.zeros(2)), "its offset is", id="offsets too few"),
        pytest.param(
            _edit_tensors(**{"familiarity.limit": None}), "unknown tensors", id="no limit"
        ),
        pytest.param(
            _edit_tensors(**{"familiarity.limit": np.array(np.nan)}), "not a cosine", id="no cosine"
        ),
        pytest.param(
            _edit_tensors(**{"familiarity.limit": np.zeros(1)}), "not a number", id="many limits"
        ),
        pytest.param(
            _edit_tensors(**{"familiarity.scale": np.zeros(20)}),
            "familiarity's scale holds",
            id="familiarity's scale of zero",
        ),
        pytest.param(
            _edit_tensors(**{"familiarity.centre": np.full(20, np.nan)}),
            "familiarity's centre holds",
            id="familiarity not finite",
        ),
        pytest.param(
            _edit_tensors(
                **{
                    "familiarity.centre": np.zeros(2),
                    "familiarity.scale": np.ones(2),
                    "familiarity.directions": np.eye(2),
                }
            ),
            "takes 2 numbers, not 20",
            id="familiarity of another encoder",
        ),
    ],
)
def test_anything_else_is_refused_in_words(
    damage: Callable[[Path], None], reason: str, saved: Path
) -> None:
    damage(saved)
    with pytest.raises(RedsError, match=reason) as caught:
        load_bundle(saved)
    assert str(saved) in str(caught.value)
    assert "train it again" in str(caught.value)


def test_a_pickle_is_refused_even_with_its_own_digest(saved: Path) -> None:
    (saved / "model.safetensors").write_bytes(PICKLE)
    _edit(tensors_sha256=hashlib.sha256(PICKLE).hexdigest())(saved)
    with pytest.raises(RedsError, match="not a safetensors file"):
        load_bundle(saved)


def _write_version_1(bundle: ModelBundle, directory: Path, **changes: Any) -> None:
    """Write the files that REDS wrote before there were kinds and thresholds."""
    directory.mkdir()
    names = ("mean", "scale", "weights", "intercept")
    save_file({name: getattr(bundle, name) for name in names}, directory / "model.safetensors")
    tensors = (directory / "model.safetensors").read_bytes()
    description = {
        "format": "reds-model-bundle",
        "version": 1,
        "classes": list(bundle.classes),
        "temperature": 0.4,
        "tensors_sha256": hashlib.sha256(tensors).hexdigest(),
        "provenance": asdict(PROVENANCE),
    }
    (directory / "bundle.json").write_text(json.dumps(description | changes))


def test_a_model_of_the_first_version_still_serves(bundle: ModelBundle, tmp_path: Path) -> None:
    """Champions of older homes are such files; they gave every answer."""
    _write_version_1(bundle, tmp_path / "old")
    loaded = load_bundle(tmp_path / "old")
    features, _labels = clouds(3, each=5, seed=3)
    assert loaded.kind == "classes"
    assert np.array_equal(loaded.predict(features), bundle.predict(features))
    assert loaded.is_given(loaded.predict(features)).all()


@pytest.mark.parametrize(
    ("temperature", "reason"),
    [(0, "above zero"), (-1.0, "above zero"), ("1", "not a number"), (True, "not a number")],
)
def test_a_temperature_of_the_first_version_is_checked(
    temperature: object, reason: str, bundle: ModelBundle, tmp_path: Path
) -> None:
    _write_version_1(bundle, tmp_path / "old", temperature=temperature)
    with pytest.raises(RedsError, match=reason):
        load_bundle(tmp_path / "old")


@pytest.mark.parametrize("temperature", [0.0, -0.1, float("nan"), float("inf")])
def test_no_model_is_made_with_a_temperature_that_is_none(temperature: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        bundle_from_head(_head(3), temperature, 0.0, PROVENANCE)


@pytest.mark.req("H-18")
def test_chances_of_tags_do_not_add_up_to_one_and_those_of_classes_do(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    """Tags are independent of one another, classes exclude each other."""
    names = ("cat", "pet", "animal")
    tags = replace(bundle, kind="tags", classes=names, slope=np.full(3, 50.0), offset=np.ones(3))
    save_bundle(tags, tmp_path / "tags")
    loaded = load_bundle(tmp_path / "tags")
    features, _labels = clouds(3, each=20, seed=3)
    assert np.allclose(bundle.predict(features).sum(axis=1), 1)
    chances = loaded.predict(features)
    assert np.ptp(chances.sum(axis=1)) > 0.1
    expected = 1 / (1 + np.exp(-(loaded.decision_values(features) * loaded.slope + 1)))
    assert np.allclose(chances, expected)
    assert np.array_equal(loaded.is_given(chances), chances >= 0.7)
    silent = replace(loaded, thresholds=np.ones(len(loaded.classes)))
    assert not silent.is_given(np.ones_like(chances)).any()


def test_one_tag_is_a_model_and_one_class_is_none(bundle: ModelBundle) -> None:
    one: dict[str, Any] = {
        name: getattr(bundle, name)[:1]
        for name in ("classes", "weights", "intercept", "slope", "offset", "thresholds")
    }
    assert replace(bundle, kind="tags", **one).predict(np.zeros((2, 20))).shape == (2, 1)
    with pytest.raises(ValueError, match="not 2 or more"):
        replace(bundle, **one)


def test_serving_imports_no_training_library(saved: Path) -> None:
    """So that ``reds predict`` and the web page start quickly."""
    program = f"""
import sys
from pathlib import Path
import numpy as np
from reds_pipeline.modeling.bundle import load_bundle
bundle = load_bundle(Path({str(saved)!r}))
assert bundle.predict(np.zeros((2, 20), np.float32)).shape == (2, 3)
heavy = {{"sklearn", "scipy", "torch", "mlflow", "matplotlib"}} & set(sys.modules)
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


def test_bytes_depend_on_the_model_alone(bundle: ModelBundle, tmp_path: Path) -> None:
    save_bundle(bundle, tmp_path / "one")
    save_bundle(bundle, tmp_path / "other")
    for name in ("bundle.json", "model.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
