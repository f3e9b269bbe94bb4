"""Tests of reds_pipeline.demo.pixelfed."""
