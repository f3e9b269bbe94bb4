"""Tests of reds_pipeline.fediverse.recheck.asking."""
