"""An export as Parquet files that hold the pictures themselves.

What belongs here: writing that form, which dataset hubs preview. What does not: choosing the
pictures. The column of a picture is a struct of its bytes and its name, and the note about the
columns that hubs look for stands in the schema, so that a label is shown by its name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reds_pipeline.dataset.records import ExportChoice, ExportRecord
from reds_pipeline.dataset.shards import SHARD_BYTES, shards_by_part, write_shards
from reds_pipeline.storage.home import Home

LAYOUT = (
    "`data/<part>-<number>-of-<count>.parquet`: one row a picture; `image` holds the `bytes` of "
    "the file as it was stored and its name in `path`, `label` the number of the class.",
)

# A reader that shows the first rows has to load a whole group.
_ROWS_OF_A_GROUP = 100
_TEXT_COLUMNS = ("class_name", "split", "label_origin", "licence", "posted", "sha256")
_NUMBER_COLUMNS = ("group", "width", "height")


def write_parquet(
    directory: Path, home: Home, choice: ExportChoice, shard_bytes: int = SHARD_BYTES
) -> dict[str, str]:
    """Write the pictures of an export; memory holds one row group at a time.

    Args:
        directory: An existing directory.
        home: Where the pictures lie.
        choice: What to export.
        shard_bytes: Bytes of pictures a file.

    Returns:
        The pattern of the files of each part.

    Raises:
        FileNotFoundError: A picture is gone.
        OSError: The disk is full.
    """
    schema = export_schema(choice.classes)
    return write_shards(
        directory,
        shards_by_part(home, choice, shard_bytes),
        lambda part, number, shards: f"{part}-{number:05d}-of-{len(shards):05d}.parquet",
        lambda path, records: _write_shard(path, home, records, schema),
    )


def export_schema(classes: Sequence[str]) -> pa.Schema:
    """Return the columns, with the note by which hubs know pictures and labels.

    Args:
        classes: Names of the classes in the order of their numbers.
    """
    features: dict[str, Any] = {
        "image": {"_type": "Image"},
        "label": {"_type": "ClassLabel", "names": list(classes)},
    }
    columns = [
        pa.field("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        pa.field("label", pa.int64()),
    ]
    for names, kind in ((_TEXT_COLUMNS, pa.string()), (_NUMBER_COLUMNS, pa.int64())):
        columns += [pa.field(name, kind) for name in names]
        features |= {name: {"_type": "Value", "dtype": str(kind)} for name in names}
    return pa.schema(columns, {"huggingface": json.dumps({"info": {"features": features}})})


def _write_shard(
    path: Path, home: Home, records: Sequence[ExportRecord], schema: pa.Schema
) -> None:
    # Pictures are compressed already; packing them again takes time and saves nothing.
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for start in range(0, len(records), _ROWS_OF_A_GROUP):
            rows = [_row(home, record) for record in records[start : start + _ROWS_OF_A_GROUP]]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _row(home: Home, record: ExportRecord) -> dict[str, Any]:
    data = record.stored_in(home).read_bytes()
    return {
        "image": {"bytes": data, "path": record.file_name},
        "label": record.label,
        **record.description(),
    }
