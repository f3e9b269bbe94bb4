"""What went wrong, judged by meaning and not by status code alone.

What belongs here: the errors of this package, each one sentence for the operator, and the pure
function that reads an answer and says which of them it is. Pixelfed reports a missing token as
500, a deleted post as 500, and a login page as 200 (fediverse.md 2.8, 3.2), so the body decides.
What does not: sending requests, waiting, retrying (``client.py``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from reds_pipeline.errors import RedsError

_LOGIN_PATHS = ("/login", "/auth/sign_in", "/oauth/authorize")
_CHALLENGE_MARKS = (
    b"just a moment",
    b"challenge-platform",
    b"cf-challenge",
    b"captcha",
    b"anubis",
    b"checking your browser",
)


class HostError(RedsError):
    """A host did not give what was asked for."""


class AuthenticationRequired(HostError):
    """The host wants an access token, or does not accept the one it got."""


class NotFound(HostError):
    """The thing asked for does not exist there, or no longer."""


class BadRequest(HostError):
    """The host does not accept the request itself."""


class HostRefused(HostError):
    """The host says no: robots.txt, a bot wall, or a redirect to elsewhere. REDS obeys."""


class HostUnavailable(HostError):
    """The host failed in a way that may pass; everything collected so far is safe."""

    retryable = True


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, reduced to what is needed to judge it.

    Attributes:
        status: HTTP status code.
        headers: Header fields, looked up in any letter case.
        body: The decoded body, bounded in size by whoever read it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def says_json(self) -> bool:
        """Whether the host declares the body to be JSON."""
        return self.media_type == "application/json" or self.media_type.endswith("+json")

    def json(self) -> Any:
        """Return the parsed body, or None where it is not JSON."""
        if not self.says_json:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def failure_of(answer: Answer, address: str) -> HostError | None:
    """Return what an API answer means as an error, or None for a list or an object.

    Args:
        answer: The answer, redirects not followed.
        address: What was asked, for the sentence; it never carries a token.
    """
    if 300 <= answer.status < 400:
        return _redirect(answer, address)
    if _is_challenge(answer):
        return HostRefused(
            f"{address} answered with a bot check, which means that its operator does not want "
            "programs there; ask the operator before trying again."
        )
    if answer.status == 429:
        return HostUnavailable(
            f"{address} says that REDS asks too often; wait a while and run again, nothing is lost."
        )
    body = answer.json()
    if answer.status < 300:
        return _success(answer, body, address)
    return _by_message(body, address) or _by_status(answer, address)


def _success(answer: Answer, body: Any, address: str) -> HostError | None:
    if isinstance(body, list | dict):
        return None
    if answer.says_json:
        return HostUnavailable(
            f"{address} sent an incomplete answer; run again, REDS resumes where it stopped."
        )
    return HostRefused(
        f"{address} answered with a web page instead of data, as a login page or a bot wall does; "
        "check the address and the token, or ask the operator."
    )


def _redirect(answer: Answer, address: str) -> HostError:
    target = urlsplit(answer.headers.get("Location", ""))
    if target.path.startswith(_LOGIN_PATHS):
        return _token_wanted(address)
    return HostRefused(
        f"{address} redirects to {target.netloc or target.path or 'nowhere'}, which REDS does not "
        "follow with a token; configure the address that the host itself uses."
    )


def _by_message(body: Any, address: str) -> HostError | None:
    if not isinstance(body, dict):
        return None
    message = str(body.get("error") or body.get("message") or "").lower()
    if "unauthenticated" in message or "authenticated user" in message:
        return _token_wanted(address)
    if "access token" in message or "authorized scopes" in message:
        return _token_wanted(address)
    if message.startswith("no query results for model"):
        return _gone(address)
    if body.get("errors"):
        return _not_understood(address)
    return None


def _by_status(answer: Answer, address: str) -> HostError:
    status = answer.status
    if status == 401 or (status == 403 and answer.says_json):
        return _token_wanted(address)
    if status == 403:
        return HostRefused(
            f"{address} refuses REDS (403); ask its operator whether collecting is welcome."
        )
    if status in {404, 410}:
        return _gone(address)
    if 400 <= status < 500:
        return _not_understood(address)
    return HostUnavailable(
        f"{address} fails with status {status}; try again later, REDS resumes where it stopped."
    )


def _is_challenge(answer: Answer) -> bool:
    if answer.headers.get("cf-mitigated", "").lower() == "challenge":
        return True
    if answer.media_type != "text/html":
        return False
    start = answer.body[:20_000].lower()
    return any(mark in start for mark in _CHALLENGE_MARKS)


def _token_wanted(address: str) -> AuthenticationRequired:
    return AuthenticationRequired(
        f"{address} wants a valid access token of a user with the scope read; create one in the "
        "settings of your account there and set REDS_HOST_TOKEN."
    )


def _gone(address: str) -> NotFound:
    return NotFound(f"{address} does not exist on this host; check the address.")


def _not_understood(address: str) -> BadRequest:
    return BadRequest(
        f"{address} was not accepted by the host as a valid request; its version may speak "
        "another dialect, so please report this with the output of reds doctor."
    )
