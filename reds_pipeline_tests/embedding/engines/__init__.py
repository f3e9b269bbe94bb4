"""Tests of reds_pipeline.embedding.engines."""
