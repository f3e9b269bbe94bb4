"""Whether one picture is a part of another, or of its mirror image, and how surely.

What belongs here: laying two pictures over one another by scale and shift and measuring how well
they agree where they overlap. What does not: which pictures are worth comparing
(``similarity.py``) and what follows (``duplicates.py``).

Both pictures are reduced to fine detail first: brightness minus its surroundings. Two photographs
of a sky agree in their brightness whatever they show; in their detail, only copies agree. The
place is found in two steps: a small version of the one is moved over the other in every position
at once, by the Fourier transform, at each of several scales; from the best places a search over
scale in each direction and shift goes on at a higher resolution. Detail alone would take the same
drawing, or the same product, before another background for a copy; so at the place that was found
the brightness itself has to agree too, in most of the overlap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

CROPPED = "cropped"
MIRRORED = "mirrored"

COPY_SCORE = 0.75
"""Pictures that agree at least so well where they overlap are copies. Of the
candidates that two encoders gave among 845 photographs, the seven true pairs of copies have 0.82
or more and no other pair more than 0.71."""

COPY_DIFFERENCE = 0.1
"""Copies differ in brightness at most by so much where they overlap; see ``Alignment``. The seven
true pairs among 845 photographs have 0.099 or less, and so have all but a few of 24 photographs
with twelve edits each, unless an edit clipped their colours or exchanged them (hashes find those).
Drawings of one subject before other backgrounds, which agree in detail up to 0.90, have 0.105 or
more."""

ALIGNMENT_VERSION = "detail-32-112-limit8-brightness-v5"
"""Changed when other pairs would be found to be copies, so that they are looked at again."""

# Side of the small pictures, and the sides at which the other one is laid over them: down to
# half, so that a copy may show a quarter of the original's area.
_SIDE = 32
_SIDES = tuple(range(_SIDE, _SIDE // 2 - 1, -2))
_PADDED = 2 * _SIDE
# The smaller picture must lie with at least so much of its area on the larger one. The squares of
# a picture and of its crop share more than that unless the crop is a narrow strip.
_LEAST_OVERLAP = 0.5
# Mean square of the detail, in grey levels; with less, what agrees or not is noise.
_LEAST_ENERGY = 4.0
# Below this a place is not worth a closer look. Of 1,000 pairs of different photographs, few
# have a better one; planted crops start at about 0.7.
_WORTH_A_LOOK = 0.6
_PLACES = 3

_FINE_SIDE = 112
_FINE_STEPS = np.array([0.03, 0.03, 1.5, 1.5])
_HALVINGS = 5
_MOVES = 6
# Detail beyond this many grey levels counts little more. Otherwise a single outline decides: two
# dark shapes before a bright sky agreed up to 0.81, and do up to 0.69 with the limit.
_LOUDEST = 8.0
# Two pictures of a horizon agree perfectly, wherever along it. A place counts only if less than
# this share of the agreement is left so far beside it, in pixels of the finer frame.
_BESIDE = ((-6.0, 0.0), (6.0, 0.0), (0.0, -6.0), (0.0, 6.0))
_LEFT_BESIDE = 0.9
# The difference in brightness is taken over this share of the overlap, where it is smallest: a
# caption or a sticker may cover the rest. It is found in so many steps, after stretching the
# brightness of one at most so far towards the other's.
_COMPARED_SHARE = 0.7
_COMPARISONS = 8
_LEAST_STRETCH, _MOST_STRETCH = 0.3, 3.0
# Deviation of the blur that gives the surroundings, as a share of the side of the still picture.
_BLUR = 1 / 16


@dataclass(frozen=True)
class Alignment:
    """How well two pictures agree at the best place.

    Attributes:
        kind: ``mirrored`` if one agrees with the other's mirror image, else ``cropped``.
        score: Normalised correlation of detail where they overlap, -1 to 1; 1 is identical.
        difference: Root mean square difference of brightness in the best 70 % of the overlap,
            after the best change of brightness and contrast, as a share of the deviation of the
            brightness there; 0 is identical, infinite where nobody looked.
    """

    kind: str
    score: float
    difference: float = math.inf

    @property
    def is_copy(self) -> bool:
        """Whether the one picture is a copy of the other or of a part of it."""
        return self.score >= COPY_SCORE and self.difference <= COPY_DIFFERENCE


@dataclass(frozen=True)
class _Place:
    """A way to lay one picture over another.

    Attributes:
        score: Normalised correlation there.
        mirrored: Whether the second picture is mirrored.
        swapped: Whether it is the first picture that is made smaller and moved.
        side: Of the moved picture, in pixels of a frame of 32.
        left: Shift to the right, in the same pixels.
        top: Shift downwards.
    """

    score: float
    mirrored: bool
    swapped: bool
    side: int
    left: int
    top: int


@dataclass(frozen=True)
class _View:
    """A picture, upright or mirrored, with what the comparison with others needs of it.

    Attributes:
        grey: Brightness, 224 x 224, mode L.
        spectra: Transforms of the detail at each side, shape (sides, 64, 33).
        still_weight: One divided by the root of its energy at full side under another picture,
            by side of that one and shift, shape (sides, 64, 64); 0 where there is too little.
        moved_weight: The same of its part that lies on another one when it is the moved picture.
    """

    grey: Image.Image
    spectra: NDArray[np.complex64]
    still_weight: NDArray[np.float32]
    moved_weight: NDArray[np.float32]


class AlignablePicture:
    """A picture prepared for being laid over many others; takes about 1 MB.

    Its mirror image is prepared when it is first asked for: only the second one of a pair is
    mirrored. Two threads that ask at once both prepare it, and get the same.

    Args:
        square: uint8 (224, 224, 3).
    """

    def __init__(self, square: NDArray[np.uint8]) -> None:
        self.upright = _view(Image.fromarray(square).convert("L"))
        self._mirrored: _View | None = None

    @property
    def mirrored(self) -> _View:
        """The mirror image."""
        if self._mirrored is None:
            self._mirrored = _view(self.upright.grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        return self._mirrored


def align(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Alignment:
    """Find how two pictures agree best.

    Args:
        one: uint8 (224, 224, 3).
        other: uint8 (224, 224, 3).
    """
    return align_pictures(AlignablePicture(one), AlignablePicture(other))


def align_pictures(one: AlignablePicture, other: AlignablePicture) -> Alignment:
    """Find how two prepared pictures agree best; see ``align``."""
    places = sorted(_places(one, other), key=lambda place: -place.score)[:_PLACES]
    looked: list[Alignment] = []
    for place in places:
        kind = MIRRORED if place.mirrored else CROPPED
        if place.score < _WORTH_A_LOOK:
            looked.append(Alignment(kind, place.score))
            break
        looked.append(_closer(one, other, place))
        if looked[-1].is_copy:
            break
    return max(looked, key=lambda alignment: (alignment.is_copy, alignment.score))


def _view(grey: Image.Image) -> _View:
    details = np.zeros((len(_SIDES), _PADDED, _PADDED), np.float32)
    for index, side in enumerate(_SIDES):
        details[index, :side, :side] = _detail(grey, side, _SIDE)
    energies = _transform(details**2)
    windows = _window_spectra()
    return _View(
        grey,
        _transform(details),
        _weight(_correlations(energies[:1], windows)),
        _weight(_correlations(windows[:1], energies)),
    )


def _weight(energy: NDArray[np.float32]) -> NDArray[np.float32]:
    enough = _allowed_shifts() & (energy > _LEAST_ENERGY * _overlaps())
    # Where there is enough it is above 1.
    return np.where(enough, 1 / np.sqrt(np.maximum(energy, 1)), 0).astype(np.float32)


def _places(one: AlignablePicture, other: AlignablePicture) -> list[_Place]:
    """Return the best place at each scale, upright and mirrored, with either picture moved."""
    places = []
    for mirrored, second in ((False, other.upright), (True, other.mirrored)):
        for swapped in (False, True):
            still, moved = (second, one.upright) if swapped else (one.upright, second)
            scores = _correlations(still.spectra[:1], moved.spectra)
            scores *= still.still_weight
            scores *= moved.moved_weight
            flat = scores.reshape(len(_SIDES), -1)
            for side, of_side, shift in zip(_SIDES, flat, flat.argmax(axis=1), strict=True):
                top, left = (
                    place - _PADDED * (place >= _SIDE) for place in divmod(int(shift), _PADDED)
                )
                places.append(_Place(float(of_side[shift]), mirrored, swapped, side, left, top))
    return places


def _closer(one: AlignablePicture, other: AlignablePicture, place: _Place) -> Alignment:
    """Return how well two pictures agree at the best place near one, at a higher resolution."""
    kind = MIRRORED if place.mirrored else CROPPED
    second = other.mirrored if place.mirrored else other.upright
    still, moved = (second, one.upright) if place.swapped else (one.upright, second)
    side = round(_FINE_SIDE * place.side / _SIDE)
    still_detail = _limited(_detail(still.grey, _FINE_SIDE, _FINE_SIDE))
    moved_detail = Image.fromarray(_limited(_detail(moved.grey, side, _FINE_SIDE)))
    unit = _FINE_SIDE / _SIDE
    where = np.array([0.0, 0.0, place.left * unit, place.top * unit])
    score = _score_at(still_detail, moved_detail, where)
    steps = _FINE_STEPS
    for _ in range(_HALVINGS):
        for _ in range(_MOVES):
            before = score
            for change in (*np.diag(steps), *np.diag(-steps)):
                candidate = _score_at(still_detail, moved_detail, where + change)
                if candidate > score:
                    score, where = candidate, where + change
            if score == before:
                break
        steps = steps / 2
    if not _is_located(still_detail, moved_detail, where, score):
        return Alignment(kind, -1.0)
    if score < COPY_SCORE:
        return Alignment(kind, score)
    moved_brightness = Image.fromarray(_brightness(moved.grey, side))
    overlap = _overlap(_brightness(still.grey, _FINE_SIDE), moved_brightness, where)
    return Alignment(kind, score, math.inf if overlap is None else _difference(*overlap))


def _is_located(
    still: NDArray[np.float32], moved: Image.Image, where: NDArray[np.float64], score: float
) -> bool:
    """Return whether the pictures agree there and nowhere beside it."""
    beside = (_score_at(still, moved, where + np.array([0, 0, *shift])) for shift in _BESIDE)
    return max(beside) < _LEFT_BESIDE * score


def _score_at(still: NDArray[np.float32], moved: Image.Image, where: NDArray[np.float64]) -> float:
    """Return the correlation with the moved picture at a place; see ``_overlap``."""
    overlap = _overlap(still, moved, where)
    if overlap is None:
        return -1.0
    part, laid = overlap
    energy = float((part * part).sum()) * float((laid * laid).sum())
    least = (_LEAST_ENERGY * part.size) ** 2
    return float((part * laid).sum()) / energy**0.5 if energy > least else -1.0


def _overlap(
    still: NDArray[np.float32], moved: Image.Image, where: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return what both pictures show where they overlap, or None if that is too little.

    Args:
        still: Shape (112, 112).
        moved: Mode F.
        where: Logarithms of the horizontal and vertical scale, shifts to the right and down.
    """
    wide, high = np.exp(where[:2])
    left, top = where[2:]
    right, bottom = left + moved.width * wide, top + moved.height * high
    # Half a pixel inside, where interpolation finds values on both sides.
    first_column, last_column = (max(0, int(left + 1.5)), min(_FINE_SIDE, int(right - 0.5)))
    first_row, last_row = (max(0, int(top + 1.5)), min(_FINE_SIDE, int(bottom - 0.5)))
    width, height = last_column - first_column, last_row - first_row
    if min(width, height) < 1 or width * height < _LEAST_OVERLAP * moved.width * moved.height:
        return None
    laid = np.asarray(
        moved.transform(
            (width, height),
            Image.Transform.AFFINE,
            (1 / wide, 0, (first_column - left) / wide, 0, 1 / high, (first_row - top) / high),
            Image.Resampling.BILINEAR,
        )
    )
    return still[first_row:last_row, first_column:last_column], laid


