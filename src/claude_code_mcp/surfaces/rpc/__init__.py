"""The catalog over the Unix socket, one JSON object a line: what our own command line speaks."""
