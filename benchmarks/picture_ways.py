"""Ways from the bytes of a picture to what a data set needs of it, measured side by side.

What belongs here: the ways, ours and those of other libraries, and their measurement in one
process, one after the other in every round. What does not: the pictures, the environment and the
table (``pictures_pass.py``, which runs this in an environment that holds the other libraries).
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.imaging.orientation import (
    image_orientation,
    stored_box,
    upright,
    upright_size,
)
from reds_pipeline.imaging.resize import SIDE, crop_box, square_224

Square = NDArray[np.uint8]
Way = Callable[[bytes], Square | None]
PLAIN = "plain"
_SIDE_OF_REDUCED = 2 * SIDE
_THREADS = os.cpu_count() or 1
_THREAD_REPEATS = 3


def plain(data: bytes) -> Square:
    """Decode all pixels, turn, cut and resize, as a notebook does."""
    picture = _upright_rgb(data)
    box, _cropped = crop_box(*picture.size)
    return np.asarray(picture.crop(box).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def plain_without_copies(data: bytes) -> Square:
    """Decode all pixels and resize the part that is wanted where it lies; turn what comes out."""
    with Image.open(io.BytesIO(data)) as image:
        turned = image_orientation(image)
        picture = image.convert("RGB")
    box, _cropped = crop_box(*upright_size(picture.size, turned))
    small = picture.resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC, box=stored_box(box, picture.size, turned)
    )
    return np.asarray(upright(small, turned))


def plain_with_figures(data: bytes) -> Square:
    """Do the same, and open the file again for each hash and each group of figures."""
    square = plain(data)
    imagehash.phash(_upright_rgb(data))
    imagehash.phash(ImageOps.mirror(_upright_rgb(data)))
    pixels = np.asarray(_upright_rgb(data))
    np.percentile(pixels.max(axis=2) - pixels.min(axis=2), 99)
    grey = np.asarray(_upright_rgb(data).convert("L"), dtype=np.float32)
    grey.mean()
    np.percentile(grey, [5, 99])
    # The variance of the Laplacian, as most programs measure sharpness.
    edges = grey[1:-1, :-2] + grey[1:-1, 2:] + grey[:-2, 1:-1] + grey[2:, 1:-1]
    (edges - 4 * grey[1:-1, 1:-1]).var()
    _upright_rgb(data).convert("L").entropy()
    return square


def hash_of_imagehash(data: bytes) -> None:
    """Hash the upright picture with ImageHash."""
    imagehash.phash(_upright_rgb(data))


def reds_square(data: bytes) -> Square:
    """Make the square alone."""
    return square_224(data)[0]


def reds_everything(data: bytes) -> Square:
    """Verify, strip, hash, mirror, score and make the square, as collecting does."""
    return examine_image(data).square


def _upright_rgb(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _simplejpeg() -> Way:
    simplejpeg = importlib.import_module("simplejpeg")

    def way(data: bytes) -> Square:
        height, width, _colours, _sampling = simplejpeg.decode_jpeg_header(data)
        pixels = simplejpeg.decode_jpeg(
            data, min_height=_SIDE_OF_REDUCED, min_width=_SIDE_OF_REDUCED
        )
        across, down = pixels.shape[1] / width, pixels.shape[0] / height
        (left, top, right, bottom), _cropped = crop_box(width, height)
        box = (left * across, top * down, right * across, bottom * down)
        small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
        return np.asarray(small)

    return way


def _opencv() -> Way:
    cv2 = importlib.import_module("cv2")
    cv2.setNumThreads(1)

    def way(data: bytes) -> Square:
        with Image.open(io.BytesIO(data)) as image:
            reduction = min(image.size) // _SIDE_OF_REDUCED
        flags = {0: cv2.IMREAD_COLOR, 1: cv2.IMREAD_COLOR}.get(reduction)
        if flags is None:
            flags = cv2.IMREAD_REDUCED_COLOR_2 if reduction < 4 else cv2.IMREAD_REDUCED_COLOR_4
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        (left, top, right, bottom), _cropped = crop_box(pixels.shape[1], pixels.shape[0])
        small = cv2.resize(
            pixels[top:bottom, left:right], (SIDE, SIDE), interpolation=cv2.INTER_AREA
        )
        return cv2.cvtColor(small, cv2.COLOR_BGR2RGB)

    return way


def _imagededup() -> Way:
    hasher = importlib.import_module("imagededup.methods").PHash(verbose=False)

    def way(data: bytes) -> None:
        with Image.open(io.BytesIO(data)) as image:
            hasher.encode_image(image_array=np.asarray(image))

    return way


_OTHERS: dict[str, Callable[[], Way]] = {
    "simplejpeg": _simplejpeg,
    "opencv": _opencv,
    "imagededup": _imagededup,
}
_JPEG_ONLY = {"simplejpeg"}


def measure(directory: Path, rounds: int) -> dict[str, Any]:
    """Measure every way on the pictures of a directory.

    Args:
        directory: With image files, nothing else.
        rounds: Times that every way goes through all pictures; the median counts.

    Returns:
        ``milliseconds`` of processor time a picture by way, ``decibels`` (median and minimum
        against the plain way) of those that give a square, ``absent`` libraries, and how many
        times as many pictures a second ``_THREADS`` threads examine as one.
    """
    paths = sorted(path for path in directory.iterdir() if path.is_file())
    files = [path.read_bytes() for path in paths]
    ways: dict[str, Way] = {
        PLAIN: plain,
        "plain_without_copies": plain_without_copies,
        "plain_with_figures": plain_with_figures,
        "imagehash": hash_of_imagehash,
        "reds_square": reds_square,
        "reds_everything": reds_everything,
    }
    absent = []
    for name, make in _OTHERS.items():
        try:
            ways[name] = make()
        except ImportError:
            absent.append(name)
    if any(path.suffix not in {".jpg", ".jpeg"} for path in paths):
        ways = {name: way for name, way in ways.items() if name not in _JPEG_ONLY}
    references = [plain(data) for data in files]
    decibels = {}
    for name, way in ways.items():
        squares = [way(data) for data in files]
        if squares[0] is not None:
            values = [_decibels(*pair) for pair in zip(squares, references, strict=True)]
            decibels[name] = (median(values), min(values))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            for data in files:
                way(data)
            seconds[name].append(time.process_time() - began)
    if (cleanvision := _cleanvision_seconds(paths, rounds)) is not None:
        seconds["cleanvision"] = cleanvision
    else:
        absent.append("cleanvision")
    return {
        "pictures": len(files),
        "kilobytes": sum(map(len, files)) / len(files) / 1000,
        "milliseconds": {
            name: 1000 * median(values) / len(files) for name, values in seconds.items()
        },
        "decibels": decibels,
        "absent": absent,
        "threads": _THREADS,
        "thread_gain": _thread_gain(files),
    }


def _cleanvision_seconds(paths: Sequence[Path], rounds: int) -> list[float] | None:
    """Return the processor seconds of all of CleanVision's checks, in one process."""
    try:
        laboratory = importlib.import_module("cleanvision").Imagelab
    except ImportError:
        return None
    seconds = []
    with tempfile.TemporaryDirectory() as directory:
        for path in paths:
            shutil.copy(path, directory)
        for _ in range(min(rounds, 2)):
            began = time.process_time()
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                laboratory(data_path=directory).find_issues(n_jobs=1, verbose=False)
            seconds.append(time.process_time() - began)
    return seconds


def _thread_gain(files: Sequence[bytes]) -> float:
    """Return how many times faster all threads examine the pictures than one, by the clock."""
    gains = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in range(_THREAD_REPEATS):
            began = time.perf_counter()
            for data in files:
                examine_image(data)
            alone = time.perf_counter() - began
            began = time.perf_counter()
            list(pool.map(examine_image, files))
            gains.append(alone / (time.perf_counter() - began))
    return median(gains)


def _decibels(square: Square | None, reference: Square) -> float:
    """Return the peak signal-to-noise ratio; 138 where not a bit differs."""
    assert square is not None
    error = float(np.mean((square.astype(np.float64) - reference) ** 2))
    return 10 * float(np.log10(255**2 / max(error, 1e-9)))


if __name__ == "__main__":
    where, how_often = sys.argv[1:]
    print(json.dumps(measure(Path(where), int(how_often))))
