"""Files of a training's MLflow run that others read or take pictures out of.

What belongs here: their names and columns. What does not: writing them (``training_log.py``,
``tag_training.py``), and what a withdrawal does with them (``withdrawal``).
"""

from __future__ import annotations

SPLIT = "split.json"
"""``{"test": [sha256], "fold": {sha256: fold}}``: which pictures a training used, and how.

A training that learnt from contributed photos has ``"contributed": {sha256: fold}`` besides: the
fold whose head did without each, -1 for one that no head learnt from.
"""

PREDICTIONS = "predictions.json"
"""What the heads said of pictures they had not seen, as a table of MLflow."""

PREDICTION_COLUMNS = ("sha256", "fold", "class_name", "predicted", "chance")
