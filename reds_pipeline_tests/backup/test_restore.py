from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from reds_pipeline.approvals import approve_host, revoke_host
from reds_pipeline.backup import restore
from reds_pipeline.backup.make import make_backup
from reds_pipeline.backup.remembered import remembered_backups
from reds_pipeline.backup.restore import restore_backup
from reds_pipeline.dataset.remembered import RememberedExport, remember, remembered_exports
from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.recheck.rows import stale
from reds_pipeline.feedback.contributions import contributions
from reds_pipeline.feedback.deletion import delete_contribution
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.stage_inputs import unconfirmed_posts
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.storage.tables import POSTS, read_rows
from reds_pipeline.withdrawal.withdraw import WithdrawalRequest, account_address, withdraw
from reds_pipeline_tests.backup.conftest import Saved
from reds_pipeline_tests.held_home import AT, HOST, drawn, everything, sha_of

Reopened = Callable[[Path], Platform]
TRACES = ("mira", sha_of(1), sha_of(2), "101-1.jpg", drawn(1).decode("latin-1"))


def take_back(platform: Platform, name: str = f"mira@{HOST}") -> None:
    request = WithdrawalRequest(account_address(name))
    withdraw(platform.home, platform.ledger, platform.tracking, request)


def contents(home: Home) -> dict[str, bytes]:
    """Every file of a home but those that change by looking at them."""
    return {
        path.relative_to(home.root).as_posix(): path.read_bytes()
        for path in home.root.rglob("*")
        if path.is_file() and "sqlite" not in path.name and "locks" not in path.parts
    }


