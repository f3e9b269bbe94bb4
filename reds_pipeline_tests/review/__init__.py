"""Tests of reds_pipeline.review."""
