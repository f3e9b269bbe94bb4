"""Which of the world's pictures a home holds, and how long it held what was taken back.

What belongs here: recognising the world's pictures by their bytes. What does not: what may be held
(``promises``). A picture that two posts of the town show says nothing about either of them: one may
be taken back while the other still stands there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime
from functools import cache, cached_property

from reds_pipeline.demo.drifting.truth import Publication
from reds_pipeline.demo.drifting.world import DriftingWorld
from reds_pipeline.errors import ImageRejected
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.storage.home import Home


class HeldPictures:
    """Looks at the picture files of a home again and again.

    Attributes:
        gone_after: Of each post that was taken back while its pictures were held: hours until the
            last of them was gone.
        gone_at: When that was.
    """

    def __init__(self, world: DriftingWorld, home: Home) -> None:
        self._world = world
        self._home = home
        self._were_held: set[str] = set()
        self.gone_after: dict[str, float] = {}
        self.gone_at: dict[str, datetime] = {}
        self.digests = cache(self._digests)

    def look(self) -> None:
        """Notice what is held and what went."""
        now, files = datetime.now(UTC), self.files()
        held = {
            each.post.post_id
            for each in self._world.truth.all()
            if each.nature != "unrelated" and not files.isdisjoint(self.digests(each.post.post_id))
        }
        for each in self._world.truth.taken_back():
            name = each.post.post_id
            if name in self._were_held and name not in held and name not in self.gone_at:
                assert each.taken_back_at is not None
                self.gone_at[name] = now
                self.gone_after[name] = (now - each.taken_back_at).total_seconds() / 3600
        self._were_held |= held

    def files(self) -> set[str]:
        """Return the SHA-256 of every picture file of the home, whatever its name says."""
        return {
            _digest(path.read_bytes())
            for path in (self._home.root / "images").rglob("*")
            if path.is_file()
        }

    def were_held(self, publication: Publication) -> bool:
        """Whether any picture of a post was ever found."""
        return publication.post.post_id in self._were_held

    def went_at(self, publication: Publication) -> datetime:
        """Return when the pictures of a post were gone that had been held and was taken back."""
        name = publication.post.post_id
        assert name in self.gone_at, f"the pictures of post {name} are still held"
        return self.gone_at[name]

    def own_files(self, publication: Publication) -> list[bytes]:
        """Return a post's files as served, without those that another post shows too."""
        files = self._world.files(publication)
        return [data for data in files if _digest(data) not in self._shown_twice]

    @cached_property
    def _shown_twice(self) -> frozenset[str]:
        """The SHA-256 of files, as served, that several posts of the town show."""
        shown = Counter(
            digest
            for each in self._world.truth.all()
            for digest in {_digest(data) for data in self._world.files(each)}
        )
        return frozenset(digest for digest, posts in shown.items() if posts > 1)

    def _digests(self, post_id: str) -> frozenset[str]:
        """Return the SHA-256 of a post's own files as served and as REDS would keep them."""
        digests = set()
        for data in self.own_files(self._world.truth.of(post_id)):
            digests.add(_digest(data))
            try:
                digests.add(_digest(examine_image(data).data))
            except ImageRejected:
                continue
        return frozenset(digests)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
