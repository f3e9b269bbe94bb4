"""How many threads linear algebra takes.

What belongs here: the one switch for it. What does not: the threads of encoders, which have
their own.
"""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_blas_thread() -> AbstractContextManager[object]:
    """Return a context in which products of matrices run on one thread.

    Their sums are then the same to the bit whatever number of cores the machine or its settings
    give, and no thread burns processor time while it waits for the next short product.
    """
    # Loaded first: SciPy has a library of its own, which would come with its own number.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().limit(limits=1, user_api="blas")
