"""Captures: what Claude Codes that we did not start tell of themselves, taken into the event log.

Their transcripts, their registry, their hooks and their telemetry are read; nothing of theirs is ever changed. What it
means as a tree is the matter of `activity`, and the output of our own runs that of `sessions`.
"""
