"""Pictures whose look changes slowly: another hue, less light, a haze over what lies behind.

Belongs here: a picture source that draws as ``pictures`` does and then grades the picture by the
week it belongs to. Which week a picture belongs to stands in its number, so that the same picture
gives the same bytes in every process.
"""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageEnhance

from reds_pipeline.demo.pictures import SCENERY, DrawnPictures, draw_picture
from reds_pipeline.demo.posts import Picture

NUMBERS_PER_WEEK = 10_000
"""Pictures of each class that a week has room for; week 0 is the town as it was found."""

_FIRST_EXAMINED = 5_000
_HUE_STEPS_PER_WEEK = 5.0
_LIGHT_LOST_PER_WEEK = 0.028
_HAZE_PER_WEEK = 0.018
_HAZE = (196, 206, 226)
_LONGEST_SIDE = 420
_QUALITY = 86


def picture_of_week(class_name: str, week: int, number: int) -> Picture:
    """Return a picture that a post of some week shows."""
    return Picture(class_name, week * NUMBERS_PER_WEEK + number)


def examination_picture(class_name: str, week: int, number: int) -> Picture:
    """Return a picture in the look of some week that no post ever shows."""
    return Picture(class_name, week * NUMBERS_PER_WEEK + _FIRST_EXAMINED + number)


class DriftingPictures(DrawnPictures):
    """Drawn pictures whose look depends on the week in their number."""

    def __init__(
        self, classes: tuple[str, ...], images_per_class: int, style_per_week: float
    ) -> None:
        """Offer the pictures of a town.

        Args:
            classes: Those that the town begins with; any other that can be drawn may be read.
            images_per_class: Clean pictures that the town begins with.
            style_per_week: How far pictures change in a week; 0 for not at all.
        """
        super().__init__(images_per_class)
        self._classes = classes
        self._style_per_week = style_per_week

    @property
    def class_names(self) -> list[str]:
        """The classes that the town begins with."""
        return list(self._classes)

    def size(self, picture: Picture) -> tuple[int, int]:
        """Return width and height in pixels."""
        with Image.open(io.BytesIO(self.read(picture))) as opened:
            return opened.size

    def read(self, picture: Picture) -> bytes:
        """Return the JPEG file."""
        weeks = picture.number // NUMBERS_PER_WEEK * self._style_per_week
        return _graded_file(picture.class_name, picture.number, weeks)


@lru_cache(maxsize=4096)
def _graded_file(class_name: str, number: int, weeks: float) -> bytes:
    image = draw_picture(class_name, number)
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.BOX)
    if weeks and class_name != SCENERY:
        image = graded(image, weeks)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def graded(image: Image.Image, weeks: float) -> Image.Image:
    """Return an RGB picture in the look of some weeks later."""
    hue, saturation, value = image.convert("HSV").split()
    steps = round(_HUE_STEPS_PER_WEEK * weeks)
    turned = hue.point([(level + steps) % 256 for level in range(256)])
    recoloured = Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    darker = ImageEnhance.Brightness(recoloured).enhance(1 - _LIGHT_LOST_PER_WEEK * weeks)
    haze = Image.new("RGB", image.size, _HAZE)
    return Image.blend(darker, haze, min(0.5, _HAZE_PER_WEEK * weeks))
