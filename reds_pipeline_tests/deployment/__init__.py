"""What containers start besides the commands."""
