"""Pictures that consist of writing: documents, screenshots, posters; and photographs with some.

What belongs here: drawing them, each different for each number. What does not: measuring what the
quality gates make of them (``quality_gates.py``). The fonts are those that matplotlib brings, so
that every machine draws the same pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random

import matplotlib
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

_FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSansMono",
    "STIXGeneral",
    "STIXGeneralBol",
    "cmr10",
    "cmss10",
)
_VOCABULARY = (
    "the cat looks out of window and waits for birds spring market opens on Saturday morning "
    "bring your own bag free entry new photographs every week please share with friends "
    "meeting notes agenda water level update release version today tomorrow result total "
    "garden festival music evening station platform number closed because works thank you"
)
_WORDS = _VOCABULARY.split()
Colour = tuple[int, int, int]


@lru_cache(maxsize=256)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    directory = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(directory / f"{name}.ttf"), size)


def _any_font(random: Random, size: int) -> ImageFont.FreeTypeFont:
    return _font(random.choice(_FONTS), size)


def _sentence(random: Random, words: int) -> str:
    return " ".join(random.choice(_WORDS) for _ in range(words))


def _paragraph(
    pen: ImageDraw.ImageDraw,
    random: Random,
    box: tuple[int, int, int, int],
    font: ImageFont.FreeTypeFont,
    colour: Colour,
) -> None:
    """Fill a box with lines of words, the last of each paragraph shorter."""
    left, top, right, bottom = box
    height = int(font.size * 1.4)
    for line in range(max(1, (bottom - top) // height)):
        text = ""
        width = (right - left) * (random.uniform(0.3, 0.7) if line % 6 == 5 else 1.0)
        while pen.textlength(text, font) < width - 6 * font.size:
            text += random.choice(_WORDS) + " "
        pen.text((left, top + line * height), text, colour, font)


def document(random: Random) -> Image.Image:
    """Return a page of print."""
    width, height = random.choice(((1080, 1400), (1240, 900), (1080, 1080)))
    page = Image.new("RGB", (width, height), random.choice(((255, 255, 255), (248, 244, 232))))
    pen = ImageDraw.Draw(page)
    size = random.randint(20, 44)
    margin = random.randint(40, 130)
    box = (margin, margin, width - margin, height - margin)
    _paragraph(pen, random, box, _any_font(random, size), (20, 20, 20))
    return page


def code(random: Random) -> Image.Image:
    """Return the screenshot of an editor in dark colours."""
    width, height = random.choice(((1920, 1080), (1280, 960), (1080, 1350)))
    window = Image.new(
        "RGB", (width, height), random.choice(((30, 30, 46), (0, 43, 54), (12, 12, 12)))
    )
    pen = ImageDraw.Draw(window)
    font = _font("DejaVuSansMono", random.randint(20, 34))
    colours = ((220, 220, 220), (130, 170, 255), (195, 232, 141), (247, 140, 108), (120, 120, 140))
    for line in range(int(height / font.size / 1.35)):
        left = 80 + random.randint(0, 4) * 2 * font.size
        y = int(line * font.size * 1.35) + 10
        pen.text((16, y), str(line + 1), (90, 90, 110), font)
        for _ in range(random.randint(0, 5)):
            word = random.choice(_WORDS) + random.choice(("(", ") ", " = ", ": ", "_"))
            pen.text((left, y), word, random.choice(colours), font)
            left += int(pen.textlength(word, font))
    return window


def chat(random: Random) -> Image.Image:
    """Return the screenshot of a conversation on a telephone."""
    width, height = 1080, random.choice((1920, 2160, 1440))
    dark = random.random() < 0.4
    screen = Image.new("RGB", (width, height), (18, 18, 20) if dark else (236, 229, 221))
    pen = ImageDraw.Draw(screen)
    pen.rectangle((0, 0, width, 140), fill=(32, 44, 51) if dark else (7, 94, 84))
    pen.text((150, 45), _sentence(random, 2), (255, 255, 255), _font("DejaVuSans-Bold", 44))
    pen.ellipse((30, 20, 130, 120), fill=(120, 150, 170))
    y = 180
    while y < height - 260:
        lines = random.randint(1, 4)
        wide = random.randint(420, 820)
        left = 40 if random.random() < 0.5 else width - 40 - wide
        mine = left > 100
        fill = ((0, 92, 75) if mine else (38, 45, 50)) if dark else (220, 248, 198)
        box = (left, y, left + wide, y + 40 + lines * 54)
        pen.rounded_rectangle(box, 26, fill=fill if mine or dark else (255, 255, 255))
        inner = (left + 24, y + 18, left + wide - 24, y + 18 + lines * 54)
        ink = (235, 235, 235) if dark else (20, 20, 20)
        _paragraph(pen, random, inner, _font("DejaVuSans", 36), ink)
        y = box[3] + random.randint(16, 50)
    return screen


def table(random: Random) -> Image.Image:
    """Return a sheet of numbers."""
    width, height = random.choice(((1600, 1000), (1080, 1080)))
    sheet = Image.new("RGB", (width, height), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    font = _any_font(random, random.randint(20, 32))
    row, column = int(font.size * 1.8), random.randint(120, 220)
    for y in range(0, height, row):
        if (y // row) % 2 and random.random() < 0.9:
            pen.rectangle((0, y, width, y + row), fill=(238, 242, 248))
        for x in range(0, width, column):
            words = _sentence(random, 1) if x == 0 else f"{random.uniform(0, 5000):.2f}"
            pen.text((x + 10, y + 5), words, (30, 30, 40), font)
    for x in range(0, width, column):
        pen.line((x, 0, x, height), fill=(200, 200, 200))
    return sheet


def slide(random: Random) -> Image.Image:
    """Return a presentation's page: a heading and a few points."""
    back = random.choice(((255, 255, 255), (20, 40, 80), (250, 246, 235)))
    ink = (255, 255, 255) if sum(back) < 300 else (30, 30, 60)
    page = Image.new("RGB", (1600, 900), back)
    pen = ImageDraw.Draw(page)
    pen.text((90, 60), _sentence(random, 4), ink, _any_font(random, 84))
    font = _any_font(random, random.randint(44, 60))
    for point in range(random.randint(4, 7)):
        pen.text(
            (130, 230 + 90 * point), "•  " + _sentence(random, random.randint(3, 7)), ink, font
        )
    return page


