"""Two models on the same frozen test pictures, measured now.

What belongs here: running a registered version on pictures of this home, and which pictures are
fair to two of them. What does not: what follows from it (``modeling/promotion.py``), or which
pictures are frozen (``frozen_test.py``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reds_pipeline.errors import RedsError
from reds_pipeline.feedback.contributed_tables import judged_contributions
from reds_pipeline.modeling.promotion_evidence import LEAST_TEST_PICTURES, ClassResult, SharedTest
from reds_pipeline.resources import Platform
from reds_pipeline.run_artifacts import SPLIT
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.tables import CURATED, TEST_PICTURES, read_rows
from reds_pipeline.storage.views import open_views
from reds_pipeline.tracking import RegisteredVersion, Tracking

if TYPE_CHECKING:
    from reds_pipeline.modeling.bundle import ModelBundle

Row = Mapping[str, Any]


class EncoderChanged(RedsError):
    """The encoder that a model needs is no longer the one of that name here."""


@dataclass(frozen=True)
class RegisteredBundle:
    """A version that can be run.

    Attributes:
        version: Its place in the registry.
        bundle: The model.
        learnt: SHA-256 of the pictures it learnt from; None where nobody knows any more.
    """

    version: RegisteredVersion
    bundle: ModelBundle
    learnt: frozenset[str] | None


def load_registered(tracking: Tracking, version: RegisteredVersion) -> RegisteredBundle:
    """Read a version's bundle and what it learnt from.

    Raises:
        RedsError: The bundle is gone, damaged or not one.
    """
    bundle = read_bundle(tracking, version)
    return RegisteredBundle(version, bundle, _learnt(tracking.record(version.run_id, SPLIT)))


def _learnt(split: Mapping[str, Any] | None) -> frozenset[str] | None:
    """Return what a training learnt from, contributed photos too; None if it is not known."""
    if not split or "fold" not in split:
        return None
    contributed = split.get("contributed", {})
    return frozenset(split["fold"]).union(key for key, fold in contributed.items() if fold >= 0)


def read_bundle(tracking: Tracking, version: RegisteredVersion) -> ModelBundle:
    """Read a version's bundle.

    Raises:
        RedsError: It is gone, damaged or not one.
    """
    from mlflow.exceptions import MlflowException

    from reds_pipeline.modeling.bundle import load_bundle

    with tempfile.TemporaryDirectory() as temporary:
        try:
            directory = tracking.bundle(version, Path(temporary))
        except (MlflowException, OSError) as error:
            raise RedsError(
                f"The files of version {version.version} are gone from MLflow; choose another "
                "version or train again."
            ) from error
        return load_bundle(directory)


def compare_on_frozen_test(
    platform: Platform, challenger: RegisteredBundle, rival: RegisteredBundle
) -> SharedTest | str:
    """Run both on the frozen test pictures that neither learnt from.

    Pictures of a group (one author, copies of one picture) from which either has learnt a
    picture are left out too: whoever learnt it would be flattered.

    Returns:
        What was measured, or a clause that says why it could not be.

    Raises:
        EncoderChanged: The rival's encoder is no longer the one it was trained with.
    """
    for model in (challenger, rival):
        if model.learnt is None:
            return f"what version {model.version.version} learnt from is no longer known"
    home = platform.home
    learnt = (challenger.learnt or frozenset()) | (rival.learnt or frozenset())
    common = set(challenger.bundle.classes) & set(rival.bundle.classes)
    if not common:
        return "they have no class in common"
    rows = fair_rows(
        read_rows(home.table("curated_dataset"), CURATED),
        judged_contributions(home),
        {row["sha256"] for row in read_rows(home.table("test_pictures"), TEST_PICTURES)},
        learnt,
        common,
        authors=_authors_of(home, learnt),
    )
    if len(rows) < LEAST_TEST_PICTURES:
        return (
            f"only {len(rows)} frozen test pictures are new to both, fewer than "
            f"{LEAST_TEST_PICTURES}"
        )
    try:
        ours, theirs = (_is_right(platform, model, rows) for model in (challenger, rival))
    except EncoderChanged:
        raise
    except RedsError as error:
        return f"the pictures cannot be run through both ({str(error).rstrip('.')})"
    return _result(rows, ours, theirs)


def fair_rows(
    rows: Sequence[Row],
    contributed: Sequence[Row],
    frozen: set[str],
    learnt: frozenset[str],
    classes: set[str],
    *,
    authors: Collection[str] = (),
) -> list[Row]:
    """Return the frozen test pictures of which no model has learnt anything.

    Args:
        rows: Of ``curated_dataset``, those too that are not learnt from any more: by them it is
            known whose pictures were learnt earlier. Only those that are kept test.
        contributed: Of ``contributed_dataset``, also those that are not learnt from any more;
            they never test, but a copy of a test picture may have been learnt as one of them,
            before the post came that it is a copy of.
        frozen: SHA-256 of the test pictures.
        learnt: SHA-256 of what models learnt from.
        classes: Those that the models can say.
        authors: Whose pictures models learnt from, also where those are in the data set no more.
    """
    known_groups = {row["group"] for row in (*rows, *contributed) if row["sha256"] in learnt}
    tested = [
        row
        for row in rows
        if row["kept"]
        and row["sha256"] in frozen
        and row["group"] not in known_groups
        and row["class_name"] in classes
        and not (row["author_key"] and row["author_key"] in authors)
    ]
    return sorted(tested, key=lambda row: (row["class_name"], row["sha256"]))


def _authors_of(home: Home, pictures: Collection[str]) -> set[str]:
    """Return the authors of pictures in any class, those that left and outdated ones too."""
    with open_views(home.root / "tables") as tables:
        if ("images",) not in tables.sql("SHOW TABLES").fetchall():
            return set()
        rows = tables.sql("SELECT DISTINCT sha256, author_key FROM images").fetchall()
    return {author for sha256, author in rows if author and sha256 in pictures}


def _is_right(
    platform: Platform, model: RegisteredBundle, rows: Sequence[Row]
) -> NDArray[np.bool_]:
    """Return bool (n,): whether the likeliest class of each picture is its label."""
    from reds_pipeline.embedding_runs import picture_features

    provenance = model.bundle.provenance
    seen = picture_features(platform, provenance.encoder_name, rows)
    if seen.encoder_id != provenance.encoder_id:
        raise EncoderChanged(
            f"it needs the encoder {provenance.encoder_id}, and the one here is {seen.encoder_id}"
        )
    said = model.bundle.predict(seen.features).argmax(axis=1)
    return np.array(
        [
            model.bundle.classes[column] == row["class_name"]
            for column, row in zip(said, rows, strict=True)
        ]
    )


def _result(rows: Sequence[Row], ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> SharedTest:
    from reds_pipeline.modeling.comparison import compare_predictions

    paired = compare_predictions(
        "challenger", ours, "champion", theirs, [row["group"] for row in rows]
    )
    labels = np.array([row["class_name"] for row in rows])
    return SharedTest(
        by_class=tuple(
            ClassResult(
                str(name),
                int((labels == name).sum()),
                int(ours[labels == name].sum()),
                int(theirs[labels == name].sum()),
            )
            for name in np.unique(labels)
        ),
        low=float(paired.low),
        high=float(paired.high),
        mcnemar_p=float(paired.mcnemar_p),
    )
