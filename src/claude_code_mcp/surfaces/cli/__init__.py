"""The catalog as a command line, and the live view of a session. It names no feature, only operations."""
