"""Tests of reds_pipeline.web."""
