"""The Mastodon flavour of the embedded instance."""
