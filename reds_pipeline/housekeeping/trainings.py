"""What old trainings leave in MLflow.

What belongs here: runs that a person deleted, files of runs that are no more, and of old trainings
whose model is gone everything that shows or names pictures. What does not: removing versions of
models (``pruning.py``).

Numbers, settings and tags of a training stay for ever, with its measures by class and its card: a
few kilobytes by which history stays readable. What goes with time are its figures, the sheets of
wrong answers, the lists of the pictures that it used, and a model file that no version names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from reds_pipeline.errors import RedsError
from reds_pipeline.housekeeping.chore import Chore, removing
from reds_pipeline.housekeeping.disk_use import taken
from reds_pipeline.run_artifacts import PREDICTIONS, SPLIT
from reds_pipeline.storage.clock import utc_now
from reds_pipeline.storage.leftovers import LEFTOVER_SECONDS, is_old
from reds_pipeline.tracking import (
    MODEL_ARTIFACT,
    MODEL_REMOVED,
    PICTURES_REMOVED,
    TRAINING_KEY,
    Tracking,
)

KIND = "trainings"

# ``split.json`` goes last: by it a withdrawal finds the training as long as anything is there.
_OF_PICTURES = ("errors", PREDICTIONS, "figures", MODEL_ARTIFACT, SPLIT)
_RUN_ID = re.compile(r"[0-9a-f]{32}")
_AT_ONCE = 100
_DELETED = sa.text(
    "SELECT run_uuid FROM runs WHERE lifecycle_stage = 'deleted' AND deleted_time < :before"
)


def chores(
    tracking: Tracking, directory: Path, keep_days: float, needed: Collection[str]
) -> Iterator[Chore]:
    """Yield what of MLflow's runs may go.

    Args:
        tracking: Where trainings stand.
        directory: Where MLflow keeps its files, if it keeps them in this home.
        keep_days: ``REDS_KEEP_RUN_DAYS``.
        needed: Runs of which everything stays, such as those of registered versions.

    Raises:
        RedsError: MLflow cannot be reached.
    """
    before = datetime.now(UTC) - timedelta(days=keep_days)
    runs = list(_runs(tracking))
    deleted = _deleted_runs(tracking, before, needed)
    if deleted:
        yield Chore(
            KIND,
            "runs of MLflow that were deleted there",
            len(deleted),
            sum(taken(directory / run_id) for run_id in deleted),
            f"somebody deleted them more than {keep_days:g} days ago",
            lambda: _collect_garbage(tracking, deleted, directory, keep_days),
        )
    known = {str(run.info.run_id) for run in runs}
    lost = list(_lost_directories(directory, known))
    if lost:
        yield Chore(
            KIND,
            "files of runs that MLflow does not know",
            len(lost),
            sum(map(taken, lost)),
            "no run names them",
            removing(lost),
        )
    old = {
        str(run.info.run_id): _pictures_of(tracking, str(run.info.run_id))
        for run in runs
        if _is_old_training(run, before) and run.info.run_id not in needed
    }
    if old:
        yield Chore(
            KIND,
            "trainings with files that show or name pictures",
            len(old),
            sum(sum(files.values()) for files in old.values()),
            f"older than {keep_days:g} days and no model of theirs is kept; the numbers stay",
            lambda: _strip(tracking, old),
        )


def _runs(tracking: Tracking) -> Iterator[Any]:
    """Yield every run of every experiment, deleted ones too."""
    from mlflow.entities import ViewType

    experiments = tracking.client.search_experiments(view_type=ViewType.ALL)
    numbers = [experiment.experiment_id for experiment in experiments]
    token = None
    while True:
        page = tracking.client.search_runs(
            numbers, run_view_type=ViewType.ALL, max_results=1000, page_token=token
        )
        yield from page
        token = page.token
        if not token:
            return


def _is_old_training(run: Any, before: datetime) -> bool:
    tags, info = run.data.tags, run.info
    # One that was killed never ended.
    at = datetime.fromtimestamp((info.end_time or info.start_time) / 1000, UTC)
    return (
        TRAINING_KEY in tags
        and PICTURES_REMOVED not in tags
        and info.lifecycle_stage != "deleted"
        and at < before
    )


def _deleted_runs(tracking: Tracking, before: datetime, needed: Collection[str]) -> list[str]:
    """Return runs that were deleted long ago; of a server only the server itself can tell."""
    if tracking.uri.startswith("http"):
        return []
    # When a run was deleted is in no interface of MLflow but its own command's.
    engine = sa.create_engine(tracking.uri)
    try:
        with engine.connect() as connection:
            rows = connection.execute(_DELETED, {"before": before.timestamp() * 1000}).fetchall()
    finally:
        engine.dispose()
    return sorted(run_id for (run_id,) in rows if run_id not in needed)


def _collect_garbage(
    tracking: Tracking, run_ids: Sequence[str], directory: Path, keep_days: float
) -> None:
    """Have MLflow's own ``mlflow gc`` remove deleted runs with their files."""
    import mlflow
    from mlflow.cli import gc
    from mlflow.exceptions import MlflowException

    before = mlflow.get_tracking_uri()
    try:
        for start in range(0, len(run_ids), _AT_ONCE):
            names = ",".join(run_ids[start : start + _AT_ONCE])
            arguments = ["--backend-store-uri", tracking.uri, "--tracking-uri", tracking.uri]
            # It looks for deleted experiments, too.
            arguments += ["--older-than", f"{max(keep_days, 0.0) * 86400:.0f}s"]
            with redirect_stdout(StringIO()):
                gc.main([*arguments, "--run-ids", names], standalone_mode=False)
        # It leaves the directory that held them.
        removing([directory / run_id for run_id in run_ids])()
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise RedsError(
            f"MLflow could not remove runs that were deleted ({reason}); `mlflow gc` says more."
        ) from error
    finally:
        mlflow.set_tracking_uri(before)


def _lost_directories(directory: Path, known: Collection[str]) -> Iterator[Path]:
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        is_lost = _RUN_ID.fullmatch(path.name) and path.name not in known
        if is_lost and is_old(path, LEFTOVER_SECONDS):
            yield path


def _pictures_of(tracking: Tracking, run_id: str) -> dict[str, int]:
    """Return the files of a training that go, with their sizes.

    Raises:
        RedsError: MLflow's files cannot be listed.
    """
    from mlflow.exceptions import MlflowException

    try:
        files = tracking.artifacts(run_id)
    except (MlflowException, OSError) as error:
        raise RedsError(
            f"The files of run {run_id} cannot be listed ({' '.join(str(error).split())})."
        ) from error
    return {path: size for path, size in files.items() if path.partition("/")[0] in _OF_PICTURES}


def _strip(tracking: Tracking, old: dict[str, dict[str, int]]) -> None:
    for run_id, files in old.items():
        places = {path.partition("/")[0] for path in files}
        if MODEL_ARTIFACT in places:
            # First, so that a kill leaves no training that is taken for one with a model.
            tracking.client.set_tag(run_id, MODEL_REMOVED, utc_now())
        for place in sorted(places, key=_OF_PICTURES.index):
            tracking.delete_artifacts(run_id, place)
        tracking.client.set_tag(run_id, PICTURES_REMOVED, utc_now())
