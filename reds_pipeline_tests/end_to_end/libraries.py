"""What the commands import sooner or later; only the fork server of ``ready_process`` imports this.

What belongs here: libraries that take long to import and, when imported, neither start a thread nor
open a file that forked processes would share. What does not: networks and their engines, which
most commands never need, and WordNet's dictionary, whose files would be shared.
"""

from __future__ import annotations

import os
from importlib import import_module

# As ``Tracking.client`` has it, which comes too late for a library that is here already.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

for _name in (
    "bs4",
    "cleanlab.rank",
    "duckdb",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "mlflow.sklearn",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "nltk.corpus",
    "pandas",
    "rich.table",
    "scipy.stats",
    "sklearn.calibration",
    "sklearn.manifold",
    "sklearn.model_selection",
    "sklearn.svm",
    "skops.io",
    "reds_pipeline.cli",
    "reds_pipeline.definitions",
    "reds_pipeline.demo.demo_home",
    "reds_pipeline.runner",
    "reds_pipeline.training",
):
    import_module(_name)
