"""Tests of reds_pipeline.imaging."""
