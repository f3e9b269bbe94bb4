"""Tests of reds_pipeline.retraining."""
