"""Each format is read by the library that it is made for."""

from __future__ import annotations

import csv
import json
import tarfile
from collections import Counter
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import webdataset
from PIL import Image
from torchvision.datasets import ImageFolder  # type: ignore[import-untyped]

from reds_pipeline.dataset.collect_facts import curated_table
from reds_pipeline.dataset.export import ExportReport
from reds_pipeline.dataset.image_folder import write_image_folder
from reds_pipeline.dataset.parquet_export import write_parquet
from reds_pipeline.dataset.records import ExportChoice, choose_records
from reds_pipeline.dataset.splits import split_dataset
from reds_pipeline.dataset.webdataset_export import write_webdataset
from reds_pipeline.storage.home import Home
from reds_pipeline_tests.dataset.dataset_home import CLASSES, SECRETS

PARTS = ("train", "test")


@pytest.fixture(scope="module")
def choice(home: Home) -> ExportChoice:
    rows = curated_table(home)
    return choose_records(home, rows, split_dataset(rows, 42), "all")


def bytes_of(home: Home, choice: ExportChoice) -> dict[str, bytes]:
    return {one.sha256: one.stored_in(home).read_bytes() for one in choice.records}


def described(choice: ExportChoice) -> dict[str, dict[str, Any]]:
    return {one.sha256: {"label": one.label, **one.description()} for one in choice.records}


def test_torchvision_reads_the_image_folder(
    exports: dict[str, ExportReport], choice: ExportChoice
) -> None:
    label_of = {record.file_name: record.label for record in choice.records}
    for part in PARTS:
        folder = ImageFolder(str(exports["image_folder"].directory / part))
        assert len(folder) == sum(record.part == part for record in choice.records)
        for path, label in folder.samples:
            assert label == label_of[Path(path).name]


def test_the_image_folder_holds_the_stored_bytes(
    exports: dict[str, ExportReport], home: Home, choice: ExportChoice
) -> None:
    found = {
        path.stem: path.read_bytes()
        for part in PARTS
        for path in (exports["image_folder"].directory / part).glob("*/*")
    }
    assert found == bytes_of(home, choice)


def test_the_table_of_the_image_folder_leads_to_every_picture(
    exports: dict[str, ExportReport], choice: ExportChoice
) -> None:
    rows = []
    for part in PARTS:
        directory = exports["image_folder"].directory / part
        with (directory / "metadata.csv").open(encoding="utf-8", newline="") as file:
            part_rows = list(csv.DictReader(file))
        for row in part_rows:
            assert (directory / row.pop("file_name")).is_file()
            assert row["split"] == part
        rows += part_rows
    expected = described(choice)
    assert len(rows) == len(expected)
    for row in rows:
        assert row == {name: str(value) for name, value in expected[row["sha256"]].items()}


def test_a_class_without_pictures_in_a_part_cannot_shift_the_numbers(
    home: Home, choice: ExportChoice, tmp_path: Path
) -> None:
    """torchvision numbers the directories that it finds; it has to complain instead."""
    cats_are_gone = tuple(
        record for record in choice.records if (record.part, record.class_name) != ("test", "cat")
    )
    write_image_folder(tmp_path, home, ExportChoice(cats_are_gone, choice.classes, {}))
    with pytest.raises(FileNotFoundError, match="cat"):
        ImageFolder(str(tmp_path / "test"))
    folder = ImageFolder(str(tmp_path / "test"), allow_empty=True)
    assert folder.classes == ImageFolder(str(tmp_path / "train")).classes


