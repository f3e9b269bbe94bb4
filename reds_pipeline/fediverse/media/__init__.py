"""Fetching pictures from wherever hosts say that they lie."""
