from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reds_pipeline.contact_sheets import forget_sheets, noted_sheets
from reds_pipeline.dataset.remembered import RememberedExport, remember, remembered_exports
from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.consent import ConsentPolicy
from reds_pipeline.fediverse.posts import PostReader
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.images import ImageStore
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.storage.partitions import partition_lock
from reds_pipeline.storage.tables import (
    CLEAN_IMAGES,
    CURATED,
    CURSORS,
    HASHTAGS,
    IMAGES,
    LEMMAS,
    POSTS,
    SIMILAR_PAIRS,
    read_rows,
    write_rows,
)
from reds_pipeline.tracking import Tracking
from reds_pipeline.withdrawal.requests import Subject
from reds_pipeline.withdrawal.rows import without_keepers
from reds_pipeline.withdrawal.withdraw import (
    RecheckedPosts,
    WithdrawalReport,
    WithdrawalRequest,
    account_address,
    finish_withdrawals,
    picture,
    post_address,
    withdraw,
    withdrawn_keys,
)
from reds_pipeline_tests.held_home import (
    CLASSES,
    HOST,
    drawn,
    embeddings,
    everything,
    opened_addresses,
    post,
    sha_of,
    stored_pictures,
)

WHY = {"why": "asked for by mail", "asked_by": "the author"}


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Tracking:
    """An MLflow database without any training."""
    directory = tmp_path_factory.mktemp("mlflow")
    shutil.copyfile(mlflow_database, directory / "mlflow.sqlite")
    return Tracking(f"sqlite:///{directory / 'mlflow.sqlite'}", directory / "artifacts")


def mira() -> Subject:
    return account_address(f"mira@{HOST}")


def first_post() -> Subject:
    return post_address(f"https://{HOST}/p/mira/101")


def table(home: Home, name: str, partition: str | None, schema: Any) -> list[dict[str, Any]]:
    return read_rows(home.table(name, partition), schema)


def reasons(home: Home, name: str = "cat") -> list[str]:
    return [row["reason"] for row in table(home, "posts", name, POSTS)]


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize(
    "named",
    [f"mira@{HOST}", f"@Mira@{HOST}", f"https://{HOST}/mira", f"https://{HOST}/users/mira"],
    ids=["handle", "handle in another case", "profile", "actor"],
)
def test_nothing_of_an_author_who_withdraws_is_left_in_any_file(
    home: Home, ledger: Ledger, tracking: Tracking, named: str
) -> None:
    assert "of-mira" in everything(home)
    assert f"https://{HOST}/p/mira/101" in opened_addresses(home)
    report = withdraw(home, ledger, tracking, WithdrawalRequest(account_address(named), **WHY))
    left = everything(home)
    assert report.is_finished
    for trace in ("mira", "Mira", sha_of(1), sha_of(2), "101-1.jpg", drawn(1).decode("latin-1")):
        assert trace not in left
    assert not [address for address in opened_addresses(home) if "mira" in address]
    assert reasons(home) == ["withdrawn", "withdrawn", "", ""]
    assert "words-of-tomo-of-the-hill" in left, "others stay as they are"
    assert "words-of-ines" in left
    assert report.classes == ("cat",)
    walks = [*table(home, "cursors", "cat", CURSORS), *table(home, "sample_cursors", None, CURSORS)]
    assert {(walk["newest_id"], walk["oldest_id"]) for walk in walks} == {("104", "103")}
    assert '"oldest_id":"101"' not in left.replace(" ", ""), "nor in the journals"


