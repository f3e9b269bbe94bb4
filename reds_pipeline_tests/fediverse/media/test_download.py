from __future__ import annotations

import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reds_pipeline.errors import ImageRejected
from reds_pipeline.fediverse.media.download import Workers, download_images
from reds_pipeline.fediverse.media.fetcher import MediaFetcher
from reds_pipeline.fediverse.media.media_hosts import MediaManners
from reds_pipeline.fediverse.web.politeness import Politeness
from reds_pipeline.storage.images import ImageStore
from reds_pipeline.storage.journal import Journal
from reds_pipeline.storage.tables import IMAGES, read_rows, write_rows
from reds_pipeline_tests.fediverse.makers import IMPATIENT, KEY, entity, reader
from reds_pipeline_tests.fediverse.scripted_host import Asked, Reply, ScriptedHost

NOW = "2026-11-21T10:00:00Z"
Row = dict[str, Any]
SCORES: Row = {
    "version": "v1",
    "mode": "RGB",
    "transparent_share": 0.0,
    "brightness": 128.0,
    "shadows": 10.0,
    "highlights": 250.0,
    "sharpness": 0.5,
    "entropy": 4.0,
    "text_share": 0.0,
}


@dataclass(frozen=True)
class Picture:
    data: bytes
    extension: str = "jpg"
    width: int = 640
    height: int = 480
    perceptual_hash: str = "0123456789abcdef"
    mirrored_hash: str = "fedcba9876543210"
    colour_spread: float = 99.0
    scores: Row = field(default_factory=lambda: dict(SCORES))
    square: NDArray[np.uint8] = field(
        default_factory=lambda: np.zeros((224, 224, 3), np.uint8), compare=False
    )
    cropped: bool = False


def examine(data: bytes) -> Picture:
    """Reject what says so, and strip what must not be kept."""
    if data.startswith(b"bad"):
        raise ImageRejected("truncated")
    return Picture(data.replace(b"GPS", b""))


