from __future__ import annotations

import threading
from pathlib import Path

import pytest

from reds_pipeline.errors import RedsError
from reds_pipeline.storage.locks import exclusive


@pytest.mark.parametrize("patience", [0.0, 30.0], ids=["at once", "after a while"])
def test_who_is_patient_gets_a_lock_that_is_held_for_a_moment(
    tmp_path: Path, patience: float
) -> None:
    lock = tmp_path / "locks" / "posts.lock"
    held, may_end = threading.Event(), threading.Event()

    def withdraw() -> None:
        with exclusive(lock, "withdrawing"):
            held.set()
            may_end.wait()

    other = threading.Thread(target=withdraw)
    other.start()
    held.wait()
    try:
        if patience:
            threading.Timer(0.1, may_end.set).start()
            with exclusive(lock, "collecting", patience_seconds=patience):
                assert may_end.is_set()
        else:
            with pytest.raises(RedsError, match="already collecting"):
                exclusive(lock, "collecting").__enter__()
    finally:
        may_end.set()
        other.join()
