"""An operator for tests: a password whose hash is quickly checked, and signing in with it."""

from __future__ import annotations

import re

import requests
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

PASSWORD = "four words nobody guesses"
PASSWORD_HASH = PasswordHasher.from_parameters(CHEAPEST).hash(PASSWORD)
"""As ``reds password`` makes it, but with the least work that Argon2 knows."""

TOKEN = "a token for programs of this test"
"""Of ``operator_token``."""

_FORM_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
_META_TOKEN = re.compile(r'<meta name="form-token" content="([0-9a-f]{64})">')
_SECONDS = 60


def form_token(page: str) -> str:
    """Return the token in a page's form."""
    found = _FORM_TOKEN.search(page)
    assert found is not None
    return found[1]


def script_token(page: str) -> str:
    """Return the token that a page has for its scripts."""
    found = _META_TOKEN.search(page)
    assert found is not None
    return found[1]


def try_password(
    browser: requests.Session, address: str, password: str = PASSWORD
) -> requests.Response:
    """Fill in the form of the login page as a browser does, and send it."""
    page = browser.get(f"{address}/login", timeout=_SECONDS)
    return browser.post(
        f"{address}/login",
        data={"password": password, "form_token": form_token(page.text)},
        allow_redirects=False,
        timeout=_SECONDS,
    )


def sign_in(address: str, **headers: str) -> requests.Session:
    """Return a browser whose operator is signed in.

    Args:
        address: Of the pages.
        **headers: Sent with everything, underscores for hyphens.
    """
    browser = requests.Session()
    browser.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    assert try_password(browser, address).status_code == 303
    return browser
