"""A session as a document: each kind a pure function that yields the text in pieces."""
