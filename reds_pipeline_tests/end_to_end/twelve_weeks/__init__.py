"""A simulated instance that drifts, and the real daemon living through it with a given clock."""
