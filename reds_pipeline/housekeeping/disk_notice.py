"""Telling the operator that the disk is filling up.

What belongs here: what is told, and how often. What does not: adding up (``disk_use.py``), and how
a notice reaches people (``notices.py``).
"""

from __future__ import annotations

from datetime import UTC, datetime

from reds_pipeline.housekeeping.disk_use import complaint, disk_use
from reds_pipeline.notices import DISK, notify
from reds_pipeline.resources import Platform

_TITLE = "REDS is running out of disk"


def tell_of_disk(platform: Platform, sentence: str) -> None:
    """Tell what ``complaint`` said, once a week."""
    week = datetime.now(UTC).strftime("%G week %V")
    notify(platform, DISK, _TITLE, sentence, once=f"disk {week}")


def tell_of_full_disk(platform: Platform) -> None:
    """Tell that pictures were not fetched for want of room, once a day."""
    advice = complaint(disk_use(platform.home.root), platform.settings)
    sentence = f"New pictures are not fetched any more, because the disk is nearly full. {advice}"
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    notify(platform, DISK, _TITLE, sentence, once=f"full disk {day}")
