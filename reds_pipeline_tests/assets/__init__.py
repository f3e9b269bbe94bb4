"""Tests of ``reds_pipeline.assets``; whole jobs are in ``end_to_end``."""
