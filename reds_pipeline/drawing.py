"""What every figure shares: paper, ink, colours and the way to a file.

What belongs here: matplotlib figures without pyplot, whose global state leaks between steps of
one process, and making a finished picture small enough for Dagster's event log. What does not:
any one figure. Colours are those of Okabe and Ito, which people with any colour vision tell
apart.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
INK = "#222222"
QUIET = "#666666"
FAINT = "#BBBBBB"
DOTS_PER_INCH = 120
# As text in a ``data:`` address a file grows by a third, and an event should stay under 100 kB.
SMALL_BYTES = 74_000

_COLOURS_OF_A_SMALL_PNG = 64
_SHRINK = 0.85
_SMALLEST_SIDE = 64
# Scripts that matplotlib's own font has no letters for; of these the installed ones are used.
_FONTS_OF_OTHER_SCRIPTS = (
    "Noto Sans CJK JP",
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Noto Sans Hebrew",
    "Noto Sans Thai",
    "WenQuanYi Zen Hei",
    "Unifont",
)


def new_figure(width: float, height: float, dots_per_inch: int = DOTS_PER_INCH) -> Figure:
    """Return an empty figure of so many inches, drawn without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dots_per_inch, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def quiet_axes(axes: Axes, *, grid: str = "") -> None:
    """Take away what carries no number: two spines, ticks, and the grid but along one axis.

    Args:
        axes: The axes.
        grid: ``x``, ``y`` or empty for none.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(length=0, labelcolor=INK)
    if grid in ("x", "y"):
        axes.grid(axis="x" if grid == "x" else "y", color=FAINT, linewidth=0.6, alpha=0.6)
        axes.set_axisbelow(True)


def ink_on(colour: str) -> str:
    """Return the ink that can be read on a colour of the palette."""
    return "white" if colour in (PALETTE[0], PALETTE[-1]) else INK


@cache
def text_families() -> tuple[str, ...]:
    """Return the fonts for words that people wrote, in whatever script they wrote them."""
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return ("DejaVu Sans", *(name for name in _FONTS_OF_OTHER_SCRIPTS if name in installed))


def can_be_drawn(text: str) -> bool:
    """Whether the fonts of this machine hold every letter; without one, boxes would be drawn."""
    return all(ord(letter) in _letters() for letter in text)


@cache
def _letters() -> frozenset[int]:
    from matplotlib import font_manager

    return frozenset().union(
        *(
            font_manager.get_font(font_manager.findfont(family)).get_charmap()
            for family in text_families()
        )
    )


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG file whose bytes depend on what is drawn alone."""
    file = io.BytesIO()
    # The version of the software would change the bytes while nothing new is shown.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def small_png(data: bytes, max_bytes: int = SMALL_BYTES) -> bytes:
    """Return a drawing that takes no more than ``max_bytes``.

    Drawings have few colours, so a palette saves most; only what is still too large shrinks.

    Args:
        data: A PNG file.
        max_bytes: By default its ``data:`` form stays under 100 kB.

    Raises:
        ValueError: Not even a very small picture takes so few bytes.
    """
    from PIL import Image

    if len(data) <= max_bytes:
        return data
    with Image.open(io.BytesIO(data)) as opened:
        drawing = opened.convert("RGB")
    width, height = drawing.size
    scale = 1.0
    while min(width, height) * scale >= _SMALLEST_SIDE:
        size = (round(width * scale), round(height * scale))
        resized = drawing if scale == 1 else drawing.resize(size, Image.Resampling.LANCZOS)
        file = io.BytesIO()
        # The usual method spends the palette on shades of what covers most and loses rare colours.
        resized.quantize(
            _COLOURS_OF_A_SMALL_PNG,
            method=Image.Quantize.MAXCOVERAGE,
            dither=Image.Dither.NONE,
        ).save(file, "PNG", optimize=True)
        if file.tell() <= max_bytes:
            return file.getvalue()
        scale *= _SHRINK
    raise ValueError(f"a drawing of {width} x {height} does not fit into {max_bytes} bytes")
