"""The assets, one file a stage, in the order in which data flows.

``tags`` and ``classes`` discover, ``posts`` and ``images`` collect and clean one class at a time,
``features`` and ``dataset`` put the classes together, ``tensors``, ``embeddings`` and ``models``
train, ``reports`` shows. An asset reads
settings and tables, calls a function of the domain, stores what it returns and describes it; it
never holds an algorithm.

Modules with assets do without ``from __future__ import annotations``: Dagster reads the real
annotations of a decorated function, and as text they could not be resolved.
"""
