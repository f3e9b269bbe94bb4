"""What went wrong, judged by meaning and not by status code alone.

What belongs here: the errors of this package, each one sentence for the operator, and the pure
functions that read an answer and say which of them it is. Pixelfed reports a missing token as
500, a deleted post as 500, and a login page as 200 (fediverse.md 2.8, 3.2), so the body decides.
What does not: reading the parts of an answer (``answers.py``), sending, waiting and retrying
(``client.py``).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from reds_pipeline.errors import RedsError
from reds_pipeline.fediverse.web.answers import Answer

__all__ = [
    "Answer",
    "AuthenticationRequired",
    "BadRequest",
    "BotCheck",
    "BudgetSpent",
    "CircuitOpen",
    "HostError",
    "HostRefused",
    "HostUnavailable",
    "NotFound",
    "document_failure_of",
    "failure_of",
    "host_is_failing",
    "token_refused",
]

_LOGIN_PATHS = ("/login", "/auth/sign_in", "/oauth/authorize")
_TIMELINES = "/api/v1/timelines/"
# Those that bot checks come with (fediverse.md 2.9).
_CHALLENGE_STATUSES = frozenset({200, 401, 403, 429, 503})


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


class BotCheck(HostRefused):
    """A page that tells programs from people: a no to every further request as well."""


class HostUnavailable(HostError):
    """The host failed in a way that may pass; everything collected so far is safe."""

    retryable = True


class CircuitOpen(HostUnavailable):
    """The host failed so often, or asks for so long a wait, that it is left alone for now."""


class BudgetSpent(HostError):
    """This run has asked the host as often as it may; the next run goes on."""


def failure_of(answer: Answer, address: str) -> HostError | None:
    """Return what an API answer means as an error, or None for a list or an object.

    Args:
        answer: The answer, redirects not followed.
        address: What was asked, host and path, for the sentence; it never carries a token.
    """
    failure = _unwelcome(answer, address, page_expected=False)
    if failure is not None:
        return failure
    body = answer.json()
    if answer.status < 300:
        return _no_data(answer, body, address)
    return _by_message(body, address) or _by_status(answer, address)


def document_failure_of(answer: Answer, address: str) -> HostError | None:
    """Return what the answer to a request for a page or feed means as an error, or None.

    Pages speak of anything, so that one which was handed out is a bot check only where its
    markup says so; the words that suffice in place of data would refuse a photo of Anubis.

    Args:
        answer: The answer, redirects not followed.
        address: What was asked, host and path, for the sentence.
    """
    failure = _unwelcome(answer, address, page_expected=answer.status < 300)
    if failure is not None:
        return failure
    if answer.status >= 300:
        return _by_message(answer.json(), address) or _by_status(answer, address)
    if answer.is_text:
        return None
    return BadRequest(
        f"{address} answered with a file of the type {answer.media_type} where REDS expected a "
        "page; check the address."
    )


def token_refused(address: str) -> AuthenticationRequired:
    """Return the error of a request that carried a token, where the host wants a valid one."""
    return AuthenticationRequired(
        f"{address} refuses the access token that it got, which may have expired, been revoked or "
        "lack the scope read; create a new one in the settings of your account there and set "
        "REDS_HOST_TOKEN."
    )


def host_is_failing(answer: Answer | None) -> bool:
    """Return whether an attempt speaks against the host and not against what was asked.

    A plain 500 is about one page, such as one with a post that the server cannot show
    (fediverse.md 6, trap 8): whoever pages steps over it. No answer, 429 and what proxies say
    (502, 503, 504, 52x) are about the host.

    Args:
        answer: What came back, None where the connection failed.
    """
    return answer is None or answer.status == 429 or answer.status > 500


def _unwelcome(answer: Answer, address: str, *, page_expected: bool) -> HostError | None:
    if 300 <= answer.status < 400:
        return _redirect(answer, address)
    if answer.is_challenge:
        return BotCheck(
            f"{address} answered with a bot check, which means that its operator does not want "
            "programs there; ask the operator before trying again."
        )
    if not page_expected and answer.status in _CHALLENGE_STATUSES and answer.may_be_challenge:
        # Less certain (a login form can hold a captcha), so that only this address is given up.
        return HostRefused(
            f"{address} answered with something that looks like a bot check; ask its operator "
            "whether programs are welcome before trying again."
        )
    if answer.status == 429:
        return HostUnavailable(
            f"{address} says that REDS asks too often; wait a while and run again, nothing is lost."
        )
    return None


def _no_data(answer: Answer, body: Any, address: str) -> HostError | None:
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
    location = answer.headers.get("Location", "")
    try:
        target = urlsplit(location)
    except ValueError:
        target = urlsplit("")
    if target.path.startswith(_LOGIN_PATHS):
        return _token_wanted(address)
    # The path is left out, and what may stand before the host: they may name a person.
    elsewhere = target.hostname or ("another page" if location else "nowhere")
    return HostRefused(
        f"{address} redirects to {elsewhere}, which REDS does not follow with a token; configure "
        "the address that the host itself uses."
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
    # Mastodon refuses guests by 422 where REDS sends nothing that could be invalid (trap 24).
    guest_refused = status == 422 and _TIMELINES in address
    if status == 401 or (status == 403 and answer.says_json) or guest_refused:
        return _token_wanted(address)
    if status in {403, 451}:
        return HostRefused(
            f"{address} refuses REDS ({status}); ask its operator whether collecting is welcome."
        )
    if status in {404, 410}:
        return _gone(address)
    if status == 503:
        return HostUnavailable(
            f"{address} is overloaded or under maintenance (503); try again later, REDS resumes "
            "where it stopped."
        )
    if 400 <= status < 500 and status not in {408, 425}:
        return _not_understood(address)
    return HostUnavailable(
        f"{address} fails with status {status}; try again later, REDS resumes where it stopped."
    )


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
