"""The code location that the daemon of these tests loads: REDS itself, on the home under test.

A module and not a fixture, because Dagster loads code by name. It is loaded once for each home.
"""

from __future__ import annotations

from functools import lru_cache

import dagster as dg

from reds_pipeline.definitions import build_defs
from reds_pipeline.resources import Platform

_chosen: list[Platform] = []


def choose(platform: Platform) -> None:
    """Say which installation ``definitions`` is about from now on."""
    _chosen[:] = [platform]


def definitions() -> dg.Definitions:
    """Return the definitions of the chosen installation."""
    [platform] = _chosen
    return _definitions(platform)


@lru_cache(maxsize=1)
def _definitions(platform: Platform) -> dg.Definitions:
    return build_defs(platform)