def test_what_was_found_out_and_given_away_is_named_and_forgotten(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    """Pairs of copies, doubtful labels and lists of exports name pictures too."""
    report = withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
    assert report.removed["rows of similar_pairs"] == 7, "each pair with one of two pictures of 5"
    assert report.removed["rows of label_suspects"] == 2
    assert report.removed["rows of test_pictures"] == 2
    assert report.removed["rows of predictions"] == 2
    assert report.removed["figures"] == 2, "photographs; drawings of numbers stay"
    assert report.exports == ("shared pictures (image_folder, 2026-11-01)",)
    assert "reds export --check" in report.export_sentence
    [export] = remembered_exports(home)
    assert (len(export.sha256s), export.withdrawn) == (3, 2)
    again = finish_withdrawals(home, ledger, tracking)
    assert again.exports == ()


def test_no_row_names_a_keeper_that_is_gone() -> None:
    rows = [{"sha256": "a", "keeper": "b"}, {"sha256": "c", "keeper": "d"}]
    assert without_keepers(rows, frozenset("b")) == [
        {"sha256": "a", "keeper": ""},
        {"sha256": "c", "keeper": "d"},
    ]


def test_a_picture_that_somebody_else_shows_as_well_stays_theirs(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
    assert home.images.path(sha_of(3), "jpg").exists()
    [theirs] = [
        row for row in table(home, "images", "sea shore", IMAGES) if row["sha256"] == sha_of(3)
    ]
    assert theirs["alt_text"] == "words-of-ines-3"
    assert sha_of(3) not in [row["sha256"] for row in table(home, "images", "cat", IMAGES)]
    assert embeddings(home).missing([sha_of(3)]) == []


def test_a_withdrawn_picture_leaves_rows_that_count_and_say_nothing(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    withdraw(home, ledger, tracking, WithdrawalRequest(first_post(), **WHY))
    rows = table(home, "images", "cat", IMAGES)
    emptied = [row for row in rows if row["status"] == "rejected"]
    assert [row["reason"] for row in emptied] == ["post_gated"] * 2
    for row in emptied:
        told = {name for name, value in row.items() if value not in ("", None, [])}
        assert told <= {
            "media_key",
            "post_key",
            "position",
            "album",
            "collected_at",
            "status",
            "reason",
        }
    assert {row["sha256"] for row in table(home, "clean_images", "cat", CLEAN_IMAGES)} == {
        sha_of(number) for number in (3, 4, 5)
    }
    assert sha_of(1) not in {row["sha256"] for row in table(home, "curated_dataset", None, CURATED)}
    assert home.tensors("rule").missing([sha_of(1), sha_of(2)]) == [sha_of(1), sha_of(2)]
    assert not (home.figures / "examples.jpg").exists()


def test_groups_are_not_named_after_a_picture_that_is_gone(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    withdraw(home, ledger, tracking, WithdrawalRequest(first_post(), **WHY))
    rows = table(home, "curated_dataset", None, CURATED)
    names = {row[column] for row in rows for column in ("group", "cluster")}
    assert names <= {row["sha256"] for row in rows}


def test_words_that_only_they_used_leave_the_counts(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
    assert {row["tag"] for row in table(home, "hashtags", None, HASHTAGS)} == {
        "cat",
        "tag-of-tomo-of-the-hill",
        "tag-of-ines",
    }
    [lemma] = table(home, "lemmas", None, LEMMAS)
    assert "tag-of-mira" not in {source["tag"] for source in lemma["sources"]}


@pytest.mark.parametrize(
    "subject",
    [
        post_address(f"https://{HOST}/p/mira/101"),
        post_address("101", HOST),
        post_address(f"https://{HOST}/p/mira/101/embed"),
        post_address(f"https://{HOST}/i/web/post/101"),
    ],
    ids=["address", "id", "another page about it", "the page of the web app"],
)
def test_a_post_is_withdrawn_by_any_of_its_names(
    home: Home, ledger: Ledger, tracking: Tracking, subject: Subject
) -> None:
    withdraw(home, ledger, tracking, WithdrawalRequest(subject, **WHY))
    assert reasons(home) == ["withdrawn", "", "", ""]


def test_a_relayed_post_is_withdrawn_by_the_address_at_its_origin(
    tmp_path: Path, ledger: Ledger, tracking: Tracking, home: Home
) -> None:
    withdraw(home, ledger, tracking, WithdrawalRequest(post_address(f"https://{HOST}/p/mira/101")))
    relayed = PostReader("relay.example", ConsentPolicy(), home.keyed_hash, home.seal).row(
        post("9001", "mira", 1) | {"url": f"https://{HOST}/p/mira/101"}, "cat", "2026-11-02"
    )
    write_rows(home.table("posts", "cat"), [relayed], POSTS)
    finish_withdrawals(home, ledger, tracking)
    assert reasons(home) == ["withdrawn"]


def test_a_picture_is_withdrawn_by_its_look_from_the_middle_of_an_album(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    from io import BytesIO

    from PIL import Image

    smaller = BytesIO()
    with Image.open(BytesIO(drawn(2))) as image:
        image.resize((60, 60)).save(smaller, "JPEG", quality=70)
    subject = picture(smaller.getvalue(), radius=6)
    assert subject.sha256 != sha_of(2), "the file is another one"
    withdraw(home, ledger, tracking, WithdrawalRequest(subject, **WHY))
    assert reasons(home) == ["", "", "", ""]
    album = table(home, "posts", "cat", POSTS)[0]
    assert [medium["alt_text"] for medium in album["media"]] == ["words-of-mira-1"]
    left = everything(home)
    assert sha_of(2) not in left
    assert "words-of-mira-2" not in left
    assert sha_of(1) in left
    assert home.keyed_hash("image", sha_of(2)) in withdrawn_keys(ledger)


def test_mirrored_and_cropped_copies_are_withdrawn_with_a_picture(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    from io import BytesIO

    from PIL import Image, ImageOps

    mirrored = BytesIO()
    with Image.open(BytesIO(drawn(2))) as image:
        ImageOps.mirror(image).save(mirrored, "JPEG", quality=90)
    pairs = [
        {"one": sha_of(5), "other": sha_of(2), "is_copy": True, "kind": "cropped"},
        {"one": sha_of(2), "other": sha_of(4), "is_copy": False},
    ]
    write_rows(home.table("similar_pairs"), pairs, SIMILAR_PAIRS)
    subject = picture(mirrored.getvalue(), radius=6)
    withdraw(home, ledger, tracking, WithdrawalRequest(subject, **WHY))
    left = everything(home)
    assert sha_of(2) not in left, "the mirror image of what was given"
    assert sha_of(5) not in left, "cut out of the mirror image"
    assert sha_of(4) in left, "alike, and found to be another one"


def test_a_picture_is_withdrawn_by_its_sha_from_everybody_who_shows_it(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    withdraw(home, ledger, tracking, WithdrawalRequest(picture(sha_of(3), radius=0), **WHY))
    assert reasons(home) == ["", "withdrawn", "", ""]
    assert reasons(home, "sea shore") == ["", "withdrawn"]
    assert sha_of(3) not in everything(home)


def test_a_sweep_withdraws_with_its_own_reasons_in_every_class(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    found = RecheckedPosts({home.keyed_hash(HOST, "103"): "post_deleted"})
    withdraw(home, ledger, tracking, WithdrawalRequest(found, why="re-check"))
    assert reasons(home) == ["", "", "post_deleted", ""]
    assert reasons(home, "sea shore") == ["post_deleted", ""]
    assert "tomo-of-the-hill" not in everything(home)
    assert home.keyed_hash(HOST, "103") in withdrawn_keys(ledger)


def test_what_was_withdrawn_does_not_come_back(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
    reader = PostReader(
        HOST, ConsentPolicy(), home.keyed_hash, home.seal, withdrawn=withdrawn_keys(ledger)
    )
    again = reader.row(post("999", "mira", 9), "cat", "2026-11-02T10:00:00Z")
    assert (again["status"], again["reason"]) == ("gated", "withdrawn")
    assert reader.row(post("998", "tomo-of-the-hill", 9), "cat", "2026-11-02")["status"] == "kept"


def test_a_picture_that_its_author_takes_out_of_a_post_goes(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    rows = table(home, "posts", "cat", POSTS)
    taken_out = home.keyed_hash(rows[0]["media"][1]["url"])
    rows[0]["media"] = rows[0]["media"][:1]
    write_rows(home.table("posts", "cat"), rows, POSTS)
    for name in ("posts", "images"):
        home.journal(name, "cat").delete()
    report = finish_withdrawals(home, ledger, tracking)
    assert report.removed["picture files"] == 1
    assert sha_of(2) not in everything(home)
    assert sha_of(1) in everything(home)
    [row] = [row for row in table(home, "images", "cat", IMAGES) if row["media_key"] == taken_out]
    assert row["reason"] == "post_gated", "nobody withdrew it, so that it may be shown again"


def test_the_notes_of_a_sweep_that_was_killed_forget_the_post_as_well(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    row = table(home, "posts", "cat", POSTS)[0]
    note = {"post_key": row["post_key"], "outcome": "confirmed", "reason": "", "row": row, "at": ""}
    for name, partition in (("recheck", "cat"), ("recheck_sample", "public")):
        home.journal(name, partition).append(note)
    withdraw(home, ledger, tracking, WithdrawalRequest(first_post(), **WHY))
    assert "101-1.jpg" not in everything(home)


@pytest.mark.parametrize("cleaning", [False, True], ids=["curation", "cleaning and curation"])
def test_what_a_stage_wrote_that_knew_nothing_of_a_withdrawal_goes(
    home: Home, ledger: Ledger, tracking: Tracking, cleaning: bool
) -> None:
    """It had read its tables before, and wrote its own when everything was erased already."""
    names = ("curated_dataset", "similar_pairs", "label_suspects", "test_pictures")
    tables = [*(home.table(name) for name in names), home.table("predictions", "tiny")]
    tables += [home.table("clean_images", name) for name in CLASSES] * cleaning
    read_before = {path: path.read_bytes() for path in tables}
    withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
    for path, data in read_before.items():
        path.write_bytes(data)
    assert sha_of(1) in everything(home)
    report = finish_withdrawals(home, ledger, tracking)
    assert report.removed["rows of the data set"] == 3
    left = everything(home)
    for trace in (sha_of(1), sha_of(2), "mira"):
        assert trace not in left
    author = home.keyed_hash(HOST, "id-of-mira")
    rows = table(home, "curated_dataset", None, CURATED)
    assert author not in {row["author_key"] for row in rows}, "nor by a picture of two people"


def test_a_class_that_lost_its_table_of_pictures_keeps_its_part_of_the_data_set(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    """Nobody withdrew anything; the files are found again by what the data set says."""
    home.table("images", "cat").unlink()
    home.journal("images", "cat").delete()
    before = table(home, "curated_dataset", None, CURATED)
    finish_withdrawals(home, ledger, tracking)
    assert table(home, "curated_dataset", None, CURATED) == before


def test_an_export_that_is_made_meanwhile_is_named_too(
    home: Home, ledger: Ledger, tracking: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It found all pictures in their places, a moment before they were erased."""
    meanwhile = RememberedExport(
        "2", "2026-11-02", "parquet", "all", "", "late", frozenset({sha_of(1)})
    )

    def remember_first(self: ImageStore, sha256: str, extension: str) -> bool:
        remember(home, meanwhile)
        return remove(self, sha256, extension)

    remove = ImageStore.remove
    monkeypatch.setattr(ImageStore, "remove", remember_first)
    report = withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
    assert any(name.startswith("late") for name in report.exports)
    assert sha_of(1) not in everything(home)


def test_what_a_collection_brought_that_knew_nothing_of_a_withdrawal_goes(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    stranger = account_address(f"stranger-from-elsewhere@{HOST}")
    withdraw(home, ledger, tracking, WithdrawalRequest(stranger, **WHY))
    unaware = PostReader(HOST, ConsentPolicy(), home.keyed_hash, home.seal)
    row = unaware.row(post("777", "stranger-from-elsewhere", 7), "cat", "2026-11-02T10:00:00Z")
    for name, schema, new in (
        ("posts", POSTS, [row]),
        ("images", IMAGES, stored_pictures(home, row)),
    ):
        write_rows(home.table(name, "cat"), [*table(home, name, "cat", schema), *new], schema)
    report = finish_withdrawals(home, ledger, tracking)
    assert report.removed["picture files"] == 1
    assert "stranger-from-elsewhere" not in everything(home)


def test_numbers_of_a_picture_that_no_table_mentions_go(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    embeddings(home).append(["f" * 64], np.ones((1, 4), np.float32))
    assert finish_withdrawals(home, ledger, tracking).removed == {"leftovers": 1}
    assert "f" * 64 not in everything(home)
    assert embeddings(home).missing([sha_of(1)]) == []


def test_a_home_that_lost_its_tables_keeps_what_can_be_found_again(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    shutil.rmtree(home.root / "tables")
    shutil.rmtree(home.root / "journals")
    before = sorted(home.images.files())
    for path in before:
        os.utime(path, (0, 0))
    finish_withdrawals(home, ledger, tracking)
    assert sorted(home.images.files()) == before


def test_what_kills_left_behind_goes_when_nobody_can_be_writing_it(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    lost = home.images.path(home.images.put(b"a picture that no row mentions", "jpg"), "jpg")
    half = home.table("posts", "cat").parent / ".writing-abc.parquet"
    half.write_bytes(b"half a table")
    unindexed = home.root / "tensors" / "rule" / "0123.npy"
    shutil.copy(next(unindexed.parent.glob("*.npy")), unindexed)
    left = [lost, half, unindexed]
    finish_withdrawals(home, ledger, tracking)
    assert all(path.exists() for path in left), "somebody may be writing them"
    for path in left:
        os.utime(path, (0, 0))
    held = state(home)["arrays"]
    report = finish_withdrawals(home, ledger, tracking)
    assert report.removed == {"leftovers": 3}
    assert not any(path.exists() for path in left)
    assert state(home)["arrays"] == held


def test_the_ledger_remembers_the_request_and_nobody(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    for _ in range(2):
        withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
    [event] = ledger.events("withdrawal")
    assert (event["subject"], event["why"], event["asked_by"]) == (
        "author",
        "asked for by mail",
        "the author",
    )
    assert "mira" not in repr(event)


def test_a_dry_run_counts_what_the_real_one_removes_and_changes_nothing(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    before = state(home)
    planned = withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY), dry_run=True)
    assert planned.dry_run
    assert state(home) == before
    assert withdrawn_keys(ledger) == frozenset()
    done = withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
    assert dict(planned.removed) == dict(done.removed)
    assert planned.classes == done.classes
    assert done.removed["picture files"] == 2
    assert done.removed["rows of embeddings encoder"] == 2


def test_a_table_in_use_is_left_and_done_later(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    with exclusive(partition_lock(home, "posts", "sea shore"), "collecting"):
        report = withdraw(
            home,
            ledger,
            tracking,
            WithdrawalRequest(account_address(f"tomo-of-the-hill@{HOST}"), **WHY),
        )
    assert not report.is_finished
    assert reasons(home) == ["", "", "withdrawn", ""]
    assert reasons(home, "sea shore") == ["", ""]
    assert finish_withdrawals(home, ledger, tracking).is_finished
    assert reasons(home, "sea shore") == ["withdrawn", ""]
    assert "tomo-of-the-hill" not in everything(home)


def test_finishing_what_is_finished_changes_nothing(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
    forget_sheets(home, noted_sheets(home))
    changed = {path: path.stat().st_mtime_ns for path in home.root.rglob("*.parquet")}
    assert finish_withdrawals(home, ledger, tracking) == WithdrawalReport(
        dry_run=False, models=finish_withdrawals(home, ledger, tracking).models
    )
    assert {path: path.stat().st_mtime_ns for path in home.root.rglob("*.parquet")} == changed


def test_a_home_that_holds_nothing_yet_can_refuse_somebody(
    tmp_path: Path, tracking: Tracking
) -> None:
    home = Home(tmp_path / "empty")
    ledger = Ledger(home.default_ledger_url)
    assert withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY)).removed == {}
    assert withdrawn_keys(ledger)
    ledger.close()


class Killed(BaseException):
    """The process ends here."""


class Hangman:
    """Ends a process at its n-th change of the file system; nothing works from there on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, changes: int) -> None:
        self.left = changes
        for name in ("replace", "unlink"):
            self._guard(monkeypatch, name, getattr(Path, name))

    def _guard(self, monkeypatch: pytest.MonkeyPatch, name: str, original: Any) -> None:
        def guarded(path: Path, *args: Any, **kwargs: Any) -> Any:
            # Only what changes something counts, and locks are not the work.
            if path.exists() and path.suffix != ".lock":
                self.left -= 1
                if self.left < 0:
                    raise Killed
            return original(path, *args, **kwargs)

        monkeypatch.setattr(Path, name, guarded)


def state(home: Home) -> dict[str, Any]:
    """What a home holds, without times and random names."""

    def rows(name: str, partition: str | None, schema: Any) -> list[dict[str, Any]]:
        found = table(home, name, partition, schema)
        return [{k: v for k, v in row.items() if k not in ("collected_at",)} for row in found]

    journals = {
        f"{name} {partition}": [
            {k: v for k, v in record.items() if k == "sha256"}
            for record in home.journal(name, partition).records()
        ]
        for name in ("posts", "images")
        for partition in CLASSES
    }
    return {
        "tables": [
            rows(name, partition, schema)
            for name, schema in (
                ("posts", POSTS),
                ("cursors", CURSORS),
                ("images", IMAGES),
                ("clean_images", CLEAN_IMAGES),
            )
            for partition in CLASSES
        ],
        "dataset": rows("curated_dataset", None, CURATED),
        "sample": rows("sample_posts", None, POSTS),
        "tags": rows("hashtags", None, HASHTAGS),
        "journals": journals,
        "files": sorted(path.stem for path in home.images.files()),
        "arrays": [sorted(store.keys()) for store in home.array_stores()],
        "figures": sorted(path.name for path in home.figures.iterdir()),
    }


def test_a_kill_anywhere_is_finished_by_the_next_call(
    filled: Path, tmp_path: Path, tracking: Tracking
) -> None:
    def copy(name: str) -> tuple[Home, Ledger]:
        shutil.copytree(filled, tmp_path / name)
        home = Home(tmp_path / name)
        return home, Ledger(home.default_ledger_url)

    home, ledger = copy("undisturbed")
    withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
    wanted = state(home)
    ledger.close()
    for changes in range(100):
        home, ledger = copy(f"killed-{changes}")
        with pytest.MonkeyPatch.context() as monkeypatch:
            Hangman(monkeypatch, changes)
            try:
                withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
                killed = False
            except Killed:
                killed = True
        finished = finish_withdrawals(home, ledger, tracking)
        assert finished.classes == ("cat",), f"sheets are forgotten after a kill at {changes}"
        assert state(home) == wanted, f"killed at change {changes}"
        assert "of-mira" not in everything(home)
        ledger.close()
        shutil.rmtree(home.root)
        if not killed:
            break
    assert changes > 15, "the kills went through every step"


def test_a_damaged_table_is_one_sentence(home: Home, ledger: Ledger, tracking: Tracking) -> None:
    home.table("posts", "cat").write_bytes(b"PAR1 not a table")
    with pytest.raises(RedsError, match="probably damaged"):
        withdraw(home, ledger, tracking, WithdrawalRequest(mira(), **WHY))
