"""Importing skops without importing torch.

What belongs here: that one import. What does not: writing or reading files with it. When it is
imported skops lists all estimators of scikit-learn, and on the way scikit-learn's adapter for torch
imports torch itself: of 3.1 to 3.5 seconds of processor time 0.6 to 0.7 are left without it. No
estimator is in the adapter.
"""

from __future__ import annotations

import sys

_ADAPTER = "sklearn.externals.array_api_compat.torch"


def import_skops() -> None:
    """Import ``skops.io``; an adapter that somebody has imported stays as it is."""
    is_hidden = _ADAPTER not in sys.modules
    if is_hidden:
        # Python's own way to say that a module is not there.
        sys.modules[_ADAPTER] = None  # type: ignore[assignment]
    try:
        import skops.io  # noqa: F401
    finally:
        if is_hidden:
            del sys.modules[_ADAPTER]
