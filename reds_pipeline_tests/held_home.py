"""A home that holds posts and pictures of three people, made with the project's own functions.

The posts name two classes; one picture is shown by two people; one post is an album.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from reds_pipeline.dataset.remembered import RememberedExport, remember
from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.fediverse.posts import PostReader
from reds_pipeline.fediverse.walks import Cursor
from reds_pipeline.imaging.cleaning import clean_class
from reds_pipeline.imaging.curation import curate
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.storage.arrays import ArrayStore
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import (
    CLEAN_IMAGES,
    CURATED,
    CURSORS,
    HASHTAGS,
    IMAGES,
    LABEL_SUSPECTS,
    LEMMAS,
    POSTS,
    PREDICTIONS,
    SIMILAR_PAIRS,
    TEST_PICTURES,
    write_rows,
)
from reds_pipeline_tests.fediverse.makers import entity
from reds_pipeline_tests.imaging.pictures import encoded

HOST = "pix.example"
AT = "2026-11-01T10:00:00Z"
CLASSES = ("cat", "sea shore")

Row = dict[str, Any]


def drawn(seed: int) -> bytes:
    """A JPEG of 8 x 8 coloured blocks, different for each seed also in its look."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return encoded(Image.fromarray(blocks).resize((160, 160), Image.Resampling.NEAREST), "JPEG")


def post(post_id: str, author: str, *picture_numbers: int, tag: str = "cat") -> Row:
    """An entity whose every text about its author holds the author's name."""
    made = entity(post_id, url=f"https://{HOST}/p/{author}/{post_id}")
    made["account"] |= {"id": f"id-of-{author}", "username": author, "acct": author}
    made["tags"] = [{"name": tag}, {"name": f"tag-of-{author}"}]
    attachment = made["media_attachments"][0]
    made["media_attachments"] = [
        attachment
        | {
            "url": f"https://{HOST}/storage/{author}/{post_id}-{number}.jpg",
            "description": f"words-of-{author}-{number}",
        }
        for number in picture_numbers
    ]
    return made


def fill(root: Path, *, unfinished: bool = True) -> Home:
    """Make a home; with ``unfinished`` journals of killed stages as well."""
    home = Home(root)
    held = {
        "cat": [
            post("101", "mira", 1, 2),
            post("102", "mira", 3),
            post("103", "tomo-of-the-hill", 4),
            post("104", "ines", 5),
        ],
        "sea shore": [post("103", "tomo-of-the-hill", 4), post("105", "ines", 3, tag="shore")],
    }
    reader = PostReader(HOST, ConsentPolicy(), home.keyed_hash, home.seal)
    cleaned: dict[str, list[Row]] = {}
    for name in CLASSES:
        rows = [reader.row(made, name, AT) for made in held[name]]
        write_rows(home.table("posts", name), rows, POSTS)
        walk = Cursor(
            name, newest_id=rows[-1]["post_id"], oldest_id=rows[0]["post_id"], host=HOST
        ).row()
        write_rows(home.table("cursors", name), [walk], CURSORS)
        pictures = [picture for row in rows for picture in stored_pictures(home, row)]
        write_rows(home.table("images", name), pictures, IMAGES)
        if unfinished:
            home.journal("posts", name).append({"tag": name, "rows": rows[:1], "cursors": [walk]})
            home.journal("images", name).append(pictures[0])
        cleaned[name] = clean_class(name, pictures, {})
        write_rows(home.table("clean_images", name), cleaned[name], CLEAN_IMAGES)
    curated = curate(cleaned, 100)
    write_rows(home.table("curated_dataset"), curated, CURATED)
    find_out(home, sorted({row["sha256"] for row in curated}))
    sample = [reader.row(made, "", AT) for made in held["cat"]]
    newest = Cursor("", newest_id="104", oldest_id="101", host=HOST)
    write_rows(home.table("sample_cursors"), [newest.row()], CURSORS)
    write_rows(home.table("sample_posts"), sample, POSTS)
    tags = sorted({tag for row in sample for tag in row["tags"]})
    write_rows(home.table("hashtags"), [{"tag": tag, "posts": 1} for tag in tags], HASHTAGS)
    sources = [{"tag": tag, "occurrences": 1} for tag in tags]
    write_rows(home.table("lemmas"), [{"lemma": "cat", "sources": sources}], LEMMAS)
    embed(home)
    (home.figures).mkdir(parents=True)
    for name in ("examples.jpg", "mean_images.jpg"):
        (home.figures / name).write_bytes(drawn(1))
    return home


