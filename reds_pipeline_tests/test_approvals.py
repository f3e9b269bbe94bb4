from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from reds_pipeline.approvals import approvals, approve_host, revoke_host
from reds_pipeline.errors import RedsError
from reds_pipeline.resources import Platform
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.ledger import Ledger

TODAY = datetime.now(UTC).date()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")


def test_the_latest_approval_of_each_host_counts(ledger: Ledger) -> None:
    approve_host(ledger, "https://b.example", "Ada", date(2026, 1, 1))
    approve_host(ledger, "https://A.example/about", "Ada", date(2026, 1, 2))
    approve_host(ledger, "https://b.example", "Bob", date(2026, 2, 1))
    assert [
        (entry["host"], entry["reviewed_by"], entry["terms_read"]) for entry in approvals(ledger)
    ] == [("a.example", "Ada", "2026-01-02"), ("b.example", "Bob", "2026-02-01")]


@pytest.mark.parametrize(
    ("url", "reviewer", "day"),
    [
        ("not an address", "Ada", TODAY),
        ("https://a.example", "  ", TODAY),
        ("https://a.example", "Ada", TODAY + timedelta(days=2)),
    ],
    ids=["no address", "nobody", "in the future"],
)
def test_what_is_not_an_approval_is_refused(
    ledger: Ledger, url: str, reviewer: str, day: date
) -> None:
    with pytest.raises(RedsError, match="was not approved"):
        approve_host(ledger, url, reviewer, day)
    assert approvals(ledger) == []


def test_a_revoked_host_is_not_approved_until_somebody_approves_it_again(ledger: Ledger) -> None:
    approve_host(ledger, "https://a.example", "Ada", date(2026, 1, 1))
    assert revoke_host(ledger, "https://A.example/about", "its terms changed") == "a.example"
    assert approvals(ledger) == []
    with pytest.raises(RedsError, match="not approved"):
        revoke_host(ledger, "https://a.example", "twice")
    approve_host(ledger, "https://a.example", "Bob", date(2026, 2, 1))
    assert [entry["reviewed_by"] for entry in approvals(ledger)] == ["Bob"]


def test_a_revocation_can_be_repeated_where_an_erasure_was_cut_short(ledger: Ledger) -> None:
    approve_host(ledger, "https://a.example", "Ada", date(2026, 1, 1))
    for _ in range(2):
        assert revoke_host(ledger, "https://a.example", "no more", again=True) == "a.example"
    assert approvals(ledger) == []


@pytest.mark.parametrize("url", ["https://b.example", "no address"])
def test_only_an_approved_host_can_be_revoked(ledger: Ledger, url: str) -> None:
    with pytest.raises(RedsError, match="was not revoked"):
        revoke_host(ledger, url, "")


def test_an_approved_host_may_be_asked_and_no_other(tmp_path: Path) -> None:
    platform = Platform(load_settings(home=tmp_path, host_url="https://pix.example"))
    with pytest.raises(RedsError, match="not an approved host"), platform.host():
        pass
    approve_host(platform.ledger, "https://pix.example", "Ada", TODAY)
    with platform.host() as client:
        assert client.host == "pix.example"
        assert client.requests_made == 0