@pytest.mark.req("R-IMP-8")
def test_the_home_is_there_again_with_its_events(
    saved: Saved, tmp_path: Path, reopened: Reopened
) -> None:
    old = saved.platform
    report = restore_backup(saved.file, tmp_path / "new", str(old.home.root))
    assert report.knows_withdrawals
    assert report.removed == {}
    new = reopened(tmp_path / "new")
    tensors = {name for name in contents(old.home) if name.startswith("tensors/")}
    before = {name: data for name, data in contents(old.home).items() if name not in tensors}
    assert contents(new.home) == before
    assert new.ledger.events("contribution") == old.ledger.events("contribution")
    [restored] = new.ledger.events("restored")
    assert (restored["made_at"], restored["knows_withdrawals"]) == (report.made_at, True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.req("R-SCR-11")
def test_what_was_taken_back_since_does_not_come_back(
    saved: Saved, tmp_path: Path, reopened: Reopened
) -> None:
    old = saved.platform
    take_back(old)
    delete_contribution(old.home, old.ledger, saved.given.id, "giver")
    make_backup(old, tmp_path / "later.tar")
    late = RememberedExport("2", AT, "parquet", "all", "digest", "late", frozenset({sha_of(5)}))
    remember(old.home, late)
    report = restore_backup(saved.file, tmp_path / "new", str(old.home.root))
    assert report.removed["picture files"] > 0
    assert "Taken out again" in " ".join(report.sentences())
    new = reopened(tmp_path / "new")
    left = everything(new.home)
    assert [trace for trace in (*TRACES, saved.given.sha256) if trace in left] == []
    assert "words-of-tomo-of-the-hill" in left, "others stay"
    assert contributions(new.home) == []
    assert {each.file for each in remembered_backups(new.ledger)} == {"saved.tar", "later.tar"}
    assert {each.directory for each in remembered_exports(new.home)} == {"shared pictures", "late"}
    assert not stale(
        [row for row in read_rows(new.home.table("posts", "cat"), POSTS) if row["post_id"]],
        now=datetime.fromisoformat(AT),
        hours=24,
        policy_digest=new.consent_policy.digest,
    ), "the others need not be asked about again"


@pytest.mark.parametrize("named", ["ledger.sqlite", "address"])
def test_the_old_ledger_alone_is_enough(
    saved: Saved, tmp_path: Path, reopened: Reopened, named: str
) -> None:
    old = saved.platform
    take_back(old)
    ledger = old.home.root / "ledger.sqlite"
    source = str(ledger) if named == "ledger.sqlite" else f"sqlite:///{ledger}"
    restore_backup(saved.file, tmp_path / "new", source)
    assert "mira" not in everything(reopened(tmp_path / "new").home)


@pytest.mark.req("R-SCR-11")
def test_where_nobody_can_tell_nothing_is_learnt_before_hosts_were_asked(
    saved: Saved, tmp_path: Path, reopened: Reopened
) -> None:
    report = restore_backup(saved.file, tmp_path / "new")
    assert (report.knows_withdrawals, report.given_photos_left_out) == (False, 1)
    told = " ".join(report.sentences())
    assert "Nobody can tell what people took back" in told
    assert "photos that people gave were left out" in told
    new = reopened(tmp_path / "new")
    held = [
        row
        for table in (new.home.root / "tables").glob("*posts*/*.parquet")
        for row in read_rows(table, POSTS)
        if row["status"] == "kept"
    ]
    assert len({row["post_key"] for row in held}) == report.posts_to_confirm > 0
    due = stale(
        held,
        now=datetime.now(UTC),
        hours=24 * 365,
        policy_digest=new.consent_policy.digest,
    )
    assert len(due) == len(held)
    assert unconfirmed_posts(new.home, timedelta(days=30)) == {row["post_key"] for row in held}
    assert contributions(new.home) == []
    assert saved.given.sha256 not in everything(new.home)


def test_posts_of_a_host_that_was_revoked_since_are_gone(
    platform: Platform, tmp_path: Path, reopened: Reopened
) -> None:
    approve_host(platform.ledger, f"https://{HOST}", "Ada", datetime.now(UTC).date())
    make_backup(platform, tmp_path / "saved.tar")
    revoke_host(platform.ledger, f"https://{HOST}", "its operators asked")
    restore_backup(tmp_path / "saved.tar", tmp_path / "new", str(platform.home.root))
    new = reopened(tmp_path / "new")
    assert list(new.home.images.files()) == []
    assert "words-of-" not in everything(new.home)


def test_a_host_that_was_revoked_once_more_since_is_gone(
    platform: Platform, tmp_path: Path, reopened: Reopened
) -> None:
    """That it was revoked before the backup, too, and approved again says nothing of now."""
    address = f"https://{HOST}"
    approve_host(platform.ledger, address, "Ada", datetime.now(UTC).date())
    revoke_host(platform.ledger, address, "its operators asked")
    approve_host(platform.ledger, address, "Ada", datetime.now(UTC).date())
    make_backup(platform, tmp_path / "saved.tar")
    revoke_host(platform.ledger, address, "its operators asked again")
    restore_backup(tmp_path / "saved.tar", tmp_path / "new", str(platform.home.root))
    new = reopened(tmp_path / "new")
    assert list(new.home.images.files()) == []
    assert "words-of-" not in everything(new.home)


def test_a_host_that_was_approved_again_keeps_its_posts(
    platform: Platform, tmp_path: Path, reopened: Reopened
) -> None:
    approve_host(platform.ledger, f"https://{HOST}", "Ada", datetime.now(UTC).date())
    make_backup(platform, tmp_path / "saved.tar")
    revoke_host(platform.ledger, f"https://{HOST}", "a mistake")
    approve_host(platform.ledger, f"https://{HOST}", "Ada", datetime.now(UTC).date())
    report = restore_backup(tmp_path / "saved.tar", tmp_path / "new", str(platform.home.root))
    assert report.removed == {}
    assert list(reopened(tmp_path / "new").home.images.files())


def test_pictures_that_went_without_a_wish_wait_for_their_host(
    saved: Saved, tmp_path: Path, reopened: Reopened
) -> None:
    """Such as when a host lost most of its posts at once: they may come back, but not unasked."""
    old = saved.platform
    key = old.home.keyed_hash("erased", sha_of(5))
    old.ledger.append("pictures_erased", "pictures", {"keys": [key]})
    restore_backup(saved.file, tmp_path / "new", str(old.home.root))
    new = reopened(tmp_path / "new").home
    rows = read_rows(new.table("posts", "cat"), POSTS)
    waiting = {row["post_id"] for row in rows if row["confirmed_at"].startswith("1970")}
    assert waiting == {"104"}


def test_the_ledger_of_another_installation_is_refused(
    saved: Saved, platform: Platform, tmp_path: Path
) -> None:
    other = Ledger(f"sqlite:///{tmp_path / 'other.sqlite'}")
    other.close()
    for source, why in (
        (tmp_path / "other.sqlite", "knows nothing of this backup"),
        (saved.file, "is no ledger"),
        (tmp_path / "absent", "is no ledger"),
    ):
        with pytest.raises(RedsError, match=why):
            restore_backup(saved.file, tmp_path / "new", str(source))
    key = platform.home.root / "pseudonym.key"
    key.write_bytes(bytes(32))
    with pytest.raises(RedsError, match="has another key"):
        restore_backup(saved.file, tmp_path / "new", str(platform.home.root))
    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(saved: Saved) -> None:
    before = contents(saved.platform.home)
    with pytest.raises(RedsError, match="is not empty, and a restoration overwrites nothing"):
        restore_backup(saved.file, saved.platform.home.root)
    assert contents(saved.platform.home) == before


def test_an_empty_directory_becomes_the_home_itself(saved: Saved, tmp_path: Path) -> None:
    """It may be a disk of its own, onto which nothing can be renamed."""
    place = tmp_path / "new"
    place.mkdir()
    number = place.stat().st_ino
    restore_backup(saved.file, place)
    assert place.stat().st_ino == number
    assert (place / "pseudonym.key").exists()
    assert not [path for path in place.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("into", ["an empty directory", "a new one"])
def test_what_a_killed_one_left_goes_with_the_next(saved: Saved, tmp_path: Path, into: str) -> None:
    """It holds pictures that somebody may take back, where nobody looks for them."""
    place = tmp_path / "new"
    if into == "an empty directory":
        place.mkdir()
    process = os.fork()
    if process == 0:
        restore._as_installation = _killed  # type: ignore[assignment]
        restore_backup(saved.file, place)
    assert os.WIFSIGNALED(os.waitpid(process, 0)[1])
    assert len(list(tmp_path.rglob(".writing-new-*"))) == 1
    restore_backup(saved.file, place)
    assert (place / "pseudonym.key").exists()
    assert not list(tmp_path.rglob(".writing-new-*"))


def _killed(*_: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_a_directory_that_somebody_began_to_use_is_left_alone(
    saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "new"
    place.mkdir()
    real, key = restore._as_installation, place / "pseudonym.key"

    def meanwhile(*arguments: Any) -> restore.RestoreReport:
        key.write_bytes(b"the key of another home")
        return real(*arguments)

    monkeypatch.setattr(restore, "_as_installation", meanwhile)
    with pytest.raises(RedsError, match="is not empty, and a restoration overwrites nothing"):
        restore_backup(saved.file, place)
    assert [path.name for path in place.iterdir()] == [key.name]
    assert key.read_bytes() == b"the key of another home"


def test_dagsters_history_is_said_to_be_where_nobody_looks(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the container, where DAGSTER_HOME lies beside REDS_HOME."""
    history = tmp_path / "dagster" / "history"
    history.mkdir(parents=True)
    (history / "runs.txt").write_text("one run")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    beside = Platform(load_settings(home=platform.home.root))
    make_backup(beside, tmp_path / "saved.tar")
    report = restore_backup(tmp_path / "saved.tar", tmp_path / "new")
    assert (tmp_path / "new" / "dagster" / "history" / "runs.txt").read_text() == "one run"
    assert f"while DAGSTER_HOME is {tmp_path / 'dagster'}" in report.sentences()[-1]


def test_a_damaged_backup_leaves_no_trace(saved: Saved, tmp_path: Path) -> None:
    data = saved.file.read_bytes()
    place = data.index(drawn(5)[200:400])
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(data[:place] + b"x" + data[place + 1 :])
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(RedsError, match="is not what it was when the backup was made"):
        restore_backup(damaged, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_ledger_that_was_elsewhere_has_to_be_named_and_knows_everything(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere.sqlite'}"
    outside = Platform(load_settings(home=platform.home.root, ledger_url=url))
    make_backup(outside, tmp_path / "saved.tar")
    with pytest.raises(RedsError, match="set REDS_LEDGER_URL"):
        restore_backup(tmp_path / "saved.tar", tmp_path / "new")
    take_back(outside)
    monkeypatch.setenv("REDS_LEDGER_URL", url)
    report = restore_backup(tmp_path / "saved.tar", tmp_path / "new")
    assert report.knows_withdrawals
    assert "ledger is not in it" in " ".join(report.sentences())
    assert "mira" not in everything(Home(tmp_path / "new"))