def stored_pictures(home: Home, row: Row) -> list[Row]:
    """Rows of the images table for a post whose pictures were all fetched."""
    rows = []
    for position, medium in enumerate(row["media"]):
        examined = examine_image(drawn(number_of(medium)))
        rows.append(
            {
                "media_key": home.keyed_hash(medium["url"]),
                "position": position,
                "album": len(row["media"]) > 1,
                **{name: medium[name] for name in ("alt_text", "licence", "url")},
                **{name: row[name] for name in ("post_key", "author_key", "created_at", "tags")},
                "collected_at": AT,
                "status": "stored",
                "reason": "",
                "bytes": len(examined.data),
                "width": examined.width,
                "height": examined.height,
                "sha256": home.images.put(examined.data, examined.extension),
                "extension": examined.extension,
                "perceptual_hash": examined.perceptual_hash,
                "mirrored_hash": examined.mirrored_hash,
                "colour_spread": examined.colour_spread,
                "scores": dict(examined.scores),
            }
        )
    return rows


def find_out(home: Home, sha256s: list[str]) -> None:
    """Write down what later stages say about pictures: pairs, doubtful labels, exports."""
    pairs = [{"one": one, "other": other} for one, other in combinations(sha256s, 2)]
    write_rows(home.table("similar_pairs"), pairs, SIMILAR_PAIRS)
    suspects = [{"sha256": sha256, "class_name": "cat"} for sha256 in sha256s]
    write_rows(home.table("label_suspects"), suspects, LABEL_SUSPECTS)
    tested = [{"sha256": sha256, "class_name": "cat", "held_out_at": AT} for sha256 in sha256s]
    write_rows(home.table("test_pictures"), tested, TEST_PICTURES)
    # A group of copies is named after one of them.
    said = [{"sha256": sha256, "fold": -1, "group": min(sha256s)} for sha256 in sha256s]
    write_rows(home.table("predictions", "tiny"), said, PREDICTIONS)
    remember(
        home,
        RememberedExport(
            "1", AT, "image_folder", "all", "digest", "shared pictures", frozenset(sha256s)
        ),
    )


def number_of(medium: Row) -> int:
    return int(medium["url"].rpartition("-")[2].removesuffix(".jpg"))


def embed(home: Home) -> None:
    names = sorted(path.stem for path in home.images.files())
    home.tensors("rule").append(names, np.zeros((len(names), 224, 224, 3), np.uint8))
    embeddings(home).append(names, np.ones((len(names), 4), np.float32))


def embeddings(home: Home) -> ArrayStore:
    return ArrayStore(home.embeddings / "encoder", (4,), "float32")


def sha_of(number: int) -> str:
    import hashlib

    return hashlib.sha256(examine_image(drawn(number)).data).hexdigest()


def everything(home: Home) -> str:
    """All that a home's files say, tables opened, as one text in which to search."""
    texts = []
    for path in sorted(home.root.rglob("*")):
        if not path.is_file():
            continue
        texts.append(path.name)
        if path.suffix == ".parquet":
            texts.append(repr(pq.read_table(path, partitioning=None).to_pylist()))
        else:
            texts.append(path.read_bytes().decode("latin-1"))
    return "\n".join(texts)


def opened_addresses(home: Home) -> list[str]:
    """Every sealed address in the posts tables, opened."""
    rows = [
        row
        for path in (home.root / "tables").rglob("*posts*/*.parquet")
        for row in pq.read_table(path, partitioning=None).to_pylist()
    ]
    rows += pq.read_table(home.table("sample_posts"), partitioning=None).to_pylist()
    return [home.seal.opened(row["permalink"]) for row in rows if row["permalink"]]
