"""How the tests are spread over pytest's workers: file by file, and what shares a home together.

What belongs here: which files go to the same worker. What does not: how many workers there are,
which the command says (``make test``).
"""

from __future__ import annotations

from xdist.scheduler.loadfile import LoadFileScheduling

# Fixtures that last a session are made once a worker. These files look at one finished home, which
# takes a minute to make.
TOGETHER = (
    "reds_pipeline_tests/end_to_end/test_main_job.py",
    "reds_pipeline_tests/end_to_end/test_user_interfaces.py",
)


class ByFileAndHome(LoadFileScheduling):
    """Gives the tests of one file to one worker, and files that share a home to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return TOGETHER[0] if file in TOGETHER else file
