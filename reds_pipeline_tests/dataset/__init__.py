"""Tests of reds_pipeline.dataset."""
