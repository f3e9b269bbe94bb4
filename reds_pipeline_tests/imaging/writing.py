"""Pages of writing for these tests, in the font that Pillow brings."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
_SENTENCE = "Birds wait near the window and look at every passing cat. "


def page(
    size: tuple[int, int] = (540, 675),
    letters: int = 16,
    ink: Colour = (20, 20, 20),
    paper: Colour = (250, 250, 250),
) -> Image.Image:
    """Return a page filled with sentences; ``letters`` is their height in pixels."""
    picture = Image.new("RGB", size, paper)
    write(picture, (20, 20, size[0] - 20, size[1] - 20), letters, ink)
    return picture


def write(picture: Image.Image, box: tuple[int, int, int, int], letters: int, ink: Colour) -> None:
    """Fill a box of a picture with sentences."""
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(letters)
    left, top, right, bottom = box
    fitting = max(1, int((right - left) / pen.textlength(_SENTENCE, font) * len(_SENTENCE)))
    for line, y in enumerate(range(top, bottom - letters, letters * 3 // 2)):
        start = line * 7 % len(_SENTENCE)
        text = (_SENTENCE * (2 + fitting // len(_SENTENCE)))[start : start + fitting]
        pen.text((left, y), text, ink, font)
