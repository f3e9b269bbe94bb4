"""How often one address may ask for something costly.

What belongs here: counting by address, in memory only. What does not: who may ask at all
(``security.py``), and how much at once (``photo_queue.py``).

Addresses are never written down: they are keys of a table in memory that forgets them after a
minute. A whole IPv6 network of 64 bits counts as one, because that is what one household gets.
"""

from __future__ import annotations

import ipaddress
import math
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from reds_pipeline.web.sentences import Refusal

# A photo may be answered, and the answer be thought over.
_FORMS_PER_PHOTO = 2
_FORMS = "forms"
_IPV6_NETWORK_BITS = 64
_THIS_MACHINE = "this machine"


class RateLimits:
    """Counts the photos of each address, and apart from them its forms.

    Args:
        photos_per_minute: That one address may have tagged.
        spares_this_machine: Whether requests of this machine are not counted, because nobody
            else can send any.
    """

    def __init__(self, photos_per_minute: int, *, spares_this_machine: bool) -> None:
        self._item = RateLimitItemPerMinute(photos_per_minute)
        self._form = RateLimitItemPerMinute(_FORMS_PER_PHOTO * photos_per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._spares_this_machine = spares_this_machine
        self._per_minute = photos_per_minute

    def require_some_left(self, request: Request) -> None:
        """Refuse before anything of a body is read if the address may not send any photo.

        Raises:
            Refusal: 429.
        """
        address = self._counted_address(request)
        if address is not None and not self._limiter.test(self._item, address):
            raise self._refusal(address)

    def take(self, request: Request, photos: int) -> None:
        """Count photos that an address has sent, all of them or none.

        Raises:
            Refusal: 429; it may not have so many tagged now.
        """
        address = self._counted_address(request)
        if address is not None and not self._limiter.hit(self._item, address, cost=photos):
            raise self._refusal(address)

    def take_form(self, request: Request) -> None:
        """Count a form that an address has sent: the ledger keeps them for ever.

        Raises:
            Refusal: 429; it may not send another one now.
        """
        address = self._counted_address(request)
        if address is None or self._limiter.hit(self._form, _FORMS, address):
            return
        seconds = self._seconds_until_some_are_left(self._form, _FORMS, address)
        raise Refusal(
            429,
            "too_many",
            f"Nothing was changed because {self._form.amount} forms a minute are the most; send "
            f"it again in {seconds} seconds.",
            retry_after=seconds,
        )

    def _counted_address(self, request: Request) -> str | None:
        host = request.client.host if request.client else ""
        counted = counted_as(host)
        return None if self._spares_this_machine and counted == _THIS_MACHINE else counted

    def _refusal(self, address: str) -> Refusal:
        seconds = self._seconds_until_some_are_left(self._item, address)
        return Refusal(
            429,
            "too_many",
            f"No photo was tagged because {self._per_minute} a minute are the most; send the "
            f"next in {seconds} seconds.",
            retry_after=seconds,
        )

    def _seconds_until_some_are_left(self, item: RateLimitItem, *names: str) -> int:
        window = self._limiter.get_window_stats(item, *names)
        return max(1, math.ceil(window.reset_time - time.time()))


def counted_as(host: str) -> str:
    """Return the name under which an address is counted.

    Args:
        host: An address, or whatever a proxy calls its clients.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_loopback:
        return _THIS_MACHINE
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_NETWORK_BITS), strict=False))
