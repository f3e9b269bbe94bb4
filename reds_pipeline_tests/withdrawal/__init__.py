"""Tests of reds_pipeline.withdrawal.withdraw."""
