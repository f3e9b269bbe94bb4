"""The Pixelfed flavour of the embedded instance."""
