"""Giving the memory of large photos back to the machine as soon as they are done.

What belongs here: telling the C library so. What does not: how much may be taken
(``photo_queue.py``).

glibc learns from the first large blocks that are freed to keep later ones for itself, in a heap
for each thread. A dozen photos of 50 million pixels left 800 MB behind in that way, three times
what they needed at once.
"""

from __future__ import annotations

import ctypes

_MMAP_THRESHOLD = -3
# Below the 16 MB blocks in which Pillow keeps pixels, above what an encoder asks for one photo.
_BYTES = 8 * 1024 * 1024


def give_large_blocks_back() -> None:
    """Let blocks from 8 MB on go back when they are freed; other C libraries do so anyway."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _BYTES)
