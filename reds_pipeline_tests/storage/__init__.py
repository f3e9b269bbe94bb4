"""Tests of ``reds_pipeline.storage``."""