def poster(random: Random) -> Image.Image:
    """Return an announcement: large words on a colour or on a gradient."""
    width, height = random.choice(((1080, 1350), (1080, 1080), (1200, 1600)))
    one, other = (tuple(random.randint(0, 255) for _ in range(3)) for _ in range(2))
    ramp = Image.linear_gradient("L").resize((width, height))
    back = Image.new("RGB", (width, height), one)
    if random.random() < 0.5:
        back = Image.composite(back, Image.new("RGB", (width, height), other), ramp)
    bright = sum(back.resize((1, 1)).getpixel((0, 0)))  # type: ignore[arg-type]
    ink = (255, 255, 255) if bright < 380 else (10, 10, 30)
    pen = ImageDraw.Draw(back)
    y = random.randint(60, 160)
    while y < height - 150:
        size = random.choice((48, 64, 90, 130, 170))
        font = _any_font(random, size)
        words = _sentence(random, max(1, int(width / size / 3.2)))
        pen.text((width // 2, y), words, ink, font, anchor="ma")
        y += int(size * random.uniform(1.3, 1.8))
    return back


def web_page(random: Random) -> Image.Image:
    """Return the screenshot of a page with a heading, columns and small boxes of colour."""
    width, height = random.choice(((1920, 1080), (1366, 1000)))
    page = Image.new("RGB", (width, height), (255, 255, 255))
    pen = ImageDraw.Draw(page)
    pen.rectangle((0, 0, width, 80), fill=tuple(random.randint(20, 160) for _ in range(3)))
    pen.text((40, 18), _sentence(random, 5), (255, 255, 255), _font("DejaVuSans", 34))
    columns = random.randint(2, 4)
    wide = width // columns
    for column in range(columns):
        left = column * wide + 30
        top = 120
        if random.random() < 0.6:
            colour = tuple(random.randint(60, 240) for _ in range(3))
            pen.rectangle((left, top, left + wide - 60, top + 220), fill=colour)
            top += 250
        pen.text((left, top), _sentence(random, 3), (10, 10, 10), _font("DejaVuSans-Bold", 34))
        box = (left, top + 60, left + wide - 60, height - 40)
        _paragraph(pen, random, box, _font("DejaVuSans", random.randint(20, 26)), (50, 50, 50))
    return page


def shared_post(random: Random, photograph: Image.Image) -> Image.Image:
    """Return the screenshot of a post: some lines above a photograph of half the screen."""
    screen = Image.new("RGB", (1080, 1920), (255, 255, 255))
    pen = ImageDraw.Draw(screen)
    pen.ellipse((40, 60, 160, 180), fill=(150, 170, 200))
    pen.text((190, 70), _sentence(random, 2), (0, 0, 0), _font("DejaVuSans-Bold", 40))
    _paragraph(pen, random, (40, 220, 1040, 620), _font("DejaVuSans", 42), (20, 20, 20))
    screen.paste(photograph.resize((1000, 750)), (40, 660))
    _paragraph(pen, random, (40, 1450, 1040, 1860), _font("DejaVuSans", 36), (60, 60, 60))
    return screen


def quotation(random: Random, photograph: Image.Image) -> Image.Image:
    """Return a saying in large letters over a photograph that was darkened for it."""
    back = ImageEnhance.Brightness(photograph.resize((1080, 1080))).enhance(0.4)
    pen = ImageDraw.Draw(back)
    font = _any_font(random, random.choice((64, 80)))
    _paragraph(pen, random, (80, 200, 1000, 900), font, (255, 255, 255))
    return back


def captioned(random: Random, photograph: Image.Image) -> Image.Image:
    """Return a photograph with a line of letters above and below: still a photograph."""
    picture = photograph.resize((1080, 1080 * photograph.height // photograph.width))
    pen = ImageDraw.Draw(picture)
    font = _font("DejaVuSans-Bold", 72)
    for y, anchor in ((30, "ma"), (picture.height - 30, "md")):
        words = _sentence(random, random.randint(3, 4)).upper()
        pen.text(
            (540, y),
            words,
            (255, 255, 255),
            font,
            anchor=anchor,
            stroke_width=5,
            stroke_fill="black",
        )
    return picture


def signed(random: Random, photograph: Image.Image) -> Image.Image:
    """Return a photograph in which a board with writing covers a sixth to a third."""
    picture = photograph.resize((1080, 1080 * photograph.height // photograph.width))
    wide = int(1080 * random.uniform(0.45, 0.6))
    high = int(picture.height * random.uniform(0.35, 0.55))
    board = Image.new("RGB", (wide, high), tuple(random.randint(120, 250) for _ in range(3)))
    pen = ImageDraw.Draw(board)
    pen.rectangle((6, 6, wide - 7, high - 7), outline=(20, 20, 20), width=6)
    font = _any_font(random, random.choice((48, 64, 90)))
    _paragraph(pen, random, (30, 30, wide - 20, high - 20), font, (20, 20, 20))
    mask = Image.new("L", board.size, 255)
    turn = random.uniform(-12, 12)
    place = (random.randint(0, 1080 - wide), random.randint(0, max(1, picture.height - high)))
    turned = (each.rotate(turn, Image.Resampling.BICUBIC, expand=True) for each in (board, mask))
    board, mask = turned
    picture.paste(board, place, mask)
    return picture


DRAWN: dict[str, Callable[[Random], Image.Image]] = {
    "document": document,
    "code": code,
    "chat": chat,
    "table": table,
    "slide": slide,
    "poster": poster,
    "web page": web_page,
}
"""Pictures of writing alone."""
WITH_PHOTOGRAPH: dict[str, Callable[[Random, Image.Image], Image.Image]] = {
    "shared post": shared_post,
    "quotation": quotation,
}
"""Pictures in which the writing is more than the photograph."""
PHOTOGRAPHS: dict[str, Callable[[Random, Image.Image], Image.Image]] = {
    "caption": captioned,
    "sign": signed,
}
"""Photographs with writing, which should stay."""
