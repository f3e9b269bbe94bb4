"""Tests of reds_pipeline.fediverse.media.download."""
