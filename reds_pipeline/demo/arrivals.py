"""Posts that arrive while somebody pages through a timeline.

Belongs here: publishing on a count of requests, for any flavour. Which requests count is the
flavour's.
"""

from __future__ import annotations

import threading

from reds_pipeline.demo.live_posts import LivePosts
from reds_pipeline.demo.town.town import Town

_FIRST_ARRIVAL = 1000


class Arrivals:
    """Publishes a new post at every so many timeline requests."""

    def __init__(self, town: Town, posts: LivePosts, every: int | None) -> None:
        """Count from zero.

        Args:
            town: Gives the new posts.
            posts: Where to publish them.
            every: Requests for each post, ``None`` for no posts.
        """
        self._town = town
        self._posts = posts
        self._every = every
        self._lock = threading.Lock()
        self._requests = 0

    def note_request(self) -> None:
        """Count a timeline request, and publish a post before it is answered when it is time."""
        if self._every is None:
            return
        with self._lock:
            self._requests += 1
            count, remainder = divmod(self._requests, self._every)
        if remainder == 0:
            class_name = self._town.class_names[count % len(self._town.class_names)]
            self._posts.put(self._town.new_post(class_name, _FIRST_ARRIVAL + count))
