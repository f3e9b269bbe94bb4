"""Photographs with planted copies: how many copies are found, and how many pairs falsely.

What belongs here: the edits and the table of what finds them. What does not: the search itself
(``reds_pipeline.imaging``) and its speed (``duplicates.py``). Run
``python -m benchmarks.copied_photos --help`` in the repository.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from reds_pipeline.embedding.encoder import EncoderSpec, load_encoder
from reds_pipeline.imaging.alignment import align
from reds_pipeline.imaging.hashing import hashes_to_integers, perceptual_hashes
from reds_pipeline.imaging.resize import square_224
from reds_pipeline.imaging.similarity import find_similar_pairs, similar_pairs

Edit = Callable[[Image.Image, np.random.Generator], Image.Image]
_RADIUS = 8
_BATCH = 64


def _cropped(share: float) -> Edit:
    """Cut this share off each side, anywhere."""

    def edit(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
        width, height = (int(side * (1 - share)) for side in picture.size)
        left = int(generator.integers(0, picture.width - width + 1))
        top = int(generator.integers(0, picture.height - height + 1))
        return picture.crop((left, top, left + width, top + height))

    return edit


def _one_side_cut(share: float) -> Edit:
    def edit(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
        width, height = picture.size
        across, down = int(width * share), int(height * share)
        boxes = (
            (across, 0, width, height),
            (0, 0, width - across, height),
            (0, down, width, height),
            (0, 0, width, height - down),
        )
        return picture.crop(boxes[int(generator.integers(0, len(boxes)))])

    return edit


def _mirrored_then(then: Edit) -> Edit:
    return lambda picture, generator: then(ImageOps.mirror(picture), generator)


def _framed(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    colour = (255, 255, 255) if generator.integers(2) else (0, 0, 0)
    return ImageOps.expand(picture, round(min(picture.size) * 0.08), fill=colour)


def _with_strip_below(picture: Image.Image, _generator: np.random.Generator) -> Image.Image:
    taller = Image.new("RGB", (picture.width, round(picture.height * 1.2)), "white")
    taller.paste(picture)
    pen = ImageDraw.Draw(taller)
    pen.text((picture.width // 10, round(picture.height * 1.05)), "what a day this was", "black")
    return taller


def _with_bar_over_it(picture: Image.Image, _generator: np.random.Generator) -> Image.Image:
    covered = picture.copy()
    pen = ImageDraw.Draw(covered)
    pen.rectangle((0, round(picture.height * 0.85), picture.width, picture.height), "black")
    pen.text((picture.width // 10, round(picture.height * 0.9)), "what a day this was", "white")
    return covered


_EDITS: dict[str, Edit] = {
    "encoded again at 40": lambda picture, _: picture,
    "half the size": lambda picture, _: picture.reduce(2),
    "brightness x 1.4": lambda picture, _: ImageEnhance.Brightness(picture).enhance(1.4),
    "contrast x 1.5": lambda picture, _: ImageEnhance.Contrast(picture).enhance(1.5),
    "cropped 5 %": _cropped(0.05),
    "cropped 10 %": _cropped(0.10),
    "cropped 20 %": _cropped(0.20),
    "cropped 30 %": _cropped(0.30),
    "cropped 40 %": _cropped(0.40),
    "one side cut 20 %": _one_side_cut(0.20),
    "one side cut 40 %": _one_side_cut(0.40),
    "mirrored": lambda picture, _: ImageOps.mirror(picture),
    "mirrored, cropped 10 %": _mirrored_then(_cropped(0.10)),
    "mirrored, cropped 30 %": _mirrored_then(_cropped(0.30)),
    "framed": _framed,
    "strip with text below": _with_strip_below,
    "bar with text over it": _with_bar_over_it,
    "turned by 5 degrees": lambda picture, _: picture.rotate(5, Image.Resampling.BICUBIC),
    "turned by 90 degrees": lambda picture, _: picture.transpose(Image.Transpose.ROTATE_90),
}


@click.command()
@click.argument("photos", type=click.Path(path_type=Path, exists=True))
@click.option("--encoder", default="tiny", show_default=True, help="tiny or a name timm knows.")
@click.option("--weights", type=click.Path(path_type=Path), help="Directory of its weights.")
@click.option("--copies", default=100, show_default=True, help="Photographs edited in each way.")
@click.option("--seed", default=0, show_default=True)
def main(photos: Path, encoder: str, weights: Path | None, copies: int, seed: int) -> None:
    """Measure what is found of planted copies of the photographs in PHOTOS/<class>/*.jpg."""
    paths = sorted(photos.glob("*/*.jpg"))
    generator = np.random.default_rng(seed)
    chosen = [int(place) for place in generator.permutation(len(paths))[:copies]]
    embed = load_encoder(EncoderSpec(encoder, weights))

    def embedded(squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [embed(squares[at : at + _BATCH]) for at in range(0, len(squares), _BATCH)]
        return np.concatenate(parts)

    squares = np.stack([square_224(path.read_bytes())[0] for path in paths])
    hashes = [perceptual_hashes(_opened(path)) for path in paths]
    embeddings = embedded(squares)
    _show_false_pairs(paths, squares, embeddings)
    click.echo("\n| edit | hash | mirrored hash | candidate | laid over | found |")
    click.echo("|---|---|---|---|---|---|")
    for name, edit in _EDITS.items():
        quality = 40 if "40" in name and "encoded" in name else 85
        files = [_file(edit(_opened(paths[place]), generator), quality) for place in chosen]
        edited = np.stack([square_224(file)[0] for file in files])
        edited_hashes = [perceptual_hashes(Image.open(BytesIO(file))) for file in files]
        everything = np.concatenate([embeddings, embedded(edited)])
        pairs = {tuple(pair) for pair in similar_pairs(everything)[0].tolist()}
        by_hash = [
            _near(hashes[place][0], copy[0])
            for place, copy in zip(chosen, edited_hashes, strict=True)
        ]
        by_mirrored = [
            _near(hashes[place][0], copy[1]) or _near(hashes[place][1], copy[0])
            for place, copy in zip(chosen, edited_hashes, strict=True)
        ]
        candidate = [(place, len(paths) + at) in pairs for at, place in enumerate(chosen)]
        laid = [
            align(squares[place], square).is_copy
            for place, square in zip(chosen, edited, strict=True)
        ]
        found = np.array(by_hash) | by_mirrored | (np.array(candidate) & laid)
        columns = (by_hash, by_mirrored, candidate, laid, found)
        click.echo(f"| {name} | {' | '.join(f'{np.mean(column):.2f}' for column in columns)} |")


def _show_false_pairs(
    paths: Sequence[Path], squares: NDArray[np.uint8], embeddings: NDArray[np.float32]
) -> None:
    """Say how many pairs of photographs, none of which is a copy, are taken for copies."""
    keys = [f"{number:06}" for number in range(len(paths))]
    began = time.perf_counter()
    rows = find_similar_pairs(
        keys, embeddings, lambda wanted: squares[[int(key) for key in wanted]]
    )
    seconds = time.perf_counter() - began
    scores = sorted((row["alignment"] for row in rows), reverse=True)
    click.echo(
        f"{len(paths)} photographs: {len(rows)} candidates compared in {seconds:.1f} s "
        f"({1000 * seconds / len(rows):.1f} ms each), {sum(row['is_copy'] for row in rows)} taken "
        f"for copies; highest correlations {', '.join(f'{score:.2f}' for score in scores[:5])}"
    )
    false = Counter(
        " and ".join(sorted({paths[int(row[end])].parent.name for end in ("one", "other")}))
        for row in rows
        if row["is_copy"]
    )
    for classes, count in false.most_common():
        click.echo(f"taken for copies within {classes}: {count}")
    for row in rows:
        if row["is_copy"]:
            names = (paths[int(row[end])].name for end in ("one", "other"))
            click.echo(f"  {' and '.join(names)}: {row['alignment']:.2f} {row['kind']}")


def _opened(path: Path) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def _file(picture: Image.Image, quality: int) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _near(one: str, other: str) -> bool:
    words = hashes_to_integers([one, other])
    return bool(np.bitwise_count(words[0] ^ words[1]) <= _RADIUS)


if __name__ == "__main__":
    main()
