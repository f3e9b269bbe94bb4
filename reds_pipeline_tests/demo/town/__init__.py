"""Tests of reds_pipeline.demo.town.town."""
