from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reds_pipeline.fediverse.media.download import download_images
from reds_pipeline.housekeeping.old_pictures import (
    OldPictures,
    let_old_pictures_go,
    outdated_pictures,
)
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.review.decisions import Decision, DecisionBook
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.locks import exclusive
from reds_pipeline.storage.partitions import partition_lock
from reds_pipeline.storage.tables import (
    IMAGES,
    POSTS,
    SIMILAR_PAIRS,
    TEST_PICTURES,
    read_rows,
)
from reds_pipeline.tracking import Tracking
from reds_pipeline.withdrawal.requests import Subject
from reds_pipeline.withdrawal.tombstones import erased_key, erased_keys
from reds_pipeline.withdrawal.withdraw import (
    WithdrawalRequest,
    finish_withdrawals,
    picture,
    post_address,
    withdraw,
)
from reds_pipeline_tests.held_home import (
    CLASSES,
    HOST,
    drawn,
    embeddings,
    number_of,
    sha_of,
)
from reds_pipeline_tests.housekeeping.aged_home import fill_aged
from reds_pipeline_tests.imaging.rows import image_row

NOTHING = DecisionBook({}, str)
Row = dict[str, Any]


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill_aged(tmp_path_factory.mktemp("aged") / "home").root


@pytest.fixture
def home(aged: Path, tmp_path: Path) -> Home:
    return Home(shutil.copytree(aged, tmp_path / "home"))


