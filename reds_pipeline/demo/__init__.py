"""The embedded demo instance: an invented town of posts behind a real HTTP server."""