def _difference(part: NDArray[np.float32], laid: NDArray[np.float32]) -> float:
    """Return how much two overlapping parts differ in brightness; see ``Alignment``.

    The pixels that agree and the change of brightness under which they do are found in turns
    (least trimmed squares; Rousseeuw, 1984).
    """
    one, other = part.ravel().astype(np.float64), laid.ravel().astype(np.float64)
    compared = np.arange(len(one))
    differences = np.zeros(len(one))
    for _ in range(_COMPARISONS):
        first, second = one[compared], other[compared]
        variance = max(float(second.var()), 1.0)
        slope = float(((first - first.mean()) * (second - second.mean())).mean()) / variance
        slope = min(max(slope, _LEAST_STRETCH), _MOST_STRETCH)
        differences = np.abs(one - first.mean() - slope * (other - second.mean()))
        compared = np.argsort(differences, kind="stable")[: int(_COMPARED_SHARE * len(one))]
    remaining = float(np.sqrt((differences[compared] ** 2).mean()))
    return remaining / max(float(one.std()), 1.0)


def _brightness(grey: Image.Image, side: int) -> NDArray[np.float32]:
    return np.asarray(grey.resize((side, side), Image.Resampling.BOX), np.float32)


def _detail(grey: Image.Image, side: int, frame_side: int) -> NDArray[np.float32]:
    """Return brightness minus that of the surroundings, shape (side, side).

    Args:
        grey: The picture.
        side: To which it is reduced.
        frame_side: Of the picture that does not move; both are blurred alike.
    """
    small = grey.resize((side, side), Image.Resampling.BOX)
    around = small.filter(ImageFilter.GaussianBlur(_BLUR * frame_side))
    return np.asarray(small, np.float32) - np.asarray(around, np.float32)