@pytest.fixture
def done(aged: Path, tmp_path: Path) -> Home:
    """Return the same home, in which nothing is cut short."""
    return Home(shutil.copytree(aged, tmp_path / "done"))


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    opened = Ledger(home.default_ledger_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Tracking:
    """An MLflow database without any training."""
    directory = tmp_path_factory.mktemp("mlflow")
    shutil.copyfile(mlflow_database, directory / "mlflow.sqlite")
    return Tracking(f"sqlite:///{directory / 'mlflow.sqlite'}", directory / "artifacts")


def images(home: Home, name: str) -> list[Row]:
    return read_rows(home.table("images", name), IMAGES)


def fates(home: Home) -> dict[str, list[str]]:
    return {name: [row["reason"] for row in images(home, name)] for name in CLASSES}


def held(home: Home) -> set[str]:
    return {path.stem for path in home.images.files()}


def kept_by(number: int) -> DecisionBook:
    return DecisionBook({sha_of(number): Decision("keep", "cat")}, str)


@pytest.mark.req("R-IMP-4", "R-SCR-2")
def test_only_pictures_go_that_are_old_and_that_nobody_needs(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    def go(*, dry_run: bool) -> OldPictures:
        return let_old_pictures_go(home, ledger, tracking, kept_by(1), 1, dry_run=dry_run)

    before = held(home)
    would_go = go(dry_run=True)
    assert (fates(home), held(home)) == ({"cat": [""] * 5, "sea shore": [""] * 2}, before)
    gone = go(dry_run=False)
    assert gone == would_go
    assert gone.pictures == 1
    assert gone.bytes > 224 * 224 * 3, "its square too"
    assert fates(home) == {
        # Learnt from, decided by a person, the same file as a newer post's, old, and the newest.
        "cat": ["", "", "outdated", "outdated", ""],
        "sea shore": ["outdated", ""],
    }
    assert before - held(home) == {sha_of(4)}
    assert go(dry_run=False) == OldPictures(), "once is enough"


@pytest.mark.req("R-IMP-4")
def test_nothing_that_was_made_of_it_stays(home: Home, ledger: Ledger, tracking: Tracking) -> None:
    let_old_pictures_go(home, ledger, tracking, kept_by(1), 1)
    gone = sha_of(4)
    numbers = embeddings(home).keys()
    assert gone not in numbers | home.tensors("rule").keys()
    assert sha_of(3) in numbers
    named = {
        *(row["sha256"] for name in CLASSES for row in read_rows(home.table("clean_images", name))),
        *(row["sha256"] for row in read_rows(home.table("curated_dataset"))),
        *(row["sha256"] for row in read_rows(home.table("test_pictures"), TEST_PICTURES)),
        *(row["one"] for row in read_rows(home.table("similar_pairs"), SIMILAR_PAIRS)),
        *(row["other"] for row in read_rows(home.table("similar_pairs"), SIMILAR_PAIRS)),
    }
    assert gone not in named
    assert {sha_of(1), sha_of(2)} <= named
    row = next(row for row in images(home, "cat") if row["sha256"] == gone)
    assert (row["url"], row["alt_text"], row["tags"], row["scores"]) == ("", "", [], None)
    assert not erased_keys(ledger), "nobody took it back, so no model is marked"


@pytest.mark.req("R-IMP-4", "R-SCR-2")
def test_it_is_never_asked_for_again(home: Home, ledger: Ledger, tracking: Tracking) -> None:
    let_old_pictures_go(home, ledger, tracking, NOTHING, 1)
    asked_for = []

    class Fetcher:
        def manners_towards(self, host: str) -> Any:
            raise AssertionError(host)

        def __call__(self, url: str) -> bytes:
            asked_for.append(number_of({"url": url}))
            return drawn(number_of({"url": url}))

    before = images(home, "cat")
    rows = download_images(
        read_rows(home.table("posts", "cat"), POSTS),
        before,
        fetch=Fetcher(),  # type: ignore[arg-type]
        examine=examine_image,
        store=home.images,
        journal=home.journal("images", "cat"),
        key=home.keyed_hash,
        maximum=5,
    )
    assert not asked_for
    assert {row["media_key"]: row for row in rows} == {row["media_key"]: row for row in before}


@pytest.mark.req("R-SCR-11")
@pytest.mark.parametrize("how", ["its post", "its bytes", "its look"])
def test_what_is_withdrawn_later_is_still_found_by_models_that_saw_it(
    home: Home, ledger: Ledger, tracking: Tracking, how: str
) -> None:
    let_old_pictures_go(home, ledger, tracking, NOTHING, 1)
    subjects: dict[str, Subject] = {
        "its post": post_address(f"https://{HOST}/p/tomo-of-the-hill/103"),
        "its bytes": picture(sha_of(4), 0),
        "its look": picture(drawn(4), 4),
    }
    withdraw(home, ledger, tracking, WithdrawalRequest(subjects[how]))
    assert erased_key(home.keyed_hash, sha_of(4)) in erased_keys(ledger)
    assert sha_of(4) not in {row["sha256"] for name in CLASSES for row in images(home, name)}


def keep_house(home: Home, ledger: Ledger, tracking: Tracking) -> None:
    let_old_pictures_go(home, ledger, tracking, NOTHING, 1)


@pytest.mark.parametrize("next_one", [finish_withdrawals, keep_house])
def test_a_kill_after_the_rows_leaves_the_rest_to_the_next_one(
    home: Home,
    done: Home,
    ledger: Ledger,
    tracking: Tracking,
    next_one: Callable[[Home, Ledger, Tracking], object],
) -> None:
    gone = let_old_pictures_go(done, ledger, tracking, NOTHING, 1)
    for name in CLASSES:
        shutil.copyfile(done.table("images", name), home.table("images", name))
    # The tables of cleaned pictures name them still, so they are no orphans.
    assert let_old_pictures_go(home, ledger, tracking, NOTHING, 1, dry_run=True) == gone
    next_one(home, ledger, tracking)
    assert held(home) == held(done)
    assert embeddings(home).keys() == embeddings(done).keys()


@pytest.mark.req("R-SCR-12")
def test_a_class_that_is_being_collected_is_left_alone(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    home.journal("images", "sea shore").append(images(home, "sea shore")[0])
    with exclusive(partition_lock(home, "images", "cat"), "collecting"):
        gone = let_old_pictures_go(home, ledger, tracking, NOTHING, 1)
    assert gone == OldPictures(busy=("cat", home.table("images", "sea shore").stem))
    assert fates(home) == {"cat": [""] * 5, "sea shore": [""] * 2}


def test_before_there_is_a_data_set_nothing_is_old(
    home: Home, ledger: Ledger, tracking: Tracking
) -> None:
    home.table("curated_dataset").unlink()
    assert let_old_pictures_go(home, ledger, tracking, NOTHING, 1) == OldPictures()


@given(
    st.dictionaries(
        st.sampled_from(["cat", "dog", "bird"]), st.sets(st.integers(1, 12)), min_size=1
    ),
    st.integers(1, 6),
    st.sets(st.integers(1, 12)),
)
def test_each_class_keeps_its_newest_and_what_is_needed(
    held_by: dict[str, set[int]], newest: int, needed: set[int]
) -> None:
    rows = {name: [image_row(number) for number in numbers] for name, numbers in held_by.items()}
    old = outdated_pictures(rows, newest, {f"sha-{number:02}" for number in needed})
    windows = {name: set(sorted(numbers)[-newest:]) for name, numbers in held_by.items()}
    for name, numbers in held_by.items():
        going = numbers - needed - set().union(*windows.values())
        assert old[name] == {f"media-{number:02}" for number in going}
