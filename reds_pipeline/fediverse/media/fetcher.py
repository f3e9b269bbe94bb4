"""Fetching one picture from wherever a host says that it lies.

What belongs here: the way to a media file and every reason not to take it (fediverse.md 4 and
5.2). What does not: what the bytes show (``imaging``) and what becomes of them (``download.py``).
The fetcher has a session of its own that never saw the API token, connects to public addresses
only (``web/public_connections.py``), and looks at each redirect before it follows it. The one
private address it may visit is the origin of an API host on this very machine. Each host is
asked at a pace and within a budget of its own (``media_hosts.py``), which the API's has no part
in.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import requests

from reds_pipeline.fediverse.attachments import media_url_refusal
from reds_pipeline.fediverse.media.media_hosts import MediaHosts, MediaManners
from reds_pipeline.fediverse.media.placeholders import Placeholders
from reds_pipeline.fediverse.web.addresses import is_loopback, origin_of
from reds_pipeline.fediverse.web.politeness import (
    ROBOTS_MAX_BYTES,
    Politeness,
    Robots,
    RobotsUnreadable,
    tag_refusal,
)
from reds_pipeline.fediverse.web.public_connections import PrivateAddressError, public_adapter
from reds_pipeline.fediverse.web.transport import (
    TooManyBytesError,
    TooSlowError,
    new_session,
    plain_adapter,
    read_bounded,
)

_LOGGER = logging.getLogger(__name__)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What a host that is overloaded, restarting or behind a struggling proxy answers.
_PASSING = frozenset({429, 500, 502, 503, 504})
_ROBOTS_REDIRECTS = 5


class MediaRefused(Exception):
    """A picture that must not or cannot be had, now or later.

    Attributes:
        reason: A slug for the image's row.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MediaFailed(Exception):
    """A picture that could not be had this time.

    Attributes:
        reason: A slug for the image's row.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class MediaLimits:
    """What one picture may cost.

    Attributes:
        max_bytes: Largest file.
        max_redirects: Redirects that are followed.
        seconds: Longest time for one file.
    """

    max_bytes: int = 20 * 1024 * 1024
    max_redirects: int = 3
    seconds: float = 120.0


class MediaFetcher:
    """Fetches pictures; safe to use from several threads.

    Args:
        api_url: The approved API host; if it is this very machine, pictures on its own origin
            may be fetched although that is a private address.
        politeness: Our name and whose refusals count.
        limits: What one picture may cost.
        manners: How hard each media host may be asked.
        own_manners: The same for the API host's own origin if it is this very machine.

    Attributes:
        files_requested: Answered requests for pictures so far, redirects included; neither
            robots.txt nor further attempts at the same address count.
    """

    def __init__(
        self,
        api_url: str,
        politeness: Politeness,
        *,
        limits: MediaLimits | None = None,
        manners: MediaManners | None = None,
        own_manners: MediaManners | None = None,
    ) -> None:
        self._limits = limits or MediaLimits()
        self._manners = manners or MediaManners()
        self._own_manners = own_manners or MediaManners.on_this_machine(api_url)
        self._session = new_session(politeness.user_agent)
        for scheme in ("http://", "https://"):
            self._session.mount(
                scheme,
                public_adapter(self._manners.pace, pool_maxsize=self._manners.connections),
            )
        self._own_origin = origin_of(api_url) if is_loopback(api_url) else ""
        if self._own_origin:
            self._session.mount(
                f"{self._own_origin}/",
                plain_adapter(self._own_manners.pace, pool_maxsize=self._own_manners.connections),
            )
        self._hosts = MediaHosts(self.manners_towards)
        self._robots = Robots(self._read_robots, politeness)
        self._placeholders = Placeholders(self._read_placeholder)
        self.files_requested = 0
        self._counting = threading.Lock()

    def __enter__(self) -> MediaFetcher:
        """Return the fetcher itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def manners_towards(self, origin: str) -> MediaManners:
        """Return how hard the host at an origin may be asked."""
        return self._own_manners if origin == self._own_origin else self._manners

    def __call__(self, url: str) -> bytes:
        """Return the bytes of the picture at ``url``, at most ``limits.max_bytes``.

        Raises:
            MediaRefused: For good: ``bad_url``, ``media_proxy``, ``placeholder``,
                ``private_address``, ``robots_txt``, ``robots_tag``, ``too_many_redirects``,
                ``not_found``, ``forbidden``, ``not_an_image``, ``too_many_bytes``.
            MediaFailed: For now: ``robots_unreadable``, ``unreachable``, ``too_slow``,
                ``status_<code>``, ``budget_spent``, ``host_resting`` (it failed too often in a
                row, or asks for a wait that is too long).
        """
        for _ in range(self._limits.max_redirects + 1):
            url = self._checked(url)
            try:
                with self._answer(url, self._robots.seconds_between_requests(url)) as response:
                    with self._counting:
                        self.files_requested += 1
                    target = response.headers.get("Location", "")
                    if response.status_code not in _REDIRECTS or not target:
                        return self._picture(url, response)
                    url = urljoin(url, target)
            except PrivateAddressError as error:
                raise MediaRefused("private_address") from error
            except RobotsUnreadable as error:
                raise MediaFailed("robots_unreadable") from error
            except (requests.exceptions.InvalidURL, ValueError) as error:
                raise MediaRefused("bad_url") from error
            except requests.RequestException as error:
                _LOGGER.info("no picture from %s (%s)", urlsplit(url).netloc, type(error).__name__)
                raise MediaFailed("unreachable") from error
        raise MediaRefused("too_many_redirects")

    def _checked(self, url: str) -> str:
        """Return ``url`` in the form that is sent, if nothing about it forbids to ask for it."""
        if reason := media_url_refusal(url):
            raise MediaRefused(reason)
        try:
            origin = origin_of(url)
        except ValueError as error:
            raise MediaRefused("bad_url") from error
        if is_loopback(url) and origin != self._own_origin:
            raise MediaRefused("private_address")
        parts = urlsplit(url)
        # The adapter is chosen by how the address begins: say it the one way origin_of does.
        url = f"{origin}{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        try:
            refusal = self._robots.refusal(url)
        except PrivateAddressError as error:
            raise MediaRefused("private_address") from error
        except RobotsUnreadable as error:
            raise MediaFailed("robots_unreadable") from error
        if refusal:
            raise MediaRefused("robots_txt")
        return url

    def _answer(self, url: str, seconds_between: float = 0.0) -> requests.Response:
        """Ask, several times if need be, and return the answer with its body still to come."""
        origin = origin_of(url)
        host = self._hosts.at(origin)
        pace = self.manners_towards(origin).pace
        for attempt in range(pace.retries + 1):
            if reason := host.wait_for_turn(seconds_between):
                raise MediaFailed(reason)
            try:
                response = self._session.get(
                    url, timeout=pace.timeout, allow_redirects=False, stream=True
                )
            except (requests.ConnectionError, requests.Timeout):
                host.failed(attempt)
                if attempt == pace.retries:
                    raise
                continue
            if response.status_code not in _PASSING:
                host.succeeded()
                return response
            host.failed(attempt, response.status_code, response.headers)
            if attempt < pace.retries:
                response.close()
        return response

    def _picture(self, url: str, response: requests.Response) -> bytes:
        data = self._body(response)
        # The path of the last hop: where a host keeps its placeholder, it keeps its uploads.
        if self._placeholders.shows(origin_of(url), urlsplit(url).path, data):
            raise MediaRefused("placeholder")
        return data

    def _body(self, response: requests.Response) -> bytes:
        status = response.status_code
        if status in {404, 410}:
            raise MediaRefused("not_found")
        if status in {401, 403, 451}:
            raise MediaRefused("forbidden")
        if status != 200:
            raise MediaFailed(f"status_{status}")
        if tag_refusal(response.headers.get("X-Robots-Tag", "")):
            raise MediaRefused("robots_tag")
        if response.headers.get("Content-Type", "").lower().startswith("text/html"):
            raise MediaRefused("not_an_image")
        try:
            return read_bounded(response, self._limits.max_bytes, self._limits.seconds)
        except TooManyBytesError as error:
            raise MediaRefused("too_many_bytes") from error
        except TooSlowError as error:
            raise MediaFailed("too_slow") from error

    def _read_robots(self, address: str) -> tuple[int, str]:
        """Read a robots.txt, following its redirects as RFC 9309 asks, each one checked."""
        for _ in range(_ROBOTS_REDIRECTS + 1):
            if is_loopback(address) and origin_of(address) != self._own_origin:
                raise PrivateAddressError
            try:
                with self._answer(address) as response:
                    target = response.headers.get("Location", "")
                    if response.status_code not in _REDIRECTS or not target:
                        text = read_bounded(response, ROBOTS_MAX_BYTES, self._limits.seconds)
                        return response.status_code, text.decode("utf-8", "replace")
                    address = urljoin(address, target)
            except (
                requests.RequestException,
                TooManyBytesError,
                TooSlowError,
                ValueError,
            ) as error:
                raise RobotsUnreadable(address) from error
        raise RobotsUnreadable(address)

    def _read_placeholder(self, address: str) -> bytes:
        """Read a host's placeholder; where that does not work there is none to know."""
        with (
            suppress(MediaFailed, PrivateAddressError, RobotsUnreadable, requests.RequestException),
            suppress(TooManyBytesError, TooSlowError),
        ):
            if self._robots.refusal(address):
                return b""
            with self._answer(address, self._robots.seconds_between_requests(address)) as response:
                if response.status_code == 200:
                    return read_bounded(response, self._limits.max_bytes, self._limits.seconds)
        return b""
