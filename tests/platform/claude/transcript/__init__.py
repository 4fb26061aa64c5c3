"""Transcripts, read."""
