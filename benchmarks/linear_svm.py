"""The linear SVM: choice of C, folds and final fit against scikit-learn, and whether they agree.

What belongs here: made-up features, the programs that are compared, and the table. What does not:
the solver (``reds_pipeline.modeling.linear_svm``). Run ``python -m benchmarks.linear_svm --help``
in the repository.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from reds_pipeline.modeling.blas_threads import one_blas_thread
from reds_pipeline.modeling.choose_c import FoldFits, fit_folds
from reds_pipeline.modeling.cross_validation import accuracy_of_values
from reds_pipeline.modeling.heads import PENALTIES

_FOLDS = 5
_SUBCLUSTERS = 3
_WRONG = 0.03
_MATRIX = 3072

Features = NDArray[np.float32]


def mixture(rows: int, dimension: int, classes: int, seed: int) -> tuple[Features, NDArray[Any]]:
    """Return features of classes of three clusters each, and their labels, 3 % of them wrong.

    The spectrum decays like that of embeddings and the features have scales of their own.
    """
    generator = np.random.default_rng(seed)
    spectrum = np.arange(1, dimension + 1) ** -0.5
    turned = np.linalg.qr(generator.normal(size=(dimension, dimension)))[0]
    centres = generator.normal(size=(classes, _SUBCLUSTERS, dimension)) * spectrum
    labels = np.arange(rows) % classes
    cluster = generator.integers(0, _SUBCLUSTERS, rows)
    noise = 1.6 * generator.normal(size=(rows, dimension)) * spectrum
    features = (centres[labels, cluster] + noise) @ turned
    features = features * generator.uniform(0.2, 3, dimension) + generator.normal(size=dimension)
    wrong = generator.random(rows) < _WRONG
    labels[wrong] = generator.integers(0, classes, wrong.sum())
    return features.astype(np.float32), np.array([f"class {label}" for label in labels])


def processor_time(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor time of some work, in seconds, and what it returned."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def gemm_rate() -> float:
    """Return how many 10^9 float32 operations a second one core multiplies matrices with."""
    matrix = np.random.default_rng(0).random((_MATRIX, _MATRIX)).astype(np.float32)
    seconds, _ = processor_time(lambda: matrix @ matrix)
    return 2 * _MATRIX**3 / seconds / 1e9


def scikit_learn(features: Features, labels: NDArray[Any], penalty: float, tolerance: float) -> Any:
    """Return scikit-learn's own pipeline after fitting."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=penalty, tol=tolerance, max_iter=100_000)
    return make_pipeline(StandardScaler(), machine).fit(features.astype(np.float64), labels)


def agreement(
    fits: FoldFits, features: Features, labels: NDArray[Any]
) -> tuple[float, float, float]:
    """Compare the final fit with scikit-learn's on the same C, solved until it stands still.

    Returns:
        (scikit-learn's processor time, largest difference of two decision values, share of rows
        with the same answer).
    """
    seconds, pipeline = processor_time(lambda: scikit_learn(features, labels, fits.final_C, 1e-8))
    theirs = pipeline.decision_function(features.astype(np.float64))
    ours = fits.final.decision_values(0, 0, features)
    same = (theirs.argmax(axis=1) == ours.argmax(axis=1)).mean()
    return seconds, float(np.abs(theirs - ours).max()), float(same)


@click.command()
@click.option("--rows", default=4500, show_default=True)
@click.option("--dimension", default=768, show_default=True)
@click.option("--classes", default=5, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--default-fits",
    default=_FOLDS + 1,
    show_default=True,
    help="How many of scikit-learn's six fits with its defaults are run; the others are taken to "
    "cost the same.",
)
def main(rows: int, dimension: int, classes: int, seed: int, default_fits: int) -> None:
    """Time the choice of C, five folds and the final fit, on made-up features."""
    features, labels = mixture(rows, dimension, classes, seed)
    targets = labels[:, None] == np.unique(labels)
    fold = np.random.default_rng(seed + 1).permutation(np.arange(rows) % _FOLDS)
    with one_blas_thread():
        print(f"float32 products of matrices: {gemm_rate():.0f} GFLOP/s on one core")
        seconds, fits = processor_time(
            partial(fit_folds, features, targets, fold, PENALTIES, accuracy_of_values)
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"choice among {len(PENALTIES)} C, {_FOLDS} folds, final fit: {seconds:.2f} CPU s")
        print(f"  peak memory of the process {peak:.0f} MiB")
        print(f"  C of the folds {fits.fold_C}, final {fits.final_C}, minima: {fits.converged}")
        for penalty in PENALTIES:
            one, _ = processor_time(
                partial(fit_folds, features, targets, fold, [penalty], accuracy_of_values)
            )
            print(f"  with C = {penalty:g} given: {one:.2f} CPU s")
        theirs, difference, same = agreement(fits, features, labels)
        print(
            f"scikit-learn, one fit on the same C until it stands still: {theirs:.2f} CPU s; "
            f"values differ by {difference:.1e} at most, same answer for {same:.2%}"
        )
        total = 0.0
        for number in range(default_fits):
            kept = fold != number
            one, _ = processor_time(partial(scikit_learn, features[kept], labels[kept], 1.0, 1e-4))
            total += one
        if default_fits:
            each = total / default_fits
            print(
                f"scikit-learn's defaults, no choice of C: {each:.1f} CPU s for one fit "
                f"({default_fits} run), {each * (_FOLDS + 1):.0f} for {_FOLDS} folds and the "
                f"final fit, {each * (_FOLDS + 1) / seconds:.0f} times as much"
            )


if __name__ == "__main__":
    main()
