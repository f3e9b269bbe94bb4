"""Parquet tables: one file per asset and partition, written whole.

What belongs here: reading and writing a table, and the columns of the tables that stages hand
to one another. What does not: computing rows. A fixed schema per table keeps an empty table
readable and a column's type independent of what happens to be in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.atomic import replacing

_TEXT = pa.string()
_TEXTS = pa.list_(pa.string())
_COUNT = pa.int64()
_NUMBER = pa.float64()
_FLAG = pa.bool_()

_MEDIA = pa.struct(
    [
        ("media_id", _TEXT),
        ("url", _TEXT),
        ("alt_text", _TEXT),
        ("licence", _TEXT),
        ("width", _COUNT),
        ("height", _COUNT),
    ]
)

POSTS = pa.schema(
    [
        ("post_key", _TEXT),
        ("host", _TEXT),
        ("query_tag", _TEXT),
        ("status", _TEXT),
        ("reason", _TEXT),
        ("policy", _TEXT),
        ("collected_at", _TEXT),
        ("confirmed_at", _TEXT),
        ("failed_checks", _COUNT),
        ("post_id", _TEXT),
        ("created_at", _TEXT),
        ("author_key", _TEXT),
        ("permalink", _TEXT),
        ("tags", _TEXTS),
        ("media", pa.list_(_MEDIA)),
    ]
)

CURSORS = pa.schema(
    [
        ("tag", _TEXT),
        ("newest_id", _TEXT),
        ("oldest_id", _TEXT),
        ("exhausted", _FLAG),
        ("newest_key", _TEXT),
        ("host", _TEXT),
        ("policy", _TEXT),
        ("looked_at", _TEXT),
        ("walked_at", _TEXT),
    ]
)

AUTHOR_WISHES = pa.schema([("author_key", _TEXT), ("checked_at", _TEXT), ("reason", _TEXT)])

HASHTAGS = pa.schema(
    [
        ("tag", _TEXT),
        ("posts", _COUNT),
        ("authors", _COUNT),
        ("occurrences", _COUNT),
        ("lemmas", _TEXTS),
    ]
)

LEMMAS = pa.schema(
    [
        ("lemma", _TEXT),
        ("posts", _COUNT),
        ("authors", _COUNT),
        ("tokens", _COUNT),
        ("sources", pa.list_(pa.struct([("tag", _TEXT), ("occurrences", _COUNT)]))),
    ]
)

CLASS_SELECTION = pa.schema(
    [
        ("lemma", _TEXT),
        ("synset", _TEXT),
        ("rank", _COUNT),
        ("posts", _COUNT),
        ("authors", _COUNT),
        ("accepted", _FLAG),
        ("reason", _TEXT),
        ("query_tags", _TEXTS),
        ("state", _TEXT),
        ("since", _TEXT),
        ("dry_refreshes", _COUNT),
        ("ahead_refreshes", _COUNT),
        ("counted_at", _TEXT),
    ]
)

# What one decode of a picture says about its quality (``imaging.scores``).
SCORES = pa.struct(
    [
        ("version", _TEXT),
        ("mode", _TEXT),
        ("transparent_share", _NUMBER),
        ("brightness", _NUMBER),
        ("shadows", _NUMBER),
        ("highlights", _NUMBER),
        ("sharpness", _NUMBER),
        ("entropy", _NUMBER),
        ("text_share", _NUMBER),
    ]
)

IMAGES = pa.schema(
    [
        ("media_key", _TEXT),
        ("post_key", _TEXT),
        ("author_key", _TEXT),
        ("created_at", _TEXT),
        ("tags", _TEXTS),
        ("position", _COUNT),
        ("album", _FLAG),
        ("alt_text", _TEXT),
        ("licence", _TEXT),
        ("url", _TEXT),
        ("collected_at", _TEXT),
        ("status", _TEXT),
        ("reason", _TEXT),
        ("bytes", _COUNT),
        ("width", _COUNT),
        ("height", _COUNT),
        ("sha256", _TEXT),
        ("extension", _TEXT),
        ("perceptual_hash", _TEXT),
        ("colour_spread", _NUMBER),
        ("mirrored_hash", _TEXT),
        ("scores", SCORES),
    ]
)

# Which picture stayed instead of a duplicate, how they are alike, and why the other one stayed.
_DUPLICATE_OF = (
    ("keeper", _TEXT),
    ("duplicate_kind", _TEXT),
    ("duplicate_distance", _NUMBER),
    ("keeper_rule", _TEXT),
)

CLEAN_IMAGES = pa.schema(
    [
        *IMAGES,
        ("class_name", _TEXT),
        ("kept", _FLAG),
        ("drop_reason", _TEXT),
        ("cluster", _TEXT),
        ("flags", _TEXTS),
        *_DUPLICATE_OF,
    ]
)

CURATED = pa.schema(
    [
        ("media_key", _TEXT),
        ("sha256", _TEXT),
        ("extension", _TEXT),
        ("class_name", _TEXT),
        ("collected_as", _TEXT),
        ("author_key", _TEXT),
        ("cluster", _TEXT),
        ("group", _TEXT),
        ("created_at", _TEXT),
        ("width", _COUNT),
        ("height", _COUNT),
        ("flags", _TEXTS),
        ("decision", _TEXT),
        *_DUPLICATE_OF,
        ("kept", _FLAG),
        ("drop_reason", _TEXT),
    ]
)

# Photos that people gave on the page; no class partitions them, for a label may change.
_CONTRIBUTED = (
    ("contribution_id", _TEXT),
    ("sha256", _TEXT),
    ("extension", _TEXT),
    ("class_name", _TEXT),
    ("origin", _TEXT),
    ("created_at", _TEXT),
    ("width", _COUNT),
    ("height", _COUNT),
    ("flags", _TEXTS),
    ("kept", _FLAG),
    ("drop_reason", _TEXT),
)

CONTRIBUTED_IMAGES = pa.schema(
    [
        *_CONTRIBUTED,
        ("bytes", _COUNT),
        ("perceptual_hash", _TEXT),
        ("mirrored_hash", _TEXT),
        ("colour_spread", _NUMBER),
        ("scores", SCORES),
    ]
)

CONTRIBUTED = pa.schema(
    [
        *_CONTRIBUTED,
        ("group", _TEXT),
        ("decision", _TEXT),
        ("keeper", _TEXT),
        ("duplicate_kind", _TEXT),
        ("sample_weight", _NUMBER),
    ]
)

SIMILAR_PAIRS = pa.schema(
    [
        ("one", _TEXT),
        ("other", _TEXT),
        ("similarity", _NUMBER),
        ("alignment", _NUMBER),
        ("difference", _NUMBER),
        ("kind", _TEXT),
        ("is_copy", _FLAG),
        ("checked_by", _TEXT),
    ]
)

LABEL_SUSPECTS = pa.schema(
    [
        ("sha256", _TEXT),
        ("class_name", _TEXT),
        ("class_probability", _NUMBER),
        ("guess", _TEXT),
        ("guess_probability", _NUMBER),
        ("label_quality", _NUMBER),
        ("is_suspect", _FLAG),
        ("outlier_score", _NUMBER),
        ("is_outlier", _FLAG),
        ("reason", _TEXT),
        ("review_rank", _COUNT),
        ("found_by", _TEXT),
    ]
)

EMBEDDING_RUNS = pa.schema(
    [
        ("encoder_id", _TEXT),
        ("embeddings_id", _TEXT),
        ("engine", _TEXT),
        ("input_size", _COUNT),
        ("dimension", _COUNT),
        ("weights", _TEXT),
        ("preprocessing", _TEXT),
        ("computed", _COUNT),
        ("seconds", _NUMBER),
        ("at", _TEXT),
    ]
)

TEST_PICTURES = pa.schema([("sha256", _TEXT), ("class_name", _TEXT), ("held_out_at", _TEXT)])

PREDICTIONS = pa.schema(
    [
        ("sha256", _TEXT),
        ("protocol", _TEXT),
        ("fold", _COUNT),
        ("class_name", _TEXT),
        ("predicted", _TEXT),
        ("chance", _NUMBER),
        ("group", _TEXT),
    ]
)

TRAININGS = pa.schema(
    [
        ("backbone", _TEXT),
        ("encoder_id", _TEXT),
        ("embeddings_id", _TEXT),
        ("weights", _TEXT),
        ("protocol", _TEXT),
        ("training_key", _TEXT),
        ("run_id", _TEXT),
        ("dataset_digest", _TEXT),
        ("classes", _TEXTS),
        ("cv_accuracy", pa.list_(_NUMBER)),
        ("cv_mean", _NUMBER),
        ("cv_var_ddof0", _NUMBER),
        ("cv_var_ddof1", _NUMBER),
        ("test_accuracy", _NUMBER),
        ("test_low", _NUMBER),
        ("test_high", _NUMBER),
        ("macro_f1", _NUMBER),
        ("C", _NUMBER),
        ("fold_C", pa.list_(_NUMBER)),
        ("cv_calibration_error", _NUMBER),
        ("test_calibration_error", _NUMBER),
        ("answer_threshold", _NUMBER),
        ("test_coverage", _NUMBER),
        ("test_answered_accuracy", _NUMBER),
        ("n_train", _COUNT),
        ("n_test", _COUNT),
        ("n_contributed", _COUNT),
        ("embed_s", _NUMBER),
        ("fit_s", _NUMBER),
        ("trained_at", _TEXT),
    ]
)

TAG_TRAININGS = pa.schema(
    [
        ("backbone", _TEXT),
        ("encoder_id", _TEXT),
        ("embeddings_id", _TEXT),
        ("training_key", _TEXT),
        ("run_id", _TEXT),
        ("dataset_digest", _TEXT),
        ("tags", _TEXTS),
        ("C", _NUMBER),
        ("precision_at_1", _NUMBER),
        ("recall_at_5", _NUMBER),
        ("accuracy_at_5", _NUMBER),
        ("popularity_precision_at_1", _NUMBER),
        ("popularity_recall_at_5", _NUMBER),
        ("popularity_accuracy_at_5", _NUMBER),
        ("test_precision_at_1", _NUMBER),
        ("test_recall_at_5", _NUMBER),
        ("test_accuracy_at_5", _NUMBER),
        ("mean_average_precision", _NUMBER),
        ("macro_f1", _NUMBER),
        ("micro_f1", _NUMBER),
        ("n_train", _COUNT),
        ("n_test", _COUNT),
        ("fit_s", _NUMBER),
        ("trained_at", _TEXT),
    ]
)

# One row a name: what was tagged in one stretch of time, to be compared with other stretches.
TAG_SAMPLES = pa.schema(
    [
        ("sampled_at", _TEXT),
        ("oldest_post", _TEXT),
        ("newest_post", _TEXT),
        ("sample_posts", _COUNT),
        ("sample_authors", _COUNT),
        ("kind", _TEXT),
        ("rank", _COUNT),
        ("name", _TEXT),
        ("posts", _COUNT),
        ("authors", _COUNT),
        ("posts_of_halves", pa.list_(_COUNT)),
    ]
)

# One row a measurement, newest last; the numbers are those of ``retraining.advice.Evidence``.
RETRAINING_ADVICE = pa.schema(
    [
        ("at", _TEXT),
        ("interval_days", _NUMBER),
        ("due", _FLAG),
        ("reasons", _TEXTS),
        ("model_version", _TEXT),
        ("training_key", _TEXT),
        ("classes_entered", _TEXTS),
        ("classes_left", _TEXTS),
        ("has_champion", _NUMBER),
        ("has_changed", _NUMBER),
        ("pictures", _NUMBER),
        ("days_since_training", _NUMBER),
        ("champion_days", _NUMBER),
        ("learnt_pictures", _NUMBER),
        ("new_pictures", _NUMBER),
        ("withdrawn_pictures", _NUMBER),
        ("tag_half_life_days", _NUMBER),
        ("tag_days_seen", _NUMBER),
        ("tag_retention", _NUMBER),
        ("tested_new", _NUMBER),
        ("accuracy_before", _NUMBER),
        ("accuracy_new", _NUMBER),
        ("accuracy_new_low", _NUMBER),
        ("accuracy_new_high", _NUMBER),
        ("accuracy_loss", _NUMBER),
        ("accuracy_loss_low", _NUMBER),
        ("accuracy_loss_high", _NUMBER),
        ("auc", _NUMBER),
        ("auc_low", _NUMBER),
        ("auc_high", _NUMBER),
        ("auc_baseline", _NUMBER),
        ("auc_chance", _NUMBER),
        ("class_share_change", _NUMBER),
    ]
)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> None:
    """Replace the table at ``path`` by ``rows``.

    Args:
        path: A ``.parquet`` file.
        rows: Mappings; a missing key becomes null.
        schema: The table's columns.

    Raises:
        ValueError: A row carries a column that the schema does not have; nothing is written.
    """
    rows = list(rows)
    names = set(schema.names)
    for row in rows:
        if unknown := set(row) - names:
            raise ValueError(f"{path.name} has no column {sorted(unknown)}")
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary, compression="zstd")


def read_rows(path: Path, schema: pa.Schema | None = None) -> list[dict[str, Any]]:
    """Return the rows of the table at ``path``; an absent table has none.

    Args:
        path: A ``.parquet`` file.
        schema: The table's columns; those that an older version of REDS did not write are null.

    Raises:
        RedsError: The file is damaged.
    """
    if not path.exists():
        return []
    try:
        # Not `read_table`, whose machinery for many files takes longer than reading one.
        with pq.ParquetFile(path) as table:
            rows = table.read().to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise RedsError(
            f"The table {path} cannot be read, so it is probably damaged; delete that file and "
            "run again, REDS makes it anew."
        ) from error
    absent = dict.fromkeys(schema.names) if schema is not None else {}
    return [absent | row for row in rows]
