from __future__ import annotations

from pathlib import Path

import pytest

from reds_pipeline.backup.make import make_backup
from reds_pipeline.backup.remembered import (
    backup_sentence,
    backups_since,
    forget_deleted,
    remember,
    remembered_backups,
)
from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.storage.ledger import Ledger
from reds_pipeline.withdrawal.withdraw import WithdrawalRequest, account_address, withdraw
from reds_pipeline_tests.backup.conftest import Saved
from reds_pipeline_tests.held_home import HOST


@pytest.mark.req("R-SCR-11")
def test_who_takes_something_back_hears_which_backups_hold_it(saved: Saved, tmp_path: Path) -> None:
    platform = saved.platform
    request = WithdrawalRequest(account_address(f"mira@{HOST}"))
    looked = withdraw(platform.home, platform.ledger, platform.tracking, request, dry_run=True)
    report = withdraw(platform.home, platform.ledger, platform.tracking, request)
    assert looked.backups == report.backups
    [shown] = report.backups
    assert shown.startswith("saved.tar (")
    [_, sentence] = report.copies_sentences
    assert "One backup made before still holds it: saved.tar" in sentence
    [known] = remembered_backups(platform.ledger)
    assert known.is_outdated

    make_backup(platform, tmp_path / "later.tar")
    assert [each.is_outdated for each in remembered_backups(platform.ledger)] == [True, False]
    again = withdraw(platform.home, platform.ledger, platform.tracking, request)
    assert again.backups == (), "nothing was left to be taken out"
    forget_deleted(platform.ledger, "saved.tar")
    assert [each.file for each in remembered_backups(platform.ledger)] == ["later.tar"]
    with pytest.raises(RedsError, match="No backup named saved"):
        forget_deleted(platform.ledger, "saved.tar")


def test_a_backup_holds_nothing_that_was_collected_after_it(platform: Platform) -> None:
    ledger: Ledger = platform.ledger
    remember(ledger, "1", "a.tar", pictures=True)
    [made] = remembered_backups(ledger)
    assert backups_since(ledger, "") == backups_since(ledger, "2026-01-01T00:00:00Z") == [made]
    assert backups_since(ledger, f"{made.at[:19]}Z") == [made], "in the same second nobody knows"
    assert backups_since(ledger, "2999-01-01T00:00:00Z") == []


def test_several_backups_are_named_in_one_sentence() -> None:
    assert backup_sentence([]) == ""
    assert "2 backups made before still hold it: a (1), b (2)." in backup_sentence(
        ["a (1)", "b (2)"]
    )
