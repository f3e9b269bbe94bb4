"""REDS: learn to tag photos from what people post on the Fediverse.

This file stays a docstring: importing the package must cost nothing. Start reading at
``definitions.py`` (the Dagster graph) or ``cli.py`` (the ``reds`` command).
"""
