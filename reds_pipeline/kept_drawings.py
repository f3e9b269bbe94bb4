"""Drawings that are kept as long as they would come out the same.

What belongs here: finding a drawing by all that decides how it looks, or having it drawn. What
does not: drawing, and anything that shows people's pictures, which a withdrawal would have to
find. The classes of an installation seldom change, and a run that finds nothing new would spend a
tenth of its time on drawing what is there; drawing the graphs of the classes takes longer than most
of what a retraining does with the new pictures.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from reds_pipeline.storage.atomic import write_bytes
from reds_pipeline.storage.home import file_name


class KeptDrawings:
    """Drawings in a directory, one file a name.

    Args:
        directory: Where they are kept; made when the first one is drawn.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def drawing(self, name: str, shown: object, draw: Callable[[], bytes], *modules: str) -> bytes:
        """Return the drawing that was made of the same by the same code, or draw it now.

        Args:
            name: Of the drawing; an older one of this name goes.
            shown: All that is drawn; its ``repr`` tells it apart from anything else.
            draw: Makes the PNG file.
            *modules: Imported modules whose code decides how it looks.
        """
        parts = [name, repr(shown), _drawing_library(), *map(_code, modules)]
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        # A file name holds no other full stop, so no name is the beginning of another one.
        path = self._directory / f"{file_name(name)}.{digest[:32]}.png"
        try:
            return path.read_bytes()
        except FileNotFoundError:
            data = draw()
        write_bytes(path, data)
        for other in self._directory.glob(f"{file_name(name)}.*.png"):
            if other != path:
                other.unlink(missing_ok=True)
        return data


@cache
def _code(module: str) -> str:
    """Return a name for the code of an imported module that changes with the code."""
    file = sys.modules[module].__file__
    assert file is not None, f"{module} has no file"
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


@cache
def _drawing_library() -> str:
    from importlib.metadata import version

    return version("matplotlib")
