"""Where the pictures of a town come from, as a protocol: drawn by code or read from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from reds_pipeline.demo.posts import Picture


class PictureSource(Protocol):
    """A supply of pictures by class and number.

    A source must give the same bytes for the same picture at every call, in every process.
    """

    @property
    def class_names(self) -> Sequence[str]:
        """The true classes of the town, each a lower-case singular word."""
        ...

    def clean_pictures(self, class_name: str) -> list[Picture]:
        """Return the pictures that clean posts show, each of which is posted exactly once."""
        ...

    def spare_picture(self, class_name: str, index: int) -> Picture:
        """Return a picture that resembles no clean one, for a post that must not be kept.

        Args:
            class_name: A class of the source, or ``"scenery"`` for unrelated posts.
            index: Any number from 0; different numbers give different pictures if there are
                enough.
        """
        ...

    def extension(self, picture: Picture, /) -> str:
        """Return the file name extension, without dot, of the untreated picture."""
        ...

    def size(self, picture: Picture) -> tuple[int, int] | None:
        """Return width and height in pixels of the untreated picture, ``None`` if unknown."""
        ...

    @property
    def redraws(self) -> bool:
        """Whether clean pictures may be uploaded in another format or orientation."""
        ...

    def read(self, picture: Picture) -> bytes:
        """Return the untreated file."""
        ...