def _limited(detail: NDArray[np.float32]) -> NDArray[np.float32]:
    return (_LOUDEST * np.tanh(detail / _LOUDEST)).astype(np.float32, copy=False)


def _correlations(
    still: NDArray[np.complex64], moved: NDArray[np.complex64]
) -> NDArray[np.float32]:
    """Return sums of products at every shift; shapes (1 or sides, 64, 33) to (sides, 64, 64)."""
    sums = np.fft.irfft2(still * moved.conj(), s=(_PADDED, _PADDED))
    return sums.astype(np.float32, copy=False)


def _transform(stack: NDArray[np.float32]) -> NDArray[np.complex64]:
    return np.fft.rfft2(stack).astype(np.complex64, copy=False)


@cache
def _window_spectra() -> NDArray[np.complex64]:
    """Return the transforms of squares of ones at each side, shape (sides, 64, 33)."""
    windows = np.zeros((len(_SIDES), _PADDED, _PADDED), np.float32)
    for window, side in zip(windows, _SIDES, strict=True):
        window[:side, :side] = 1
    return _transform(windows)


@cache
def _overlaps() -> NDArray[np.float32]:
    """Return how many pixels overlap, by side and shift."""
    return np.round(_correlations(_window_spectra()[:1], _window_spectra()))


@cache
def _allowed_shifts() -> NDArray[np.bool_]:
    """Return where enough of the moved picture lies on the other, by side and shift."""
    areas = np.array(_SIDES, np.float32)[:, None, None] ** 2
    return _overlaps() >= _LEAST_OVERLAP * areas
