"""Tests of reds_pipeline.lexicon."""
