"""Who fails often has to wait, and nobody else."""

from __future__ import annotations

import pytest

from reds_pipeline.web.login_attempts import PER_MINUTE, LoginAttempts


def used_up(address: str) -> LoginAttempts:
    attempts = LoginAttempts()
    assert [attempts.begin(address) for _ in range(PER_MINUTE)] == [True] * PER_MINUTE
    assert not attempts.begin(address)
    assert not attempts.may_try(address)
    return attempts


@pytest.mark.parametrize(
    ("address", "other"),
    [
        pytest.param("192.0.2.1", "192.0.2.2", id="neighbour"),
        pytest.param("2001:db8:0:1::1", "2001:db8:0:2::1", id="another network"),
        pytest.param("", "192.0.2.1", id="no address"),
        pytest.param("::ffff:192.0.2.1", "::ffff:192.0.2.2", id="mapped"),
    ],
)
def test_others_may_still_try(address: str, other: str) -> None:
    attempts = used_up(address)
    assert attempts.may_try(other)
    assert attempts.begin(other)


@pytest.mark.parametrize(
    ("address", "same"),
    [
        pytest.param("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", id="a customer's whole network"),
        pytest.param("192.0.2.1", "::ffff:192.0.2.1", id="IPv4 as IPv6"),
        pytest.param("2001:db8::1", "2001:DB8:0::1", id="another spelling"),
    ],
)
def test_another_address_of_the_same_network_does_not_help(address: str, same: str) -> None:
    assert not used_up(address).begin(same)


def test_who_got_in_starts_afresh() -> None:
    attempts = used_up("192.0.2.1")
    attempts.forgive("192.0.2.1")
    assert attempts.begin("192.0.2.1")
