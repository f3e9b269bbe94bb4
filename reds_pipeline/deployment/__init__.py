"""What containers need beyond the commands: docker/ starts these with ``python -m``."""
