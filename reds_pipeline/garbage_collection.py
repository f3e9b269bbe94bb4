"""How often Python looks for cyclic garbage.

What belongs here: the one switch for it. What does not: when a program is started, which is when
it is called.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 50_000
"""Containers that have to come about, more than went, before the youngest are looked through."""


def collect_garbage_less_often() -> None:
    """Let many more objects come about before Python looks for those that only hold one another.

    Imports, WordNet and tables make millions of objects that stay. Going through them every 700
    new ones took more than a quarter of the processor time of all imports; what is freed is the
    same, a few megabytes later.
    """
    youngest, *older = gc.get_threshold()
    if youngest:
        gc.set_threshold(max(youngest, NEW_OBJECTS), *older)
