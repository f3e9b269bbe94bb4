"""How often an address may try to get in.

What belongs here: counting attempts that failed. What does not: what an attempt is
(``operator_gate.py``, ``login_routes.py``).

Addresses are held in memory until their hour is over, and nowhere else. Nobody is locked out by
somebody else's attempts: each address, and of IPv6 each network of a customer, is counted alone.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

PER_MINUTE = 5
PER_HOUR = 30
_NETWORK_BITS = 64


class LoginAttempts:
    """Attempts that failed lately, by address; safe to be used from several threads."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limits = (RateLimitItemPerMinute(PER_MINUTE), RateLimitItemPerHour(PER_HOUR))

    def may_try(self, address: str) -> bool:
        """Say whether another attempt from this address is looked at."""
        return all(self._limiter.test(limit, _network(address)) for limit in self._limits)

    def begin(self, address: str) -> bool:
        """Count an attempt before it is looked at, so that many at once count too.

        Returns:
            Whether it may be looked at.
        """
        # Every limit must count it, so no short cut at the first that is reached.
        counted = [self._limiter.hit(limit, _network(address)) for limit in self._limits]
        return all(counted)

    def forgive(self, address: str) -> None:
        """Forget the attempts of an address that got in."""
        for limit in self._limits:
            self._limiter.clear(limit, _network(address))


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> _NETWORK_BITS << _NETWORK_BITS))
