"""Hooks: our part of Claude Code's settings, so that every session of the user tells us what it does.

It edits settings. What hooks tell is taken in by `captures`; what they look like is known in `platform/claude/hooks`.
"""
