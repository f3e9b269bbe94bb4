"""Tests of reds_pipeline.fediverse.web."""
