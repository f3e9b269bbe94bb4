"""The files of an export and how to read records out of them, in the words of Croissant.

What belongs here: file sets, file objects and the record set of each format. What does not: what
is said about the data set as a whole (``croissant.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Node = dict[str, Any]

RECORDS = "pictures"

_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("label", "sc:Integer", "Number of the class."),
    ("class_name", "sc:Text", "The class."),
    ("split", "sc:Text", "train or test."),
    ("group", "sc:Integer", "Pictures with the same number belong on one side of every split."),
    ("label_origin", "sc:Text", "hashtag, or person when somebody has looked at the picture."),
    ("licence", "sc:Text", "That of the post, or all rights reserved."),
    ("width", "sc:Integer", "Of the upright picture, in pixels."),
    ("height", "sc:Integer", "Of the upright picture, in pixels."),
    ("posted", "sc:Text", "Month in which it was posted."),
    ("sha256", "sc:Text", "Of the picture's file; names it for a withdrawal."),
)
# In the order in which the reference implementation should try them.
_KINDS = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_FILE_NAME = "file_name"
_TABLE = "pictures.csv"


def image_folder_nodes(
    files: Mapping[str, str], extensions: Sequence[str]
) -> tuple[list[Node], Node]:
    """Return the distribution and the record set of an image folder.

    Args:
        files: Not used: the pictures are found by a pattern.
        extensions: Of the pictures.
    """
    del files
    distribution = [
        _file_set("metadata", "*/metadata.csv", ["text/csv"]),
        _picture_set("picture-files", extensions, "*/*/*."),
    ]
    # Rows name a picture by its directory too; file sets know it by its name alone.
    name = _column("metadata", _FILE_NAME) | {"transform": {"regex": "(?:.*/)?(.*)"}}
    return distribution, _record_set(
        lambda column: _column("metadata", column), _row_joined_to("picture-files", name)
    )


def parquet_nodes(files: Mapping[str, str], extensions: Sequence[str]) -> tuple[list[Node], Node]:
    """Return the distribution and the record set of Parquet files.

    Args:
        files: Not used: the tables are found by a pattern.
        extensions: Not used: the pictures are inside.
    """
    del files, extensions
    distribution = [_file_set("tables", "data/*.parquet", ["application/x-parquet"])]
    picture = _field("image", "sc:ImageObject", "The picture as it was stored.") | {
        "source": _column("tables", "image") | {"transform": {"jsonPath": "bytes"}}
    }
    return distribution, _record_set(lambda column: _column("tables", column), [picture])


def webdataset_nodes(
    files: Mapping[str, str], extensions: Sequence[str]
) -> tuple[list[Node], Node]:
    """Return the distribution and the record set of tar files.

    Args:
        files: SHA-256 of every file of the export by its path.
        extensions: Of the pictures.
    """
    shards = sorted(path for path in files if path.endswith(".tar"))
    inside = {"containedIn": [{"@id": path} for path in shards]}
    distribution = [
        *(_file_object(path, files[path], "application/x-tar") for path in shards),
        _file_object(_TABLE, files[_TABLE], "text/csv"),
        _picture_set("picture-files", extensions, "*.") | inside,
    ]

    def source_of(column: str) -> Node:
        return {"fileObject": {"@id": _TABLE}, "extract": {"column": column}}

    # From the pictures to the table: where both sides know a path, the reference implementation
    # reads the one of the left side, and that must be the picture.
    return distribution, _record_set(
        source_of, _picture_joined_to("picture-files", source_of(_FILE_NAME))
    )


def _record_set(source_of: Callable[[str], Node], picture: Sequence[Node]) -> Node:
    fields = [
        _field(name, kind, description) | {"source": source_of(name)}
        for name, kind, description in _COLUMNS
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": RECORDS,
        "name": RECORDS,
        "description": "One record a picture.",
        "key": {"@id": f"{RECORDS}/sha256"},
        "field": [*picture, *fields],
    }


def _row_joined_to(file_set: str, row: Node) -> list[Node]:
    """Return the fields that lead from a row to the picture that it names."""
    return [_file_name(row, _property(file_set, "filename")), _picture(file_set)]


def _picture_joined_to(file_set: str, row: Node) -> list[Node]:
    """Return the fields that lead from a picture to the row that names it."""
    return [_file_name(_property(file_set, "filename"), row), _picture(file_set)]


def _file_name(source: Node, references: Node) -> Node:
    return _field(_FILE_NAME, "sc:Text", "Name of the picture's file.") | {
        "source": source,
        "references": references,
    }


def _picture(file_set: str) -> Node:
    return _field("image", "sc:ImageObject", "The picture as it was stored.") | {
        "source": _property(file_set, "content")
    }


def _property(file_set: str, name: str) -> Node:
    return {"fileSet": {"@id": file_set}, "extract": {"fileProperty": name}}


def _field(name: str, kind: str, description: str) -> Node:
    return {
        "@type": "cr:Field",
        "@id": f"{RECORDS}/{name}",
        "name": name,
        "description": description,
        "dataType": kind,
    }


def _column(file_set: str, column: str) -> Node:
    return {"fileSet": {"@id": file_set}, "extract": {"column": column}}


def _file_set(name: str, includes: str | list[str], kinds: list[str]) -> Node:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "includes": includes,
        "encodingFormat": kinds if len(kinds) > 1 else kinds[0],
    }


def _picture_set(name: str, extensions: Sequence[str], pattern: str) -> Node:
    present = [extension for extension in _KINDS if extension in extensions]
    return _file_set(
        name,
        [f"{pattern}{extension}" for extension in present],
        [_KINDS[extension] for extension in present],
    )


def _file_object(path: str, sha256: str, kind: str) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": kind,
        "sha256": sha256,
    }
