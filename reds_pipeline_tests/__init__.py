"""Tests of REDS: the folders mirror the package; ``end_to_end`` runs whole jobs."""