class Desk:
    """A media host, a store and a journal, and the job of filling them."""

    def __init__(self, server: ScriptedHost, root: Path) -> None:
        self.server = server
        self.root = root
        self.files: dict[str, Reply] = {}
        self.store = ImageStore(root / "images")
        self.journal = Journal(root / "journal.jsonl")
        server.answer = self._answer

    def _answer(self, asked: Asked) -> Reply:
        return self.files.get(asked.path, Reply(404))

    def post(self, post_id: int, *files: str, **changes: Any) -> Row:
        """A row of a post with one picture per file name; the file says its own name."""
        made = entity(str(post_id), **changes)
        [template] = made["media_attachments"]
        made["media_attachments"] = [
            template | {"id": str(number), "url": f"{self.server.url}/{name}"}
            for number, name in enumerate(files)
        ]
        for name in files:
            self.files.setdefault(f"/{name}", Reply(200, f"GPS {name}".encode()))
        return reader().row(made, "cat", NOW)

    def download(
        self, posts: list[Row], images: list[Row] | None = None, **options: Any
    ) -> list[Row]:
        chosen: dict[str, Any] = {
            "examine": examine,
            "maximum": 1000,
            "workers": Workers(3, 2),
        } | options
        haste = chosen.pop("manners", MediaManners(IMPATIENT))
        with MediaFetcher(self.server.url, Politeness(), manners=haste, own_manners=haste) as fetch:
            return download_images(
                posts,
                images or [],
                fetch=fetch,
                store=self.store,
                journal=self.journal,
                key=KEY,
                **chosen,
            )

    def downloads(self) -> list[str]:
        return [path for path in self.server.paths() if path != "/robots.txt"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ScriptedHost() as server:
        yield Desk(server, tmp_path)


def statuses(rows: list[Row]) -> dict[str, tuple[str, str]]:
    return {row["url"].rpartition("/")[2]: (row["status"], row["reason"]) for row in rows}


def test_a_stored_picture_is_what_the_examination_let_through(desk: Desk, tmp_path: Path) -> None:
    post = desk.post(1, "a.jpg", "b.jpg")
    rows = sorted(desk.download([post]), key=lambda row: row["position"])
    first = rows[0]
    assert first | {"collected_at": NOW} == {
        "media_key": KEY(f"{desk.server.url}/a.jpg"),
        "post_key": post["post_key"],
        "author_key": post["author_key"],
        "created_at": post["created_at"],
        "tags": ["GoldenHour"],
        "position": 0,
        "album": True,
        "alt_text": "Fishing boats",
        "licence": "CC BY",
        "url": f"{desk.server.url}/a.jpg",
        "collected_at": NOW,
        "status": "stored",
        "reason": "",
        "bytes": 6,
        "width": 640,
        "height": 480,
        "sha256": first["sha256"],
        "extension": "jpg",
        "perceptual_hash": "0123456789abcdef",
        "mirrored_hash": "fedcba9876543210",
        "colour_spread": 99.0,
        "scores": SCORES,
    }
    assert desk.store.read(first["sha256"], "jpg") == b" a.jpg"
    write_rows(tmp_path / "images.parquet", rows, IMAGES)
    assert read_rows(tmp_path / "images.parquet") == rows


@pytest.mark.req("R-SCR-3")
@pytest.mark.req("R-SCR-4")
def test_nothing_of_a_gated_post_is_asked_for(desk: Desk) -> None:
    posts = [
        desk.post(1, "private.jpg", visibility="private"),
        desk.post(2, "sensitive.jpg", sensitive=True),
        desk.post(3, "fine.jpg"),
    ]
    rows = desk.download(posts)
    assert statuses(rows) == {"fine.jpg": ("stored", "")}
    assert desk.downloads() == ["/fine.jpg"]
    stored = [path.read_bytes() for path in desk.root.rglob("*") if path.is_file()]
    assert not any(b"private" in data or b"sensitive" in data for data in stored)


def test_bad_pictures_and_bad_hosts_are_rows_with_a_reason(desk: Desk) -> None:
    post = desk.post(1, "good.jpg", "bad.jpg", "gone.jpg", "later.jpg", "page.jpg")
    desk.files |= {
        "/bad.jpg": Reply(200, b"bad bytes"),
        "/gone.jpg": Reply(404),
        "/later.jpg": Reply(503),
        "/page.jpg": Reply(200, b"<html>", {"Content-Type": "text/html"}),
    }
    rows = desk.download([post])
    assert statuses(rows) == {
        "good.jpg": ("stored", ""),
        "bad.jpg": ("rejected", "truncated"),
        "gone.jpg": ("rejected", "not_found"),
        "later.jpg": ("failed", "status_503"),
        "page.jpg": ("rejected", "not_an_image"),
    }
    assert len(list((desk.root / "images").rglob("*.jpg"))) == 1


@pytest.mark.req("R-SCR-12")
def test_a_second_run_asks_only_for_what_failed(desk: Desk) -> None:
    post = desk.post(1, "good.jpg", "bad.jpg", "later.jpg")
    desk.files |= {"/bad.jpg": Reply(200, b"bad"), "/later.jpg": Reply(503)}
    first = desk.download([post])
    desk.journal.delete()
    desk.server.asked.clear()
    desk.files["/later.jpg"] = Reply(200, b"here now")
    second = desk.download([post], first)
    assert desk.downloads() == ["/later.jpg"]
    assert statuses(second)["later.jpg"] == ("stored", "")
    desk.server.asked.clear()
    desk.journal.delete()
    third = desk.download([post], second)
    assert desk.server.asked == []
    assert desk.journal.records() == []
    assert third == second


def test_one_address_in_two_posts_is_fetched_once(desk: Desk) -> None:
    rows = desk.download([desk.post(1, "same.jpg"), desk.post(2, "same.jpg")])
    assert len(rows) == 1
    assert desk.downloads() == ["/same.jpg"]


@pytest.mark.req("R-SCR-2")
def test_the_newest_pictures_come_first_and_bad_ones_do_not_count(desk: Desk) -> None:
    posts = [
        desk.post(day, f"{day}.jpg", created_at=f"2026-10-{day:02}T00:00:00Z")
        for day in range(1, 10)
    ]
    desk.files["/9.jpg"] = Reply(200, b"bad")
    rows = desk.download(posts, maximum=3)
    assert sorted(desk.downloads()) == ["/6.jpg", "/7.jpg", "/8.jpg", "/9.jpg"]
    assert statuses(rows)["9.jpg"] == ("rejected", "truncated")
    desk.server.asked.clear()
    again = desk.download(posts, rows, maximum=3)
    assert desk.downloads() == []
    newer = [*posts, desk.post(10, "10.jpg", created_at="2026-10-10T00:00:00Z")]
    grown = desk.download(newer, again, maximum=3)
    assert desk.downloads() == ["/10.jpg"]
    assert sum(row["status"] == "stored" for row in grown) == 4


@pytest.mark.req("R-SCR-8")
def test_who_floods_a_hashtag_does_not_take_the_places_of_others(desk: Desk) -> None:
    """Of one person a fifth comes first, and the rest only if there is room."""

    def of(author: str, day: int) -> Row:
        account = entity()["account"] | {"id": author}
        file = f"{author}-{day}.jpg"
        return desk.post(day, file, created_at=f"2026-10-{day:02}T00:00:00Z", account=account)

    posts = [*(of("9", day) for day in range(11, 21)), *(of(str(day), day) for day in range(1, 5))]
    rows = desk.download(posts, maximum=5)
    assert sorted(statuses(rows)) == ["1-1.jpg", "2-2.jpg", "3-3.jpg", "4-4.jpg", "9-20.jpg"]
    assert len(desk.download(posts, rows, maximum=8)) == 8


class Killed(BaseException):
    """Stands for the power cut; nothing may catch it."""


@pytest.mark.parametrize("survivors", [0, 1, 4])
def test_a_kill_loses_at_most_what_was_in_flight_and_repeats_nothing_else(
    desk: Desk, survivors: int
) -> None:
    posts = [desk.post(number, f"{number}.jpg") for number in range(6)]
    examined = iter(range(100))

    def fragile(data: bytes) -> Picture:
        if next(examined) >= survivors:
            raise Killed
        return examine(data)

    with pytest.raises(Killed):
        desk.download(posts, examine=fragile, workers=Workers(1, 1))
    assert len(desk.journal.records()) == survivors
    finished = set(desk.downloads()[:survivors])
    desk.server.asked.clear()
    rows = desk.download(posts)
    assert all(row["status"] == "stored" for row in rows)
    assert len(rows) == 6
    assert finished.isdisjoint(desk.downloads())
    assert len(desk.downloads()) == 6 - survivors
    assert not [path for path in (desk.root / "images").rglob(".*") if path.is_file()]


def test_a_bug_in_the_examination_stops_the_run_but_keeps_what_was_done(desk: Desk) -> None:
    posts = [desk.post(number, f"{number}.jpg") for number in range(5)]

    def broken(data: bytes) -> Picture:
        if b"3" in data:
            raise RuntimeError("a bug")
        return examine(data)

    with pytest.raises(RuntimeError, match="a bug"):
        desk.download(posts, examine=broken, workers=Workers(1, 1))
    assert all(record["status"] == "stored" for record in desk.journal.records())


def test_pictures_of_a_post_gated_since_are_withdrawn_but_can_be_found(desk: Desk) -> None:
    kept = desk.post(1, "a.jpg")
    first = desk.download([kept])
    gated = desk.post(1, "a.jpg", sensitive=True)
    desk.server.asked.clear()
    [row] = desk.download([gated], first)
    assert (row["status"], row["reason"]) == ("rejected", "post_gated")
    assert row["sha256"] == first[0]["sha256"]
    assert (row["url"], row["alt_text"], row["tags"], row["author_key"]) == ("", "", [], "")
    assert desk.server.asked == []


def test_a_picture_that_another_post_shows_too_loses_what_the_gated_one_said(desk: Desk) -> None:
    posts = [desk.post(2, "a.jpg"), desk.post(1, "a.jpg", tags=[{"name": "Other"}])]
    first = desk.download(posts)
    assert first[0]["post_key"] in {post["post_key"] for post in posts}
    shown_by = next(post for post in posts if post["post_key"] == first[0]["post_key"])
    [other] = [post for post in posts if post is not shown_by]
    gated = desk.post(int(shown_by["post_id"]), "a.jpg", sensitive=True)
    desk.server.asked.clear()
    [row] = desk.download([gated, other], first)
    assert (row["status"], row["post_key"], row["tags"]) == (
        "stored",
        other["post_key"],
        other["tags"],
    )
    assert desk.server.asked == []


def test_a_picture_that_is_gone_from_the_store_is_fetched_again(desk: Desk) -> None:
    post = desk.post(1, "a.jpg", "b.jpg")
    first = desk.download([post])
    lost = desk.store.path(first[0]["sha256"], first[0]["extension"])
    lost.unlink()
    desk.server.asked.clear()
    assert statuses(desk.download([post], first)) == statuses(first)
    assert len(desk.downloads()) == 1
    assert lost.exists()


def test_fetching_runs_side_by_side_but_no_more_than_allowed(desk: Desk) -> None:
    posts = [desk.post(number, f"{number}.jpg") for number in range(12)]
    meeting = threading.Barrier(3, timeout=10)
    lock = threading.Lock()
    present = most = 0

    def meet(asked: Asked) -> Reply:
        nonlocal present, most
        if asked.path == "/robots.txt":
            return Reply(404)
        with lock:
            present += 1
            most = max(most, present)
        meeting.wait()
        with lock:
            present -= 1
        return desk.files[asked.path]

    desk.server.answer = meet
    assert len(desk.download(posts, workers=Workers(3, 2))) == 12
    assert most == 3


def test_examining_runs_side_by_side_but_no_more_than_allowed(desk: Desk) -> None:
    posts = [desk.post(number, f"{number}.jpg") for number in range(12)]
    meeting = threading.Barrier(2, timeout=10)
    lock = threading.Lock()
    present = most = 0

    def meet(data: bytes) -> Picture:
        nonlocal present, most
        with lock:
            present += 1
            most = max(most, present)
        meeting.wait()
        with lock:
            present -= 1
        return examine(data)

    assert len(desk.download(posts, examine=meet, workers=Workers(3, 2))) == 12
    assert most == 2


def everything_under(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file())


def test_a_withdrawn_address_is_not_asked_for(desk: Desk) -> None:
    post = desk.post(1, "a.jpg", "b.jpg")
    [banned] = [medium["url"] for medium in post["media"] if medium["url"].endswith("/a.jpg")]
    rows = desk.download([post], withdrawn=frozenset({KEY(banned)}))
    [row] = [row for row in rows if row["media_key"] == KEY(banned)]
    assert (row["status"], row["reason"], row["sha256"]) == ("rejected", "withdrawn", "")
    assert (row["url"], row["alt_text"], row["tags"], row["author_key"]) == ("", "", [], "")
    assert desk.downloads() == ["/b.jpg"]


def test_a_withdrawn_picture_does_not_come_back_under_another_address(
    desk: Desk, tmp_path: Path
) -> None:
    first = desk.download([desk.post(1, "a.jpg")])
    desk.store.remove(first[0]["sha256"], "jpg")
    desk.journal.delete()
    desk.files["/copy.jpg"] = desk.files["/a.jpg"]
    withdrawn = frozenset({KEY("image", first[0]["sha256"])})
    again = desk.post(2, "copy.jpg", "other.jpg")
    rows = desk.download([again], withdrawn=withdrawn)
    assert sorted((row["status"], row["reason"]) for row in rows) == [
        ("rejected", "withdrawn"),
        ("stored", ""),
    ]
    assert b" a.jpg" not in everything_under(tmp_path)
    assert first[0]["sha256"].encode() not in everything_under(tmp_path)
    desk.server.asked.clear()
    assert desk.download([again], rows, withdrawn=withdrawn) == rows
    assert desk.server.asked == []


def test_a_picture_withdrawn_while_its_row_lay_in_the_journal_says_only_what_to_erase(
    desk: Desk,
) -> None:
    """As after a kill between the download and the table; the withdrawal erases by the hash."""
    post = desk.post(1, "a.jpg")
    [row] = desk.download([post])
    assert desk.store.path(row["sha256"], "jpg").exists()
    [after] = desk.download([post], withdrawn=frozenset({KEY("image", row["sha256"])}))
    assert (after["status"], after["reason"], after["url"]) == ("rejected", "withdrawn", "")
    assert (after["sha256"], after["extension"]) == (row["sha256"], "jpg")


def test_a_copy_that_looks_like_a_withdrawn_picture_is_not_stored(desk: Desk) -> None:
    post = desk.post(1, "a.jpg")
    [row] = desk.download([post])
    look = frozenset({KEY("look", row["perceptual_hash"])})
    desk.store.remove(row["sha256"], "jpg")
    [after] = desk.download([post], withdrawn=look)
    assert (after["status"], after["reason"], after["sha256"]) == ("rejected", "withdrawn", "")


def test_a_picture_whose_post_was_gated_once_and_is_kept_again_is_fetched_again(
    desk: Desk,
) -> None:
    post = desk.post(1, "a.jpg")
    [gated] = desk.download([post | {"status": "gated", "media": []}], desk.download([post]))
    assert gated["reason"] == "post_gated"
    desk.store.remove(gated["sha256"], "jpg")
    [again] = desk.download([post], [gated])
    assert (again["status"], again["reason"]) == ("stored", "")


def test_a_withdrawn_row_stays_empty_when_its_post_is_gated_and_another_shows_it(
    desk: Desk,
) -> None:
    posts = [desk.post(2, "a.jpg"), desk.post(1, "a.jpg")]
    withdrawn = frozenset({KEY(f"{desk.server.url}/a.jpg")})
    [row] = desk.download(posts, withdrawn=withdrawn)
    [shown_by] = [post for post in posts if post["post_key"] == row["post_key"]]
    gated = [
        post | {"status": "gated", "media": []} if post is shown_by else post for post in posts
    ]
    [after] = desk.download(gated, [row], withdrawn=withdrawn)
    assert after == row


def test_what_the_budget_of_a_host_leaves_over_is_a_row_and_comes_next_time(desk: Desk) -> None:
    posts = [desk.post(number, f"{number}.jpg") for number in range(6)]
    # One of these requests is for robots.txt.
    thrift = MediaManners(IMPATIENT, budget=3)
    first = desk.download(posts, manners=thrift)
    assert sorted(row["reason"] for row in first) == ["", "", *["budget_spent"] * 4]
    assert all(row["status"] == "failed" for row in first if row["reason"])
    assert len(desk.server.asked) == 3
    desk.journal.delete()
    second = desk.download(posts, first)
    assert all(row["status"] == "stored" for row in second)
    assert sorted(desk.downloads()) == [f"/{number}.jpg" for number in range(6)]


def test_where_the_disk_is_nearly_full_nothing_is_fetched_until_there_is_room(desk: Desk) -> None:
    posts = [desk.post(number, f"{number}.jpg") for number in range(6)]
    room = iter([True, True])
    rows = desk.download(posts, has_room=lambda: next(room, False), workers=Workers(1, 1))
    assert Counter(row["reason"] or row["status"] for row in rows) == {"stored": 2, "disk_full": 4}
    assert {row["status"] for row in rows} == {"stored", "failed"}
    assert len(desk.downloads()) == 2
    assert [row["status"] for row in desk.download(posts, rows)] == ["stored"] * 6


def test_a_host_that_only_fails_is_left_alone_and_every_picture_still_has_its_row(
    desk: Desk,
) -> None:
    posts = [desk.post(number, f"{number}.jpg") for number in range(40)]
    desk.files = {path: Reply(503) for path in desk.files}
    # Resting for longer than anybody waits, once three requests in a row have failed.
    pace = replace(IMPATIENT, tolerated_failures=3, backoff_seconds=10, longest_wait_seconds=0.001)
    rows = desk.download(posts, manners=MediaManners(pace, connections=2))
    assert {row["reason"] for row in rows} <= {"status_503", "host_resting"}
    assert len(rows) == 40
    # A request that was under way when the rest began may still end.
    assert len(desk.downloads()) <= 4


def test_memory_holds_what_is_under_way_and_not_what_was_stored(desk: Desk) -> None:
    size = 500_000
    posts = [desk.post(number, f"{number}.jpg") for number in range(60)]
    body = bytes(size)
    desk.server.answer = lambda asked: (
        Reply(404)
        if asked.path == "/robots.txt"
        else Reply(200, asked.path.encode().ljust(20) + body)
    )
    workers = Workers(3, 2)
    tracemalloc.start()
    try:
        rows = desk.download(posts, workers=workers)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(rows) == 60
    # Each picture exists up to four times: sent by the server (which shares our memory here),
    # while it is put together, as downloaded, as examined.
    assert peak < 4 * workers.held * size
    assert peak < 60 * size


def test_the_square_of_each_picture_is_handed_on_once_it_is_stored(desk: Desk) -> None:
    """Whoever keeps the squares need not decode the files again."""
    kept: dict[str, bool] = {}

    def keep_square(sha256: str, square: NDArray[np.uint8], cropped: bool) -> None:
        assert square.shape == (224, 224, 3)
        # A withdrawal finds the square by the row, so the row comes first.
        assert sha256 in {record["sha256"] for record in desk.journal.records()}
        assert desk.store.path(sha256, "jpg").exists()
        kept[sha256] = cropped

    def examine_and_crop(data: bytes) -> Picture:
        return replace(examine(data), cropped=data.endswith(b"wide.jpg"))

    desk.files["/bad.jpg"] = Reply(200, b"bad")
    posts = [desk.post(1, "a.jpg", "wide.jpg", "bad.jpg"), desk.post(2, "gone.jpg")]
    desk.files["/gone.jpg"] = Reply(410)
    rows = desk.download(posts, keep_square=keep_square, examine=examine_and_crop)
    stored = {row["sha256"]: row["url"] for row in rows if row["status"] == "stored"}
    assert len(stored) == 2
    assert kept == {sha256: url.endswith("wide.jpg") for sha256, url in stored.items()}
    kept.clear()
    assert desk.download(posts, rows, keep_square=keep_square) != []
    assert kept == {}


def test_the_square_of_a_withdrawn_picture_is_not_handed_on(desk: Desk) -> None:
    kept: list[str] = []
    desk.download(
        [desk.post(1, "a.jpg")],
        withdrawn=frozenset({KEY("look", "0123456789abcdef")}),
        keep_square=lambda sha256, _square, _cropped: kept.append(sha256),
    )
    assert kept == []
