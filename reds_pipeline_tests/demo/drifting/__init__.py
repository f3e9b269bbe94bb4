"""Tests of the drifting instance."""
