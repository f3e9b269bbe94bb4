"""Pictures of a town read from a folder of photographs: ``DIR/<class>/<files>``.

Belongs here: finding and reading the files. Nothing is copied, changed or cached.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from reds_pipeline.demo.pictures import SCENERY, DrawnPictures
from reds_pipeline.demo.posts import Picture
from reds_pipeline.errors import RedsError

PHOTO_EXTENSIONS = frozenset({"jpg", "jpeg", "png", "webp"})
"""File name extensions, in lower case and without dot, that count as photographs."""

# Numbers of drawn pictures set apart for the posts of one class that must not be kept.
_SPARE_PICTURES_A_CLASS = 100_000


class PhotoFolder:
    """A picture source over ``DIR/<class>/``; the folder names are the class names.

    Clean posts show the files byte for byte, sorted by name, each exactly once. Posts that must
    not be kept show drawn scenery: any version of a photograph would be a duplicate of it. The
    ground truth of such a town supposes that the folder itself holds no duplicates and no pictures
    that fail a quality gate.
    """

    def __init__(self, directory: Path) -> None:
        """Find the photographs; raise ``RedsError`` when there are none."""
        self._files: dict[str, list[Path]] = {}
        for folder in _folders(directory):
            if found := _photographs(folder):
                self._files.setdefault(folder.name.lower(), []).extend(found)
        if not self._files:
            raise RedsError(
                f"No photographs were found in {directory}: it must hold one folder for each "
                "class, such as cat/, with JPEG, PNG or WebP files in it."
            )
        odd = [name for name in self._files if not name.isalpha()]
        if odd:
            raise RedsError(
                f"The folder {odd[0]!r} in {directory} cannot be a hashtag: "
                "name each folder with a single word of letters, such as cat."
            )
        # Unrelated posts need pictures too, and a folder of classes holds none for them.
        self._scenery = DrawnPictures()

    @property
    def class_names(self) -> list[str]:
        """The folder names, in lower case and sorted."""
        return list(self._files)

    @property
    def redraws(self) -> bool:
        """Photographs are served as they are."""
        return False

    def clean_pictures(self, class_name: str) -> list[Picture]:
        """Return one picture for each file of the class."""
        return [Picture(class_name, number) for number in range(len(self._files[class_name]))]

    def spare_picture(self, class_name: str, index: int) -> Picture:
        """Return drawn scenery, another one for each class and index."""
        place = self.class_names.index(class_name) + 1 if class_name in self._files else 0
        return Picture(SCENERY, place * _SPARE_PICTURES_A_CLASS + index)

    def extension(self, picture: Picture) -> str:
        """Return the file's own extension in lower case; drawn scenery is a JPEG file."""
        if picture.class_name not in self._files:
            return "jpg"
        return self._path(picture).suffix[1:].lower()

    def size(self, picture: Picture) -> tuple[int, int] | None:
        """Return width and height from the header of the file, ``None`` when it has no good one."""
        if picture.class_name not in self._files:
            return self._scenery.size(picture)
        try:
            with Image.open(self._path(picture)) as photograph:
                return photograph.size
        except OSError:
            return None

    def read(self, picture: Picture) -> bytes:
        """Return the bytes of the file, or of the drawn picture."""
        if picture.class_name not in self._files:
            return self._scenery.read(picture)
        return self._path(picture).read_bytes()

    def _path(self, picture: Picture) -> Path:
        return self._files[picture.class_name][picture.number]


def _folders(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise RedsError(
            f"The folder of photographs {directory} does not exist: "
            "give a folder that holds one folder for each class."
        )
    return sorted(path for path in directory.iterdir() if path.is_dir())


def _photographs(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix[1:].lower() in PHOTO_EXTENSIONS
    )
