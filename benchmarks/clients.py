"""The programs that are compared, each run in a process of its own.

What belongs here: fetching the same addresses in each of the ways. What does not: starting them
and reading the clock of the host (``collection.py``).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.keys import KeyedHash

_SECRET = b"a secret only for measurements"


@dataclass(frozen=True)
class Task:
    """What every program is given.

    Attributes:
        url: The host.
        count: Pictures to fetch.
        directory: Where results go; empty at first.
    """

    url: str
    count: int
    directory: Path

    def addresses(self) -> list[str]:
        """Return the address of each picture."""
        return [f"{self.url}/media/{number}.jpg" for number in range(self.count)]


def loop(task: Task) -> int:
    """Write what ``requests.get`` returns, one after the other."""
    import requests

    for number, address in enumerate(task.addresses()):
        answer = requests.get(address, timeout=30)
        (task.directory / f"{number}.jpg").write_bytes(answer.content)
    return task.count


def examining_loop(task: Task) -> int:
    """Do the same, but write only what our examination accepted, without its metadata."""
    import requests

    from reds_pipeline.imaging.examine import examine_image

    for number, address in enumerate(task.addresses()):
        picture = examine_image(requests.get(address, timeout=30).content)
        (task.directory / f"{number}.{picture.extension}").write_bytes(picture.data)
    return task.count


def reds(task: Task) -> int:
    """Run the download of the pipeline as it is."""
    from reds_pipeline.imaging.examine import examine_image

    return _download(task, examine_image)


def reds_unexamined(task: Task) -> int:
    """Run the download of the pipeline, which stores the bytes as they come."""
    return _download(task, _Unexamined)


def reds_posts(task: Task) -> int:
    """Collect the posts only, as JSON, through every gate."""
    from reds_pipeline.fediverse.collection import collect_posts
    from reds_pipeline.fediverse.consent import ConsentPolicy
    from reds_pipeline.fediverse.hosts import HostProfile
    from reds_pipeline.fediverse.posts import PostReader
    from reds_pipeline.fediverse.web.client import ApiClient
    from reds_pipeline.fediverse.web.transport import RequestPace
    from reds_pipeline.storage.journal import Journal
    from reds_pipeline.storage.seals import Seal

    reader = PostReader("127.0.0.1", ConsentPolicy(), KeyedHash(_SECRET), Seal(_SECRET))
    with ApiClient(task.url, pace=RequestPace.towards(task.url)) as client:
        collected = collect_posts(
            client,
            HostProfile("mastodon", "mastodon", "4.5.0", "Measured", "anonymous", "anonymous"),
            tags=["harbour"],
            reader=reader,
            wanted_images=task.count,
            journal=Journal(task.directory / "posts.jsonl"),
        )
    return sum(row["status"] == "kept" for row in collected.rows)


class _Unexamined:
    """Passes for an examined picture."""

    extension = "jpg"
    width = 1080
    height = 1080
    perceptual_hash = mirrored_hash = "0" * 16
    colour_spread = 99.0
    scores: Mapping[str, Any] = MappingProxyType({})
    square = np.zeros((224, 224, 3), np.uint8)
    cropped = False

    def __init__(self, data: bytes) -> None:
        self.data = data


def _download(task: Task, examine: Callable[[bytes], Any]) -> int:
    from reds_pipeline.fediverse.media.download import download_images
    from reds_pipeline.fediverse.media.fetcher import MediaFetcher
    from reds_pipeline.fediverse.web.politeness import Politeness
    from reds_pipeline.storage.images import ImageStore
    from reds_pipeline.storage.journal import Journal

    posts = [
        {
            "post_key": str(number),
            "author_key": str(number % 97),
            "created_at": utc_now(),
            "tags": ["harbour"],
            "status": "kept",
            "media": [{"url": address, "alt_text": "Boats", "licence": ""}],
        }
        for number, address in enumerate(task.addresses())
    ]
    with MediaFetcher(task.url, Politeness()) as fetch:
        rows = download_images(
            posts,
            [],
            fetch=fetch,
            examine=examine,
            store=ImageStore(task.directory / "images"),
            journal=Journal(task.directory / "journal.jsonl"),
            key=KeyedHash(_SECRET),
            maximum=task.count,
        )
    return sum(row["status"] == "stored" for row in rows)


CLIENTS: dict[str, Callable[[Task], int]] = {
    "loop": loop,
    "examining_loop": examining_loop,
    "reds_unexamined": reds_unexamined,
    "reds": reds,
    "reds_posts": reds_posts,
}

if __name__ == "__main__":
    name, url, count, directory = sys.argv[1:]
    began = time.monotonic()
    done = CLIENTS[name](Task(url, int(count), Path(directory)))
    sys.stdout.write(json.dumps({"done": done, "seconds": time.monotonic() - began}))
