"""Tests of reds_pipeline.modeling."""
