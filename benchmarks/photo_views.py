"""Three ways of looking at a photo: its middle, the whole, or windows that vote (R-IMP-3).

What belongs here: the study on photographs and on panoramas made of two of them, and its tables.
What does not: the ways (``reds_pipeline.imaging.photo_views``). Run
``python -m benchmarks.photo_views --help`` in the repository; docs/photo_views.md reads the result.

Every photograph is held out once, by sixths, with all its near copies: the head and its C come
from the other five. The head learns from the middles alone, as in the pipeline.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reds_pipeline.embedding.encoder import Encoder, EncoderSpec, load_encoder
from reds_pipeline.imaging.cleaning import CleaningRules
from reds_pipeline.imaging.duplicates import duplicate_groups
from reds_pipeline.imaging.examine import examine_image
from reds_pipeline.imaging.photo import Photo, read_photo
from reds_pipeline.imaging.photo_views import PhotoView
from reds_pipeline.modeling.calibration import probabilities
from reds_pipeline.modeling.experiment import run_experiment
from reds_pipeline.modeling.heads import HeadParameters, decision_values
from reds_pipeline.modeling.intervals import wilson_interval
from reds_pipeline.modeling.splits import make_split

_VIEWS: tuple[PhotoView, ...] = ("centre", "whole", "windows")
_FIFTHS = 5
_TEST_PART = -1
_BATCH = 16
_PANORAMA_HEIGHT = 448
_TIMED = 40
# Longer side over shorter side of the cropped ones; the last has no end.
_SHAPES = (1.0, 1.4, 1.6, float("inf"))

Features = NDArray[np.float32]
Chances = NDArray[np.float64]
Judge = Callable[[Features], Chances]


@dataclass(frozen=True, eq=False)
class Looked:
    """A photo as its encoder saw it.

    Attributes:
        names: Classes that are right.
        shape: Longer side over shorter side.
        is_cropped: Whether the rule of the training cuts something off.
        features: Of each way of looking, float32 (looks, d).
        group: Photos of one group are near copies of each other.
    """

    names: frozenset[str]
    shape: float
    is_cropped: bool
    features: dict[PhotoView, Features]
    group: str = ""


@dataclass(frozen=True)
class Answer:
    """What one way of looking says of a photo.

    Attributes:
        name: The class that most looks vote for; between equals that of the higher mean chance.
        share: Share of the looks that do.
        is_right: Whether it is one of the true ones.
        voted: Every class that some look votes for.
    """

    name: str
    share: float
    is_right: bool
    voted: frozenset[str]


Answers = dict[PhotoView, Answer]


def looked_at(photo: Photo, encoder: Encoder, names: frozenset[str], group: str = "") -> Looked:
    """Look at a photo in all three ways."""
    side = encoder.input_size
    squares = {view: photo.squares(view, side) for view in _VIEWS}
    together = np.concatenate(list(squares.values()))
    batches = range(0, len(together), _BATCH)
    features = np.concatenate([encoder(together[start : start + _BATCH]) for start in batches])
    ends = np.cumsum([len(looks) for looks in squares.values()])
    parts = dict(zip(squares, np.split(features, ends[:-1]), strict=True))
    longer, shorter = max(photo.width, photo.height), min(photo.width, photo.height)
    return Looked(names, longer / shorter, photo.is_cropped, parts, group)


def read_photographs(directory: Path, encoder: Encoder) -> tuple[list[Path], list[Looked]]:
    """Look at ``directory/<class>/<file>``, and group what looks the same."""
    files = sorted(path for path in directory.glob("*/*") if path.is_file())
    rows = []
    for path in files:
        seen = examine_image(path.read_bytes())
        rows.append(
            {
                "sha256": hashlib.sha256(seen.data).hexdigest(),
                "perceptual_hash": seen.perceptual_hash,
                "mirrored_hash": seen.mirrored_hash,
            }
        )
    groups = duplicate_groups(rows, CleaningRules().perceptual_radius).all_kinds
    return files, [
        looked_at(
            read_photo(path.read_bytes(), side=encoder.input_size),
            encoder,
            frozenset({path.parent.name}),
            str(group),
        )
        for path, group in zip(files, groups, strict=True)
    ]


def panorama(files: Sequence[Path], length: int) -> bytes:
    """Return a JPEG with the middle of one photograph at each end and plain colour between."""
    side = _PANORAMA_HEIGHT
    middles = [
        Image.fromarray(read_photo(path.read_bytes(), side=side).square(side)) for path in files
    ]
    mean = np.mean([np.asarray(middle).mean(axis=(0, 1)) for middle in middles], axis=0)
    wide = Image.new("RGB", (length * side, side), tuple(int(value) for value in mean))
    wide.paste(middles[0], (0, 0))
    wide.paste(middles[1], ((length - 1) * side, 0))
    file = BytesIO()
    wide.save(file, "JPEG", quality=92)
    return file.getvalue()


def parts_of(photos: Sequence[Looked], seed: int) -> Iterator[tuple[NDArray[np.bool_], Judge, int]]:
    """Yield what is held out, a judge that has not seen it, and the number of the part."""
    names = [next(iter(photo.names)) for photo in photos]
    groups = [photo.group for photo in photos]
    middles = np.concatenate([photo.features["centre"] for photo in photos])
    sixths = make_split(names, groups, protocol="grouped", seed=seed, folds=_FIFTHS)
    for part in (_TEST_PART, *range(_FIFTHS)):
        split = make_split(
            names, groups, protocol="grouped", seed=seed, held_out=sixths.fold == part
        )
        experiment = run_experiment(middles, names, groups, split, HeadParameters(seed=seed))
        pipeline, temperature = experiment.final.head.pipeline, experiment.temperature

        def judge(features: Features) -> Chances:
            return probabilities(decision_values(pipeline, features), temperature)  # noqa: B023

        yield split.test, judge, part


def answers_to(photo: Looked, judge: Judge, classes: Sequence[str]) -> Answers:
    """Ask about a photo in all three ways."""
    answers: Answers = {}
    for view, features in photo.features.items():
        chances = judge(features)
        votes = np.bincount(chances.argmax(axis=1), minlength=len(classes))
        winner = int(np.lexsort((-chances.mean(axis=0), -votes))[0])
        voted = frozenset(classes[int(code)] for code in np.flatnonzero(votes))
        name = classes[winner]
        answers[view] = Answer(
            name, float(votes[winner] / len(features)), name in photo.names, voted
        )
    return answers


def share(right: int, total: int) -> str:
    """Return a share with its 95 % Wilson interval."""
    if not total:
        return "-"
    low, high = wilson_interval(right, total)
    return f"{right / total:.3f} ({low:.3f} to {high:.3f})"


def _row(name: str, asked: Sequence[tuple[Looked, Answers]]) -> str:
    cells = [name, str(len(asked))]
    for view in _VIEWS:
        cells.append(share(sum(answers[view].is_right for _, answers in asked), len(asked)))
    for view in _VIEWS[1:]:
        gained = sum(a[view].is_right and not a["centre"].is_right for _, a in asked)
        lost = sum(a["centre"].is_right and not a[view].is_right for _, a in asked)
        cells.append(f"+{gained} -{lost}")
    agreeing = [len({answer.name for answer in a.values()}) == 1 for _, a in asked]
    cells.append(share(sum(agreeing), len(asked)))
    looks = [len(photo.features["windows"]) for photo, _ in asked]
    votes = [answers["windows"].share for _, answers in asked]
    cells += [f"{np.mean(looks):.2f}", f"{np.mean(votes):.3f}"]
    return f"| {' | '.join(cells)} |"


def _shown(title: str, rows: Sequence[str]) -> None:
    click.echo(f"\n{title}\n")
    against = [f"{view} against {_VIEWS[0]}" for view in _VIEWS[1:]]
    head = ["", "photos", *_VIEWS, *against, "all three agree", "looks", "vote share"]
    click.echo(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    click.echo("\n".join(rows))


def _by_shape(asked: Sequence[tuple[Looked, Answers]]) -> list[str]:
    rows = [_row("nothing cut off", [pair for pair in asked if not pair[0].is_cropped])]
    cropped = [pair for pair in asked if pair[0].is_cropped]
    for low, high in pairwise(_SHAPES):
        between = [pair for pair in cropped if low <= pair[0].shape < high]
        if between:
            name = f"from {low}" if high == float("inf") else f"{max(low, 1.1)} to {high}"
            rows.append(_row(f"longer side {name} times the shorter", between))
    return [*rows, _row("all", asked)]


def _by_agreement(asked: Sequence[tuple[Looked, Answers]]) -> str:
    cropped = [answers for photo, answers in asked if photo.is_cropped]
    agreeing = [a for a in cropped if len({answer.name for answer in a.values()}) == 1]
    others = [a for a in cropped if len({answer.name for answer in a.values()}) > 1]
    return (
        "Of the cropped photos the middle is right for "
        f"{share(sum(a['centre'].is_right for a in agreeing), len(agreeing))} of the "
        f"{len(agreeing)} whose three ways agree and for "
        f"{share(sum(a['centre'].is_right for a in others), len(others))} of the {len(others)} "
        "others."
    )


def _of_panoramas(asked: Sequence[tuple[Looked, Answers]]) -> str:
    both = sum(photo.names <= answers["windows"].voted for photo, answers in asked)
    return f"Both classes get the vote of some window: {share(both, len(asked))}."


def _timed(files: Sequence[Path], encoder: Encoder) -> list[str]:
    chosen = files[:: max(1, len(files) // _TIMED)]
    spent: dict[str, list[float]] = {name: [] for name in ("reading", *_VIEWS)}
    for path in chosen:
        data = path.read_bytes()
        started = time.perf_counter()
        photo = read_photo(data, side=encoder.input_size)
        spent["reading"].append(time.perf_counter() - started)
        for view in _VIEWS:
            started = time.perf_counter()
            encoder(photo.squares(view, encoder.input_size))
            spent[view].append(time.perf_counter() - started)
    usual = float(np.median(spent["centre"]))
    rows = [
        f"| {name} | {1000 * np.median(seconds):.1f} | {np.median(seconds) / usual:.2f} |"
        for name, seconds in spent.items()
    ]
    return ["| step | median ms | x centre |", "|---|---|---|", *rows]


@click.command()
@click.option("--photos", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path))
@click.option("--backbone", default="mobilenetv2_100", show_default=True)
@click.option("--panoramas", default=150, show_default=True, help="Of each length.")
@click.option("--length", "lengths", multiple=True, type=int, default=(2, 4), show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(
    *,
    photos: Path,
    weights: Path | None,
    backbone: str,
    panoramas: int,
    lengths: tuple[int, ...],
    seed: int,
) -> None:
    """Print what the three ways are worth on photographs in ``PHOTOS/<class>/<file>``."""
    encoder = load_encoder(EncoderSpec(backbone, weights))
    files, looked = read_photographs(photos, encoder)
    names = np.array([path.parent.name for path in files])
    classes = sorted(set(names.tolist()))
    generator = np.random.default_rng(seed)
    asked: list[tuple[Looked, Answers]] = []
    of_test: list[tuple[Looked, Answers]] = []
    wide: dict[int, list[tuple[Looked, Answers]]] = {length: [] for length in lengths}
    for test, judge, part in parts_of(looked, seed):
        held_out = np.flatnonzero(test)
        answered = [(looked[row], answers_to(looked[row], judge, classes)) for row in held_out]
        asked += answered
        of_test += answered if part == _TEST_PART else []
        for length in lengths:
            for _ in range(-(-panoramas // (_FIFTHS + 1))):
                one = generator.choice(held_out)
                other = generator.choice(held_out[names[held_out] != names[one]])
                pair = [files[one], files[other]]
                photo = read_photo(panorama(pair, length), side=encoder.input_size)
                seen = looked_at(photo, encoder, frozenset(path.parent.name for path in pair))
                wide[length].append((seen, answers_to(seen, judge, classes)))
    groups = len({photo.group for photo in looked})
    click.echo(f"{len(files)} photographs in {groups} groups, {len(classes)} classes, {backbone}.")
    _shown("Held-out test of the usual grouped split", _by_shape(of_test))
    _shown("Every photograph held out once, by sixths", _by_shape(asked))
    click.echo(f"\n{_by_agreement(asked)}")
    for length, seen_panoramas in wide.items():
        _shown(f"Panoramas {length} times as long as high", [_row("all", seen_panoramas)])
        click.echo(f"\n{_of_panoramas(seen_panoramas)}")
    click.echo("\n" + "\n".join(_timed(files, encoder)))


if __name__ == "__main__":
    main()
