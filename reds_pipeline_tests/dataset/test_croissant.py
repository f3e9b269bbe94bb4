from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlcroissant
import pytest
from mlcroissant._src.operation_graph.operations import extract
from PIL import Image

from reds_pipeline.dataset.croissant import croissant
from reds_pipeline.dataset.export import ExportReport
from reds_pipeline.dataset.facts import DatasetFacts
from reds_pipeline.storage.home import Home
from reds_pipeline_tests.dataset.dataset_home import SECRETS


@pytest.fixture(autouse=True)
def no_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference implementation unpacks archives into the user's own directory."""
    monkeypatch.setattr(extract, "EXTRACT_PATH", extract.epath.Path(tmp_path))


def text_of(value: Any) -> Any:
    return value.decode("utf-8") if isinstance(value, bytes) else value


@pytest.mark.parametrize("name", ["image_folder", "parquet", "webdataset"])
def test_the_reference_implementation_reads_every_record(
    exports: dict[str, ExportReport], name: str, home: Home
) -> None:
    dataset = mlcroissant.Dataset(jsonld=str(exports[name].directory / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    records = [
        {key.removeprefix("pictures/"): text_of(value) for key, value in record.items()}
        for record in dataset.records("pictures")
    ]
    stored = {path.stem: path for path in home.images.files()}
    assert {record["sha256"] for record in records} < set(stored)
    assert len(records) == 48
    for record in records:
        with Image.open(stored[record["sha256"]]) as original:
            expected = original.convert("RGB")
        assert record["image"].convert("RGB").tobytes() == expected.tobytes()
        assert record["split"] in {"train", "test"}
        assert record["licence"] in {"CC0", "CC BY", "CC BY-SA", "all rights reserved"}
        assert ["cat", "dog", "sea shore"][record["label"]] == record["class_name"]


def test_without_an_export_it_describes_and_offers_nothing(
    facts: DatasetFacts, tmp_path: Path
) -> None:
    described = croissant(facts)
    assert "distribution" not in described
    assert "recordSet" not in described
    path = tmp_path / "croissant.json"
    path.write_text(json.dumps(described), encoding="utf-8")
    metadata = mlcroissant.Dataset(jsonld=str(path)).metadata
    assert not metadata.ctx.issues.errors
    assert metadata.version == facts.version
    assert metadata.name == facts.name


def test_responsible_use_is_in_the_words_of_the_vocabulary(facts: DatasetFacts) -> None:
    """Read back by the reference implementation, which knows the terms; ours may be misspelt."""
    metadata = mlcroissant.Dataset(jsonld=croissant(facts)).metadata
    assert "not marked sensitive" in metadata.data_collection
    assert len(metadata.data_collection_timeframe) == 2
    assert any("hashtag" in line for line in metadata.data_annotation_protocol)
    assert any("one person" in line for line in metadata.data_biases)
    assert any("Recognising" in line for line in metadata.data_limitations)
    assert metadata.data_use_cases
    assert any("EXIF" in line for line in metadata.personal_sensitive_information)
    assert "reds withdraw" in metadata.data_release_maintenance_plan
    assert any("mirrored" in line for line in metadata.data_preprocessing_protocol)


def test_it_names_nobody(exports: dict[str, ExportReport]) -> None:
    for report in exports.values():
        text = (report.directory / "croissant.json").read_text(encoding="utf-8")
        assert [secret for secret in SECRETS if secret in text] == []


def test_the_operator_can_be_reached(facts: DatasetFacts) -> None:
    assert croissant(facts)["creator"] == {
        "@type": "sc:Organization",
        "name": "The operators of a REDS installation",
        "email": "bot@operator.example",
        "url": "https://operator.example",
    }