def test_parquet_has_the_columns_that_hubs_preview(
    exports: dict[str, ExportReport], home: Home, choice: ExportChoice
) -> None:
    expected, data = described(choice), bytes_of(home, choice)
    seen = 0
    for part in PARTS:
        for path in sorted((exports["parquet"].directory / "data").glob(f"{part}-*.parquet")):
            features = json.loads(pq.read_schema(path).metadata[b"huggingface"])["info"]["features"]
            assert features["image"] == {"_type": "Image"}
            assert features["label"] == {"_type": "ClassLabel", "names": list(CLASSES)}
            for row in pq.read_table(path).to_pylist():
                picture = row.pop("image")
                assert picture["bytes"] == data[row["sha256"]]
                assert picture["path"].startswith(row["sha256"])
                assert row == expected[row["sha256"]]
                assert row["split"] == part
                seen += 1
    assert seen == 48


def test_webdataset_reads_the_shards(
    exports: dict[str, ExportReport], home: Home, choice: ExportChoice
) -> None:
    expected, data = described(choice), bytes_of(home, choice)
    shards = sorted((exports["webdataset"].directory / "data").glob("*.tar"))
    samples = list(webdataset.WebDataset([str(path) for path in shards], shardshuffle=False))
    assert len(samples) == 48
    for sample in samples:
        picture = sample.get("jpg") or sample["png"]
        assert picture == data[sample["__key__"]]
        description = json.loads(sample["json"])
        assert description.pop("file_name").startswith(sample["__key__"])
        assert description == expected[sample["__key__"]]
        assert int(sample["cls"]) == description["label"]


def test_shards_are_cut_where_they_are_full(
    home: Home, choice: ExportChoice, tmp_path: Path
) -> None:
    for name, write in (("parquet", write_parquet), ("tar", write_webdataset)):
        (tmp_path / name).mkdir()
        write(tmp_path / name, home, choice, 20_000)
        parts = Counter(path.name[:5] for path in (tmp_path / name / "data").iterdir())
        assert parts["train"] > 2
    names = [path.name for path in (tmp_path / "parquet" / "data").glob("train*")]
    assert f"train-00000-of-{len(names):05d}.parquet" in names
    tables = [pq.read_table(path) for path in (tmp_path / "parquet" / "data").iterdir()]
    assert sum(table.num_rows for table in tables) == 48


def only_shard(directory: Path, home: Home, choice: ExportChoice) -> Path:
    directory.mkdir()
    write_webdataset(directory, home, choice)
    (shard,) = (directory / "data").glob("train-*.tar")
    return shard


def test_the_same_data_set_gives_the_same_tar(
    home: Home, choice: ExportChoice, tmp_path: Path
) -> None:
    one, other = (only_shard(tmp_path / name, home, choice) for name in ("one", "other"))
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()
    with tarfile.open(one) as tar:
        owners = {(member.uid, member.gid, member.uname, member.mtime) for member in tar}
    assert owners == {(0, 0, "", 0)}


def test_another_data_set_gives_a_tar_of_another_name(
    home: Home, choice: ExportChoice, tmp_path: Path
) -> None:
    """mlcroissant keeps what it unpacked by name, and read one export's pictures for another's."""
    records = tuple(replace(record, label=(record.label + 1) % 3) for record in choice.records)
    relabelled = ExportChoice(records, choice.classes, {})
    one = only_shard(tmp_path / "one", home, choice)
    assert only_shard(tmp_path / "other", home, relabelled).name != one.name


def test_no_format_names_anybody(exports: dict[str, ExportReport]) -> None:
    """Pictures are searched too: they were stored without metadata, and none may come back."""
    for report in exports.values():
        for path in report.directory.rglob("*"):
            text = path.name + (path.read_bytes().decode("latin-1") if path.is_file() else "")
            assert [secret for secret in SECRETS if secret in text] == [], path
            assert "Exif" not in text.replace("EXIF", "")


def test_every_picture_of_every_format_opens(exports: dict[str, ExportReport]) -> None:
    for path in sorted((exports["parquet"].directory / "data").iterdir()):
        for picture in pq.read_table(path, columns=["image"])["image"].to_pylist():
            with Image.open(BytesIO(picture["bytes"])) as image:
                image.load()
                assert image.size == (48, 36)
